"""The given forms of a row: the words that the prompts behind it asked to translate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.schemas.concepts import Concept
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
