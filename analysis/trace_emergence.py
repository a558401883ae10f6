"""What enters the numbers of outputs alone: success and probability mass by setting, layer, language and checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.emergence_bands import ALL, BY, Group, Outputs
from gainsift.analysis.emergence_sums import AREA, Quantity, of_units, unit_values
from gainsift.analysis.emergence_words import MEASURES, series_of, where_of
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import Entering, number, of_rows, quotient, terms
from gainsift.schemas.rows import Translation

MEAN = "mean over units (prompt pair × language pair) of {}"
SIZES = ("units", "clusters")
Row = Mapping[str, Any]


def long(known: Known, row: Row, column: str) -> Entering:
    found = known.outputs
    place = next(one for one in found.sums.places if (*one[:2], where_of(found, one)) == _asked(row))
    pairs = np.array([pair == (row["input"], row["output"]) for pair in found.rows.pairs])
    measure = found.sums.measures[0] if column == "units" else column
    return _told(found, [(Quantity(place, measure), 1.0, pairs)], row["checkpoint"], column)


def _asked(row: Row) -> tuple[str, str, str]:
    return str(row["setting"]), str(row["prompt"]), str(row["layer"] or "")


def curves(known: Known, row: Row, column: str) -> Entering:
    return _in_group(known, row, column, column)


def differences(known: Known, row: Row, column: str) -> Entering:
    return _in_group(known, row, column, column.removesuffix("_band"))


def first(known: Known, row: Row, column: str) -> Entering:
    found = known.outputs
    measure = next(name for name, (head, _) in MEASURES.items() if head == row["measure"])
    at = found.present[0 if column == "first" else -1]
    entering = _in_group(known, {**row, "checkpoint": found.rows.checkpoints[at]}, column, measure)
    if column in ("first", "last", *SIZES):
        return entering
    return entering.without_figure("it is read off the band over all checkpoints; listed are the outputs of the last")


def by_language(known: Known, row: Row, column: str) -> Entering:
    found = known.outputs
    quantities = found.quantities("p_source", False, False) + found.quantities("p_source", False, True)
    pairs = found.groups[_group(row)]
    if column in SIZES:
        held = np.flatnonzero(pairs[found.rows.unit_pair])
        return _size(column, terms(_units(found, held, [()] * len(held)), 1.0))
    return _told(found, [(quantities[int(column.removeprefix("p"))], 1.0, pairs)], row["checkpoint"], column)


def between(known: Known, row: Row, column: str) -> Entering:
    found = known.outputs
    inside = found.groups[_group({**row, "group": str(row["group"]).removesuffix(" against all others")})]
    at = found.rows.checkpoints[found.present[0 if column == "first" else -1]]
    quantity = _quantity(found, row, "p_source")
    if column in SIZES:
        return _told(found, [(quantity, 1.0, inside)], at, column)
    sides = [(quantity, 1.0, inside), (quantity, -1.0, found.groups[ALL] & ~inside)]
    entering = _told(found, sides, at, column)
    return entering if column in ("first", "last") else entering.without_figure("it is read off the band")


def other(known: Known, row: Row, column: str) -> Entering:
    return _in_group(known, row, column, column)


def languages(known: Known, row: Row, column: str) -> Entering:
    found = known.outputs
    pairs = np.array([pair == (row["input"], row["output"]) for pair in found.rows.pairs])
    place = next(
        one
        for one in found.sums.places
        if one[2] != AREA and (series_of(one), where_of(found, one)) == (row["setting"], str(row["layer"] or ""))
    )
    quantity = Quantity(place, f"mass_{row['language']}")
    return _told(found, [(quantity, 1.0, pairs)], found.rows.checkpoints[found.present[-1]], column)


TRACERS: dict[str, Callable[[Known, Row, str], Entering]] = {
    "emergence": long,
    "emergence_curves": curves,
    "emergence_differences": differences,
    "emergence_first": first,
    "emergence_by_language": by_language,
    "emergence_between": between,
    "emergence_other": other,
    "emergence_languages": languages,
}


# --- which units -----------------------------------------------------------------------------------------


def _group(row: Row) -> Group:
    kind = next(name for name, told in BY.items() if told == row.get("by", BY["all"]))
    return kind, str(row.get("group", ALL[1]))


def _quantity(found: Outputs, row: Row, measure: str) -> Quantity:
    """What a row speaks of: a difference by its name, else a setting; at the row's layer, or at the fixed one."""
    wanted, layer = row.get("effect") or row["series"], row.get("layer")
    for one in found.sums.quantities:
        here = one.place[2] != AREA if layer is None else where_of(found, one.place) == str(layer)
        if one.measure == measure and here and (one.effect or series_of(one.place)) == wanted:
            return one
    raise LookupError(f"no outputs of {wanted}")


def _in_group(known: Known, row: Row, column: str, measure: str) -> Entering:
    found = known.outputs
    measure = "p_source" if column in SIZES and measure in SIZES else measure
    quantity = _quantity(found, row, measure)
    return _told(found, [(quantity, 1.0, found.groups[_group(row)])], row["checkpoint"], column)


def _told(
    found: Outputs, parts: Sequence[tuple[Quantity, float, npt.NDArray[np.bool_]]], checkpoint: str, column: str
) -> Entering:
    """The mean of each part, times its sign, added up; or how many units or clusters there are."""
    at = found.rows.checkpoints.index(checkpoint)
    values = unit_values(found.rows, at, found.sums.places, found.layers, len(found.sums.measures))
    groups = []
    for place, (quantity, sign, pairs) in enumerate(parts):
        own = of_units(quantity, values, found.sums.places, found.sums.measures)
        held = np.flatnonzero(np.isfinite(own) & pairs[found.rows.unit_pair])
        rows = [_row_ids(found, quantity, checkpoint, found.rows.units[unit]) for unit in held]
        groups.append(terms(_units(found, held, rows), sign * own[held], 1.0, group=f"part {place + 1}"))
    if column in SIZES:
        return _size(column, groups[0].assign(value=1.0))
    return quotient(
        MEAN.format(_in_words(parts[0][0])) + ", one part minus the other" * (len(groups) > 1), *groups, judged=False
    )


def _in_words(quantity: Quantity) -> str:
    what = MEASURES[quantity.measure][0] if quantity.measure in MEASURES else quantity.measure.replace("_", " in ")
    area = " over the cut-offs of the area" if quantity.place[2] == AREA else ""
    return f"{what.lower()}{area}" + (f", {quantity.effect} of the same unit" if quantity.minus else "")


def _size(column: str, listed: pd.DataFrame) -> Entering:
    if column == "clusters":
        return number("word families of the source concept among the units", listed, "cluster", judged=False)
    return number("units (prompt pair × language pair)", listed, judged=False)


def _units(found: Outputs, held: npt.NDArray[np.intp], rows: list[tuple[str, ...]]) -> pd.DataFrame:
    clusters = found.rows.concept_cluster[found.rows.unit_concept[held]]
    return of_rows([found.rows.units[unit] for unit in held], [found.rows.clusters[one] for one in clusters], rows)


def _row_ids(found: Outputs, quantity: Quantity, checkpoint: str, unit: str) -> tuple[str, ...]:
    pair, given, out = unit.rsplit("|", 2)
    ids: list[str] = []
    for setting, prompt, layer in filter(None, (quantity.place, quantity.minus)):
        layers: Iterable[int | None] = found.layers.cutoffs if layer == AREA else [layer]
        ids += [Translation.make_id(checkpoint, setting, prompt, given, out, pair, one) for one in layers]
    return tuple(ids)
