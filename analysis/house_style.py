"""The house style of figures: as wide as a column of a paper or its page, colour-blind safe, readable in grey.

No text is read as markup, and every script is drawn or spelled out. Title and legend stand above, the recipe beneath.
"""

from __future__ import annotations

import io
import logging
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby, zip_longest
from types import NoneType
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from gainsift.schemas.visible_text import visible

ONE, TWO = 3.3, 6.9
"""Width of a figure in inches: one column of a paper in two, or both."""
TALLEST = 8.8
"""Height of a figure in inches that leaves a page of a paper room for its caption."""
SMALLEST, LONGEST = 6.5, 24
"""Size of the smallest text, in pt, where a figure is set at its own width; signs of a name on an axis."""
WORD = 8
"""Signs that names have in common, at most, in what is shown of them from their difference on."""
SCRIPTS = (
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil",
    "Noto Sans Thai", "Noto Sans Ethiopic", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip
"""Fonts for signs that DejaVu Sans lacks, each used where it is installed; TrueType, so that a PDF can hold them."""


def _faces() -> dict[str, str]:
    """Name and file of DejaVu Sans, which matplotlib brings, and of those of SCRIPTS that are installed."""
    installed = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist if entry.style == "normal"}
    return {name: installed[name] for name in ("DejaVu Sans", *SCRIPTS) if name in installed}


STYLE: dict[str, Any] = {
    "font.family": list(_faces()),
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,  # a name with dollar signs is a name
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "gainsift",
    "savefig.dpi": 300,
    "hatch.linewidth": 0.6,
}
# Okabe & Ito's colours in an order of distinct greys; lines differ by dash and marker, too
LINES = (
    ("#000000", "-", "o"), ("#D55E00", "--", "s"), ("#0072B2", "-.", "^"), ("#009E73", ":", "D"),
    ("#CC79A7", (0, (5, 1)), "v"), ("#E69F00", (0, (3, 1, 1, 1)), "P"), ("#56B4E9", (0, (1, 2)), "X"),
)  # fmt: skip
TOTAL, GAIN, LOSS, OTHER = "#333333", "#0072B2", "#E69F00", "#bbbbbb"


@cache
def _signs() -> frozenset[int]:
    """Code points that one of the fonts can draw."""
    found: set[int] = set()
    for file in _faces().values():
        found |= font_manager.get_font(file).get_charmap().keys()
    return frozenset(found)


def drawn(text: object) -> str:
    """Text as a figure can show it: unseen signs spelled out, as `visible` does, and those that no font has.

    Neighbours are spelled out together, as in ⟨U+4E2D 6587⟩.
    """
    parts = []
    for known, run in groupby(visible(text), lambda char: ord(char) in _signs()):
        chars = list(run)
        parts.append("".join(chars) if known else "⟨U+" + " ".join(f"{ord(char):04X}" for char in chars) + "⟩")
    return "".join(parts)


def short(text: object) -> str:
    """As `drawn`, at most LONGEST signs; a longer text ends in …"""
    return _cut(drawn(text), LONGEST)


def _cut(shown: str, most: int) -> str:
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def shortened(texts: Sequence[object]) -> list[str]:
    """As `short`, and different texts stay different: those that begin alike are cut in front, too."""
    whole = [drawn(text) for text in texts]
    shown = [_cut(text, LONGEST) for text in whole]
    _tell_apart(whole, shown, range(len(whole)))
    for group in _alike(whole, shown, range(len(whole))):  # parts of names that do not begin alike
        names = list(dict.fromkeys(whole[place] for place in group))
        for place in group:
            shown[place] = f"{shown[place][: LONGEST - 6]} ({names.index(whole[place]) + 1})"
    return shown


