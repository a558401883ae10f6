"""What enters the numbers of conditions: shares of outcomes, kinds and categories, trends, prediction of verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gainsift.analysis.shares import share_terms
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import Entering, number, of_outputs, quotient, terms, weighed
from gainsift.analysis.trend_scores import within_unit
from gainsift.analysis.trends import outcomes_in_series
from gainsift.analysis.units import rows_of
from gainsift.analysis.verdict_prediction import auc, correlation
from gainsift.analysis.verdict_prediction_report import ALL

Row = Mapping[str, Any]


def outcomes(known: Known, row: Row, column: str) -> Entering:
    what, _, name = column.partition("_")
    return _share(known, row, (what, name) if name else column)


def shares(known: Known, row: Row, column: str) -> Entering:
    return _share(known, row, column if column == "decided" else ("label", row["category"]))


def _share(known: Known, row: Row, key: Any) -> Entering:
    here = rows_of(known.rows, known.condition(row["checkpoint"], row.get("series", "")))
    sample = here[here["selected"]].reset_index(drop=True)
    told = of_outputs(sample)
    if key in ("rows", "decided"):
        held = sample["label"].notna().to_numpy(float) if key == "decided" else 1.0
        return number(
            "outputs of the sample" + " with a usable verdict" * (key == "decided"), terms(told, held), "rows"
        )
    taxonomy = known.design.taxonomy
    keys, values, totals = share_terms(sample, list(taxonomy.buckets), taxonomy.ids)
    place = keys.index(key)
    over = "all outputs of the condition in the sample" if key == "success" else "its decided outputs"
    what = key if isinstance(key, str) else f"{key[0]} {key[1]}"
    weight = (sample["mass"] / sample["probability"]).to_numpy(float)
    listed = weighed(told, weight, values[:, place], totals[:, place])
    return quotient(f"weight of the outputs that are: {what}, over that of {over}", listed)


def trends(known: Known, row: Row, column: str) -> Entering:
    name = "" if row["series"] == "all" else row["series"]
    rows, values = next(
        (rows, values) for series, rows, values in outcomes_in_series(known.design, known.rows) if series.name == name
    )
    value = values[row["level"], row["outcome"]]
    own = (
        known.rows.drop_duplicates("row_id")
        .set_index("row_id", drop=False)
        .loc[list(rows.row_id)]
        .reset_index(drop=True)
    )
    told = of_outputs(own)
    if column == "checkpoints":
        at = told.assign(cluster=own["checkpoint"])
        return number("checkpoints with decided outputs", terms(at, 1.0), "cluster")
    if column in ("first", "last"):
        here = (rows.place == (0 if column == "first" else len(rows.checkpoints) - 1)).astype(float)
        listed = terms(told, here * value, here, rows.weight)
        return quotient(f"weight of the outputs with this outcome over that of the decided ones, {column}", listed)
    away = within_unit(rows.position, rows.unit, rows.weight)
    slope = quotient(
        "least squares within units: sum of weight × 2 × (position − mean position of the unit) × outcome over the sum"
        " of weight × (position − mean position)²",
        terms(told, 2 * away * value, away**2, rows.weight),
    )
    return slope if column == "slope" else slope.without_figure("a test or model over the same outputs")


def prediction(known: Known, row: Row, column: str) -> Entering:
    rows = known.verdicts
    group = row["group"]
    chosen = [rows["series"] == group, rows["checkpoint"] == group] if group != ALL else [rows["weight"] != 0]
    rows = rows[next(mask for mask in chosen if mask.any())].reset_index(drop=True)
    success, correct, weight = (rows[name].to_numpy(float) for name in ("success", "correct", "weight"))
    told, ones = _told(known, rows), np.ones(len(rows))
    parts = {
        "correct": (correct, ones, "called correct, of all"),
        "accuracy": (success == correct, ones, "where string match and verdict agree, of all"),
        "hits": (success * correct, correct, "that match, of those called correct"),
        "false": (success * (1 - correct), 1 - correct, "that match, of those not called correct"),
    }
    if column in parts:
        value, total, what = parts[column]
        return quotient(f"weight of outputs {what}", terms(told, value, total, weight))
    if column in ("outputs", "clusters"):
        return _size(column, told)
    p, codes = rows["p"].to_numpy(float), np.zeros(len(rows), np.intp)
    none = np.zeros((0, 1))
    found = (
        auc(p, weight, codes, correct == 1, correct != 1, none, 0.95)
        if column == "auc"
        else correlation(p, correct, weight, codes, none, 0.95)
    )
    return _function(column, terms(told, p, 1.0, weight), found.point)


def prediction_categories(known: Known, row: Row, column: str) -> Entering:
    rows = known.verdicts
    here = (rows["label"] == row["category"]).to_numpy()
    p, weight = rows["p"].to_numpy(float), rows["weight"].to_numpy(float)
    if column == "auc":
        called = rows["correct"].to_numpy(float) == 1
        kept = called | here
        codes = np.zeros(len(rows), np.intp)
        found = auc(p, weight, codes, called, here & ~called, np.zeros((0, 1)), 0.95)
        return _function(column, terms(_told(known, rows[kept]), p[kept], 1.0, weight[kept]), found.point)
    own = rows[here].reset_index(drop=True)
    told = _told(known, own)
    if column in ("outputs", "clusters"):
        return _size(column, told)
    value = own["p" if column == "probability" else "success"].to_numpy(float)
    return quotient(
        f"weighted mean of {column} over the outputs of the category", terms(told, value, 1.0, weight[here])
    )


TRACERS: dict[str, Callable[[Known, Row, str], Entering]] = {
    "outcomes": outcomes,
    "kind_shares": outcomes,
    "shares": shares,
    "trends": trends,
    "prediction": prediction,
    "prediction_categories": prediction_categories,
}
NAMES = {
    "auc": "the weighted chance that an output called correct has the higher probability, ties half",
    "correlation": "Pearson's r, weighted, between probability and verdict",
}


def _told(known: Known, rows: pd.DataFrame) -> pd.DataFrame:
    """Terms say the same of them as of any output; `rows` as `verdict_rows` gives them, a row for each label."""
    about = known.frame[["row_id", "label", "unit", "item_id", "family"]].drop_duplicates(["row_id", "label"])
    return of_outputs(rows[["row_id", "label"]].merge(about, on=["row_id", "label"], how="left"))


def _size(column: str, told: pd.DataFrame) -> Entering:
    listed = terms(told, 1.0)
    if column == "clusters":
        return number("word families among the outputs", listed, "cluster")
    return number("outputs with a verdict", listed, "rows")


def _function(column: str, listed: pd.DataFrame, again: float | None) -> Entering:
    return Entering(f"{NAMES[column]}; value: the probability", listed, again, "" if again is not None else "undefined")
