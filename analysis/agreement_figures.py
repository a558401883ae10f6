"""Figures of agreement in the house style: a heat map of pairs of annotators, and the confusion of labels."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gainsift.analysis.agreement import NAMES, PairAgreement
from gainsift.analysis.estimate import Estimate, divide
from gainsift.analysis.house_style import STYLE, frame
from gainsift.analysis.wording import visible

MOST_ANNOTATORS, MOST_LABELS = 25, 60
"""More of them are no figure for a page."""
LONGEST = 24
"""Signs of a name that are shown; a longer one ends in …"""


def pair_heat_map(pairs: Sequence[PairAgreement], coefficient: str, title: str, recipe: str) -> Figure:
    """One cell for each pair of annotators: a coefficient by its id in NAMES, its interval, the common items.

    Darker is more agreement. Cells below the diagonal alone, as the measures do not ask who comes first. `pairs`
    must not be empty.
    """
    names = sorted({name for pair in pairs for name in (pair.a, pair.b)})
    place = {name: number for number, name in enumerate(names)}
    size = len(names) - 1
    shade = np.full((size, size), np.nan)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(5.0, size + 2.2), max(1.9, 0.6 * size + 1.4)))
        panel = figure.subplots()
        for pair in pairs:
            column, row = sorted((place[pair.a], place[pair.b]))
            row -= 1
            found = pair.coefficients[coefficient]
            shade[row, column] = _share(coefficient, found)
            _cell(panel, column, row, _lines(coefficient, found, pair.n), shade[row, column])
        panel.imshow(shade, cmap="Greys", vmin=0, vmax=1.25, aspect=0.6)
        panel.set_anchor("W")
        _axes(panel, names[:-1], names[1:])
        panel.set_title(f"{NAMES[coefficient]}, interval, n items judged by both", fontsize=8)
        frame(figure, title, recipe)
    return figure


def confusion_map(
    counts: npt.NDArray[np.int64], labels: Sequence[str], sides: tuple[str, str], title: str, recipe: str
) -> Figure:
    """Counts [V, V] of pairs of labels, shaded by their share of the row; `sides` name the rows and the columns.

    Labels that nobody gave are left out.
    """
    kept = np.flatnonzero(counts.sum(0) + counts.sum(1))
    counts = counts[np.ix_(kept, kept)]
    names = [labels[place] for place in kept]
    shade = np.nan_to_num(divide(counts.astype(np.float64), counts.sum(1, keepdims=True).astype(np.float64)))
    size = 0.46 * len(names)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(5.0, size + 2.8), max(2.6, size + 2.2)))
        panel = figure.subplots()
        for row, column in np.argwhere(counts):
            _cell(panel, int(column), int(row), [f"{counts[row, column]:,}"], shade[row, column])
        panel.imshow(shade, cmap="Greys", vmin=0, vmax=1.25, aspect="auto")
        _axes(panel, names, names)
        panel.set_ylabel(_short(sides[0]), fontsize=8)
        panel.set_xlabel(_short(sides[1]), fontsize=8)
        frame(figure, title, recipe)
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


def _cell(panel: Axes, column: int, row: int, lines: Sequence[str], shade: float) -> None:
    panel.text(
        column, row, "\n".join(lines), ha="center", va="center", fontsize=7, linespacing=1.25,
        color="white" if shade > 0.8 else "black",
    )  # fmt: skip


def _axes(panel: Axes, across: Sequence[str], down: Sequence[str]) -> None:
    shown = [_short(name) for name in across]
    panel.set_xticks(range(len(across)), shown, fontsize=8)
    if max(map(len, shown)) > 6:
        panel.set_xticks(range(len(across)), shown, rotation=45, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(len(down)), [_short(name) for name in down], fontsize=8)
    panel.tick_params(length=0)
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _short(name: str) -> str:
    text = visible(name)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
