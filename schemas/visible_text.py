"""Text from elsewhere as it may be shown: what commands a terminal, turns a line or is not seen is spelled out."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def visible(text: object) -> str:
    """Text with control characters, direction marks and other unseen signs spelled out, as in ⟨U+202E⟩.

    Lone surrogates, which neither UTF-8 nor a font can hold, are among them.
    """
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN else c for c in str(text))
