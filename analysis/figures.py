"""The figures of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from gainsift.analysis.agreement_figures import MOST_ANNOTATORS, confusion_map, pair_heat_map
from gainsift.analysis.checkpoint_axis import label_checkpoints, positions
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.house_style import (
    GAIN,
    LINES,
    LOSS,
    OTHER,
    STYLE,
    TOTAL,
    TWO,
    drawn,
    frame,
    tall,
)
from gainsift.analysis.result_tables import PARTS, bucket_name
from gainsift.analysis.shares import ConditionShares
from gainsift.analysis.summary import coefficient
from gainsift.analysis.transition_figures import transition_map
from gainsift.analysis.trend_figures import page_of_trends
from gainsift.schemas.taxonomy import Taxonomy

if TYPE_CHECKING:
    from gainsift.analysis.contrast_results import ContrastResult
    from gainsift.analysis.findings import Findings


def figures(results: Findings) -> dict[str, tuple[str, Figure]]:
    """File stem -> (title, figure), of any input. A figure whose data are absent is absent."""
    design, taxonomy = results.design, results.design.taxonomy
    mark = results.mark
    drawn: dict[str, tuple[str, Figure]] = {}
    with matplotlib.rc_context(STYLE):
        if results.shares and results.shares[0].categories:
            title = f"Share of each category over {design.noun}s" + mark
            recipe = results.tables["shares"].signature
            drawn["category_shares"] = (title, category_shares(design, results.shares, title, recipe))
            title = f"What becomes of answers over {design.noun}s" + mark
            if page := page_of_trends(taxonomy, results.shares, title, recipe):
                drawn["trends"] = (title, page)
        for number, result in enumerate(results.contrasts, start=1):
            if result.split.decided and not result.step:
                title = f"The split of {result.contrast.name}" + mark
                drawn[f"split_{number}"] = (title, waterfall(design, result, title))
                title = f"Transitions of {result.contrast.name}" + mark
                drawn[f"transitions_{number}"] = (
                    title, transition_map(taxonomy, result.transitions, title, result.signature)
                )  # fmt: skip
        if results.agreement.pairable:
            title = "Agreement: which categories are confused" + mark
            drawn["agreement"] = (title, confusion(taxonomy, results, title))
            pairs = results.agreement.pairwise
            if 1 < len(results.agreement.annotators) <= MOST_ANNOTATORS:
                title = "Agreement of each pair of annotators" + mark
                drawn["agreement_pairs"] = (title, pair_heat_map(pairs, "cohen", title, results.signature))
    return drawn


# --- category shares -------------------------------------------------------------------------------------


def category_shares(design: Design, shares: Sequence[ConditionShares], title: str, recipe: str) -> Figure:
    """One small panel for each category, its share over checkpoints with an interval; a line for each series."""
    by_name = {c.checkpoint: c.condition for c in shares}
    present = sorted(by_name.values(), key=lambda one: one.place)
    at, scale = positions(present)
    place_of = dict(zip((one.checkpoint for one in present), at.tolist(), strict=True))
    reach = float(at[-1] - at[0]) or 1.0
    series = list(dict.fromkeys(c.series for c in shares))
    names = list(shares[0].categories)
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    legend = 0.3 if len(series) > 1 else 0.0
    figure = Figure(figsize=(TWO, tall(1.4, rows, 0.7 + legend)))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    spread = (np.arange(len(series)) - (len(series) - 1) / 2) * 0.02 * reach
    for panel, name in zip(panels.flat, names, strict=False):
        for line, one in enumerate(series):
            points = [(place_of[c.checkpoint], c.categories[name]) for c in shares if c.series == one]
            _line(panel, points, LINES[line % len(LINES)], one, float(spread[line]))
        panel.set_title(drawn(design.taxonomy.category(name).label))
        panel.set_ylim(-0.03, 1.03)
        panel.set_xlim(at[0] - 0.08 * reach, at[-1] + 0.08 * reach)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.0f} %"))
        label_checkpoints(panel, present, at, scale, columns)
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < len(names))
        if place < len(names) <= place + columns:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel(scale)
    frame(figure, title, recipe, panels.flat[0].get_legend_handles_labels() if len(series) > 1 else None)
    return figure


def _line(
    panel: Any, points: list[tuple[float, Estimate]], look: tuple[str, Any, str], label: str, shift: float
) -> None:
    colour, dash, marker = look
    drawn = [(place + shift, value) for place, value in sorted(points, key=lambda p: p[0]) if value.defined]
    panel.plot(
        [place for place, _ in drawn], [value.point for _, value in drawn], color=colour, linestyle=dash,
        marker=marker, markersize=3.5, linewidth=1.2, label=label, clip_on=False,
    )  # fmt: skip
    bounded = [(place, value) for place, value in drawn if value.low is not None and value.high is not None]
    panel.vlines(
        [place for place, _ in bounded], [value.low for _, value in bounded], [value.high for _, value in bounded],
        color=colour, linewidth=0.9,
    )  # fmt: skip


# --- the split -------------------------------------------------------------------------------------------


def waterfall(design: Design, result: ContrastResult, title: str) -> Figure:
    """From nothing to the apparent gain, part by part (flow split); the human gain is a subtotal, or all there is."""
    split = result.split
    steps: list[tuple[str, Estimate, str]] = [
        (bucket_name(design.taxonomy, bucket), estimate, "") for bucket, estimate in split.flow_buckets.items()
    ]
    steps.append((PARTS["human"], split.parts["human"], TOTAL))
    if design.scored:
        steps += [(PARTS[part], split.parts[part], "") for part in ("undeserved", "missed")]
        steps.append((PARTS["undecided"], split.parts["undecided"], OTHER))
        steps.append((PARTS["apparent"], split.parts["apparent"], TOTAL))
    figure = Figure(figsize=(TWO, tall(0.28, len(steps), 1.2)))
    panel = figure.subplots()
    reached, edges = 0.0, [0.0]
    for place, (_, estimate, role) in enumerate(steps):
        value = 100 * (estimate.point or 0.0)
        start = 0.0 if role == TOTAL else reached
        colour, hatch = _look(role, value)
        panel.barh(place, value, left=start, height=0.62, color=colour, hatch=hatch, edgecolor="#333333", linewidth=0.6)
        reached = start + value
        right = _whisker(panel, place, start, estimate)
        panel.annotate(
            _points(value), (max(start, reached, right), place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=8, fontweight="bold" if role == TOTAL else "normal",
        )  # fmt: skip
        if place + 1 < len(steps):
            panel.plot([reached, reached], [place - 0.31, place + 1.31], color="#777777", linewidth=0.6, zorder=0.5)
        edges += [reached, right]
    panel.axvline(0, color="#333333", linewidth=0.8)
    panel.set_yticks(range(len(steps)), [drawn(name) for name, _, _ in steps])
    for label, (_, _, role) in zip(panel.get_yticklabels(), steps, strict=True):
        label.set_fontweight("bold" if role == TOTAL else "normal")
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.tick_params(axis="y", length=0)
    panel.margins(x=0.12)
    bound = (
        "\n(dashed: a bound, as no cluster differs from the others)"
        if any(step.bounded for _, step, _ in steps)
        else ""
    )
    panel.set_xlabel("points (percentage of units); bars are the flow split, whiskers its interval" + bound)
    frame(figure, title, result.signature)
    return figure


def _look(role: str, value: float) -> tuple[str, str]:
    """Fill and hatch: totals dark, gains plain, losses hatched, so that grey print tells them apart."""
    if role in (TOTAL, OTHER):
        return role, ""
    return (GAIN, "") if value >= 0 else (LOSS, "////")


def _whisker(panel: Any, place: int, start: float, estimate: Estimate) -> float:
    """The interval of one step, drawn at its far end, dashed if it is a bound; returns its right edge."""
    if estimate.low is None or estimate.high is None:
        return start
    low, high = start + 100 * estimate.low, start + 100 * estimate.high
    panel.hlines(place, low, high, color="#ffffff", linewidth=2.6, zorder=3)
    dash = (0, (2, 1.4)) if estimate.bounded else "-"
    panel.hlines(place, low, high, color="#000000", linewidth=1.1, linestyle=dash, zorder=4)
    return high


def _points(value: float) -> str:
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


# --- agreement -------------------------------------------------------------------------------------------


def confusion(taxonomy: Taxonomy, results: Findings, title: str) -> Figure:
    """Pairs of judgements by their two labels, alpha above."""
    found = results.agreement
    names = [name for name in taxonomy.ids if name in found.labels]
    counts = np.array([[found.confusion[a, b] for b in names] for a in names], dtype=np.int64)
    alpha = found.alpha
    about = "α undefined" if alpha.point is None else f"Krippendorff's α = {coefficient(alpha)}"
    labels = [taxonomy.category(name).label for name in names]
    return confusion_map(
        counts, labels, ("", ""), title, results.signature, f"{about}; pairs of judgements of one item"
    )
