"""The settings of a patching experiment: where the patched-in vector comes from, and what a row is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

UNPATCHED = "unpatched"
PATCHED: dict[str, str] = {
    "tgt": "source vectors of the same language pair",
    "seen": "mean over all pairs of trained languages that share none with the target pair, without English",
    "en_en": "source vectors of English copying",
    "self": "source vectors of copying in the output language (absent when that is English)",
    "tgt_tgt": "the target prompt's own vectors (control: changes nothing)",
}
SETTINGS: dict[str, str] = {UNPATCHED: "source and target prompts as they are", **PATCHED}
Prompt = Literal["source", "target"]
LanguagePair = tuple[str, str]
"""Input language, output language."""


def source_pairs(setting: str, pair: LanguagePair, trained: Sequence[str]) -> list[LanguagePair]:
    """The language pairs whose source vectors are averaged for `setting` on target pair `pair`.

    Empty where the setting does not exist for the pair (`self` into English, `seen` with fewer than two
    languages left) and for `tgt_tgt` and `unpatched`, which take nothing from a source prompt.
    """
    given, out = pair
    if setting == "tgt":
        return [pair]
    if setting == "seen":
        free = [code for code in trained if code not in (given, out, "en")]
        return [(a, b) for a in free for b in free if a != b]
    if setting == "en_en":
        return [("en", "en")]
    if setting == "self":
        return [] if out == "en" else [(out, out)]
    return []


def exists(setting: str, pair: LanguagePair, trained: Sequence[str]) -> bool:
    """Whether `setting` has rows for `pair`."""
    return setting in (UNPATCHED, "tgt_tgt") or bool(source_pairs(setting, pair, trained))


def is_about_source(setting: str, prompt: str) -> bool:
    """Whether the intended concept of a row is the pair's source concept (else its target concept)."""
    return prompt == "source" if setting == UNPATCHED else setting != "tgt_tgt"


def given_words(setting: str, prompt: str, pair: LanguagePair, trained: Sequence[str]) -> list[tuple[Prompt, str]]:
    """Which words the prompts behind a row asked to translate, as (concept of the pair, language).

    Unpatched: the shown word. Patched: the source prompts' words and the target prompt's word.
    """
    if setting == UNPATCHED:
        return [("source" if prompt == "source" else "target", pair[0])]
    languages = sorted({given for given, _ in source_pairs(setting, pair, trained)})
    return [*(("source", code) for code in languages), ("target", pair[0])]
