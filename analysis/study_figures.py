"""The figures that a study alone has: the mass of the source concept's words, and those of emergence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gainsift.analysis.figures import figures
from gainsift.analysis.house_style import STYLE, TWO, frame, tall
from gainsift.schemas.settings import SETTINGS, UNPATCHED
from gainsift.schemas.study import Study

if TYPE_CHECKING:
    from gainsift.analysis.results import Results


def study_figures(study: Study, results: Results) -> dict[str, tuple[str, Figure]]:
    """All of `figures`, and those that a study alone has."""
    drawn = figures(results)
    if len(results.mass):
        title = "Probability of the source concept's words over layers"
        with matplotlib.rc_context(STYLE):
            drawn["source_mass"] = (title, source_mass(study, results, title))
    return drawn | results.emergence.figures


def source_mass(study: Study, results: Results, title: str) -> Figure:
    """Mean mass over the layer of the patch, a panel for each setting, a line for each checkpoint."""
    mass = results.mass
    names = [c.name for c in study.config.model.checkpoints if c.name in set(mass["checkpoint"])]
    panels_of = [name for name in SETTINGS if name != UNPATCHED and name in set(mass["setting"])]
    if not panels_of:
        panels_of = [UNPATCHED]
    columns = min(3, len(panels_of))
    rows = -(-len(panels_of) // columns)
    figure = Figure(figsize=(TWO, tall(1.8, rows, 0.9)))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shades = matplotlib.colormaps["cividis_r"](np.linspace(0.15, 1, len(names)))
    styles = ("-", "--", "-.", ":")
    markers = "os^Dv*Xph<>d"
    for panel, setting in zip(panels.flat, panels_of, strict=False):
        for place, name in enumerate(names):
            part = mass[(mass["setting"] == setting) & (mass["checkpoint"] == name)]
            layers = part["layer"].fillna(0).astype(int)
            panel.plot(layers, part["mass"], color=shades[place], linestyle=styles[place % 4], linewidth=1.2,
                       marker=markers[place % len(markers)], markersize=3.5, label=name)  # fmt: skip
        panel.set_title(f"{setting}: {SETTINGS[setting]}" if setting == UNPATCHED else setting)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set_ylim(bottom=0)
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < len(panels_of))
        if place < len(panels_of) <= place + columns:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("first patched layer")
    for row in panels:
        row[0].set_ylabel("mean mass")
    entries = panels.flat[0].get_legend_handles_labels()
    version = results.signature.rsplit("|", 1)[-1]
    frame(figure, title, f"mass:mean|rows:{int(mass['rows'].sum())}|{version}", (_thin(entries[0]), _thin(entries[1])))
    return figure


def _thin(values: Sequence[Any], most: int = 12) -> list[Any]:
    """At most `most` of them, evenly spread, first and last included."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]
