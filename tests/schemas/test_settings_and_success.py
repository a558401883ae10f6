"""What a row is about, which words it gave, and when an answer succeeds."""

from __future__ import annotations

import pytest

from gainsift.schemas.config import SuccessSpec
from gainsift.schemas.settings import exists, given_words, is_about_source, source_pairs
from gainsift.schemas.success import succeeds

TRAINED = ["en", "de", "fr", "es", "it"]


def test_source_pairs_of_each_setting() -> None:
    pair = ("de", "fr")
    assert source_pairs("tgt", pair, TRAINED) == [("de", "fr")]
    assert source_pairs("en_en", pair, TRAINED) == [("en", "en")]
    assert source_pairs("self", pair, TRAINED) == [("fr", "fr")]
    assert source_pairs("self", ("de", "en"), TRAINED) == []
    assert source_pairs("seen", pair, TRAINED) == [("es", "it"), ("it", "es")]
    assert len(source_pairs("seen", ("en", "de"), TRAINED)) == 6  # fr, es, it in both directions
    assert source_pairs("tgt_tgt", pair, TRAINED) == []
    assert not exists("self", ("de", "en"), TRAINED)
    assert not exists("seen", ("en", "de"), ["en", "de", "fr"])
    assert exists("tgt_tgt", pair, TRAINED)


def test_what_a_row_is_about() -> None:
    assert is_about_source("unpatched", "source")
    assert not is_about_source("unpatched", "target")
    assert is_about_source("seen", "target")
    assert not is_about_source("tgt_tgt", "target")


def test_given_words() -> None:
    assert given_words("unpatched", "source", ("en", "de"), TRAINED) == [("source", "en")]
    assert given_words("unpatched", "target", ("en", "de"), TRAINED) == [("target", "en")]
    assert given_words("tgt", "target", ("en", "de"), TRAINED) == [("source", "en"), ("target", "en")]
    assert given_words("seen", "target", ("en", "de"), TRAINED) == [
        ("source", "es"), ("source", "fr"), ("source", "it"), ("target", "en"),
    ]  # fmt: skip
    assert given_words("tgt_tgt", "target", ("en", "de"), TRAINED) == [("target", "en")]


@pytest.mark.parametrize(
    ("answer", "closed", "rule", "right"),
    [
        ("Hund", True, {}, True),
        (" hund ", True, {}, True),
        ("hund", True, {"case": "exact"}, False),
        ("Hund", False, {}, False),
        ("Hund", False, {"unclosed": "accept"}, True),
        ("der Hund", True, {}, False),
        ("der Hund", True, {"articles": "strip"}, True),
        ("Hunde", True, {}, False),
        ("", True, {}, False),
        ("Scho\u0308n", True, {}, True),  # o and a combining diaeresis: the same letter after NFC
    ],
)
def test_success(answer: str, closed: bool, rule: dict[str, str], right: bool) -> None:
    assert succeeds(answer, closed, ["Hund", "Schön"], "de", SuccessSpec.model_validate(rule)) is right


def test_an_article_alone_is_not_stripped_to_nothing() -> None:
    assert succeeds("die ", True, ["die"], "de", SuccessSpec(articles="strip"))
