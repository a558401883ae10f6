"""The page of trends: for each series what answers are made of, and the share of each kind, over checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gainsift.analysis.checkpoint_axis import label_checkpoints, positions
from gainsift.analysis.house_style import LINES, STYLE, TWO, drawn, frame, tall
from gainsift.analysis.shares import KINDS, ConditionShares
from gainsift.schemas.taxonomy import Taxonomy

CORRECT = "#0072B2"
GREYS = ("#E69F00", "#333333", "#F0E442", "#888888", "#CC79A7", "#d9d9d9", "#56B4E9")
HATCHES = ("", "", "....", "", "////", "", "xxxx")
KIND_LINES = (2, 1, 0, 3, 4)
"""Which of LINES each of KINDS is drawn with: correct in the colour that it has in the stack."""
MOST = 4
"""Series on the page; further ones are in the tables."""


def page_of_trends(taxonomy: Taxonomy, shares: Sequence[ConditionShares], title: str, recipe: str) -> Figure | None:
    """Stacked shares at the left, lines with intervals at the right, a row for each series; None without a series."""
    series = [
        (name, held)
        for name in dict.fromkeys(one.series for one in shares)
        if len(held := [one for one in shares if one.series == name and one.decided]) > 1
    ][:MOST]
    if not series:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(TWO, tall(2.15, len(series), 1.3)))
        panels = figure.subplots(len(series), 2, squeeze=False, sharey=True)
        for (name, held), (left, right) in zip(series, panels, strict=True):
            conditions = [one.condition for one in held]
            at, scale = positions(conditions)
            _stack(left, taxonomy, held, at)
            _lines(right, held, at)
            for panel, what in ((left, "what answers are"), (right, "kinds")):
                panel.set_title(f"{drawn(name)}: {what}".removeprefix(": "))
                panel.set_ylim(0, 1)
                panel.set_xlabel(scale)
                panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
                label_checkpoints(panel, conditions, at, scale, 2)
                panel.set_xlim(at[0], at[-1])
                for place, side in ((0, "left"), (-1, "right")):  # clear of the panel beside it
                    if at[place] in panel.get_xticks():
                        panel.get_xticklabels()[place].set_horizontalalignment(side)
        entries: dict[str, Any] = {}  # not every row shows every outcome
        for panel in panels.T.flat:
            handles, labels = panel.get_legend_handles_labels()
            entries |= dict(zip(labels, handles, strict=True))
        frame(figure, title, recipe, (list(entries.values()), list(entries)))
    return figure


def _stack(panel: Any, taxonomy: Taxonomy, held: Sequence[ConditionShares], at: np.typing.NDArray[np.float64]) -> None:
    """Correct at the bottom, then the buckets in the taxonomy's order; they add up to all decided outputs."""
    below = np.array([one.correct.point or 0.0 for one in held])
    panel.fill_between(at, 0, below, color=CORRECT, linewidth=0, label="Correct")
    for place, (bucket, name) in enumerate(taxonomy.buckets.items()):
        top = below + np.array([one.buckets[bucket].point or 0.0 for one in held])
        if (top > below).any():
            panel.fill_between(
                at, below, top, facecolor=GREYS[place % len(GREYS)], hatch=HATCHES[place % len(HATCHES)],
                edgecolor="white", linewidth=0.5, label=drawn(name),
            )  # fmt: skip
        below = top


def _lines(panel: Any, held: Sequence[ConditionShares], at: np.typing.NDArray[np.float64]) -> None:
    for place, kind in enumerate(KINDS):
        found = [one.kinds[kind] for one in held]
        points = np.array([one.point if one.point is not None else np.nan for one in found])
        if not np.nansum(points):
            continue
        colour, dash, marker = LINES[KIND_LINES[place]]
        panel.plot(
            at, points, color=colour, linestyle=dash, marker=marker, markersize=3.5, linewidth=1.2, clip_on=False,
            label=f"kind: {kind.replace('_', ' ')}",
        )  # fmt: skip
        low, high = ([getattr(one, side) if getattr(one, side) is not None else np.nan for one in found]
                     for side in ("low", "high"))  # fmt: skip
        panel.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)
