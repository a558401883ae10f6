"""Anyone's study as a tidy table: one row for each unit, condition and annotator, with the label that was given.

NEEDED columns: unit (what is compared over conditions), cluster (units that move together), condition, annotator,
label (an id of the taxonomy; empty: a gap). OPTIONAL ones are explained in `tidy_export.COLUMNS`, which writes all
of them; success, weight (one over the probability that the row is judged) and order (place of the condition, as
tokens seen) are what a table from elsewhere may want to have.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gainsift.analysis.design import Condition
from gainsift.analysis.inclusion import Inclusion
from gainsift.analysis.tidy_columns import LINE, place, read_cells
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.taxonomy import Taxonomy

NEEDED = ("unit", "cluster", "condition", "annotator", "label")
OPTIONAL = ("success", "weight", "order", "series", "patched", "identical", "item", "draws", "audit", "verdict",
            "settled", "prelabel", "sense_not_given", "other_cluster", "checkpoint", "step", "tokens",
            "input_language", "output_language", "source", "excluded")  # fmt: skip
OF_ROW = ("cluster", "item", "success", "weight", "patched", "identical", "verdict", "settled", "prelabel",
          "sense_not_given", "other_cluster", "languages")  # fmt: skip
"""Columns with one value for each unit at a condition."""
TEXTS = ("verdict", "settled", "prelabel", "other_cluster")
UNTOLD = "?"
"""A pre-label that the lexicon could not give."""
TRUTH = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}
AGAIN = "rows that repeat a judgement"
GAPS = "rows without a label"
EXCLUDED = "rows that the table marks as excluded"
JOIN = "\x1f"
"""Between unit and condition where these name the item: each output is an item of its own."""
MEND = "mend that row"


@dataclass(frozen=True)
class TidyTable:
    """A table that was checked.

    `rows`: one for each unit at a condition: unit, condition, cluster, item, success (0, 1 or NaN), weight (NaN
    outside the sample), patched, identical, sense_not_given (bools), verdict, settled, prelabel (labels, or None; a
    prelabel may be UNTOLD), other_cluster, languages (of the item; None where unsaid), line. `votes`: item -> annotator
    -> label, `unsure` among them. `gaps`: annotator -> items that were left without a label. `conditions` in order, by
    series. `inclusion`: the draw, if the table tells it. `has`: the optional columns that there are. `simulated`: some
    labels are, by the column `source`. `left_out`: rows that say nothing, by reason.
    """

    path: Path
    rows: pd.DataFrame
    votes: dict[str, dict[str, str]]
    gaps: dict[str, set[str]]
    conditions: list[Condition]
    inclusion: Inclusion | None
    has: frozenset[str]
    simulated: bool
    left_out: Counter[str]


def read_tidy_table(path: Path, taxonomy: Taxonomy) -> TidyTable:
    """Read and check a file. Raises UserError with file and line."""
    cells = read_cells(path, NEEDED, OPTIONAL)
    left_out: Counter[str] = Counter()
    if "excluded" in cells:
        out = _truth(path, cells, "excluded") == 1
        _refuse(path, cells, out & bool(out.all()), "every row is marked as excluded", "mark fewer")
        left_out[EXCLUDED], cells = int(out.sum()), cells[~out].reset_index(drop=True)
    has = frozenset(name for name in OPTIONAL if name in cells and (cells[name] != "").any())
    for name in ("unit", "cluster", "condition"):
        _refuse(path, cells, cells[name] == "", f"no {name}")
    _refuse(path, cells, (cells["label"] != "") & (cells["annotator"] == ""), "a label without an annotator")
    for name in ("label", "verdict", "settled", "prelabel"):
        if name == "label" or name in has:
            _known_labels(path, cells, name, taxonomy)
    frame = pd.DataFrame({name: cells[name] for name in (LINE, *NEEDED)})
    frame["item"] = cells["item"] if "item" in has else cells["unit"] + JOIN + cells["condition"]
    frame["success"] = _truth(path, cells, "success") if "success" in has else np.nan
    if "success" in has:
        _refuse(path, cells, frame["success"].isna(), "no success", "give 0 or 1 everywhere, or leave the column out")
    frame["weight"] = _number(path, cells, "weight", 0.0) if "weight" in has else 1.0
    frame["patched"] = _flag(path, cells, "patched", has, True)
    frame["identical"] = _flag(path, cells, "identical", has, False)
    frame["sense_not_given"] = _flag(path, cells, "sense_not_given", has, False)
    for name in TEXTS:
        frame[name] = cells[name] if name in has else ""
    frame["languages"] = ""
    if {"input_language", "output_language"} <= has:
        frame["languages"] = cells["input_language"] + " → " + cells["output_language"]
    for name in OF_ROW:
        _one_value(path, frame, ["unit", "condition"], name, "unit {!r} at {!r}")
    # a unit of an export may be about another concept in another series: target prompts beside source prompts
    own = frame.assign(series=cells["series"] if "series" in has else "")
    _one_value(path, own, ["unit", "series"], "cluster", "unit {!r}")
    for name in ("weight", "settled", "prelabel"):
        if "item" in has:
            _one_value(path, frame[frame["item"] != ""], ["item"], name, "item {!r}")
    votes = _votes(path, frame, left_out)
    rows = frame.drop_duplicates(["unit", "condition"]).drop(columns=["annotator", "label"]).reset_index(drop=True)
    for name in (*TEXTS, "languages"):
        rows[name] = rows[name].where(rows[name] != "", None)
    inclusion = _inclusion(path, cells, rows) if {"item", "draws", "weight"} <= has else None
    simulated = "source" in has and bool((cells["source"] == "simulated").any())
    conditions = _conditions(path, cells, frame["patched"], has)
    gaps = _gaps(frame, votes)
    return TidyTable(path, rows, votes, gaps, conditions, inclusion, has, simulated, +left_out)


# --- cells -----------------------------------------------------------------------------------------------


def _refuse(path: Path, cells: pd.DataFrame, wrong: pd.Series[bool], problem: str, remedy: str = MEND) -> None:
    if wrong.any():
        raise UserError(place(path, int(cells[wrong][LINE].iloc[0])), problem, remedy)


def _known_labels(path: Path, cells: pd.DataFrame, name: str, taxonomy: Taxonomy) -> None:
    wrong = ~cells[name].isin(["", *taxonomy.ids, *[UNTOLD] * (name == "prelabel")])
    if wrong.any():
        label = str(cells[wrong][name].iloc[0])
        problem = f"{name} {label!r} is not in taxonomy {taxonomy.version}"
        _refuse(path, cells, wrong, problem, did_you_mean(label, taxonomy.ids))


def _truth(path: Path, cells: pd.DataFrame, name: str) -> pd.Series[float]:
    """1, 0, or NaN where the cell is empty."""
    low = cells[name].str.lower()
    wrong = ~low.isin(["", *TRUTH])
    if wrong.any():
        _refuse(path, cells, wrong, f"{name} {cells[wrong][name].iloc[0]!r} is neither 0 nor 1")
    return low.map(TRUTH).astype(float)


def _flag(path: Path, cells: pd.DataFrame, name: str, has: frozenset[str], default: bool) -> pd.Series[bool]:
    if name not in has:
        return pd.Series(default, cells.index)
    return _truth(path, cells, name).fillna(float(default)).astype(bool)


def _number(path: Path, cells: pd.DataFrame, name: str, above: float | None = None) -> pd.Series[float]:
    """A finite number, more than `above`; NaN where the cell is empty."""
    values = pd.to_numeric(cells[name], errors="coerce").astype(float)
    wrong = (cells[name] != "") & ~np.isfinite(values)
    if above is not None:
        wrong |= values <= above
    if wrong.any():
        expected = "a finite number" if above is None else f"a finite number above {above:g}"
        _refuse(path, cells, wrong, f"{name} {cells[wrong][name].iloc[0]!r} is not {expected}")
    return values


def _one_value(path: Path, frame: pd.DataFrame, key: list[str], name: str, what: str) -> None:
    """Raises UserError, with both lines, where rows of one `key` have two values of `name`."""
    distinct = frame[[LINE, *key, name]].drop_duplicates([*key, name])
    again = distinct.duplicated(key)
    if not again.any():
        return
    second = distinct[again].iloc[0]
    first = distinct[(distinct[key] == second[key]).all(axis=1)].iloc[0]
    told = [f"{one[name]!r}" if isinstance(one[name], str) else f"{one[name]:g}" for one in (second, first)]
    which = what.format(*(str(part).replace(JOIN, " at ") for part in second[key]))
    raise UserError(
        place(path, int(second[LINE])),
        f"{which} has {name} {told[0]} here and {told[1]} on line {first[LINE]}",
        f"give one {name}",
    )


# --- judgements, conditions, draws -----------------------------------------------------------------------


def _votes(path: Path, frame: pd.DataFrame, left_out: Counter[str]) -> dict[str, dict[str, str]]:
    given = frame[frame["label"] != ""]
    left_out[GAPS] = len(frame) - len(given)
    left_out[AGAIN] = int(given.duplicated(["unit", "condition", "annotator"]).sum())
    given = given[given["item"] != ""]
    _one_value(path, given, ["item", "annotator"], "label", "item {!r} by {!r}")
    votes: dict[str, dict[str, str]] = {item: {} for item in frame["item"].unique() if item}
    for item, annotator, label in zip(given["item"], given["annotator"], given["label"], strict=True):
        votes[item][annotator] = label
    return votes


def _gaps(frame: pd.DataFrame, votes: dict[str, dict[str, str]]) -> dict[str, set[str]]:
    """Annotator -> items that stand beside the name without a label anywhere."""
    empty = frame[(frame["label"] == "") & (frame["annotator"] != "") & (frame["item"] != "")]
    found: dict[str, set[str]] = {}
    for item, annotator in zip(empty["item"], empty["annotator"], strict=True):
        if annotator not in votes[item]:
            found.setdefault(annotator, set()).add(item)
    return found


def _conditions(path: Path, cells: pd.DataFrame, patched: pd.Series[bool], has: frozenset[str]) -> list[Condition]:
    """In the order of the file's series, then by `order`, then as the file has them."""
    frame = pd.DataFrame({
        LINE: cells[LINE],
        "condition": cells["condition"],
        "series": cells["series"] if "series" in has else "",
        "checkpoint": cells["checkpoint"] if "checkpoint" in has else cells["condition"],
        **{name: _number(path, cells, name) if name in has else np.nan for name in ("order", "step", "tokens")},
    })  # fmt: skip
    for name in ("series", "checkpoint", "order", "step", "tokens"):
        _one_value(path, frame, ["condition"], name, "condition {!r}")
    if "order" in has:
        _refuse(path, cells, frame["order"].isna(), "no order", "give every condition one, or leave the column out")
    once = frame.drop_duplicates("condition")
    series = {name: number for number, name in enumerate(once["series"].unique())}
    if (once["checkpoint"] == "").any() or once.duplicated(["series", "checkpoint"]).any():
        once = once.assign(checkpoint=once["condition"])
    places = once["order"] if "order" in has else np.arange(len(once), dtype=float)
    seen = patched.groupby(cells["condition"]).any()
    found = [
        Condition(name, of, checkpoint, float(place), int(step), int(tokens), bool(seen[name]))
        for name, of, checkpoint, place, step, tokens in zip(
            once["condition"], once["series"], once["checkpoint"], places, once["step"].fillna(0),
            once["tokens"].fillna(0), strict=True,
        )
    ]  # fmt: skip
    return sorted(found, key=lambda one: (series[one.series], one.place))


