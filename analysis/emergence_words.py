"""What the tables and figures of emergence share: measures in words, notes, columns, recipes."""

from __future__ import annotations

from typing import Any

from gainsift.analysis.emergence_bands import ALL, Findings, Group, Outputs
from gainsift.analysis.emergence_sums import AREA, SOURCE, Place, Quantity
from gainsift.analysis.signature import signature
from gainsift.analysis.simultaneous import FEW_CLUSTERS, FEWEST, METHOD
from gainsift.analysis.tables import Column, Kind
from gainsift.schemas.settings import UNPATCHED

MEASURES: dict[str, tuple[str, Kind]] = {
    "success": ("Success", "rate"),
    "p_source": ("Source concept", "coefficient"),
    "p_target": ("Target concept", "coefficient"),
    "other": ("Source concept, other languages", "coefficient"),
    "other_same": ("… same first tokens", "coefficient"),
    "other_maybe": ("… same first letter", "coefficient"),
    "other_apart": ("… no token shared", "coefficient"),
}
SEEDS = (
    "Bands speak about concepts: what other concepts would show in this same training run. They do not speak about"
    " other training seeds: one series of checkpoints is one run."
)
TOO_LATE = "above zero already at the first checkpoint: when it arose cannot be seen here"
TOO_LATE_BELOW = "below zero already at the first checkpoint: when that arose cannot be seen here"
NEVER = "not above zero through to the last checkpoint"
SHARED = (
    "Mass of another language: mean over the languages that are not the output language and in which the concept has"
    " a word. Same first tokens: in every output both masses are one and the same number. Same first letter: a word"
    " of each begins with the same byte (case and accents aside), so that first tokens may be shared. No token"
    " shared: none does, and no token can begin both. The tokenizer is not consulted. Each column is of the outputs"
    " that have such a language: columns are means of different outputs."
)
CHECKPOINT = [Column("checkpoint", "Checkpoint"), Column("step", "Step", "count"), Column("tokens", "Tokens", "count")]
SIZES = [Column("units", "Units", "count"), Column("clusters", "Clusters", "count")]
GROUP = [Column("by", "By"), Column("group", "Language pairs")]


def series_of(place: Place) -> str:
    if place[0] == UNPATCHED:
        return "unpatched" if place[:2] == SOURCE else "target prompt"
    return place[0]


def where_of(found: Outputs, place: Place) -> str:
    """The layer of a place in words; empty if unpatched."""
    if place[2] == AREA:
        cutoffs = found.layers.cutoffs
        return f"mean of {cutoffs[0]}–{cutoffs[-1]}" if len(cutoffs) > 1 else f"mean of {cutoffs[0]}"
    return "" if place[2] is None else str(place[2])


def recipe(found: Findings, kind: str, bands: bool = True, band: str | None = None) -> str:
    spec = found.study.config.analysis
    boot, ci, rs = (spec.bootstrap, f"{spec.confidence:g}", spec.seed) if bands else (None, None, None)
    return signature(
        emergence=kind, layer=found.layers.fixed if bands else None, clusters=found.clusters[ALL] if bands else None,
        units=found.units[ALL], band=band, boot=boot, ci=ci, rs=rs,
    )  # fmt: skip


def notes_of(found: Findings, bands: bool = True) -> list[str]:
    layers = found.layers
    notes = []
    if layers.fixed is not None:
        notes.append(f"Layer {layers.fixed}: {layers.rule}; it is fixed without a look at any outcome.")
    if layers.cutoffs:
        left = (
            f"; the last one, {layers.last}, cannot reach later tokens and is left out"
            if layers.last is not None
            else ""
        )
        cutoffs = ", ".join(map(str, layers.cutoffs))
        notes.append(f"Area: the mean over the first patched layers {cutoffs}{left}.")
    if bands:
        spec = found.study.config.analysis
        how = f"{METHOD}, {spec.bootstrap:,} resamples of clusters, which are word families of the source concept"
        notes.append(f"{100 * spec.confidence:g} % intervals: {how}.")
        notes.append(SEEDS)
        if min(found.clusters.values()) < FEWEST:
            few = [name for (_, name), count in found.clusters.items() if count < FEWEST]
            notes.append(f"{', '.join(few)}: {FEW_CLUSTERS}.")
    return notes + [f"Left out: {number} {what}." for what, number in found.rows.left_out.items()]


def checkpoint_of(found: Findings, number: int) -> dict[str, Any]:
    spec = found.study.config.checkpoint(found.rows.checkpoints[number])
    return {"checkpoint": spec.name, "step": spec.step, "tokens": spec.tokens}


def sizes_of(found: Findings, group: Group) -> dict[str, int]:
    """Units and clusters of a group, whatever the setting."""
    return {"units": found.units[group], "clusters": found.clusters[group]}


def sizes_at(found: Findings, quantity: Quantity, group: Group, time: int) -> dict[str, int]:
    """Units and clusters behind one figure."""
    held = found.sizes.get((group, quantity))
    return held[time] if held else {"units": 0, "clusters": 0}


def banded_places(found: Outputs) -> list[Place]:
    """Places with bands: unpatched, then each setting at the fixed layer, then over the area."""
    return [quantity.place for area in (False, True) for quantity in found.quantities("p_source", area, False)]


def name_at(found: Findings, place: int | None) -> str:
    """The checkpoint at a place of a band; empty for None."""
    return "" if place is None else found.rows.checkpoints[found.present[place]]


def estimate_at(found: Findings, quantity: Quantity, group: Group, time: int, together: bool = False) -> Any:
    band = found.band(quantity, group)
    if band is None:
        return None
    return (band.simultaneous if together else band.pointwise)[time]
