"""Small matters of text: unseen signs made visible, and numbers with their nouns."""

from __future__ import annotations

import unicodedata

MADE_UP = "The annotators were simulated: these figures show how the analysis works, not what people say."
SIMULATED = " (simulated annotators)"
"""What follows a title where the annotators were simulated."""
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def visible(text: object) -> str:
    """Text with control characters, direction marks and other unseen signs spelled out, as in ⟨U+202E⟩.

    Lone surrogates, which neither UTF-8 nor a font can hold, are among them.
    """
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN else c for c in str(text))


def answered(answer: str, closed: bool) -> str:
    """An answer, with an ellipsis where the closing quote was not reached."""
    return answer + ("" if closed else " …")


def counted(number: int, noun: str) -> str:
    """`1 item`, `2 items`, `3,000 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
