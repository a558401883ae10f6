"""Which words can share a first token: by hand, and against real tokenizers."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import ByteLevelBPETokenizer

from gainsift.analysis.shared_beginnings import APART, MAYBE, NONE, SAME, first_bytes, sharing
from gainsift.schemas.concepts import Concept

WORDS = {
    "en": ["ecole", "school", "House", "sun", "über", "Zoo"],
    "fr": ["École", "école", "maison", "soleil", "ŒUVRE", "zoo"],
    "de": ["Schule", "Haus", "Sonne", "Über", "Äpfel", "zu Hause"],
    "ru": ["школа", "дом", "солнце", "яблоко", "над", "парк"],
    "ja": ["学校", "家", "太陽", "りんご", "上", "公園"],
}


@pytest.mark.parametrize(
    ("a", "b", "shared"),
    [
        ("sun", "Sonne", True), ("école", "echo", True), ("Über", "uber", True), ("cat", "Katze", False),
        ("нос", "дом", True),  # many Cyrillic letters share their first byte
        ("ｃat", "cat", True),  # full width
        (" sun", "sun", True), ("a", "学", False),
    ],
)  # fmt: skip
def test_first_bytes(a: str, b: str, shared: bool) -> None:
    assert bool(first_bytes([a]) & first_bytes([b])) is shared


def test_classes_from_masses_and_spelling() -> None:
    concept = Concept(id="x", gloss="x", reference={"en": ["sun"], "de": ["Sonne"], "fr": ["lune"], "es": ["sol"]})
    languages = ["en", "de", "fr", "es", "pl"]
    differs = np.ones((1, 5, 5), bool)
    differs[0, 0, [1, 4]] = False  # English output: the German mass is always the same number
    differs[0, 2, 3] = False  # French output: so is the Spanish one, but always zero
    positive = np.ones((1, 5), bool)
    positive[0, 2] = False
    found = sharing([concept], languages, differs, positive)[0]
    assert found[0].tolist() == [NONE, SAME, APART, MAYBE, NONE]  # there is no Polish word
    assert found[2].tolist() == [APART, APART, NONE, APART, NONE]


def test_words_called_apart_never_share_a_first_token() -> None:
    """Byte-level tokenizers with much and with little to merge, trained on these very words."""
    text = [word for words in WORDS.values() for word in words] * 20
    checked = 0
    for size in (260, 300, 400):
        for lower in (False, True):
            tokenizer = ByteLevelBPETokenizer(lowercase=lower)
            tokenizer.train_from_iterator(text + [" " + word for word in text], vocab_size=size, show_progress=False)
            for a, b in [(a, b) for a in WORDS for b in WORDS if a < b]:
                for one in WORDS[a]:
                    for other in WORDS[b]:
                        if first_bytes([one]) & first_bytes([other]):
                            continue
                        plain = {tokenizer.encode(word).tokens[0] for word in (one, " " + one)}
                        against = {tokenizer.encode(word).tokens[0] for word in (other, " " + other)}
                        shared = {token for token in plain & against if token != "Ġ"}  # a bare space is no beginning
                        assert not shared, (one, other, shared)
                        checked += 1
    assert checked > 1000
