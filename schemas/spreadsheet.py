"""Text in a csv that a spreadsheet will not run."""

from __future__ import annotations

_FORMULA = tuple("=+-@\t\r＝＋－＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a cell of this text for a formula (OWASP: formula injection)."""
    return text.lstrip(" \n\v\f\u00a0\ufeff").startswith(_FORMULA)


def guarded(text: str) -> str:
    """The text, with an apostrophe in front if it would be run as a formula."""
    return "'" + text if is_formula(text) else text
