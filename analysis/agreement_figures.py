"""Figures of agreement in the house style: a heat map of pairs of annotators, and the confusion of labels."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from gainsift.analysis.agreement import NAMES, PairAgreement
from gainsift.analysis.estimate import Estimate, divide
from gainsift.analysis.house_style import STYLE, short
from gainsift.analysis.matrix_figures import blank, framed, matrix

MOST_ANNOTATORS, MOST_LABELS = 25, 60
"""More of them are no figure for a page."""


def pair_heat_map(pairs: Sequence[PairAgreement], coefficient: str, title: str, recipe: str) -> Figure:
    """One cell for each pair of annotators: a coefficient by its id in NAMES, its interval, the common items.

    Darker is more agreement. Cells below the diagonal alone, as the measures do not ask who comes first. Of many
    annotators the coefficient alone is written, of very many nothing. `pairs` must not be empty.
    """
    names = sorted({name for pair in pairs for name in (pair.a, pair.b)})
    place = {name: number for number, name in enumerate(names)}
    size = len(names) - 1
    shade = blank(size, size)
    texts = {}
    for pair in pairs:
        column, row = sorted((place[pair.a], place[pair.b]))
        found = pair.coefficients[coefficient]
        shade[row - 1, column] = _share(coefficient, found)
        texts[row - 1, column] = _lines(coefficient, found, pair.n)
    what = f"{NAMES[coefficient]}, interval, n items judged by both"
    with matplotlib.rc_context(STYLE):
        figure, panel, fits = matrix(shade, texts, names[:-1], names[1:])
        if not fits:
            figure, panel, fits = matrix(shade, {k: lines[:1] for k, lines in texts.items()}, names[:-1], names[1:])
            what = f"{NAMES[coefficient]}; darker is more" if fits else f"{NAMES[coefficient]}: darker is more"
        framed(figure, panel, what, title, recipe)
    return figure


def confusion_map(
    counts: npt.NDArray[np.int64], labels: Sequence[str], sides: tuple[str, str], title: str, recipe: str,
    said: str = "",
) -> Figure:  # fmt: skip
    """Counts [V, V] of pairs of labels, shaded by their share of the row; `sides` name the rows and the columns.

    Labels that nobody gave are left out. `said`: a line over the matrix.
    """
    kept = np.flatnonzero(counts.sum(0) + counts.sum(1))
    counts = counts[np.ix_(kept, kept)]
    names = [labels[place] for place in kept]
    shade = np.nan_to_num(divide(counts.astype(np.float64), counts.sum(1, keepdims=True).astype(np.float64)))
    texts = {(int(row), int(column)): [f"{counts[row, column]:,}"] for row, column in np.argwhere(counts)}
    with matplotlib.rc_context(STYLE):
        figure, panel, _ = matrix(shade, texts, names, names)
        panel.set_ylabel(short(sides[0]))
        panel.set_xlabel(short(sides[1]))
        parts = [said, "darker: a larger share of the row"]
        framed(figure, panel, "; ".join(part for part in parts if part), title, recipe)
    return figure


def _share(coefficient: str, found: Estimate) -> float:
    """The shade of an estimate: 0 to 1, less than chance as 0, NaN where undefined."""
    if found.point is None:
        return float("nan")
    return max(0.0, found.point / 100 if coefficient == "percent" else found.point)


def _lines(coefficient: str, found: Estimate, common: int) -> list[str]:
    if found.point is None:
        return ["undefined", f"n {common:,}"]
    places = 0 if coefficient == "percent" else 2

    def shown(value: float) -> str:
        return f"{value:.{places}f}".replace("-", "−")

    lines = [shown(found.point), f"n {common:,}"]
    if found.low is not None and found.high is not None:
        lines.insert(1, f"[{shown(found.low)}, {shown(found.high)}]")
    return lines
