"""Was the answer copied? Which of the words that a row's prompts asked to translate it repeats."""

from __future__ import annotations

from collections.abc import Iterable

from gainsift.schemas.concepts import fold
from gainsift.schemas.given import GivenForm
from gainsift.schemas.rows import CopiedFrom


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
