"""A matrix of shaded cells with numbers in them, as large as a column or a page allows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gainsift.analysis.estimate import Array
from gainsift.analysis.house_style import (
    SMALLEST,
    TALLEST,
    TWO,
    frame,
    recipe_lines,
    shortened,
    tall,
    title_lines,
    wide,
)

LETTER, LINE = 0.058, 0.115
"""Width of a sign and height of a line at SMALLEST, in inches; labels are a little larger."""
DARK = 0.62
"""Shade from which numbers are white."""


def matrix(
    shade: Array, texts: Mapping[tuple[int, int], Sequence[str]], across: Sequence[str], down: Sequence[str],
    beside: float = 0.0,
) -> tuple[Figure, Axes, bool]:  # fmt: skip
    """Cells [rows, columns] shaded from 0 (white) to 1, NaN blank; `texts`: the lines in some of them.

    `beside`: room kept at the right, in inches. Returns the figure, its panel, and whether the numbers fit: cells of a
    large matrix are too small for them.
    """
    rows, columns = shade.shape
    labels = shortened(down)
    names = LETTER * max(map(len, labels), default=0) + 0.5
    longest = max((len(line) for lines in texts.values() for line in lines), default=1)
    most = max(map(len, texts.values()), default=1)
    cell = LETTER * longest + 0.06
    width = wide(names + columns * cell + beside)
    fits = columns * cell <= TWO - names - beside
    heads = shortened(across)
    slant = max(map(len, heads), default=0) * LETTER > (width - names - beside) / max(columns, 1)
    above = 0.75 + (0.72 * LETTER * max(map(len, heads), default=0) if slant else 0.15)
    figure = Figure(figsize=(width, tall(max(LINE + 0.03, (LINE * most + 0.08) * fits), rows, above + 0.35)))
    panel = figure.subplots()
    panel.imshow(shade, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
    for (row, column), lines in texts.items() if fits else ():
        panel.text(
            column, row, "\n".join(lines), ha="center", va="center", fontsize=SMALLEST, linespacing=1.15,
            color="white" if shade[row, column] > DARK else "black",
        )  # fmt: skip
    panel.set_xticks(range(columns), heads)
    if slant:
        panel.set_xticks(range(columns), heads, rotation=45, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(rows), labels)
    panel.tick_params(length=0)
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    return figure, panel, fits


def framed(figure: Figure, panel: Axes, about: str, title: str, recipe: str) -> None:
    """As `frame`, with a line about the cells over them; the cells keep their height where a text needs more lines."""
    width, height = figure.get_size_inches()
    said = textwrap.wrap(about, int(0.72 * width / LETTER))
    titles = len(title_lines(title, width)) - 1
    others = len(said) + len(recipe_lines(recipe, width)) - 2
    figure.set_size_inches(width, min(height + 0.15 * titles + LINE * others, TALLEST))
    panel.set_title("\n".join(said), fontsize=7)
    frame(figure, title, recipe)


def blank(rows: int, columns: int) -> Array:
    """A shade for cells that have nothing to show: [rows, columns] of NaN."""
    return np.full((rows, columns), np.nan)
