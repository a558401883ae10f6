"""The figures of a tidy table's analysis: shares over conditions, and the parts of each split."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.house_style import GAIN, LINES, LOSS, STYLE, TOTAL, TWO, drawn, frame, short
from gainsift.analysis.result_tables import PARTS
from gainsift.analysis.tidy_analysis import TidyContrast, TidyResults
from gainsift.analysis.tidy_result_tables import MARK, bucket_name
from gainsift.schemas.taxonomy import Taxonomy


def tidy_figures(results: TidyResults, taxonomy: Taxonomy) -> dict[str, tuple[str, Figure]]:
    """File stem -> (title, figure)."""
    mark = MARK if results.simulated else ""
    drawn: dict[str, tuple[str, Figure]] = {}
    with matplotlib.rc_context(STYLE):
        if results.shares and results.shares[0].categories:
            title = "Share of each category over conditions" + mark
            drawn["category_shares"] = (title, _shares(results, taxonomy, title))
        for number, contrast in enumerate(results.contrasts, start=1):
            if contrast.split.decided:
                title = f"The split of {contrast.name}{mark}"
                drawn[f"split_{number}"] = (title, _split(results, contrast, taxonomy, title))
    return drawn


def _shares(results: TidyResults, taxonomy: Taxonomy, title: str) -> Figure:
    """A panel for each category; a line for each series of conditions, at even distances, in order."""
    by_name = {one.checkpoint: one for one in results.shares}
    conditions = [one for one in results.conditions if one.name in by_name]
    places = {one.name: place for place, one in enumerate(conditions)}
    names = list(results.shares[0].categories)
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(TWO, 1.4 * rows + 1.3))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, name in zip(panels.flat, names, strict=False):
        for number, series in enumerate(dict.fromkeys(one.series for one in conditions)):
            points = [
                (places[one.name], by_name[one.name].categories[name]) for one in conditions if one.series == series
            ]
            _line(panel, points, LINES[number % len(LINES)])
        panel.set_title(drawn(taxonomy.category(name).label))
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))
        step = max(1, -(-len(conditions) // 5))
        labels = [short(one.name) if place % step == 0 else "" for place, one in enumerate(conditions)]
        panel.set_xticks(range(len(conditions)), labels, rotation=40, ha="right")
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < len(names))
        if place < len(names) <= place + columns:
            panel.tick_params(labelbottom=True)
    frame(figure, title, results.signature)
    return figure


def _line(panel: Any, points: list[tuple[int, Estimate]], look: tuple[str, Any, str]) -> None:
    colour, dash, marker = look
    drawn = [(place, one.point) for place, one in points if one.point is not None]
    panel.plot(*zip(*drawn, strict=True), color=colour, linestyle=dash, marker=marker, markersize=3.5, linewidth=1.2,
               clip_on=False) if drawn else None  # fmt: skip
    limits = [(place, one.low, one.high) for place, one in points if one.low is not None]
    if limits:
        panel.vlines(*zip(*limits, strict=True), color=colour, linewidth=0.9)


def _split(results: TidyResults, contrast: TidyContrast, taxonomy: Taxonomy, title: str) -> Figure:
    """A bar for each part in points with its interval; sums dark, losses hatched."""
    split = contrast.split
    rows = [(bucket_name(taxonomy, bucket), one, False) for bucket, one in split.flow_buckets.items()]
    rows.append((PARTS["human"], split.parts["human"], True))
    if results.scored:
        rows += [(PARTS[key], split.parts[key], False) for key in ("undeserved", "missed", "undecided")]
        rows.append((PARTS["apparent"], split.parts["apparent"], True))
    figure = Figure(figsize=(TWO, 0.28 * len(rows) + 1.1))
    panel = figure.subplots()
    for place, (_, one, whole) in enumerate(rows):
        value = 100 * (one.point or 0.0)
        colour, hatch = (TOTAL, "") if whole else (GAIN, "") if value >= 0 else (LOSS, "////")
        panel.barh(place, value, height=0.62, color=colour, hatch=hatch, edgecolor="#333333", linewidth=0.6)
        if one.low is not None and one.high is not None:
            panel.hlines(place, 100 * one.low, 100 * one.high, color="#ffffff", linewidth=2.6, zorder=3)
            panel.hlines(place, 100 * one.low, 100 * one.high, color="#000000", linewidth=1.1, zorder=4)
    panel.axvline(0, color="#333333", linewidth=0.8)
    panel.set_yticks(np.arange(len(rows)), [drawn(name) for name, _, _ in rows])
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.set_xlabel("points (percentage of units), flow split, with intervals")
    frame(figure, title, contrast.signature)
    return figure
