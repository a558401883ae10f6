"""The curves of `gainsift power`: power and half-width over the number of units, a line for each overlap."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from gainsift.analysis.house_style import LINES, STYLE, TWO, frame
from gainsift.analysis.power import Size, Wanted


def power_curves(sizes: Sequence[Size], wanted: Wanted, title: str, recipe: str) -> Figure:
    """Two panels; the wanted value is a thin line across. `sizes` must not be empty."""
    overlaps = sorted({size.overlap for size in sizes})
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(TWO, 2.9))
        left, right = figure.subplots(1, 2)
        for place, overlap in enumerate(overlaps):
            row = sorted((size for size in sizes if size.overlap == overlap), key=lambda size: size.units)
            color, dash, marker = LINES[place % len(LINES)]
            style = {"color": color, "linestyle": dash, "marker": marker, "markersize": 4, "linewidth": 1.3}
            name = f"{overlap} annotator{'s' if overlap > 1 else ''} an item"
            units = [size.units for size in row]
            left.errorbar(
                units, [size.power for size in row], [1.96 * size.power_error for size in row], label=name, **style
            )
            right.plot(units, [size.half_width for size in row], label=name, **style)
        for panel, value, what in (
            (left, wanted.power, "power"),
            (right, wanted.half_width, "half-width of the interval"),
        ):
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_minor_locator(NullLocator())
            panel.xaxis.set_major_formatter(FuncFormatter(lambda units, _: f"{units:,.0f}"))
            panel.tick_params(axis="x", labelsize=7)
            panel.set_xlabel("units")
            panel.set_title(what)
            panel.set_ylim(bottom=0)
            if value is not None:
                panel.axhline(value, color="#333333", linewidth=0.8)
        left.set_ylim(0, 1.05)
        handles, names = right.get_legend_handles_labels()
        frame(figure, title, recipe, (handles, names))
    return figure