def _tell_apart(whole: Sequence[str], shown: list[str], among: Iterable[int]) -> None:
    """Show those that look alike from the word on in which they differ."""
    for group in _alike(whole, shown, among):
        signs = zip_longest(*(whole[place] for place in group))
        common = next(at for at, found in enumerate(signs) if len(set(found)) > 1)
        start = max(common - WORD, *(whole[group[0]].rfind(sign, 0, common) + 1 for sign in " -_/"))
        for place in group:
            shown[place] = "…" + _cut(whole[place][start:], LONGEST - 1)
        _tell_apart(whole, shown, group)


def _alike(whole: Sequence[str], shown: Sequence[str], among: Iterable[int]) -> list[list[int]]:
    """Places of different texts that are shown alike, in groups."""
    groups: dict[str, list[int]] = {}
    for place in among:
        groups.setdefault(shown[place], []).append(place)
    return [group for group in groups.values() if len({whole[place] for place in group}) > 1]


def tall(row: float, rows: int, beside: float) -> float:
    """The height of a figure with rows of panels, in inches; many rows share a page."""
    return min(row * rows + beside, TALLEST)


def wide(needed: float) -> float:
    """The width of a figure that needs so many inches."""
    return ONE if needed <= ONE else TWO


@contextmanager
def _no_word_of_bold() -> Iterator[None]:
    """matplotlib logs that a font for another script has no bold; its regular one is what a title then takes."""
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as `pdf`, `png` or `svg`, the same bytes every time."""
    out = io.BytesIO()
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[kind]
    with matplotlib.rc_context(STYLE), _no_word_of_bold():
        _lay_out(figure)
        figure.savefig(out, format=kind, metadata=undated)
    return out.getvalue()


def _lay_out(figure: Figure) -> None:
    """Place the panels, once: again would cost a second each.

    The last bits of what the solver finds change from process to process, with addresses in memory, and would show in
    the ids of an svg: positions are rounded.
    """
    if isinstance(figure.get_layout_engine(), PlaceHolderLayoutEngine | NoneType):
        return
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for panel in figure.axes:
        left, bottom, width, height = (round(value, 6) for value in panel.get_position(original=True).bounds)
        panel.set_position((left, bottom, width, height))


def frame(figure: Figure, title: str, recipe: str, entries: tuple[Any, Any] | None = None) -> None:
    """Title and legend above the panels, the signature small beneath; the panels keep clear of them.

    Lines are broken here: matplotlib's own wrapping reads dollar signs as mathematics, whatever the style says.
    """
    width, height = figure.get_size_inches()
    above_lines, below_lines = title_lines(title, width), recipe_lines(recipe, width)
    figure.text(0.012, 1 - 0.06 / height, "\n".join(above_lines), ha="left", va="top", fontsize=9, fontweight="bold")
    figure.text(
        0.012, 0.05 / height, "\n".join(below_lines), ha="left", va="bottom", fontsize=SMALLEST, color="#666666"
    )
    above = 0.28 + 0.15 * (len(above_lines) - 1)
    if entries:
        columns = _legend_columns(entries[1], width)
        top = 1 - (above - 0.05) / height
        figure.legend(*entries, loc="upper left", bbox_to_anchor=(0.0, top), ncols=columns, columnspacing=1.2)
        above += 0.165 * -(-len(entries[1]) // columns) + 0.09
    below = 0.22 + 0.11 * max(0, len(below_lines) - 1)
    figure.set_layout_engine("constrained", rect=(0.005, below / height, 0.99, 1 - (above + below) / height))


def title_lines(title: str, width: float) -> list[str]:
    """The title, broken for a figure of that width in inches."""
    return textwrap.wrap(drawn(title), int(width / 0.09)) or [""]


def recipe_lines(recipe: str, width: float) -> list[str]:
    """The signature, broken for a figure of that width in inches, between its parts if it can be."""
    parts = textwrap.wrap(drawn(recipe).replace("|", "| "), int(width / 0.0515))
    return [line.replace("| ", "|") for line in parts]


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """As many columns as the width holds, evenly filled."""
    longest = max((len(label) for label in labels), default=1)
    most = max(1, min(len(labels), int(width / (0.062 * longest + 0.48))))
    return -(-len(labels) // -(-len(labels) // most))
