"""What is to know about a list of words before a study rests on it: coverage, ambiguity, doubles, odd forms."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from gainsift.generation.lexicon import (
    Homograph,
    LexiconRow,
    PolysemousForm,
    interlingual_homographs,
    polysemous_forms,
)
from gainsift.schemas.concepts import Concept, Sense, fits_quotes, fold
from gainsift.schemas.languages import LANGUAGES

MOST_WORDS, MOST_CHARACTERS = 4, 40
UNUSABLE = "cannot stand between quotation marks"
_SIGNS = {
    "holds parentheses": "()[]{}（）【】",
    "several forms in one?": "/;,|、，；",
    "holds a digit": "0123456789",
    "holds a sign that words do not have": "?!…*#<>=&@_~^%+:",
}
_ONE_SCRIPT = {
    "HIRAGANA": "CJK",
    "KATAKANA": "CJK",
    "KATAKANA-HIRAGANA": "CJK",
    "IDEOGRAPHIC": "CJK",
    "BOPOMOFO": "CJK",
}


@dataclass(frozen=True)
class Suspicion:
    """A form to look at; `reason` says why."""

    concept: str
    language: str
    form: str
    reason: str


@dataclass(frozen=True)
class Coverage:
    """One language: concepts with a form, all their forms, and concepts whose first form has several words."""

    concepts: int
    forms: int
    several_words: int


@dataclass(frozen=True)
class WordCheck:
    """The findings. `complete`: concepts with a form in every language; `senses`, `lookalikes`: concepts with such;
    `identical`: by pair of languages, `en-fr`, the share of concepts whose words for prompts are spelled alike, which
    is what a model that only copies is credited with."""

    concepts: int
    complete: int
    senses: int
    lookalikes: int
    coverage: dict[str, Coverage]
    polysemous: list[PolysemousForm]
    homographs: list[Homograph]
    duplicates: list[tuple[str, ...]]
    identical: dict[str, float]
    suspicious: list[Suspicion]
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def unusable(self) -> list[str]:
        """What keeps `generate` from using the list: one line each."""
        twice = [f"concept id {ids[0]!r} stands twice" for ids in self.duplicates if len(set(ids)) < len(ids)]
        forms = [one for one in self.suspicious if one.reason == UNUSABLE]
        return [*twice, *(f"concept {one.concept!r}: form {one.form!r} ({one.language}) {UNUSABLE}" for one in forms)]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "unusable": self.unusable}


def check_words(concepts: Sequence[Concept], languages: Sequence[str], left_out: Mapping[str, int]) -> WordCheck:
    """Everything that can be found without a model. Of each pair of homographs one direction is listed."""
    rows = _rows(concepts, languages)
    pairs = {frozenset((h.concept, h.other, h.form)): h for h in reversed(interlingual_homographs(rows, languages))}
    return WordCheck(
        concepts=len(concepts),
        complete=sum(all(concept.reference.get(code) for code in languages) for concept in concepts),
        senses=sum(bool(concept.senses) for concept in concepts),
        lookalikes=sum(bool(concept.lookalikes) for concept in concepts),
        coverage={code: _coverage(concepts, code) for code in languages},
        polysemous=polysemous_forms(rows, languages),
        homographs=list(reversed(pairs.values())),
        duplicates=_duplicates(concepts),
        identical=_identical(concepts, languages),
        suspicious=list(_suspicions(concepts, languages)),
        left_out=dict(left_out),
    )


def _coverage(concepts: Sequence[Concept], code: str) -> Coverage:
    having = [concept for concept in concepts if concept.reference.get(code)]
    return Coverage(
        concepts=len(having),
        forms=sum(len(concept.forms(code)) for concept in having),
        several_words=sum(" " in concept.word(code).strip() for concept in having),
    )


def _rows(concepts: Sequence[Concept], languages: Sequence[str]) -> list[LexiconRow]:
    """Concepts and their senses as rows of a lexicon, which knows how to find ambiguous forms."""
    rows: dict[str, LexiconRow] = {}
    for concept in concepts:
        rows[concept.id] = _row(concept.as_sense(), "concept", languages)
    for concept in concepts:
        for sense in [*concept.senses, *concept.lookalikes]:
            rows.setdefault(sense.id, _row(sense, "sense", languages))
    return list(rows.values())


def _row(sense: Sense, role: str, languages: Sequence[str]) -> LexiconRow:
    return LexiconRow(sense.id, role, sense.gloss, {code: sense.forms.get(code, []) for code in languages}, {}, 0)


def _duplicates(concepts: Sequence[Concept]) -> list[tuple[str, ...]]:
    """Concepts with one id, and concepts with the same forms in every language."""
    ids = Counter(concept.id for concept in concepts)
    alike: dict[Any, list[str]] = {}
    for concept in {concept.id: concept for concept in concepts}.values():
        key = frozenset((code, frozenset(map(fold, forms))) for code, forms in concept.reference.items())
        alike.setdefault(key, []).append(concept.id)
    return [
        *((name,) * number for name, number in ids.items() if number > 1),
        *(tuple(names) for names in alike.values() if len(names) > 1),
    ]


def _identical(concepts: Sequence[Concept], languages: Sequence[str]) -> dict[str, float]:
    """Pairs of languages without any word in common are left out; the highest share comes first."""
    found = {}
    for a, b in combinations(languages, 2):
        both = [concept for concept in concepts if concept.reference.get(a) and concept.reference.get(b)]
        alike = sum(fold(concept.word(a)) == fold(concept.word(b)) for concept in both)
        if alike:
            found[f"{a}-{b}"] = alike / len(both)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _suspicions(concepts: Sequence[Concept], languages: Sequence[str]) -> Iterator[Suspicion]:
    usual = {code: _usual_script(concepts, code) for code in languages}
    for concept in concepts:
        for code in languages:
            for form in concept.forms(code):
                for reason in form_reasons(form, code, usual[code]):
                    yield Suspicion(concept.id, code, form, reason)
            twice = [form for form, n in Counter(map(fold, concept.forms(code))).items() if n > 1]
            yield from (Suspicion(concept.id, code, form, "stands twice") for form in twice)
        yield from _spelled_alike(concept, languages)


def form_reasons(form: str, code: str, usual: str | None) -> Iterator[str]:
    """Why a form is worth a look; `usual` is the script of most forms of its language."""
    if not form.strip() or not fits_quotes(form):
        yield UNUSABLE
        return
    if form != " ".join(form.split()):
        yield "spaces at an end, or several in a row"
    if not unicodedata.is_normalized("NFC", form):
        yield "accents written apart (not NFC)"
    yield from (reason for reason, signs in _SIGNS.items() if set(form) & set(signs))
    if len(form) > MOST_CHARACTERS or len(form.split()) > MOST_WORDS:
        yield "long: a description rather than a word?"
    if any(form.casefold().startswith(article) and form.strip() for article in LANGUAGES[code].articles):
        yield "begins with an article"
    scripts = scripts_of(form)
    if len(scripts) > 1:
        yield "mixes scripts: " + ", ".join(sorted(scripts))
    elif usual and scripts and usual not in scripts:
        yield f"in {next(iter(scripts))}, while most forms of its language are in {usual}"


def scripts_of(text: str) -> set[str]:
    """The scripts of its letters by the first word of their Unicode names; Chinese and kana count as one."""
    letters = (character for character in text if unicodedata.category(character) in ("Lu", "Ll", "Lt", "Lo"))
    names = (unicodedata.name(letter, "UNKNOWN").split()[0] for letter in letters)
    return {_ONE_SCRIPT.get(name, name) for name in names}


def _usual_script(concepts: Sequence[Concept], code: str) -> str | None:
    counts = Counter(script for concept in concepts for form in concept.forms(code) for script in scripts_of(form))
    return counts.most_common(1)[0][0] if counts else None


def _spelled_alike(concept: Concept, languages: Sequence[str]) -> Iterator[Suspicion]:
    """A word that is spelled alike in all of three languages or in more than four fifths of more cannot tell a
    translation from a copy."""
    words = [fold(concept.word(code)) for code in languages if concept.reference.get(code)]
    if len(words) >= 3:
        form, number = Counter(words).most_common(1)[0]
        if number == len(words) or (len(words) > 3 and number > 0.8 * len(words)):
            code = next(c for c in languages if concept.reference.get(c) and fold(concept.word(c)) == form)
            reason = f"spelled alike in {number} of {len(words)} languages"
            yield Suspicion(concept.id, code, concept.word(code), reason)