def _inclusion(path: Path, cells: pd.DataFrame, rows: pd.DataFrame) -> Inclusion:
    """The draw as `tidy_export` tells it: the trajectories of each item with their probabilities, and its audit."""
    frame = pd.DataFrame({LINE: cells[LINE], "item": cells["item"], "draws": cells["draws"]})
    frame["audit"] = _number(path, cells, "audit", 0.0).fillna(1.0) if "audit" in cells else 1.0
    frame = frame[frame["item"] != ""]
    for name in ("draws", "audit"):
        _one_value(path, frame, ["item"], name, "item {!r}")
    once = frame.drop_duplicates("item")
    members = {
        item: _draws(place(path, line), text)
        for line, item, text in zip(once[LINE], once["item"], once["draws"], strict=True)
    }
    audits = {item: chance for item, chance in zip(once["item"], once["audit"], strict=True) if chance < 1}
    sample = rows[(rows["item"] != "") & rows["weight"].notna()]
    found = Inclusion(members, frozenset(sample["item"]), audits)
    for line, item, weight in zip(sample[LINE], sample["item"], sample["weight"], strict=True):
        chance = found.probability([item])
        if abs(weight * chance - 1) > 1e-9:
            raise UserError(place(path, line), f"weight {weight:g}, but the draws give {1 / chance:g}", MEND)
    return found


def _draws(where: str, text: str) -> dict[str, float]:
    try:
        found = {str(name): float(chance) for name, chance in json.loads(text).items()}
        if not found or not all(0 < chance <= 1 for chance in found.values()):
            raise ValueError
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise UserError(
            where, f"draws {text[:60]!r} is not JSON of trajectories and their probabilities", MEND
        ) from None
    return found
