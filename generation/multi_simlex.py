"""Reads the translations of Multi-SimLex (Vulić et al. 2020): pairs of English words and their translations.

The list was made for similarity judgements, so an English word stands in several rows, and each row was
translated for itself: its languages may hold different senses. A concept here is one English word; where its
rows disagree in a language it is flagged `sense_split`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gainsift.generation.csv_rows import csv_rows
from gainsift.generation.parts_of_speech import part_of_speech_of
from gainsift.schemas.concepts import Concept, fits_quotes, fold
from gainsift.schemas.errors import UserError, did_you_mean

CODES = {
    "ar": "ARA", "cy": "CYM", "en": "ENG", "es": "SPA", "et": "EST", "fi": "FIN", "fr": "FRA", "he": "HEB",
    "pl": "POL", "ru": "RUS", "sw": "SWA", "yue": "YUE", "zh": "CMN",
}  # fmt: skip
SIDES = ("1", "2")

OTHER_POS = "words of another part of speech"
SEVERAL_POS = "words with conflicting part of speech"
EMPTY = "empty cells"
ERRATUM = "forms that the list marks as wrong"
QUOTES = "forms with a quotation mark or characters that are not printable"
REMARK = "remarks in parentheses"
NO_FORM = "words without a form in every language"

_PARENTHESES = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)")


@dataclass(frozen=True)
class MultiSimLex:
    """Concepts in the order of the file, and how much was left out, by reason."""

    concepts: list[Concept]
    dropped: dict[str, int]


@dataclass
class _Word:
    """What the rows say about one English word: its parts of speech, and how often each form by language."""

    english: str
    parts: set[str] = field(default_factory=set)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, language: str, form: str) -> None:
        """Count a form; spellings that differ in case are one, written as first seen."""
        counter = self.counts.setdefault(language, Counter())
        known = next((old for old in counter if fold(old) == fold(form)), form)
        counter[known] += 1

    def concept(self, languages: Sequence[str], pos: str) -> Concept | None:
        """The concept, or None if a language has no form. Forms go by frequency, then as first seen."""
        if any(not self.counts.get(code) for code in languages):
            return None
        forms = {code: [form for form, _ in self.counts[code].most_common()] for code in languages}
        return Concept(
            id=f"simlex:{self.english}",
            gloss=f"{pos} '{self.english}' as listed in Multi-SimLex",
            reference=forms,
            flags=["sense_split"] if any(len(found) > 1 for found in forms.values()) else [],
        )


def read_multi_simlex(path: Path, languages: Sequence[str], pos: str = "noun") -> MultiSimLex:
    """The words of one part of speech as concepts with reference forms in `languages` (ISO codes).

    Expects a csv in UTF-8 with the columns `PoS`, `ENG 1`, `ENG 2` and two columns for each language; columns
    such as `erratum FRA 1` are optional and mark a wrong form by anything but 0. The two columns of a language
    are merged, equal English words too. Left out and counted: other parts of speech; words listed with more
    than one; empty cells; forms marked as wrong; words that then lack a language.

    Raises UserError with file and line for a file that is missing, not UTF-8, lacks columns or has a broken row.
    """
    columns, rows = csv_rows(path, "a Multi-SimLex csv")
    _check_columns(columns, languages, path)
    dropped: Counter[str] = Counter()
    words: dict[str, _Word] = {}
    for _, row in rows:
        for side in SIDES:
            _add(words, row, side, languages, pos, dropped)
    concepts = _concepts(words, languages, pos, dropped)
    if not concepts:
        raise UserError(str(path), f"no {pos} with a form in each of {', '.join(languages)}", "look at column PoS")
    return MultiSimLex(concepts, dict(dropped))


def languages_of(columns: Sequence[str]) -> list[str]:
    """The languages for which a header has both columns; none if it is no Multi-SimLex csv."""
    if "PoS" not in columns:
        return []
    return [code for code, upstream in CODES.items() if all(f"{upstream} {side}" in columns for side in SIDES)]


def _check_columns(columns: Sequence[str], languages: Sequence[str], path: Path) -> None:
    listed = languages_of(columns)
    for name in ("PoS", *(f"ENG {side}" for side in SIDES)):
        if name not in columns:
            raise UserError(f"{path}:1", f"column {name!r} is missing", "is this the translation csv of Multi-SimLex?")
    for code in languages:
        if code not in listed:
            remedy = did_you_mean(code, listed)
            raise UserError(f"{path}:1", f"no columns for language {code!r} ({CODES.get(code, code)} 1 and 2)", remedy)


def _add(
    words: dict[str, _Word],
    row: Mapping[str, str],
    side: str,
    languages: Sequence[str],
    pos: str,
    dropped: Counter[str],
) -> None:
    """Enter one side of a row. Every part of speech is entered, as conflicts show only in the end."""
    english = _form(row[f"ENG {side}"], "en")
    if not english or not fits_quotes(english):
        dropped[QUOTES if english else EMPTY] += 1
        return
    part = part_of_speech_of(row["PoS"])
    word = words.setdefault(fold(english), _Word(english))
    word.parts.add(part)
    if part != pos:
        return
    for code in languages:
        column = f"{CODES[code]} {side}"
        form = _form(row[column], code)
        if row.get(f"erratum {column}", "").strip() not in ("", "0"):
            dropped[ERRATUM] += 1
        elif not form:
            dropped[EMPTY] += 1
        elif not fits_quotes(form):
            dropped[QUOTES] += 1
        else:
            if "(" in row[column]:
                dropped[REMARK] += 1
            word.add(code, form)


def _form(cell: str, language: str) -> str:
    """A cell as a word: NFC, single spaces, no remark in parentheses, no Russian stress marks.

    Dictionaries print stress marks, nobody else does, so no answer could equal such a form.
    """
    form = unicodedata.normalize("NFC", cell)
    if language == "ru":
        form = form.replace("\N{COMBINING ACUTE ACCENT}", "")
    return " ".join(_PARENTHESES.sub("", form).split())


def _concepts(words: Mapping[str, _Word], languages: Sequence[str], pos: str, dropped: Counter[str]) -> list[Concept]:
    concepts = []
    for word in words.values():
        if pos not in word.parts:
            dropped[OTHER_POS] += 1
        elif len(word.parts) > 1:
            dropped[SEVERAL_POS] += 1
        else:
            concept = word.concept(languages, pos)
            if concept is None:
                dropped[NO_FORM] += 1
            else:
                concepts.append(concept)
    return concepts
