"""The embedded lexicon: one row of lexicon.tsv is one meaning with its words in every language.

Only the rows are written by hand. Which words are polysemous, which look alike across languages, and which
other senses a concept has, all follow from shared spellings, so they cannot fall out of step with the words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import combinations

from gainsift.schemas.concepts import Concept, Forms, Sense, fold
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.languages import LANGUAGES

FILE = "lexicon.tsv"
LEADING = ("id", "role", "gloss")
ROLES = ("concept", "sense")
_ID = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")


@dataclass(frozen=True)
class LexiconRow:
    """One meaning. A `concept` may be asked for in prompts; a `sense` only says what a form may mean besides.

    `reference` and `accepted` are forms by language as in `Concept`; every row has reference forms in every
    language of the file. `line` counts from 1, the header included.
    """

    id: str
    role: str
    gloss: str
    reference: Mapping[str, list[str]]
    accepted: Mapping[str, list[str]]
    line: int

    def forms(self, language: str) -> list[str]:
        """Every form in `language`, reference forms first."""
        return [*self.reference[language], *self.accepted.get(language, [])]

    def keys(self, language: str) -> set[str]:
        """Its forms in `language`, case folded."""
        return {fold(form) for form in self.forms(language)}


@dataclass(frozen=True)
class PolysemousForm:
    """A form (case folded) of two or more rows whose translations share no form in the languages `differs_in`."""

    language: str
    form: str
    rows: tuple[str, ...]
    differs_in: tuple[str, ...]


@dataclass(frozen=True)
class Homograph:
    """`form` (case folded) is a word of row `concept` in `language` and of row `other` in `other_language`.

    Neither row has it in the other's language.
    """

    form: str
    language: str
    concept: str
    other_language: str
    other: str


@cache
def lexicon_rows() -> tuple[LexiconRow, ...]:
    """The rows of the packaged lexicon in file order. Raises UserError for a fault in the file."""
    return tuple(parse_lexicon(resources.files("gainsift.generation").joinpath(FILE).read_bytes()))


def embedded_concepts(languages: Sequence[str]) -> list[Concept]:
    """The packaged concepts in file order, with forms, senses and look-alikes in `languages` only.

    Raises UserError for a language that the lexicon does not have.
    """
    return concepts_of(lexicon_rows(), languages)


# --- Reading ---------------------------------------------------------------------------------------------


def parse_lexicon(raw: bytes, name: str = FILE) -> list[LexiconRow]:
    """The rows of a lexicon file: UTF-8, tab separated, header `id role gloss` and language codes.

    A language cell holds reference forms separated by commas, then optionally `|` and accepted forms. Raises
    UserError with `name` and line for the first fault.
    """
    try:
        lines = raw.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UserError(f"{name}:{line}", "not UTF-8", "save the file as UTF-8") from None
    if lines[-1] == "":
        lines.pop()
    lines = [line.removesuffix("\r") for line in lines]
    languages = _header(lines[0] if lines else "", name)
    rows = [_row(line, number, languages, f"{name}:{number}") for number, line in enumerate(lines[1:], start=2)]
    first: dict[str, int] = {}
    for row in rows:
        if row.id in first:
            where = f"{name}:{row.line}"
            raise UserError(where, f"id {row.id!r} stands in line {first[row.id]} already", "give it another id")
        first[row.id] = row.line
    return rows


def _header(line: str, name: str) -> list[str]:
    columns = line.split("\t")
    languages = columns[len(LEADING) :]
    if tuple(columns[: len(LEADING)]) != LEADING or not languages:
        expected = " ".join(LEADING)
        raise UserError(
            f"{name}:1", f"expected the columns {expected} and languages, found {' '.join(columns)!r}",
            "save any other list with commas, as .csv",
        )  # fmt: skip
    for code in languages:
        if code not in LANGUAGES:
            raise UserError(f"{name}:1", f"unknown language {code!r}", did_you_mean(code, LANGUAGES))
    if len(set(languages)) < len(languages):
        raise UserError(f"{name}:1", "a language has two columns", "merge them")
    return languages


def _row(line: str, number: int, languages: list[str], where: str) -> LexiconRow:
    cells = line.split("\t")
    columns = [*LEADING, *languages]
    if len(cells) != len(columns):
        raise UserError(where, f"expected {len(columns)} cells, found {len(cells)}", "separate cells by one tab")
    if not unicodedata.is_normalized("NFC", line):
        raise UserError(where, "not in NFC", "write each accented letter as one character")
    for column, cell in zip(columns, cells, strict=True):
        if not cell.strip():
            raise UserError(where, f"empty cell {column}", "every row needs every cell")
        if not cell.isprintable() or cell != cell.strip():
            raise UserError(where, f"cell {column} has outer spaces or characters that are not printable")
    name, role, gloss = cells[: len(LEADING)]
    if not _ID.fullmatch(name):
        raise UserError(where, f"id {name!r} is not lower-case letters and digits joined by dots")
    if role not in ROLES:
        raise UserError(where, f"unknown role {role!r}", did_you_mean(role, ROLES))
    reference: Forms = {}
    accepted: Forms = {}
    for code, cell in zip(languages, cells[len(LEADING) :], strict=True):
        reference[code], further = _cell(cell, f"{where}: {code}")
        if further:
            accepted[code] = further
    return LexiconRow(name, role, gloss, reference, accepted, number)


def _cell(cell: str, where: str) -> tuple[list[str], list[str]]:
    """Reference and accepted forms of `a, b | c, d`."""
    parts = [[form.strip() for form in part.split(",")] for part in cell.split("|")]
    if len(parts) > 2:
        raise UserError(where, "more than one `|`", "write reference forms, one `|`, then accepted forms")
    forms = [form for part in parts for form in part]
    seen: set[str] = set()
    for form in forms:
        if not form:
            raise UserError(where, "an empty form", "remove the superfluous comma or `|`")
        if '"' in form:
            raise UserError(where, f"form {form!r} holds a quotation mark", "answers end at that mark: remove it")
        if fold(form) in seen:
            raise UserError(where, f"form {form!r} stands twice", "keep one of them")
        seen.add(fold(form))
    return parts[0], parts[1] if len(parts) == 2 else []


# --- What follows from shared spellings ------------------------------------------------------------------


def concepts_of(rows: Sequence[LexiconRow], languages: Sequence[str]) -> list[Concept]:
    """The `concept` rows as concepts in `languages`, senses and look-alikes derived, all in the order of `rows`.

    `senses`: the other rows that share a form with the concept in the same language. `lookalikes`: the other
    rows with which it makes an interlingual homograph. Raises UserError for a language that the rows lack.
    """
    for row in rows[:1]:
        for code in languages:
            if code not in row.reference:
                known = did_you_mean(code, row.reference)
                raise UserError("words", f"the embedded lexicon has no language {code!r}", known)
    index = _Index(rows, languages)
    alike: dict[str, set[str]] = {}
    for homograph in interlingual_homographs(rows, languages):
        alike.setdefault(homograph.concept, set()).add(homograph.other)
    return [_concept(row, index, alike.get(row.id, set())) for row in rows if row.role == "concept"]


def polysemous_forms(rows: Sequence[LexiconRow], languages: Sequence[str] | None = None) -> list[PolysemousForm]:
    """Forms of two or more rows of a language, two of which share no form in at least one other language."""
    index = _Index(rows, languages)
    found = []
    for (language, form), places in index.places.items():
        if len(places) < 2:
            continue
        differs = [
            other
            for other in index.languages
            if other != language
            and any(not rows[a].keys(other) & rows[b].keys(other) for a, b in combinations(places, 2))
        ]
        if differs:
            found.append(PolysemousForm(language, form, tuple(rows[place].id for place in places), tuple(differs)))
    return found


def interlingual_homographs(rows: Sequence[LexiconRow], languages: Sequence[str] | None = None) -> list[Homograph]:
    """Every pair of a concept row and another row that are spelled alike in two languages, and only there.

    Where a row has the form in both languages the word is shared or polysemous, not a homograph.
    """
    index = _Index(rows, languages)
    found = []
    for row in rows:
        if row.role != "concept":
            continue
        for language, form in index.words(row):
            for other_language in index.languages:
                if other_language == language or form in row.keys(other_language):
                    continue
                for place in index.places.get((other_language, form), []):
                    if form not in rows[place].keys(language):
                        found.append(Homograph(form, language, row.id, other_language, rows[place].id))
    return found


class _Index:
    """Places of the rows by (language, case-folded form), in the given languages (default: all of the rows')."""

    def __init__(self, rows: Sequence[LexiconRow], languages: Iterable[str] | None) -> None:
        self.rows = rows
        codes = languages if languages is not None else [code for row in rows for code in row.reference]
        self.languages = list(dict.fromkeys(codes))
        self.places: dict[tuple[str, str], list[int]] = {}
        for place, row in enumerate(rows):
            for word in self.words(row):
                self.places.setdefault(word, []).append(place)

    def words(self, row: LexiconRow) -> list[tuple[str, str]]:
        """(language, case-folded form) of every form of a row, in the order of the file."""
        return [(code, fold(form)) for code in self.languages for form in row.forms(code)]


def _concept(row: LexiconRow, index: _Index, alike: set[str]) -> Concept:
    sharing = {index.rows[place].id for word in index.words(row) for place in index.places[word]}
    others = [other for other in index.rows if other.id != row.id]
    return Concept(
        id=row.id,
        gloss=row.gloss,
        reference={code: list(row.reference[code]) for code in index.languages},
        accepted={code: list(row.accepted[code]) for code in index.languages if code in row.accepted},
        senses=[_sense(other, index.languages) for other in others if other.id in sharing],
        lookalikes=[_sense(other, index.languages) for other in others if other.id in alike],
    )


def _sense(row: LexiconRow, languages: Iterable[str]) -> Sense:
    return Sense(id=row.id, gloss=row.gloss, forms={code: row.forms(code) for code in languages})
