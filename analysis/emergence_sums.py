"""Means and cluster sums of what emerges: every setting at every layer, and paired differences between settings.

A *place* is what was done to a prompt: setting, prompt, and first patched layer, AREA for the mean over the cut-offs
0 to L-2 (the last one, L-1, cannot reach later tokens), or None for unpatched rows. Everything is taken unit by unit
(prompt pair × language pair) before it is summed: an area needs all its cut-offs, a difference both its sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from gainsift.analysis.emergence_rows import NO_LAYER, Codes, Rows
from gainsift.analysis.estimate import Array, divide
from gainsift.analysis.shared_beginnings import CLASSES, NONE
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import PATCHED, UNPATCHED

AREA = -2
SOURCE, TARGET = (UNPATCHED, "source"), (UNPATCHED, "target")
CONTROL = "tgt_tgt"
Series = tuple[str, str]
Place = tuple[str, str, int | None]
OWN = ["success", "p_source", "p_target"]
OTHER = ["other", *(f"other_{name}" for name in CLASSES)]
EFFECTS: dict[str, tuple[str, Series]] = {
    "tgt − target prompt": ("tgt", TARGET),
    "seen − target prompt": ("seen", TARGET),
    "seen − tgt": ("seen", ("tgt", "target")),
    "tgt − unpatched": ("tgt", SOURCE),
    "seen − unpatched": ("seen", SOURCE),
    "tgt − en_en": ("tgt", ("en_en", "target")),
    "seen − en_en": ("seen", ("en_en", "target")),
    "tgt − self": ("tgt", ("self", "target")),
    "seen − self": ("seen", ("self", "target")),
}
"""What the patch adds to the target prompt; shared against same-pair vectors; patched against unpatched source
prompts; translation against copying vectors."""


@dataclass(frozen=True)
class Quantity:
    """One measure at one place, or the difference of two places (`effect` names it, `minus` is taken away)."""

    place: Place
    measure: str
    minus: Place | None = None
    effect: str = ""

    @property
    def least(self) -> float:
        return 0.0 if self.minus is None else -1.0


@dataclass(frozen=True)
class Layers:
    """`cutoffs`: those of the area; `last`: the cut-off L-1 that is left out of it, None if it was not run.

    `fixed`: the layer of every curve, None without patched rows; `rule`: how it was fixed.
    """

    cutoffs: list[int]
    last: int | None
    fixed: int | None
    rule: str


@dataclass(frozen=True)
class Sums:
    """`means`, `counts` [T, P, places, K]: by checkpoint, language pair, place and measure.

    `numerators`, `denominators` [T, P, C, Q]: sums and numbers of units in each cluster, for each quantity.
    """

    places: list[Place]
    measures: list[str]
    means: Array
    counts: Array
    quantities: dict[Quantity, int]
    numerators: Array
    denominators: Array


def layers_of(config: StudyConfig, present: list[int], reaches: bool) -> Layers:
    """The cut-offs of the area, and the layer of the curves, by rules that look at no outcome.

    The layer is that of `analysis.layer`; else the one that the patched conditions of contrasts and series name most
    often (the lowest of several); else the lowest that is judged; else the middle cut-off (the lower of two).
    `reaches`: whether the highest cut-off that there is changes any mass. With `generation.layers: all` the highest is
    L-1, whatever it changes. Raises UserError if no output has the layer of `analysis.layer`.
    """
    if not present:
        return Layers([], None, None, "no patched outputs")
    all_asked = config.generation.layers == "all"
    last = present[-1] if all_asked or not reaches else None
    cutoffs = [layer for layer in present if layer != last]
    asked = config.analysis.layer
    if asked is not None:
        if asked not in present:
            there = ", ".join(map(str, present))
            raise UserError(
                "study.yaml, analysis.layer", f"no output is patched from layer {asked}", f"name one: {there}"
            )
        return Layers(cutoffs, last, asked, "analysis.layer of study.yaml")
    sides = [side.layer for contrast in config.contrasts for side in (contrast.a, contrast.b)]
    sides += [series.layer for series in config.contrasts_along]
    named = Counter(layer for layer in sides if layer is not None and layer in present)
    if named:
        most = max(named.values())
        layer = min(layer for layer, times in named.items() if times == most)
        return Layers(cutoffs, last, layer, "the layer that the contrasts name")
    judged = config.judged_layers() & set(present)
    if judged:
        return Layers(cutoffs, last, min(judged), "the lowest layer that study.yaml has people judge")
    middle = cutoffs or present
    return Layers(cutoffs, last, middle[(len(middle) - 1) // 2], "the middle cut-off, as study.yaml names none")


def last_reaches(rows: Rows) -> bool:
    """Whether the highest cut-off changes the mass on the source concept's words of any unpatched target prompt.

    L-1 does not, up to rounding. Without target prompts, or where masses are read at the word itself, it says yes.
    """
    if not rows.layers or TARGET not in rows.series:
        return True
    highest = rows.layer == rows.layers[-1]
    patched = highest & ~np.isin(rows.of_series, [i for i, (s, _) in enumerate(rows.series) if s == CONTROL])
    plain = rows.of_series == rows.series.index(TARGET)
    known = np.full((len(rows.checkpoints), len(rows.unit_pair)), np.nan)
    known[rows.checkpoint[plain], rows.unit[plain]] = rows.values[plain, 1]
    away = np.abs(rows.values[patched, 1] - known[rows.checkpoint[patched], rows.unit[patched]])
    return not np.isfinite(away).any() or bool(np.nanmax(away) > 1e-3)


def sums_of(rows: Rows, layers: Layers) -> Sums:
    """One pass over the checkpoints; each is held as units × places × measures."""
    patched = [(name, "target") for name in PATCHED if (name, "target") in rows.series]
    places: list[Place] = [(*series, None) for series in (SOURCE, TARGET) if series in rows.series]
    places += [(*series, layer) for series in patched for layer in rows.layers]
    places += [(*series, AREA) for series in patched if layers.cutoffs]
    measures = [*OWN, *OTHER, *(f"mass_{code}" for code in rows.languages)]
    quantities = {q: i for i, q in enumerate(_quantities(places, measures, layers))}
    shape = len(rows.checkpoints), len(rows.pairs)
    means = np.full((*shape, len(places), len(measures)), np.nan)
    counts = np.zeros(means.shape)
    numerators = np.zeros((*shape, len(rows.clusters), len(quantities)))
    denominators = np.zeros(numerators.shape)
    by_pair = _adder(rows.unit_pair, len(rows.pairs))
    cell = rows.unit_pair * len(rows.clusters) + rows.concept_cluster[rows.unit_concept]
    by_cell = _adder(cell, len(rows.pairs) * len(rows.clusters))
    for number in range(len(rows.checkpoints)):
        values = unit_values(rows, number, places, layers, len(measures))  # [U, places, K]
        flat = values.reshape(len(values), -1)
        known = np.isfinite(flat).astype(float)
        held = by_pair @ known
        counts[number] = held.reshape(counts.shape[1:])
        means[number] = divide(by_pair @ np.nan_to_num(flat), held).reshape(means.shape[1:])
        wanted = np.empty((len(values), len(quantities)))
        for quantity, column in quantities.items():
            wanted[:, column] = of_units(quantity, values, places, measures)
        numerators[number] = (by_cell @ np.nan_to_num(wanted)).reshape(numerators.shape[1:])
        denominators[number] = (by_cell @ np.isfinite(wanted).astype(float)).reshape(denominators.shape[1:])
    return Sums(places, measures, means, counts, quantities, numerators, denominators)


def of_units(quantity: Quantity, values: Array, places: list[Place], measures: list[str]) -> Array:
    """The quantity of each unit [U], from `values` as `unit_values` gives them; NaN where it has none."""
    measure = measures.index(quantity.measure)
    found = values[:, places.index(quantity.place), measure]
    return found if quantity.minus is None else found - values[:, places.index(quantity.minus), measure]


def _quantities(places: list[Place], measures: list[str], layers: Layers) -> Iterable[Quantity]:
    for place in places:
        if place[0] != CONTROL and place[2] in (None, layers.fixed, AREA):
            kept = measures if place[2] != AREA else [*OWN, *OTHER]
            yield from (Quantity(place, measure) for measure in kept)
    for name, (setting, minus) in EFFECTS.items():
        for layer in (layers.fixed, AREA):
            a: Place = (setting, "target", layer)
            b: Place = (*minus, None if minus[0] == UNPATCHED else layer)
            if a in places and b in places:
                # an answer to the target prompt is held against the other concept's words
                kept = ["p_source"] if minus == TARGET else ["p_source", "success"]
                yield from (Quantity(a, measure, b, name) for measure in kept)


def _adder(group: Codes, groups: int) -> scipy.sparse.csr_array:
    """Adds units up within their groups: [groups, U]."""
    return scipy.sparse.csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(groups, len(group)))


def unit_values(rows: Rows, checkpoint: int, places: list[Place], layers: Layers, width: int) -> Array:
    """The values of one checkpoint: [units, places, measures], NaN where there is none."""
    here = np.flatnonzero(rows.checkpoint == checkpoint)
    values = np.full((len(rows.unit_pair), len(places), width), np.nan)
    column = {(rows.series.index(place[:2]), place[2]): number for number, place in enumerate(places)}
    lookup = np.zeros((len(rows.series), max(rows.layers, default=0) + 2), np.int32)
    for (series, layer), number in column.items():
        if layer != AREA:
            lookup[series, NO_LAYER if layer is None else layer] = number
    at = lookup[rows.of_series[here], rows.layer[here]]
    mass = rows.mass[here].astype(float)
    values[rows.unit[here], at] = np.hstack([rows.values[here], _others(rows, here, mass), mass])
    for number, (setting, prompt, layer) in enumerate(places):
        if layer == AREA:
            parts = [places.index((setting, prompt, cutoff)) for cutoff in layers.cutoffs]
            values[:, number] = values[:, parts].mean(1)
    return values


def _others(rows: Rows, here: npt.NDArray[np.intp], mass: Array) -> Array:
    """Mean mass over the languages other than the output language, all and by how their words begin: [N, 4]."""
    outs = np.array([rows.languages.index(out) for _, out in rows.pairs])[rows.unit_pair[rows.unit[here]]]
    kinds = rows.sharing[rows.unit_concept[rows.unit[here]], outs]  # [N, G]
    found = []
    for members in (kinds != NONE, *(kinds == kind for kind in CLASSES.values())):
        held = members & np.isfinite(mass)
        found.append(divide(np.where(held, mass, 0.0).sum(1), held.sum(1).astype(float)))
    return np.column_stack(found)
