"""Reads a csv of words: one row a concept, one column a language, each cell one form or a list of forms.

Lists are written as Python or JSON writes them, `['chien', 'cabot']`. They are taken apart here, never evaluated.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gainsift.generation.csv_rows import csv_rows
from gainsift.generation.parts_of_speech import part_of_speech_of
from gainsift.schemas.concepts import Concept, fits_quotes, fold
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.languages import LANGUAGES

NAMES = ("word_original", "concept", "word", "id")
"""Columns that may name the concept, the best first; without any, the first English form does. Beside one of the
others `id` is a column of Indonesian."""
PARTS = ("PoS", "pos", "part_of_speech")
GLOSS = "gloss"
LONGEST_CELL = 10_000

OTHER_PART = "words of another part of speech"
REPEATED = "forms that stand twice in a cell"
UNUSABLE = "forms that are empty, or hold a quotation mark or characters that are not printable"
NO_FORM = "rows without any usable form"
TIDIED = "forms whose spaces or accents were written in another way (tidied, not left out)"

_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_LIST = re.compile(rf"\[\s*(?:(?:{_STRING})\s*(?:,\s*(?:{_STRING})\s*)*(?:,\s*)?)?\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class WordTable:
    """Concepts in the order of the file, its languages, and how much was left out or changed, by reason."""

    concepts: list[Concept]
    languages: list[str]
    dropped: dict[str, int]


def read_word_table(path: Path, languages: Sequence[str] | None = None, part_of_speech: str = "noun") -> WordTable:
    """The rows as concepts with the forms that they have in `languages` (default: every language column).

    A concept is named by the first of the columns `word_original`, `concept`, `word`, `id` that is there, or by its
    first English form; a column `gloss` explains it, and where there is a column `PoS` only words of `part_of_speech`
    are taken. Forms are put into NFC with single spaces. A row may lack a language. Raises UserError with file and
    line for a list that cannot be read, a repeated name, or a language without column.
    """
    columns, rows = csv_rows(path, "a csv of words")
    codes = _languages(columns, languages, path)
    name = next((column for column in NAMES if column in columns and column not in codes), None)
    part = next((column for column in PARTS if column in columns), None)
    if name is None and "en" not in columns:
        raise UserError(f"{path}:1", "no column names the concepts", f"add one of {', '.join(NAMES)}, or a column en")
    dropped: Counter[str] = Counter()
    concepts: dict[str, Concept] = {}
    for line, row in rows:
        if part and part_of_speech_of(row[part]) != part_of_speech:
            dropped[OTHER_PART] += 1
            continue
        forms = {code: _forms(row[code], f"{path}:{line}: column {code}", dropped) for code in codes}
        forms = {code: found for code, found in forms.items() if found}
        own = _name(row[name], f"{path}:{line}: column {name}") if name else next(iter(forms.get("en", [])), "")
        if not own or not forms:
            dropped[NO_FORM] += 1
            continue
        if own in concepts:
            raise UserError(f"{path}:{line}", f"the concept {own!r} stands a second time", "merge the two rows")
        concepts[own] = Concept(id=own, gloss=_gloss(row.get(GLOSS, ""), own, part_of_speech, part), reference=forms)
    if not concepts:
        raise UserError(str(path), "no usable row", f"give each row forms in {', '.join(codes)}")
    return WordTable(list(concepts.values()), codes, dict(+dropped))


def parse_forms(cell: str, where: str) -> list[str]:
    """The strings of a list cell, or the one form of a plain cell; none of an empty one. Raises UserError."""
    text = cell.strip()
    if not text.startswith("["):
        return [text] if text else []
    if len(text) > LONGEST_CELL:
        raise UserError(where, f"a list of {len(text)} characters", f"keep cells to {LONGEST_CELL}")
    if not _LIST.fullmatch(text):
        raise UserError(where, f"not a list of strings: {_short(text)}", "write it as ['chien', 'cabot']")
    return [_plain(quoted[1:-1]) for quoted in re.findall(_STRING, text, re.DOTALL)]


def _plain(quoted: str) -> str:
    """What stands between the quotes, escapes resolved; JSON writes rare characters as two of UTF-16."""
    text = _ESCAPE.sub(_unescaped, quoted)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return _SIGNS.get(match[4], match[4])
    number = int(code, 16)
    return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _languages(columns: Sequence[str], asked: Sequence[str] | None, path: Path) -> list[str]:
    named = any(column in columns for column in NAMES if column != "id")
    listed = [column for column in columns if column in LANGUAGES and (named or column != "id")]  # id: Indonesian
    for code in asked or ():
        if code not in listed:
            known = did_you_mean(code, listed) if listed else "name columns by language codes such as en, fr"
            raise UserError(f"{path}:1", f"no column for language {code!r}", known)
    if not listed:
        raise UserError(f"{path}:1", "no column is named by a language code", "name columns en, fr and so on")
    return list(asked) if asked else listed


def _name(cell: str, where: str) -> str:
    """What names a concept: the cell, or the first string of a list. Empty if it cannot be printed."""
    name = " ".join(next(iter(parse_forms(cell, where)), "").split())
    return name if name.isprintable() else ""


def _gloss(cell: str, name: str, part_of_speech: str, part: str | None) -> str:
    return " ".join(cell.split()) or (f"{part_of_speech} '{name}' as listed" if part else f"'{name}' as listed")


def _forms(cell: str, where: str, dropped: Counter[str]) -> list[str]:
    """The usable forms of a cell, each once, in its order."""
    return list(_usable(parse_forms(cell, where), dropped))


def _usable(forms: Sequence[str], dropped: Counter[str]) -> Iterator[str]:
    seen: set[str] = set()
    for form in forms:
        tidy = " ".join(unicodedata.normalize("NFC", form).split())
        if not tidy or not fits_quotes(tidy):
            dropped[UNUSABLE] += 1
        elif fold(tidy) in seen:
            dropped[REPEATED] += 1
        else:
            seen.add(fold(tidy))
            dropped[TIDIED] += tidy != form
            yield tidy
