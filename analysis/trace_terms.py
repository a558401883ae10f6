"""What enters a number of the report: its terms, and the number made again from them alone.

A term is what one unit, output or judgement adds: `value` above the line, `total` below it, each times `weight`. The
number is the sum over groups of (sum of weight × value) / (sum of weight × total); most have one group, a difference of
two means has two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

TERM = ["group", "unit", "cluster", "rows", "items", "labels", "weight", "value", "total"]
"""`rows`: ids of the outputs of a term, before and after for a unit of a contrast; `items`, `labels` of each."""


@dataclass(frozen=True)
class Entering:
    """`formula` in words. `again`: the number made again from `terms`, None where `instead` says why it is not.

    `judged`: whether judgements enter, and not outputs alone. `lines`: judgement ids, where the number is of certain
    lines and not of all that count for the items.
    """

    formula: str
    terms: pd.DataFrame
    again: float | None = None
    instead: str = ""
    judged: bool = True
    lines: frozenset[str] | None = None

    def without_figure(self, why: str) -> Entering:
        """The same terms behind something that is no plain function of them."""
        return replace(self, again=None, instead=why)


def terms(
    frame: pd.DataFrame,
    value: npt.ArrayLike,
    total: npt.ArrayLike = 0.0,
    weight: npt.ArrayLike = 1.0,
    group: str = "",
) -> pd.DataFrame:
    """Terms of `frame`, which has unit, cluster, rows, items, labels, in its order."""
    told = frame[["unit", "cluster", "rows", "items", "labels"]].reset_index(drop=True)
    made: pd.DataFrame = told.assign(
        group=group,
        weight=np.broadcast_to(np.asarray(weight, float), len(told)),
        value=np.broadcast_to(np.asarray(value, float), len(told)),
        total=np.broadcast_to(np.asarray(total, float), len(told)),
    )[TERM]
    return made[(made["value"] != 0) | (made["total"] != 0)].reset_index(drop=True)


def weighed(
    frame: pd.DataFrame, weight: npt.ArrayLike, values: npt.ArrayLike, totals: npt.ArrayLike, group: str = ""
) -> pd.DataFrame:
    """Terms from sums that hold the weight already."""
    by = np.where(np.asarray(weight, float) != 0, weight, 1.0)
    return terms(frame, np.asarray(values, float) / by, np.asarray(totals, float) / by, by, group)


def quotient(formula: str, *groups: pd.DataFrame, times: float = 1.0, judged: bool = True) -> Entering:
    """A quotient of sums, or the sum of several: one for each group of terms."""
    found: float | None = 0.0
    for group in groups:
        below = float((group["weight"] * group["total"]).sum())
        above = float((group["weight"] * group["value"]).sum())
        found = None if found is None or below == 0 else found + above / below
    listed = pd.concat(groups, ignore_index=True) if groups else pd.DataFrame(columns=TERM)
    again = None if found is None else times * found
    return Entering(formula, listed, again, "" if again is not None else "nothing to divide by", judged)


def number(formula: str, listed: pd.DataFrame, of: str = "value", judged: bool = True) -> Entering:
    """A count: of terms (their masses added up) or of the different values of a column."""
    again = float((listed["weight"] * listed["value"]).sum()) if of == "value" else float(listed[of].nunique())
    return Entering(formula, listed, again, judged=judged)


def of_outputs(rows: pd.DataFrame) -> pd.DataFrame:
    """What terms say of the rows of a frame as `judged` describes it."""
    return rows.assign(
        cluster=rows["family"],
        rows=_tuples(rows["row_id"]),
        items=_tuples(rows["item_id"]),
        labels=_tuples(rows["label"]),
    )


def of_units(units: pd.DataFrame) -> pd.DataFrame:
    """What terms say of the units of a contrast."""
    sides = {name: [units[f"{name}_{side}"] for side in "ab"] for name in ("row_id", "item_id", "label")}
    return units.assign(
        rows=_tuples(*sides["row_id"]), items=_tuples(*sides["item_id"]), labels=_tuples(*sides["label"])
    )


def of_rows(unit: Sequence[str], cluster: Sequence[str], rows: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    """What terms say of outputs that nobody need have judged."""
    empty = [()] * len(rows)
    return pd.DataFrame({"unit": unit, "cluster": cluster, "rows": rows, "items": empty, "labels": empty})


def _tuples(*columns: pd.Series[str]) -> pd.Series[Any]:
    held = [[value if isinstance(value, str) else "" for value in column] for column in columns]
    return pd.Series(list(zip(*held, strict=True)), columns[0].index, dtype=object)
