"""How word lists abbreviate parts of speech."""

from __future__ import annotations

_PARTS = {"n": "noun", "v": "verb", "a": "adjective", "adj": "adjective", "adv": "adverb"}


def part_of_speech_of(cell: str) -> str:
    """The part of speech that a cell names, by its usual abbreviations; what is none of ours stays as it is."""
    named = cell.strip().casefold().removesuffix("s")
    return _PARTS.get(named, named)
