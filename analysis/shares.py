"""How often each outcome occurs at each condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from gainsift.analysis.design import Condition
from gainsift.analysis.estimate import Array, Estimate, cluster_sums, undefined
from gainsift.analysis.intervals import DEFAULT, METHODS, Bootstrap
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.taxonomy import Kind

KINDS = [kind for kind in get_args(Kind) if kind != "missing"]
UNSCORED = "there is no automatic success"


@dataclass(frozen=True)
class ConditionShares:
    """Rates of one condition. `success` is over all rows of the sample, the others over decided ones."""

    condition: Condition
    rows: int
    decided: int
    success: Estimate
    correct: Estimate
    buckets: dict[str, Estimate]
    categories: dict[str, Estimate]
    kinds: dict[str, Estimate]

    @property
    def checkpoint(self) -> str:
        return self.condition.checkpoint

    @property
    def series(self) -> str:
        return self.condition.series


def series_name(setting: str, prompt: str, layer: int | None) -> str:
    if setting == UNPATCHED:
        return "unpatched" if prompt == "source" else "unpatched (target prompt)"
    return f"{setting}, layer {layer}"


def shares(
    frame: pd.DataFrame,
    conditions: Sequence[Condition],
    buckets: Sequence[str],
    categories: Sequence[str],
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    interval: str = DEFAULT,
) -> list[ConditionShares]:
    """Shares of every one of `conditions` that has rows in the sample, in that order.

    Rows weigh their mass over the probability that their item is judged. Categories that occur nowhere are left out.
    One bootstrap over all word families, by the method
    `interval` of `intervals.METHODS`, serves every condition.
    """
    sample = frame[frame["selected"]]
    if sample.empty:
        return []
    codes, names = pd.factorize(sample["family"], sort=True)
    bootstrap = METHODS[interval](len(names), resamples, confidence, rng)
    seen = set(sample["label"].dropna())
    categories = [name for name in categories if name in seen]
    at = pd.Categorical(sample["condition"], [one.name for one in conditions]).codes
    found = []
    for place, condition in enumerate(conditions):
        index = np.flatnonzero(at == place)
        if not len(index):
            continue
        rows = sample.iloc[index]
        estimates = _estimates(rows, codes[index], len(names), bootstrap, buckets, categories)
        found.append(
            ConditionShares(
                condition=condition,
                rows=rows["row_id"].nunique(),
                decided=rows.loc[rows["label"].notna(), "row_id"].nunique(),
                success=undefined(UNSCORED) if rows["success"].isna().all() else estimates["success"],
                correct=estimates["correct"],
                buckets={name: estimates["bucket", name] for name in buckets},
                categories={name: estimates["label", name] for name in categories},
                kinds={name: estimates["kind", name] for name in KINDS},
            )
        )
    return found


def _estimates(
    rows: pd.DataFrame,
    codes: np.typing.NDArray[np.intp],
    clusters: int,
    bootstrap: Bootstrap,
    buckets: Sequence[str],
    categories: Sequence[str],
) -> dict[object, Estimate]:
    decided = rows["label"].notna().to_numpy(float)
    values: dict[object, Array] = {
        "success": rows["success"].fillna(0).to_numpy(float),
        "correct": rows["correct"].fillna(0).to_numpy(float),
    }
    wrong = rows["correct"] == 0
    values |= {("bucket", name): np.asarray(wrong & (rows["bucket"] == name), float) for name in buckets}
    values |= {("kind", name): np.asarray(rows["kind"] == name, float) for name in KINDS}
    values |= {("label", name): np.asarray(rows["label"] == name, float) for name in categories}
    totals: Array = np.column_stack([np.ones(len(rows)) if key == "success" else decided for key in values])
    weight: Array = (rows["mass"] / rows["probability"]).to_numpy(float)[:, None]
    sums = cluster_sums(np.column_stack(list(values.values())) * weight, codes, clusters)
    least = np.zeros(len(values))
    return dict(zip(values, bootstrap.ratios(sums, cluster_sums(totals * weight, codes, clusters), least), strict=True))
