"""Small matters of text: what is said of made-up judgements, and numbers with their nouns."""

from __future__ import annotations

MADE_UP = "The annotators were simulated: these figures show how the analysis works, not what people say."
SIMULATED = " (simulated annotators)"
"""What follows a title where the annotators were simulated."""


def answered(answer: str, closed: bool) -> str:
    """An answer, with an ellipsis where the closing quote was not reached."""
    return answer + ("" if closed else " …")


def counted(number: int, noun: str) -> str:
    """`1 item`, `2 items`, `3,000 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
