"""The tables of what emerges by language, and of the mass in languages that were not asked for."""

from __future__ import annotations

import numpy as np

from gainsift.analysis.emergence_bands import BY, Findings
from gainsift.analysis.emergence_sums import AREA, OTHER, Quantity
from gainsift.analysis.emergence_words import (
    CHECKPOINT,
    GROUP,
    MEASURES,
    SHARED,
    SIZES,
    banded_places,
    checkpoint_of,
    estimate_at,
    name_at,
    notes_of,
    recipe,
    series_of,
    sizes_at,
    sizes_of,
    where_of,
)
from gainsift.analysis.shared_beginnings import CLASSES
from gainsift.analysis.simultaneous import TOGETHER
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.wording import counted


def language_tables(found: Findings) -> list[Table]:
    """By groups of language pairs; other languages by what they share; every language at the last checkpoint."""
    tables = [_by_language(found), _between(found), _other_languages(found), _languages(found)]
    return [table for table in tables if table.rows]


def _by_language(found: Findings) -> Table:
    quantities = found.quantities("p_source", False, False) + found.quantities("p_source", False, True)
    names = [f"p{number}" for number in range(len(quantities))]
    columns = [*GROUP, *CHECKPOINT]
    columns += [
        Column(name, quantity.effect or series_of(quantity.place), "coefficient", interval=True)
        for name, quantity in zip(names, quantities, strict=True)
    ]
    rows = [
        {"by": BY[group[0]], "group": group[1]}
        | checkpoint_of(found, number)
        | {name: estimate_at(found, q, group, time) for name, q in zip(names, quantities, strict=True)}
        | sizes_of(found, group)
        for group in found.groups
        for time, number in enumerate(found.present)
    ]
    notes = ["Mass on the source concept's words in the output language. Intervals hold for each checkpoint alone.",
             "Units and clusters of all settings together.", *notes_of(found)]  # fmt: skip
    if not any(kind == "trained" for kind, _ in found.groups):
        notes.insert(1, "No comparison of trained with untrained languages: the study has pairs of one sort only.")
    title = "The source concept's mass by language"
    return Table("emergence_by_language", title, [*columns, *SIZES], rows, notes, recipe(found, "languages"))


def _between(found: Findings) -> Table:
    """Whether alignment depends on the language: each group of pairs against all others, from when on."""
    columns = [
        *GROUP, Column("series", "Of"), Column("layer", "Layer"),
        Column("first", "At the first checkpoint", "coefficient", interval=True),
        Column("last", "At the last", "coefficient", interval=True),
        Column("above", "Above zero from"), Column("below", "Below zero from"), *SIZES,
    ]  # fmt: skip
    rows = [
        {"by": BY[group[0]], "group": f"{group[1]} against all others"}
        | {"series": quantity.effect or series_of(quantity.place), "layer": where_of(found, quantity.place)}
        | {"first": band.simultaneous[0], "last": band.simultaneous[-1]}
        | {"above": name_at(found, band.above_from), "below": name_at(found, band.below_from)}
        | sizes_at(found, quantity, group, -1)
        for (group, quantity), band in found.between.items()
    ]
    notes = [
        "Mean mass on the source concept's words in the output language, of one group of language pairs minus that of"
        " all other pairs. Units and clusters are those of the group.",
        f"Limits are those of the band over all checkpoints of a line, {TOGETHER}, on linearised cluster values; lines"
        " are not corrected for.",
        *notes_of(found),
    ]
    title = "Between languages: the source concept's mass in one group of pairs against all others"
    return Table("emergence_between", title, columns, rows, notes, recipe(found, "between", band="max-T"))


def _other_languages(found: Findings) -> Table:
    columns = [*GROUP, *CHECKPOINT, Column("series", "Setting")]
    columns += [Column(name, *MEASURES[name], interval=True) for name in ("p_source", *OTHER)]
    rows = [
        {"by": BY[group[0]], "group": group[1]}
        | checkpoint_of(found, number)
        | {"series": series_of(quantity.place)}
        | {name: estimate_at(found, Quantity(quantity.place, name), group, time) for name in ("p_source", *OTHER)}
        | sizes_at(found, Quantity(quantity.place, "p_source"), group, time)
        for group in found.groups
        if group[0] in ("all", "output")
        for quantity in found.quantities("other", False, False)
        for time, number in enumerate(found.present)
    ]
    notes = [SHARED, sharing_counts(found), "Intervals hold for each checkpoint alone.", *notes_of(found)]
    title = "Mass of the source concept in other languages, with and without shared first tokens"
    return Table("emergence_other", title, [*columns, *SIZES], rows, notes, recipe(found, "other"))


def sharing_counts(found: Findings) -> str:
    """How many concept × output × other language there are of each class, among those that outputs have."""
    rows = found.rows
    outs = np.array([rows.languages.index(out) for _, out in rows.pairs])[rows.unit_pair]
    seen = np.unique(np.column_stack([rows.unit_concept, outs]), axis=0)
    kinds = rows.sharing[seen[:, 0], seen[:, 1]]
    counts = {name: int((kinds == kind).sum()) for name, kind in CLASSES.items()}
    return (
        f"Concept × output language × other language: {counted(counts['same'], 'case')} of the same first tokens,"
        f" {counts['maybe']} of the same first letter, {counts['apart']} without a shared token."
    )


def _languages(found: Findings) -> Table:
    """The last checkpoint: where the source concept's mass lies, language by language."""
    sums, rows_of = found.sums, found.rows
    last = found.present[-1]
    columns = [
        Column("setting", "Setting"), Column("layer", "Layer"), Column("input", "Input"), Column("output", "Output"),
        Column("language", "Mass in"), Column("relation", "Which is"), Column("mass", "Source concept", "coefficient"),
        Column("units", "Units", "count"),
    ]  # fmt: skip
    rows = []
    for column, place in enumerate(sums.places):
        if place not in banded_places(found) or place[2] == AREA:
            continue
        for pair, (given, out) in enumerate(rows_of.pairs):
            for code in rows_of.languages:
                measure = sums.measures.index(f"mass_{code}")
                units = int(sums.counts[last, pair, column, measure])
                if units:
                    relation = "output" if code == out else "input" if code == given else "other"
                    rows.append({"setting": series_of(place), "layer": where_of(found, place), "input": given,
                                 "output": out, "language": code, "relation": relation,
                                 "mass": float(sums.means[last, pair, column, measure]), "units": units})  # fmt: skip
    title = f"Mass of the source concept's words in each language at {rows_of.checkpoints[last]}"
    return Table("emergence_languages", title, columns, rows, notes_of(found, False), recipe(found, "languages", False))
