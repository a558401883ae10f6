"""Axes over checkpoints, and lines with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from gainsift.analysis.emergence_bands import Findings
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.house_style import drawn


def _labels(found: Findings) -> tuple[list[str], str]:
    """How checkpoints are called on an axis, and what that is."""
    specs = [found.study.config.checkpoint(found.rows.checkpoints[number]) for number in found.present]
    tokens = [spec.tokens for spec in specs]
    if all(tokens) and all(a < b for a, b in pairwise(tokens)):
        return [_short(number) for number in tokens], "tokens seen"
    steps = [spec.step for spec in specs]
    if len(set(steps)) == len(steps):
        return [_short(number) for number in steps], "training step"
    return [drawn(spec.name) for spec in specs], "checkpoint"


def _short(number: int) -> str:
    """`104k`, `1.2M`, `48B`: two or three digits that matter."""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return (
                f"{number / size:.1f}".removesuffix(".0") + letter
                if number < 10 * size
                else f"{number / size:.0f}{letter}"
            )
    return str(number)


def even_axis(panel: Any, found: Findings) -> str:
    """Checkpoints at even distances, thinned to about six labels, the last one kept."""
    labels, name = _labels(found)
    shown = sorted(range(len(labels) - 1, -1, -max(1, -(-len(labels) // 6))))
    panel.xaxis.set_major_locator(FixedLocator(shown))
    panel.xaxis.set_major_formatter(FixedFormatter([labels[place] for place in shown]))
    panel.tick_params(axis="x", labelsize=7, rotation=30 if max(map(len, labels)) > 6 else 0)
    return name


def places_of(found: Findings) -> list[float]:
    """Where checkpoints stand: tokens if they are known and rise (drawn on a log axis), else their rank."""
    specs = [found.study.config.checkpoint(found.rows.checkpoints[number]) for number in found.present]
    if _labels(found)[1] == "tokens seen":
        return [float(spec.tokens) for spec in specs]
    return [float(place) for place in range(len(specs))]


def log_axis(panel: Any, found: Findings, columns: int) -> str:
    """Log tokens where they are known, with labels that keep clear of each other."""
    labels, name = _labels(found)
    if name != "tokens seen":
        return even_axis(panel, found)
    at = places_of(found)
    panel.set_xscale("log")
    reach = max(np.log(at[-1] / at[0]), 1e-9)
    shown = [len(at) - 1]
    for place in range(len(at) - 2, -1, -1):
        if np.log(at[shown[-1]] / at[place]) / reach >= 0.09 * columns + 0.02:
            shown.append(place)
    panel.xaxis.set_major_locator(FixedLocator([at[place] for place in reversed(shown)]))
    panel.xaxis.set_major_formatter(FixedFormatter([labels[place] for place in reversed(shown)]))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.tick_params(axis="x", labelsize=7)
    return name + ", log scale"


def draw(panel: Any, found: Findings, points: Sequence[Estimate], look: Any, label: str, band: bool = True) -> None:
    """A line with its band: light fill for colour, thin edges for grey print.

    There is no band where all clusters are alike (its limits would be a bound that only knows their number).
    """
    colour, dash, marker = look
    kept = [(x, value) for x, value in zip(places_of(found), points, strict=True) if value.defined]
    panel.plot(
        [x for x, _ in kept], [value.point for _, value in kept], color=colour, linestyle=dash, marker=marker,
        markersize=3.2, linewidth=1.2, label=label, zorder=3,
    )  # fmt: skip
    if band:
        limits = [(v.low, v.high) if v.low is not None and not v.bounded else (np.nan, np.nan) for _, v in kept]
        x, low, high = [x for x, _ in kept], [low for low, _ in limits], [high for _, high in limits]
        panel.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0, zorder=1)
        for edge in (low, high):
            panel.plot(x, edge, color=colour, linewidth=0.45, alpha=0.7, zorder=2)


def top_of(shown: Sequence[Estimate]) -> float:
    """The upper end of an axis: all limits, unless they leave the points far beneath."""
    points = [value.point for value in shown if value.point is not None]
    highs = [value.high for value in shown if value.high is not None and not value.bounded]
    largest = max(points, default=0.0)
    return 1.04 * min(max([largest, *highs]), 2.5 * largest) or 1.0


def mark_cut(panel: Any, found: Findings, bands: Sequence[Sequence[Estimate]]) -> None:
    """Arrow heads at the upper end of a finished panel where a band goes on above it, and their legend entry."""
    top = panel.get_ylim()[1]
    at = [
        x
        for band in bands
        for x, value in zip(places_of(found), band, strict=True)
        if value.high is not None and not value.bounded and value.high > top
    ]
    if at:
        panel.plot(at, [top] * len(at), marker="^", markersize=4, color="#555555", linestyle="", clip_on=False,
                   zorder=5, label="band goes on above")  # fmt: skip
        panel.set_ylim(top=top)
