"""Was the answer copied? The words that a row's prompts asked to translate, and which of them it repeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gainsift.schemas.concepts import Concept, fold
from gainsift.schemas.rows import CopiedFrom
from gainsift.schemas.settings import LanguagePair, given_words, is_about_source


@dataclass(frozen=True)
class GivenForm:
    """One word that a prompt behind the row asked to translate."""

    concept: str
    language: str
    form: str


def given_forms(
    setting: str, prompt: str, pair: LanguagePair, trained: Sequence[str], intended: Concept, other: Concept
) -> list[GivenForm]:
    """The given forms of a row whose concepts are `intended` and `other` (see schemas.settings.given_words).

    A concept without a word in a source language gave nothing there and is passed over.
    """
    about_source = is_about_source(setting, prompt)
    roles = {
        "source": intended if about_source else other,
        "target": other if about_source else intended,
    }
    return [
        GivenForm(roles[role].id, code, roles[role].word(code))
        for role, code in given_words(setting, prompt, pair, trained)
        if roles[role].reference.get(code)
    ]


def copied_from(answer: str, given: Iterable[GivenForm], intended: str, other: str, input_language: str) -> CopiedFrom:
    """Which given form the answer repeats, NFC and case folded.

    Only words that were really given can be copied: on a row that never saw the intended concept's word in the
    input language, an answer of that spelling is no copy. Where several given forms share the spelling, the
    first of this order counts: the intended concept's word in the input language (`shown`), the other
    concept's word in the input language (`other`), any further form (`given`).
    """
    key = fold(answer)
    hits = {(form.concept, form.language) for form in given if fold(form.form) == key}
    if not hits or not key:
        return "none"
    if (intended, input_language) in hits:
        return "shown"
    return "other" if (other, input_language) in hits else "given"
