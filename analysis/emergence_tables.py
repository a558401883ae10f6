"""The tables of what emerges over checkpoints: by setting, layer and language pair, and from when on."""

from __future__ import annotations

from typing import Any

import numpy as np

from gainsift.analysis.emergence_bands import ALL, BY, Findings
from gainsift.analysis.emergence_sums import OWN, Quantity
from gainsift.analysis.emergence_words import (
    CHECKPOINT,
    GROUP,
    MEASURES,
    NEVER,
    SHARED,
    SIZES,
    TOO_LATE,
    TOO_LATE_BELOW,
    banded_places,
    checkpoint_of,
    estimate_at,
    name_at,
    notes_of,
    recipe,
    series_of,
    sizes_at,
    where_of,
)
from gainsift.analysis.simultaneous import TOGETHER
from gainsift.analysis.tables import Column, Table


def emergence_tables(found: Findings) -> list[Table]:
    """All tables that rest on outputs alone."""
    tables = [_long(found), _curves(found), _differences(found), _first(found)]
    return [table for table in tables if table.rows]


# --- the long one ----------------------------------------------------------------------------------------


def _long(found: Findings) -> Table:
    """Every setting, language pair, layer and checkpoint: means without intervals."""
    sums = found.sums
    heads = {name: head for name, (head, _) in MEASURES.items()}
    columns = [
        *CHECKPOINT,
        Column("setting", "Setting"), Column("prompt", "Prompt"), Column("input", "Input"),
        Column("output", "Output"), Column("layer", "Layer"), Column("units", "Units", "count"),
        *(
            Column(name, heads.get(name, f"Source concept, {name.removeprefix('mass_')}"),
                   MEASURES.get(name, ("", "coefficient"))[1])
            for name in sums.measures
        ),
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for number in found.present:
        of_checkpoint = checkpoint_of(found, number)
        for pair, (given, out) in enumerate(found.rows.pairs):
            for column, place in enumerate(sums.places):
                units = int(sums.counts[number, pair, column, 0])
                if units:
                    means = sums.means[number, pair, column]
                    about = {"setting": place[0], "prompt": place[1], "input": given, "output": out,
                             "layer": where_of(found, place), "units": units}  # fmt: skip
                    rows.append(
                        of_checkpoint | about | {
                            name: float(value) if np.isfinite(value) else None
                            for name, value in zip(sums.measures, means, strict=True)
                        }
                    )  # fmt: skip
    title = "Success and probability mass by checkpoint, setting, language pair and first patched layer"
    notes = ["Means over units (prompt pairs); masses are next-token probability on first tokens.",
             "Source and target concept: in the output language.", SHARED]  # fmt: skip
    return Table("emergence", title, columns, rows, [*notes, *notes_of(found, False)], recipe(found, "means", False))


# --- over checkpoints ------------------------------------------------------------------------------------


def _curves(found: Findings) -> Table:
    measures = [*OWN, "other"]
    columns = [*CHECKPOINT, Column("series", "Setting"), Column("layer", "Layer")]
    columns += [Column(name, *MEASURES[name], interval=True) for name in measures]
    rows = [
        checkpoint_of(found, number)
        | {"series": series_of(place), "layer": where_of(found, place)}
        | {name: estimate_at(found, Quantity(place, name), ALL, time) for name in measures}
        | sizes_at(found, Quantity(place, "p_source"), ALL, time)
        for place in banded_places(found)
        for time, number in enumerate(found.present)
    ]
    notes = ["Intervals hold for each checkpoint alone.", SHARED, *notes_of(found)]
    title = "Success and probability mass over checkpoints, all language pairs"
    return Table("emergence_curves", title, [*columns, *SIZES], rows, notes, recipe(found, "curves"))


def _differences(found: Findings) -> Table:
    columns = [Column("effect", "Difference"), Column("layer", "Layer"), *CHECKPOINT]
    columns += [
        Column("p_source", "Source concept", "coefficient", interval=True),
        Column("p_source_band", "… band over checkpoints", "coefficient", interval=True),
        Column("success", "Success", "points", interval=True),
        Column("success_band", "… band over checkpoints", "points", interval=True),
    ]
    rows = []
    for quantity in [q for area in (False, True) for q in found.quantities("p_source", area, True)]:
        success = Quantity(quantity.place, "success", quantity.minus, quantity.effect)
        for time, number in enumerate(found.present):
            cells = {
                name + "_band" * together: estimate_at(found, one, ALL, time, together)
                for name, one in (("p_source", quantity), ("success", success))
                for together in (False, True)
            }
            rows.append(
                {"effect": quantity.effect, "layer": where_of(found, quantity.place)}
                | checkpoint_of(found, number) | cells | sizes_at(found, quantity, ALL, time)
            )  # fmt: skip
    notes = [
        "Differences within units that have both sides. Target prompt: the same prompt unpatched, so that the"
        " difference is what the patch adds; unpatched: the source prompt, which asks for the source concept itself.",
        f"The band holds for all checkpoints of one line together, {TOGETHER}; lines are not corrected for.",
        *notes_of(found),
    ]
    title = "Differences between settings over checkpoints, all language pairs"
    return Table(
        "emergence_differences", title, [*columns, *SIZES], rows, notes, recipe(found, "differences", band="max-T")
    )


def _first(found: Findings) -> Table:
    """From which checkpoint on an effect stays above (below) zero."""
    columns = [
        *GROUP, Column("effect", "Difference"), Column("measure", "Measure"), Column("layer", "Layer"),
        Column("above", "Above zero from", finding=True), Column("above_tokens", "Tokens", "count"),
        Column("below", "Below zero from", finding=True),
        Column("first", "At the first checkpoint", "coefficient", interval=True),
        Column("last", "At the last", "coefficient", interval=True), Column("remark", "Remark"), *SIZES,
    ]  # fmt: skip
    rows = []
    for group in found.groups:
        for measure in ("p_source", "success"):
            for quantity in [q for area in (False, True) for q in found.quantities(measure, area, True)]:
                band = found.band(quantity, group)
                if band is None:
                    continue
                above, below = band.above_from, band.below_from
                rows.append(
                    {"by": BY[group[0]], "group": group[1], "effect": quantity.effect, "measure": MEASURES[measure][0],
                     "layer": where_of(found, quantity.place), "above": name_at(found, above),
                     "above_tokens": None if above is None else checkpoint_of(found, found.present[above])["tokens"],
                     "below": name_at(found, below), "first": band.simultaneous[0], "last": band.simultaneous[-1],
                     "remark": remark(above, below)} | sizes_at(found, quantity, group, -1)
                )  # fmt: skip
    late = [str(row["effect"]) for row in rows if row["remark"] == TOO_LATE and row["by"] == BY["all"]]
    notes = [f"Warning: too late to see. {', '.join(dict.fromkeys(late))}: {TOO_LATE}."] if late else []
    notes += [
        "The first checkpoint from which the lower limit of the band over all checkpoints stays above zero (the upper"
        " one below zero), up to the last. The limits are those of that band.",
        f"Each line has its own band, {TOGETHER}; lines are not corrected for.",
        *notes_of(found),
    ]
    title = "From when on: the first checkpoint from which a difference stays above zero"
    return Table("emergence_first", title, columns, rows, notes, recipe(found, "first", band="max-T"))


def first_sentences(found: Findings) -> list[str]:
    """The same in plain words, for the source concept's mass at the fixed layer over all language pairs."""
    kinds: dict[str, list[str]] = {}
    for quantity in found.quantities("p_source", False, True):
        band = found.band(quantity)
        if band is None:
            continue
        above, below = band.above_from, band.below_from
        if above is not None:
            told = f"above zero from {name_at(found, above)} on"
        elif below is not None:
            told = f"below zero from {name_at(found, below)} on"
        else:
            told = "not apart from zero at the last checkpoint"
        kinds.setdefault(TOO_LATE if above == 0 else TOO_LATE_BELOW if below == 0 else told, []).append(quantity.effect)
    too_late = [told for told in (TOO_LATE, TOO_LATE_BELOW) if told in kinds]
    late = [f"Too late to see: {', '.join(kinds.pop(told))} ({told})." for told in too_late]
    if not kinds:
        return late
    shown = "; ".join(f"{', '.join(effects)}: {told}" for told, effects in kinds.items())
    return [
        f"The source concept's mass at layer {found.layers.fixed}, by the band over all checkpoints: {shown}.",
        *late,
    ]


def remark(above: int | None, below: int | None) -> str:
    if above == 0:
        return TOO_LATE
    if below == 0:
        return TOO_LATE_BELOW
    return NEVER if above is None and below is None else ""
