"""The split of an apparent gain into human gain by bucket, undeserved credit, missed answers and undecided units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gainsift.analysis.estimate import Array, Estimate, cluster_sums, undefined
from gainsift.analysis.intervals import DEFAULT, METHODS
from gainsift.analysis.share_of_gain import share_of_gain
from gainsift.analysis.units import is_decided

NO_BUCKET = "no_bucket"
Cell = tuple[str, str]
"""Bucket, category."""
ALL_DECIDED = "No interval for undecided units where every unit is decided."
ADDENDS = ("human", "undeserved", "missed", "undecided")
"""The four parts whose sum is the apparent gain; `missed` enters as minus the change of missed answers."""
UNDECIDED = "no unit has two usable verdicts"
OF_ALL = ("success_a", "success_b", "apparent", *ADDENDS)
OF_DECIDED = ("human_decided", "human_a", "human_b")
RATES = ("success_a", "success_b", "human_a", "human_b")
"""From 0 to 1; all others are differences, from -1 to 1."""


@dataclass(frozen=True)
class Split:
    """Every figure is a rate of units (0.31 is 31 points).

    `parts`: the keys of OF_ALL over all units, of OF_DECIDED over decided ones. `flow` and `share` add up to
    `parts["human"]`, by (bucket, category) and by bucket. `of_gain` says what share of the apparent gain each addend
    makes up, `of_gain_buckets` each bucket of the flow, where that can be estimated.
    """

    parts: dict[str, Estimate]
    flow: dict[Cell, Estimate]
    share: dict[Cell, Estimate]
    flow_buckets: dict[str, Estimate]
    share_buckets: dict[str, Estimate]
    of_gain: dict[str, Estimate]
    of_gain_buckets: dict[str, Estimate]
    units: int
    decided: int
    clusters: int
    clusters_decided: int
    weight: float


def split(
    units: pd.DataFrame,
    buckets: Sequence[str],
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    interval: str = DEFAULT,
) -> Split:
    """Split one contrast.

    `units` has one row for each unit present in both conditions (several where verdicts are distributions, whose
    weights add up to the unit's): `unit`, `cluster`, `weight`, `success_a`, `success_b`
    (0 or 1), `correct_a`, `correct_b` (0, 1, or NaN without a usable verdict), `label_a`, `label_b`,
    `bucket_a`, `bucket_b`. Units without two usable verdicts are undecided. With s the automatic success and h
    the human verdict, s = h + u - m (u: s without h, undeserved credit; m: h without s, missed), so over the
    same weighted N the apparent gain is the human gain + the change of u - the change of m + undecided.

    Flow of category k: P(k -> correct) - P(correct -> k). Share: P_A(k) - P_B(k), over decided units. The
    bucket of k is read on the side where it stands, since patched and unpatched rows may differ.
    Intervals resample clusters by the method `interval` of `intervals.METHODS`; where all clusters are alike, they
    are `estimate.same_everywhere`.
    """
    sums = split_sums(units, buckets)
    order = sums.keys
    bootstrap = METHODS[interval](len(sums.clusters), resamples, confidence, rng)
    least = np.array([0.0 if key in RATES else -1.0 for key in order])
    found = dict(zip(order, bootstrap.ratios(sums.values, sums.totals, least), strict=True))
    of_gain = dict.fromkeys(
        [*ADDENDS, *(key for key in order if key[0] == "flow bucket")], undefined(UNDECIDED)
    )  # fmt: skip
    whole = order.index("apparent")
    shares = share_of_gain(
        sums.values[:, np.array([order.index(key) for key in of_gain])],
        sums.values[:, whole],
        sums.totals[:, whole],
        confidence,
        found["apparent"],
    )
    of_gain = dict(zip(of_gain, shares, strict=True))
    decided = is_decided(units)
    if not decided.any():  # a zero would say that nothing changed, where nobody knows
        known = ("success_a", "success_b", "apparent", "undecided")
        found = {key: one if key in known else undefined(UNDECIDED) for key, one in found.items()}
        of_gain = {key: one if key in known else undefined(UNDECIDED) for key, one in of_gain.items()}
    elif decided.all():  # no chance is left that a bound could speak of
        found["undecided"] = none = Estimate(0.0, reason=ALL_DECIDED)
        of_gain["undecided"] = of_gain["undecided"] if of_gain["undecided"].point is None else none
    return Split(
        parts={key: found[key] for key in (*OF_ALL, *OF_DECIDED)},
        flow={key[1]: one for key, one in found.items() if key[0] == "flow"},
        share={key[1]: one for key, one in found.items() if key[0] == "share"},
        flow_buckets={key[1]: one for key, one in found.items() if key[0] == "flow bucket"},
        share_buckets={key[1]: one for key, one in found.items() if key[0] == "share bucket"},
        of_gain={key: one for key, one in of_gain.items() if isinstance(key, str)},
        of_gain_buckets={key[1]: one for key, one in of_gain.items() if key[0] == "flow bucket"},
        units=int(units["unit"].nunique()),
        decided=int(units.loc[decided, "unit"].nunique()),
        clusters=len(sums.clusters),
        clusters_decided=int(units.loc[decided, "cluster"].nunique()),
        weight=float(units["weight"].sum()),
    )


@dataclass(frozen=True)
class SplitSums:
    """What the figures of a split are quotients of, by cluster: `values` and `totals` [C, K], for K `keys`.

    Keys: those of OF_ALL and OF_DECIDED, ("flow", cell), ("share", cell), ("flow bucket", bucket), ("share bucket",
    bucket).
    """

    keys: list[Any]
    clusters: list[str]
    values: Array
    totals: Array

    def of(self, key: object) -> tuple[Array, Array]:
        """Numerators and denominators of one figure: [C], [C]."""
        place = self.keys.index(key)
        return self.values[:, place], self.totals[:, place]


def split_sums(units: pd.DataFrame, buckets: Sequence[str]) -> SplitSums:
    """The weighted sums of a split by cluster, from `units` as `split` takes them."""
    decided = is_decided(units)
    cells = _cells(units, decided)
    columns = _columns(units, decided, cells)
    keys: list[Any] = list(columns)
    values = np.column_stack(list(columns.values())) if len(units) else np.zeros((0, len(keys)))
    bucket_order = [*buckets, *dict.fromkeys(bucket for bucket, _ in cells if bucket not in buckets)]
    groups = [(kind, bucket) for kind in ("flow", "share") for bucket in bucket_order]
    values = np.column_stack([values, *(_grouped(values, keys, kind, bucket) for kind, bucket in groups)])
    keys += [(f"{kind} bucket", bucket) for kind, bucket in groups]
    totals = np.ones_like(values)
    totals[:, [keys.index(key) for key in OF_DECIDED]] = decided[:, None]
    weight = units["weight"].to_numpy(float)[:, None]
    codes, names = pd.factorize(units["cluster"], sort=True)
    return SplitSums(
        keys,
        [str(name) for name in names],
        *(cluster_sums(one * weight, codes, len(names)) for one in (values, totals)),
    )


def _side(units: pd.DataFrame, side: str) -> tuple[Array, Array, pd.Series[str], pd.Series[str]]:
    """Success, correctness (NaN as it is), bucket and label of one side."""
    bucket = units[f"bucket_{side}"].where(units[f"bucket_{side}"].notna(), NO_BUCKET)
    return (
        units[f"success_{side}"].to_numpy(float),
        units[f"correct_{side}"].to_numpy(float),
        bucket,
        units[f"label_{side}"],
    )


def _cells(units: pd.DataFrame, decided: np.typing.NDArray[np.bool_]) -> list[Cell]:
    """The categories that occur where a decided unit is not correct, with the bucket that they have there."""
    found: set[Cell] = set()
    for side in ("a", "b"):
        _, correct, bucket, label = _side(units, side)
        wrong = decided & (correct == 0)
        found |= set(zip(bucket[wrong], label[wrong], strict=True))
    return sorted(found)


def _columns(units: pd.DataFrame, decided: np.typing.NDArray[np.bool_], cells: list[Cell]) -> dict[object, Array]:
    """The value of each unit in each figure; the figure is its weighted mean."""
    s_a, h_a, bucket_a, label_a = _side(units, "a")
    s_b, h_b, bucket_b, label_b = _side(units, "b")
    h_a, h_b = np.where(decided, h_a, 0.0), np.where(decided, h_b, 0.0)
    gain = s_b - s_a
    columns: dict[object, Array] = {
        "success_a": s_a,
        "success_b": s_b,
        "apparent": gain,
        "human": h_b - h_a,
        "undeserved": decided * (s_b * (1 - h_b) - s_a * (1 - h_a)),
        "missed": -(decided * (h_b * (1 - s_b) - h_a * (1 - s_a))),
        "undecided": np.where(decided, 0.0, gain),
        "human_decided": h_b - h_a,
        "human_a": h_a,
        "human_b": h_b,
    }
    for cell in cells:
        in_a = (decided & (h_a == 0) & (bucket_a == cell[0]) & (label_a == cell[1])).to_numpy(float)
        in_b = (decided & (h_b == 0) & (bucket_b == cell[0]) & (label_b == cell[1])).to_numpy(float)
        columns["flow", cell] = in_a * h_b - in_b * h_a
        columns["share", cell] = in_a - in_b
    return columns


def _grouped(values: Array, order: Sequence[object], kind: str, bucket: str) -> Array:
    """The sum of the columns of one bucket: [U]."""
    chosen = [i for i, key in enumerate(order) if isinstance(key, tuple) and key[0] == kind and key[1][0] == bucket]
    return np.asarray(values[:, chosen].sum(1))
