"""What enters the numbers of contrasts: the split and its readings, chains, transitions, tests, counts of units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gainsift.analysis.chain_tables import SUM, WHOLE
from gainsift.analysis.chains import held_together
from gainsift.analysis.result_tables import LEVELS, part_id
from gainsift.analysis.sensitivity import left_out, sums_key, with_kinds
from gainsift.analysis.shares import KINDS
from gainsift.analysis.split import split_sums
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import Entering, number, of_outputs, of_units, quotient, terms, weighed
from gainsift.analysis.transition_tables import SIGNIFICANCE
from gainsift.analysis.units import is_decided, rows_of

Row = Mapping[str, Any]
OVER_ALL = "sum of weight × ({}) over the weight of all units of the contrast"
OVER_DECIDED = "sum of weight × ({}) over the weight of the decided units"
IN_WORDS = {
    "success_a": OVER_ALL.format("success before"),
    "success_b": OVER_ALL.format("success after"),
    "apparent": OVER_ALL.format("success after − success before"),
    "human": OVER_ALL.format("called correct after − before, decided units"),
    "undeserved": OVER_ALL.format("successes not called correct, after − before, decided units"),
    "missed": OVER_ALL.format("− (called correct without success, after − before), decided units"),
    "undecided": OVER_ALL.format("success after − before, of units that are not decided"),
    "human_decided": OVER_DECIDED.format("called correct after − before"),
    "human_a": OVER_DECIDED.format("called correct before"),
    "human_b": OVER_DECIDED.format("called correct after"),
    "flow": OVER_ALL.format("became correct out of it − became it out of correct, decided units"),
    "share": OVER_ALL.format("in it before − in it after, decided units"),
}
TEST = "a test over the same units: made by {}, not by adding up"


def split(known: Known, row: Row, column: str) -> Entering:
    return _split(known, known.units(row["contrast"]).frame, row, column)


def without_identical(known: Known, row: Row, column: str) -> Entering:
    units = known.units(row["contrast"]).frame
    return _split(known, units[~units["identical"].astype(bool)].reset_index(drop=True), row, column)


def levels(known: Known, row: Row, column: str) -> Entering:
    units = known.units(row["contrast"]).frame
    if column in ("units", "clusters"):
        return _sizes(units if row["measure"] == "success" else units[is_decided(units)], column)
    key = dict(zip(("before", "after", "change"), LEVELS[row["measure"]][1:], strict=True))[column]
    return _figure(known, units, key)


def categories(known: Known, row: Row, column: str) -> Entering:
    return _figure(known, known.units(row["contrast"]).frame, (column, (row["bucket"], row["category"])))


def sensitivity(known: Known, row: Row, column: str) -> Entering:
    units = _reading(known, row, column)
    if column == "units":
        return _sizes(units, column)
    return _figure(known, with_kinds(units), sums_key(column), KINDS)


def _reading(known: Known, row: Row, column: str) -> pd.DataFrame:
    """The units of one reading; where one family is left out, those of the others."""
    units, variant = known.units(row["contrast"]).frame, str(row["variant"])
    if not variant.startswith("family "):
        return known.readings(row["contrast"])[variant]
    if column == "units":
        return units
    sums = split_sums(with_kinds(units), KINDS)
    place, _ = left_out(sums, column)[variant.removeprefix("family ")]
    return units[units["cluster"] != sums.clusters[place]].reset_index(drop=True)


def transitions(known: Known, row: Row, column: str) -> Entering:
    units = known.units(row["contrast"]).frame
    units = units[is_decided(units)].reset_index(drop=True)
    weight = units["weight"].to_numpy(float)
    before = (units["label_a"] == row["before"]).to_numpy(float)
    moved = before * (units["label_b"] == row["after"]).to_numpy(float)
    told, what = of_units(units), "units of the one category before and the other after"
    if column == "units":
        return number(f"{what}, as they are", terms(told, moved, 0.0, units["mass"].to_numpy(float)))
    if column == "weight":
        return number(f"sum of the weights of {what}", terms(told, moved, 0.0, weight))
    total = before if column == "of_before" else np.ones(len(units))
    over = "units of the category before" if column == "of_before" else "decided units"
    return quotient(f"weight of {what} over that of the {over}", terms(told, moved, total, weight))


def tests(known: Known, row: Row, column: str) -> Entering:
    units, part = known.units(row["contrast"]).frame, row["part"]
    keys = {"apparent": "apparent", "human": "human", "categories": "human"}
    entering = _figure(known, units, keys.get(part) or ("flow bucket", _bucket(known, part)))
    if column == "effect":
        return entering
    head = next(one.head for one in SIGNIFICANCE if one.key == column)
    return entering.without_figure(f"{head}: " + TEST.format(row["test"]))


def beyond(known: Known, row: Row, column: str) -> Entering:
    units, part = known.units(row["contrast"]).frame, row["part"]
    powered = row["method"] == "prediction-powered"
    rates = {"human": "human_decided" if powered else "human", "human_a": "human_a", "human_b": "human_b"}
    key = rates.get(part) or ("flow bucket", _bucket(known, part))
    if powered and part not in rates:
        units = units[is_decided(units)].reset_index(drop=True)
    entering = _figure(known, units, key)
    if column == "verdicts":
        return entering
    return entering.without_figure(
        f"corrected by a model ({row['method']}: {row['basis']}); listed is what it corrects"
    )


def counts(known: Known, row: Row, column: str) -> Entering:
    units, contrast = known.units(row["contrast"]), known.contrast(row["contrast"])
    frame = units.frame
    if column in ("units", "clusters"):
        return _sizes(frame, column)
    if column == "weight":
        return number("sum of the weights of the units", terms(of_units(frame), 1.0, 0.0, frame["weight"]))
    if column == "decided":
        return _sizes(frame[is_decided(frame)], "units")
    marks = {"identical": ["identical"], "sense_split": ["sense_split"],
             "sense_not_given": ["sense_not_given_a", "sense_not_given_b"]}.get(column)  # fmt: skip
    if marks:
        return _sizes(frame[frame[marks].astype(bool).any(axis=1)], "units")
    a, b = (rows_of(known.frame, condition) for condition in (contrast.a, contrast.b))
    flagged = set(pd.concat([a, b]).query("sense_split")["unit"]) if known.design.spec.exclude_sense_split else set()
    inside = set(units.population.loc[units.population["selected"], "unit"])
    both = (set(a["unit"]) & set(b["unit"])) - flagged
    wanted = {"only_a": set(a["unit"]) - set(b["unit"]) - flagged, "only_b": set(b["unit"]) - set(a["unit"]) - flagged,
              "outside": both - inside, "excluded": flagged}[column]  # fmt: skip
    rows = pd.concat([a, b])
    rows = rows[rows["unit"].isin(list(wanted))].drop_duplicates("row_id")
    return number("units", terms(of_outputs(rows), 1.0), "unit")


def chain(known: Known, row: Row, column: str) -> Entering:
    design = known.design
    series = next(one for one in design.chains if (one.name or "all") == row["chain"])
    held = held_together(known.rows, known.all.judged.inclusion, series)
    names = [f"{link.a.checkpoint} → {link.b.checkpoint}" for link in series.steps()]
    steps = {name: (place, place + 1) for place, name in enumerate(names)} | {WHOLE: (0, -1)}
    wanted = names if row["step"] == SUM else [row["step"]]
    parts = [held.units(*steps[name], design.scored) for name in wanted]
    if column in ("units", "decided"):
        whole = held.units(0, -1, design.scored)
        return _sizes(whole if column == "units" else whole[is_decided(whole)], "units")
    way = "share" if row["way"].startswith("share") else "flow"
    key = (f"{way} bucket", column.removeprefix("bucket_")) if column.startswith("bucket_") else column
    figures = [_figure(known, part, key) for part in parts]
    formula = figures[0].formula + (", the sum of the steps" if len(figures) > 1 else "")
    return quotient(
        formula, *(one.terms.assign(group=name) for one, name in zip(figures, wanted, strict=True))
    )  # fmt: skip


TRACERS: dict[str, Callable[[Known, Row, str], Entering]] = {
    "levels": levels,
    "split": split,
    "split_without_identical": without_identical,
    "split_categories": categories,
    "sensitivity": sensitivity,
    "transitions": transitions,
    "split_tests": tests,
    "beyond_verdicts": beyond,
    "units": counts,
    "chain": chain,
}


# --- figures of the split --------------------------------------------------------------------------------


def _split(known: Known, units: pd.DataFrame, row: Row, column: str) -> Entering:
    if column in ("units", "clusters"):
        return _sizes(units, column)
    part = row["part"]
    whole = part in IN_WORDS
    if column != "of_gain":
        return _figure(known, units, part if whole else (f"{column} bucket", _bucket(known, part)))
    key = part if whole else ("flow bucket", _bucket(known, part))
    of_part, gain = _figure(known, units, key), _figure(known, units, "apparent")
    merged = of_part.terms.merge(gain.terms[["rows", "labels", "value"]], on=["rows", "labels"], suffixes=("", "_gain"))
    share = merged.assign(total=merged["value_gain"]).drop(columns="value_gain")
    return quotient(f"the part ({of_part.formula}), over the apparent gain", share)


def _bucket(known: Known, part: str) -> str:
    return next((one for one in known.design.taxonomy.buckets if part_id(one) == part), part)


def _figure(known: Known, units: pd.DataFrame, key: Any, buckets: list[str] | None = None) -> Entering:
    """One figure of a split: each unit is taken for a cluster of its own, so that its sums are what it adds."""
    sums = split_sums(units.assign(cluster=np.arange(len(units))), buckets or list(known.design.taxonomy.buckets))
    words = IN_WORDS[key if isinstance(key, str) else key[0].split()[0]]
    if key not in sums.keys:  # it occurs nowhere
        return quotient(words, terms(of_units(units), 0.0, 1.0, units["weight"].to_numpy(float)))
    return quotient(words, weighed(of_units(units), units["weight"], *sums.of(key)))


def _sizes(units: pd.DataFrame, column: str) -> Entering:
    listed = terms(of_units(units), 1.0)
    if column == "clusters":
        return number("clusters (word families of the intended concept) among the units", listed, "cluster")
    return number("units (prompt pair × language pair) of the contrast", listed, "unit")
