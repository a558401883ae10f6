"""How often each outcome occurs at each condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.design import Condition
from gainsift.analysis.estimate import Array, Estimate, undefined
from gainsift.analysis.intervals import DEFAULT, METHODS, Bootstrap
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.taxonomy import Kind

KINDS = [kind for kind in get_args(Kind) if kind != "missing"]
Codes = npt.NDArray[np.intp]
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
    The intervals of a condition resample its own word families, by the method `interval` of `intervals.METHODS`, as a
    contrast does: each condition starts from the state of `rng`, so that both agree where they count the same.
    """
    sample = frame[frame["selected"]]
    if sample.empty:
        return []
    families, names = pd.factorize(sample["family"], sort=True)

    @cache
    def over(clusters: int) -> Bootstrap:
        return METHODS[interval](clusters, resamples, confidence, deepcopy(rng))

    seen = set(sample["label"].dropna())
    categories = [name for name in categories if name in seen]
    rows = _Rows.of(sample, families, len(names), buckets, categories)
    at = _codes(sample["condition"], [one.name for one in conditions])
    order = np.argsort(at, kind="stable")
    bounds = np.searchsorted(at[order], np.arange(len(conditions) + 1))
    return [
        _of_condition(rows, order[start:end], condition, over, buckets, categories)
        for condition, start, end in zip(conditions, bounds, bounds[1:], strict=False)
        if end > start
    ]


def _codes(values: pd.Series[Any], known: Sequence[str]) -> Codes:
    """The place of each value in `known`, -1 for others and for none."""
    places = {name: place for place, name in enumerate(known)}
    codes, names = pd.factorize(values)
    of_names = np.array([*(places.get(name, -1) for name in names), -1], np.intp)  # the last is that of none
    return of_names[codes]


@dataclass(frozen=True)
class _Rows:
    """The sampled rows as numbers, [N] each; a code of -1 is none. `output` tells the rows of one output (atoms)."""

    family: Codes
    families: int
    output: Codes | None
    weight: Array
    success: Array
    correct: Array
    label: Codes
    kind: Codes
    bucket: Codes

    @classmethod
    def of(
        cls, sample: pd.DataFrame, family: Codes, families: int, buckets: Sequence[str], categories: Sequence[str]
    ) -> _Rows:
        correct = sample["correct"].to_numpy(float)
        return cls(
            family=family,
            families=families,
            output=None if (sample["mass"] == 1).all() else pd.factorize(sample["row_id"])[0],
            weight=(sample["mass"] / sample["probability"]).to_numpy(float),
            success=sample["success"].to_numpy(float, na_value=np.nan),
            correct=correct,
            label=_codes(sample["label"], categories),
            kind=_codes(sample["kind"], KINDS),
            bucket=np.where(correct == 0, _codes(sample["bucket"], buckets), -1),
        )

    def sums(self, chosen: Codes, codes: Codes, size: int) -> Array:
        """The weight of each code among the chosen rows, by family: [C, size]."""
        here = chosen[codes[chosen] >= 0]
        cells = self.family[here] * size + codes[here]
        found = np.bincount(cells, self.weight[here], self.families * size).astype(np.float64)
        return found.reshape(self.families, size)

    def total(self, chosen: Codes, values: Array | None = None) -> Array:
        """The weight of the chosen rows, each times its value, by family: [C, 1]."""
        weight = self.weight[chosen] if values is None else self.weight[chosen] * np.nan_to_num(values[chosen])
        return np.bincount(self.family[chosen], weight, self.families).astype(np.float64)[:, None]

    def outputs(self, chosen: Codes) -> int:
        return len(chosen) if self.output is None else len(np.unique(self.output[chosen]))


def share_terms(
    rows: pd.DataFrame, buckets: Sequence[str], categories: Sequence[str]
) -> tuple[list[object], Array, Array]:
    """What each of the sampled `rows` of one condition adds to its shares: names [K], numerators, denominators [N, K].

    Weighed. Names: success, correct, and (bucket, id), (kind, id), (label, id).
    """
    every = np.arange(len(rows))
    return _sums(_Rows.of(rows, every, len(rows), buckets, categories), every, buckets, categories)


def _sums(
    rows: _Rows, here: Codes, buckets: Sequence[str], categories: Sequence[str]
) -> tuple[list[object], Array, Array]:
    """Of the rows `here`: what the shares are called, their numerators and denominators by family."""
    keys: list[object] = ["success", "correct"]
    columns = [rows.total(here, rows.success), rows.total(here, rows.correct)]
    for what, codes, names in (
        ("bucket", rows.bucket, buckets), ("kind", rows.kind, KINDS), ("label", rows.label, categories)
    ):  # fmt: skip
        keys += [(what, name) for name in names]
        columns.append(rows.sums(here, codes, len(names)))
    totals = np.repeat(rows.total(here[rows.label[here] >= 0]), len(keys), axis=1)
    totals[:, 0] = rows.total(here)[:, 0]
    return keys, np.column_stack(columns), totals


def _of_condition(
    rows: _Rows, here: Codes, condition: Condition, over: Callable[[int], Bootstrap], buckets: Sequence[str],
    categories: Sequence[str],
) -> ConditionShares:  # fmt: skip
    decided = here[rows.label[here] >= 0]
    keys, sums, totals = _sums(rows, here, buckets, categories)
    own = np.unique(rows.family[here])
    found = dict(zip(keys, over(len(own)).ratios(sums[own], totals[own], np.zeros(len(keys))), strict=True))
    return ConditionShares(
        condition=condition,
        rows=rows.outputs(here),
        decided=rows.outputs(decided),
        success=undefined(UNSCORED) if np.isnan(rows.success[here]).all() else found["success"],
        correct=found["correct"],
        buckets={name: found["bucket", name] for name in buckets},
        categories={name: found["label", name] for name in categories},
        kinds={name: found["kind", name] for name in KINDS},
    )
