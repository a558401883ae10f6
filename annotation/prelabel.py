"""Automatic pre-labels: what the lexicon alone can say about an answer, in the decision order of the taxonomy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.shown import senses_of
from gainsift.schemas.concepts import Concept, Sense, fold
from gainsift.schemas.languages import LANGUAGES
from gainsift.schemas.rows import Item

ENDINGS = frozenset(
    ["", "a", "e", "i", "o", "s", "n", "x", "as", "er", "en", "em", "es", "is", "os", "he", "hi", "ns", "ern"]
)
"""Endings that tell inflected forms apart in the embedded languages: such a difference is left to people."""
PLAIN_INFLECTION = frozenset(["en", "de", "fr", "es", "it"])


@dataclass(frozen=True)
class PreLabel:
    """A label of the built-in taxonomy, and the sense with `other_sense`."""

    label: str
    sense: str | None = None


@dataclass(frozen=True)
class _Case:
    """An item with what the rules look at. `readings` are folded; the first is the whole answer."""

    item: Item
    intended: Concept
    other: Concept
    readings: list[str]
    lexicon: Lexicon

    def among(self, forms: list[str]) -> bool:
        return bool({fold(form) for form in forms} & set(self.readings))

    def meanings(self, language: str) -> set[str]:
        return set().union(*(self.lexicon.meanings(language, reading) for reading in self.readings))


def prelabel(item: Item, lexicon: Lexicon) -> PreLabel | None:
    """The first rule of RULES that applies, or None: most errors need a person.

    Raises KeyError if a concept of the item is not in the lexicon.
    """
    case = _Case(
        item,
        lexicon.concepts[item.intended_concept],
        lexicon.concepts[item.other_concept],
        readings(item.answer, item.closed, item.output_language),
        lexicon,
    )
    for rule in RULES:
        found = rule(case)
        if found is not None:
            return found
    return None


def readings(answer: str, closed: bool, language: str) -> list[str]:
    """What an answer may be read as, folded: itself; without outer punctuation; its first part; without an article.

    An answer that did not end is read as a whole only: what follows would have belonged to it.
    """
    found = [fold(answer)]
    if closed:
        found += [_bare(found[0]), _bare(re.split(r"[,;/\n(]", found[0].strip("([{<\"'"), maxsplit=1)[0])]
        for article in LANGUAGES[language].articles:
            found += [text[len(article) :].strip() for text in found if text.startswith(article)]
    return list(dict.fromkeys(text for text in found if text))


def _bare(text: str) -> str:
    """Without punctuation, symbols and spaces at both ends."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start])[0] in "PSZ":
        start += 1
    while end > start and unicodedata.category(text[end - 1])[0] in "PSZ":
        end -= 1
    return text[start:end]


def _empty(case: _Case) -> PreLabel | None:
    """No letter and no digit."""
    return None if any(character.isalnum() for character in case.item.answer) else PreLabel("empty")


def _translates_other(case: _Case) -> PreLabel | None:
    """A form of the other concept; a form that is right for both is left to the next rule."""
    out = case.item.output_language
    if case.among(case.other.forms(out)) and not case.among(case.intended.forms(out)):
        return PreLabel("other_concept")
    return None


def _correct(case: _Case) -> PreLabel | None:
    return PreLabel("correct") if case.among(case.intended.forms(case.item.output_language)) else None


def _repeats_other(case: _Case) -> PreLabel | None:
    return PreLabel("other_concept") if case.item.copied_from == "other" else None


def _other_sense(case: _Case) -> PreLabel | None:
    """A form of another sense. Senses of the shown word come first, then the other concept's word's, then the rest.

    An item stands for rows of several settings: whether a given form of a row carries the sense is decided where
    judgements are carried to rows.
    """
    into, out = case.item.input_language, case.item.output_language
    other_word = case.other.reference.get(into, [""])[0]

    def rank(sense: Sense) -> int:
        if sense.has(into, case.item.shown_word):
            return 0
        return 1 if sense.has(into, other_word) else 2

    for sense in sorted(senses_of(case.intended, case.other), key=rank):
        if case.among(sense.forms.get(out, [])):
            return PreLabel("other_sense", sense.id)
    return None


def _copies(case: _Case) -> PreLabel | None:
    """A given form; a homograph if the lexicon knows the spelling in the output language with another meaning."""
    if case.item.copied_from == "none":
        return None
    other_meanings = case.lexicon.meanings(case.item.output_language, case.item.answer) - {case.intended.id}
    return PreLabel("homograph_copy" if other_meanings else "plain_copy")


def _wrong_language(case: _Case) -> PreLabel | None:
    """A known form of any language but the output language, and no known form of that."""
    out = case.item.output_language
    if case.meanings(out):
        return None
    if any(case.meanings(language) for language in case.lexicon.languages if language != out):
        return PreLabel("wrong_language")
    return None


def _unrelated(case: _Case) -> PreLabel | None:
    """A known form of the output language that none of the rules before could use."""
    return PreLabel("unrelated") if case.meanings(case.item.output_language) else None


def _wrong_form(case: _Case) -> PreLabel | None:
    """One edit away from a right form of 4 to 7 letters, up to two from a longer one, and not an inflection of it."""
    out = case.item.output_language
    for right in case.intended.forms(out):
        for reading in case.readings:
            if is_misspelling(reading, fold(right), out):
                return PreLabel("wrong_form")
    return None


def _cut_off(case: _Case) -> PreLabel | None:
    return None if case.item.closed else PreLabel("cut_off")


RULES: tuple[Callable[[_Case], PreLabel | None], ...] = (
    _empty,
    _translates_other,
    _correct,
    _repeats_other,
    _other_sense,
    _copies,
    _wrong_language,
    _unrelated,
    _wrong_form,
    _cut_off,
)


def is_misspelling(written: str, right: str, language: str) -> bool:
    """Few edits apart, and the difference is more than an ending."""
    allowed = 0 if len(right) < 4 else 1 if len(right) < 8 else 2
    if written == right or abs(len(written) - len(right)) > allowed or edits(written, right) > allowed:
        return False
    return not _may_be_inflection(written, right, language)


def _may_be_inflection(written: str, right: str, language: str) -> bool:
    stem = 0
    while stem < min(len(written), len(right)) and written[stem] == right[stem]:
        stem += 1
    if language not in PLAIN_INFLECTION:
        return len(written) - stem <= 2 and len(right) - stem <= 2
    # the common part may run into the ending (hound / hounds), so shorter stems are tried too
    return any(written[cut:] in ENDINGS and right[cut:] in ENDINGS for cut in range(stem, max(2, stem - 3), -1))


def edits(a: str, b: str) -> int:
    """Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        row = [i]
        for j, right in enumerate(b, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
