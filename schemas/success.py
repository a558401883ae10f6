"""Automatic success: the answer equals a reference form of the intended concept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from gainsift.schemas.concepts import fold
from gainsift.schemas.config import SuccessSpec
from gainsift.schemas.languages import LANGUAGES


def comparable(text: str, language: str, rule: SuccessSpec) -> str:
    """`text` under the study's case and article rule: NFC, outer spaces off."""
    key = fold(text) if rule.case == "fold" else unicodedata.normalize("NFC", text).strip()
    if rule.articles == "strip" and language in LANGUAGES:
        for article in LANGUAGES[language].articles:
            if key.casefold().startswith(article) and len(key) > len(article):
                return key[len(article) :].strip()
    return key


def succeeds(answer: str, closed: bool, references: Iterable[str], language: str, rule: SuccessSpec) -> bool:
    """Whether the answer is one of the reference forms. Unclosed answers fail unless the rule accepts them."""
    if not closed and rule.unclosed == "fail":
        return False
    key = comparable(answer, language, rule)
    return bool(key) and key in {comparable(form, language, rule) for form in references}
