"""Text for LaTeX: nothing in it is a command, every sign of any script shows, and its width can be told beforehand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "-": "{-}", "–": "{--}", "—": "{---}", "−": r"$-$", "×": r"$\times$", "→": r"$\to$",
    "≥": r"$\geq$", "≤": r"$\leq$", "Δ": r"$\Delta$", "α": r"$\alpha$", "κ": r"$\kappa$", "π": r"$\pi$",
    "†": r"\textdagger{}", "‡": r"\textdaggerdbl{}", "…": r"\textellipsis{}", "’": r"\textquoteright{}",
    "‘": r"\textquoteleft{}", "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "•": r"\textbullet{}",
}  # fmt: skip
_GREEK_WORD = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]{2,}")
"""A lone Greek letter is a sign of mathematics, those of a word are not."""
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
SIGN = r"\gainsiftsign"
SIGN_MACRO = (
    rf'\providecommand{SIGN}[2]{{\ifdefined\Umathchar\iffontchar\font"#1 #2\else U+#1\,\fi'
    r"\else\ifcsname u8:\detokenize{#2}\endcsname#2\else U+#1\,\fi\fi}"
)
"""The sign itself where the font (XeTeX, LuaTeX) or the input encoding (pdfTeX) knows it, else its code point."""


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands: no command, no ligature, no line break.

    Signs beyond Latin-1 go through SIGN_MACRO, which a file that holds one must define; unseen ones become `U+202E`.
    """
    return "".join(_units(text))


def breakable(text: str, room: float) -> str:
    """As `latex_escape`, with places to break in words that are wider than `room` (pt, as `width` tells them)."""
    words = []
    for word in text.split(" "):
        joint = r"\allowbreak{}" if width(word) > room else ""
        words.append(joint.join(_units(word)))
    return " ".join(words)


def _units(text: str) -> Iterator[str]:
    """The escape of each sign; composed first, as fonts hold é and not its accent."""
    composed = unicodedata.normalize("NFC", text)
    words = {at for found in _GREEK_WORD.finditer(composed) for at in range(*found.span())}
    for place, char in enumerate(composed):
        if char in _ESCAPES and place not in words:
            yield _ESCAPES[char]
        elif char.isspace():
            yield " "
        elif unicodedata.category(char) in _UNSEEN:
            yield rf"U+{ord(char):04X}\,"
        elif ord(char) < 0x100:
            yield char
        else:
            yield f"{SIGN}{{{ord(char):04X}}}{{{char}}}"


# --- widths ----------------------------------------------------------------------------------------------

SIZE = 8.0
"""Type size that widths are told for, in pt."""
_EMS = {
    **dict.fromkeys("!',.:;[]`il|", 0.3), **dict.fromkeys("fj-", 0.36), **dict.fromkeys("I()trs ", 0.42),
    **dict.fromkeys("cez", 0.48), **dict.fromkeys("?$*/0123456789ago{}†‡", 0.535), **dict.fromkeys("JkqvxyS", 0.565),
    **dict.fromkeys("bdhnpu", 0.595), **dict.fromkeys("FLZ", 0.7), **dict.fromkeys("BCEPTw", 0.77),
    **dict.fromkeys("&+−=@<>~^→×≥≤GKOQ", 0.835), **dict.fromkeys("#%mM", 0.95), **dict.fromkeys("W—", 1.1),
}  # fmt: skip
"""Widths in em of Computer Modern at 8 pt, rounded up: it is wider than what most papers are set in."""
_CAPITAL, _OTHER = 0.8, 0.62


def width(text: str) -> float:
    """About how wide a text is, in pt, on one line at 8 pt."""
    letters = sum(len(found[0]) for found in _GREEK_WORD.finditer(text))
    return SIZE * (sum(_ems(char) for char in text) + letters * _ems("λ"))  # an upper limit for words of Greek


def _ems(char: str) -> float:
    if char in _EMS:
        return _EMS[char]
    if char.isspace():
        return _EMS[" "]
    if unicodedata.category(char) in _UNSEEN or (ord(char) >= 0x100 and char not in _ESCAPES):
        return 0.17 + sum(map(_ems, f"U+{ord(char):04X}"))  # it may be set as that
    return _CAPITAL if char.isupper() else _OTHER


def wrapped(text: str, room: float) -> list[str]:
    """Lines of about `room` pt; a word that is wider is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and width(f"{line} {word}") <= room:
            line = f"{line} {word}"
            continue
        lines += [line] if line else []
        while width(word) > room and len(word) > 1:
            kept = next((n for n in range(len(word) - 1, 0, -1) if width(word[:n]) <= room), 1)
            lines.append(word[:kept])
            word = word[kept:]
        line = word
    return [*lines, line] if line or not lines else lines


def cut(text: str, most: int) -> str:
    """At most `most` signs; a longer text ends in …"""
    return text if len(text) <= most else text[: most - 1] + "…"
