"""What enters the numbers about half precision: the outputs that were made again in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from gainsift.analysis.precision import compared
from gainsift.analysis.precision_tables import ALL
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import Entering, number, of_rows, quotient, terms
from gainsift.analysis.wording import answered

Row = Mapping[str, Any]


def rates(known: Known, row: Row, column: str) -> Entering:
    frame, _ = compared(known.study)
    if row["checkpoint"] not in ("", ALL, None):
        frame = frame[frame["checkpoint"] == row["checkpoint"]]
    if row["kind"] != "all":
        frame = frame[frame["kind"] == row["kind"]]
    told = _told(frame)
    if column == "outputs":
        return number("outputs that were made again", terms(told, 1.0), judged=False)
    if column == "clusters":
        return number("word families among them", terms(told, 1.0), "cluster", judged=False)
    value = frame[column].to_numpy(float)
    if column == "largest_shift":
        listed = terms(told, value, 1.0)
        return Entering("the largest absolute shift of a probability", listed, float(value.max()), judged=False)
    return quotient("mean over the outputs that were made again", terms(told, value, 1.0), judged=False)


def flips(known: Known, row: Row, column: str) -> Entering:
    frame, _ = compared(known.study)
    given, out = str(row["languages"]).split(" → ")
    here = frame[
        (frame["input_language"] == given) & (frame["output_language"] == out) & frame["text"]
        & (frame["intended_concept"] == row["concept"])
    ]  # fmt: skip
    sides = (("answer", "closed"), ("answer_float32", "closed_float32"))
    for text, end in sides:
        here = here[[answered(*said) == row[text] for said in zip(here[text], here[end], strict=True)]]
    return number("outputs with this flip", terms(_told(here), 1.0), judged=False)


TRACERS: dict[str, Callable[[Known, Row, str], Entering]] = {
    "precision": rates,
    "precision_by_checkpoint": rates,
    "precision_flips": flips,
}


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    return of_rows(
        (frame["pair_id"] + "|" + frame["input_language"] + "|" + frame["output_language"]).tolist(),
        frame["family"].tolist(),
        [(row_id,) for row_id in frame["row_id"]],
    )
