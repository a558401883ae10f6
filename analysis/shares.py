"""How often each outcome occurs at each condition: checkpoint × setting × prompt × layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from gainsift.analysis.estimate import Array, Estimate, cluster_sums
from gainsift.analysis.intervals import DEFAULT, METHODS, Bootstrap
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.taxonomy import Kind

KINDS = [kind for kind in get_args(Kind) if kind != "missing"]
KEY = ["checkpoint", "setting", "prompt", "layer"]
Key = tuple[str, str, str, int | None]


@dataclass(frozen=True)
class ConditionShares:
    """Rates of one condition. `success` is over all rows of the sample, the others over decided ones."""

    checkpoint: str
    step: int
    tokens: int
    setting: str
    prompt: str
    layer: int | None
    rows: int
    decided: int
    success: Estimate
    correct: Estimate
    buckets: dict[str, Estimate]
    categories: dict[str, Estimate]
    kinds: dict[str, Estimate]

    @property
    def series(self) -> str:
        """The condition without its checkpoint, in words."""
        return series_name(self.setting, self.prompt, self.layer)


def series_name(setting: str, prompt: str, layer: int | None) -> str:
    if setting == UNPATCHED:
        return "unpatched" if prompt == "source" else "unpatched (target prompt)"
    return f"{setting}, layer {layer}"


def shares(
    frame: pd.DataFrame,
    checkpoints: Sequence[str],
    buckets: Sequence[str],
    categories: Sequence[str],
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    interval: str = DEFAULT,
) -> list[ConditionShares]:
    """Shares of every condition that has rows in the sample, in training order.

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
    place = {name: number for number, name in enumerate(checkpoints)}
    found = []
    for key, index in _conditions(sample, place):
        rows = sample.iloc[index]
        estimates = _estimates(rows, codes[index], len(names), bootstrap, buckets, categories)
        found.append(
            ConditionShares(
                checkpoint=key[0],
                step=int(rows["step"].iloc[0]),
                tokens=int(rows["tokens"].iloc[0]),
                setting=key[1],
                prompt=key[2],
                layer=key[3],
                rows=rows["row_id"].nunique(),
                decided=rows.loc[rows["label"].notna(), "row_id"].nunique(),
                success=estimates["success"],
                correct=estimates["correct"],
                buckets={name: estimates["bucket", name] for name in buckets},
                categories={name: estimates["label", name] for name in categories},
                kinds={name: estimates["kind", name] for name in KINDS},
            )
        )
    return found


def _conditions(sample: pd.DataFrame, place: dict[str, int]) -> list[tuple[Key, list[int]]]:
    """The row numbers of each condition: unpatched first, then by setting and layer, in training order."""
    groups: dict[Key, list[int]] = {}
    columns = (sample[name].tolist() for name in KEY)
    for number, (checkpoint, setting, prompt, layer) in enumerate(zip(*columns, strict=True)):
        key = (checkpoint, setting, prompt, None if pd.isna(layer) else int(layer))
        groups.setdefault(key, []).append(number)

    def order(key: Key) -> tuple[object, ...]:
        checkpoint, setting, prompt, layer = key
        return setting != UNPATCHED, setting, prompt, -1 if layer is None else layer, place[checkpoint]

    return sorted(groups.items(), key=lambda group: order(group[0]))


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
        "success": rows["success"].to_numpy(float),
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
