"""Figures of what emerges: layer × checkpoint maps, curves with bands, differences, languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gainsift.analysis.emergence_axes import draw, even_axis, log_axis, mark_cut, places_of, top_of
from gainsift.analysis.emergence_bands import ALL, Findings, Group
from gainsift.analysis.emergence_sums import CONTROL, OWN, Place, Quantity
from gainsift.analysis.emergence_words import MEASURES, recipe, series_of
from gainsift.analysis.estimate import Array, Estimate, divide
from gainsift.analysis.house_style import LINES, ONE, STYLE, TWO, frame, tall
from gainsift.schemas.languages import language
from gainsift.schemas.settings import UNPATCHED

LOOKS = {
    "unpatched": LINES[0], "target prompt": ("#777777", (0, (1, 1.2)), "x"), "tgt": LINES[2], "seen": LINES[1],
    "en_en": LINES[3], "self": LINES[4],
}  # fmt: skip
HEAT_MAPS = {
    "p_source": "Mass of the source concept",
    "p_target": "Mass of the target concept",
    "other": "Mass of the source concept in other languages",
    "success": "Automatic success",
}
BANDED = ("unpatched", "tgt", "seen")
"""Whose bands the curves show: those of six lines would hide each other; the table has them all."""


def emergence_figures(found: Findings) -> dict[str, tuple[str, Figure]]:
    """File stem -> (title, figure). A figure whose data are absent is absent."""
    patched = found.layers.fixed is not None
    layer = f" at layer {found.layers.fixed}" if patched else ""
    drawn: dict[str, tuple[str, Figure]] = {}
    with matplotlib.rc_context(STYLE):
        if patched:
            for measure, what in HEAT_MAPS.items():
                if np.isfinite(found.sums.means[..., found.sums.measures.index(measure)]).any():
                    title = f"{what}: first patched layer × checkpoint"
                    drawn[f"emergence_layers_{measure}"] = (title, heat_maps(found, measure, title))
        title = "Over checkpoints" + (
            f": layer {found.layers.fixed}, and mean over layers; bands of tgt and seen" if patched else ""
        )
        drawn["emergence_curves"] = (title, curves(found, title))
        if any(found.band(q) for q in found.quantities("p_source", False, True)):
            title = f"Differences in the source concept's mass{layer}, with simultaneous bands"
            drawn["emergence_differences"] = (title, differences(found, title))
        if len(found.groups) > 1:
            title = f"The source concept's mass by language{layer}"
            drawn["emergence_languages"] = (title, languages(found, title))
        if any(found.band(q) for q in found.quantities("other", False, False)):
            title = f"Mass of the source concept in other languages{layer}"
            drawn["emergence_other"] = (title, other_languages(found, title))
    return drawn


# --- layer × checkpoint ----------------------------------------------------------------------------------


def heat_maps(found: Findings, measure: str, title: str) -> Figure:
    """A panel for each patched setting, all units alike; darker is more, one scale for all panels."""
    settings = list(dict.fromkeys(p[0] for p in found.sums.places if p[0] not in (UNPATCHED, CONTROL)))
    layers = found.rows.layers
    grids = {name: _grid(found, name, measure) for name in settings}
    columns = min(2, len(settings))
    rows = -(-len(settings) // columns)
    height = min(0.2 * len(layers) + 1.05, 3.0)
    figure = Figure(figsize=(TWO, tall(height, rows, 0.8)))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    most = max(float(np.nanmax(grid, initial=0.0)) for grid in grids.values()) or 1.0
    for panel, name in zip(panels.flat, settings, strict=False):
        image = panel.imshow(grids[name], cmap="cividis_r", vmin=0, vmax=most, aspect="auto", interpolation="nearest")
        panel.grid(visible=False)
        panel.set_title(name)
        panel.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10], min_n_ticks=1))
        ticks = [place for place in range(len(layers)) if len(layers) <= 8 or place % -(-len(layers) // 8) == 0]
        panel.set_yticks(ticks, [str(layers[place]) for place in ticks])
        scale = even_axis(panel, found)
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < len(settings))
        if place < len(settings) <= place + columns:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel(scale)
    for row in panels:
        row[0].set_ylabel("first patched layer")
    bar = figure.colorbar(image, ax=panels, shrink=0.9, aspect=25 if rows > 1 else 12, pad=0.02)
    bar.set_label("share of outputs" if measure == "success" else "mean mass")
    bar.outline.set_visible(False)
    frame(figure, title, recipe(found, "means", False))
    return figure


def _grid(found: Findings, setting: str, measure: str) -> Array:
    """Mean over all units, layers downwards, checkpoints to the right: [layers, T]; NaN where there are none."""
    sums, number = found.sums, found.sums.measures.index(measure)
    grid = np.full((len(found.rows.layers), len(found.present)), np.nan)
    for row, layer in enumerate(found.rows.layers):
        column = sums.places.index((setting, "target", layer))
        means, counts = (part[found.present, :, column, number] for part in (sums.means, sums.counts))
        grid[row] = divide((np.nan_to_num(means) * counts).sum(1), counts.sum(1))
    return grid


# --- curves ----------------------------------------------------------------------------------------------


def curves(found: Findings, title: str) -> Figure:
    """Mass and success: unpatched, then patched at the fixed layer and over the area, each at its own scale."""
    rows_of = [m for m in OWN if found.quantities(m, False, False)]
    kinds = [kind for kind in ("unpatched", "layer", "area") if _lines(found, "p_source", kind)]
    columns = len(kinds)
    figure = Figure(figsize=(TWO if columns > 1 else ONE, tall(1.75, len(rows_of), 1.0)))
    panels = figure.subplots(len(rows_of), columns, sharex=True, squeeze=False)
    names = {"unpatched": "unpatched", "layer": f"layer {found.layers.fixed}", "area": "mean over layers"}
    for row, measure in zip(panels, rows_of, strict=True):
        for panel, kind in zip(row, kinds, strict=True):
            shown, banded = [], []
            for quantity in _lines(found, measure, kind):
                name, band = series_of(quantity.place), found.band(quantity)
                if band is not None:
                    draw(panel, found, band.pointwise, LOOKS[name], name, band=name in BANDED)
                    shown += band.pointwise
                    banded += [band.pointwise] * (name in BANDED)
            panel.set_title(f"{MEASURES[measure][0]}, {names[kind]}", fontsize=7)
            panel.set_ylim(0, top_of(shown))
            mark_cut(panel, found, banded)
            panel.yaxis.set_major_locator(MaxNLocator(5))
            scale = log_axis(panel, found, columns)
        row[0].set_ylabel("share of outputs" if measure == "success" else "mean mass")
    for panel in panels[-1]:
        panel.set_xlabel(scale)
    frame(figure, title, recipe(found, "curves"), _entries(panels))
    return figure


def _lines(found: Findings, measure: str, kind: str) -> list[Quantity]:
    """What one panel shows; the target prompt as it is stands beside the patched ones, where it says as much."""
    plain = found.quantities(measure, False, False)
    if kind == "unpatched":
        return [q for q in plain if series_of(q.place) == "unpatched"]
    patched = [q for q in found.quantities(measure, kind == "area", False) if q.place[0] != UNPATCHED]
    base = [q for q in plain if series_of(q.place) == "target prompt" and measure != "success"]
    return base + patched if patched else []


def differences(found: Findings, title: str) -> Figure:
    """A panel for each difference, with the band over all checkpoints; a mark where it stays above zero."""
    effects = [quantity for quantity in found.quantities("p_source", False, True) if found.band(quantity)]
    columns = min(3, len(effects))
    rows = -(-len(effects) // columns)
    figure = Figure(figsize=(TWO, tall(1.9, rows, 0.9)))
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for panel, quantity in zip(panels.flat, effects, strict=False):
        band = found.band(quantity)
        if band is None:
            continue
        panel.axhline(0, color="#333333", linewidth=0.8, zorder=2)
        draw(panel, found, band.simultaneous, LINES[0], "")
        for first, marker in ((band.above_from, "^"), (band.below_from, "v")):
            if first is not None:
                at = places_of(found)[first], band.simultaneous[first].point or 0.0
                panel.plot(*at, marker, color="#D55E00", markersize=8, markeredgecolor="black", zorder=4)
        panel.set_title(quantity.effect)
        scale = log_axis(panel, found, columns)
        panel.yaxis.set_major_locator(MaxNLocator(5))
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < len(effects))
        if place < len(effects) <= place + columns:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel(scale)
    for row in panels:
        row[0].set_ylabel("difference in mass")
    marks = [
        Line2D([], [], color="#D55E00", marker=m, linestyle="", markersize=7, markeredgecolor="black") for m in "^v"
    ]
    texts = ["stays above zero from here on", "stays below zero from here on"]
    frame(figure, title, recipe(found, "differences", band="max-T"), (marks, texts))
    return figure


# --- languages -------------------------------------------------------------------------------------------


def languages(found: Findings, title: str) -> Figure:
    """A panel for each input language, output language and sort of training: tgt and seen beside unpatched."""
    groups = [group for group in found.groups if group != ALL and group[0] != "pair"] or list(found.groups)
    columns = min(4, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(TWO, tall(1.7, rows, 1.1)))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    shown = [q for q in found.quantities("p_source", False, False) if series_of(q.place) in ("tgt", "seen")]
    shown = shown or found.quantities("p_source", False, False)
    bands: list[list[Sequence[Estimate]]] = []
    for panel, group in zip(panels.flat, groups, strict=False):
        bands.append([])
        for quantity in shown:
            band = found.band(quantity, group)
            if band is not None:
                name = series_of(quantity.place)
                draw(panel, found, band.pointwise, LOOKS[name], name)
                bands[-1].append(band.pointwise)
        panel.set_title(_group_name(group))
        scale = log_axis(panel, found, columns)
    panels.flat[0].set_ylim(0, top_of([point for drawn in bands for band in drawn for point in band]))
    for panel, drawn in zip(panels.flat, bands, strict=False):
        mark_cut(panel, found, drawn)
    _finish(panels, len(groups), columns, scale)
    frame(figure, title, recipe(found, "languages"), _entries(panels))
    return figure


def _group_name(group: Group) -> str:
    kind, name = group
    if kind in ("input", "output"):
        return f"{'from' if kind == 'input' else 'into'} {language(name).english}"
    return name


def other_languages(found: Findings, title: str) -> Figure:
    """A panel for each setting: the output language, and the others by what their words share with it."""
    places: list[Place] = [q.place for q in found.quantities("other", False, False)]
    columns = min(3, len(places))
    rows = -(-len(places) // columns)
    figure = Figure(figsize=(TWO, tall(1.9, rows, 1.2)))
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    names = {"p_source": "output language", "other_same": "others: same first tokens",
             "other_maybe": "same first letter", "other_apart": "no token shared"}  # fmt: skip
    for panel, place in zip(panels.flat, places, strict=False):
        shown: list[Sequence[Estimate]] = []
        for measure, look in zip(names, (LINES[0], LINES[1], LINES[2], LINES[3]), strict=True):
            band = found.band(Quantity(place, measure))
            if band is not None:
                draw(panel, found, band.pointwise, look, names[measure])
                shown.append(band.pointwise)
        panel.set_title(series_of(place))
        panel.set_ylim(0, top_of([point for band in shown for point in band]))
        mark_cut(panel, found, shown)
        panel.yaxis.set_major_locator(MaxNLocator(5))
        scale = log_axis(panel, found, columns)
    _finish(panels, len(places), columns, scale)
    frame(figure, title, recipe(found, "other"), _entries(panels))
    return figure


def _finish(panels: Any, used: int, columns: int, scale: str) -> None:
    """Hide panels without content; name the axes at the edges."""
    for place, panel in enumerate(panels.flat):
        panel.set_visible(place < used)
        if place < used <= place + columns:
            panel.tick_params(labelbottom=True)
            panel.set_xlabel(scale)
    for row in panels:
        row[0].set_ylabel("mean mass")


def _entries(panels: Any) -> tuple[Any, Any]:
    """The legend of all panels together: each label once."""
    found: dict[str, Any] = {}
    for panel in panels.flat:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
