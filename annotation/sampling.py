"""Drawing trajectories and items: independent, seeded, with every probability kept.

Permanent random numbers (Ohlsson 1995): each trajectory and each item has its own number in [0, 1) under a seed,
whatever else is in the study. It is drawn if that number is below its probability (Poisson sampling), so that a study
that grows keeps its earlier draws.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.schemas.campaign import Rows

WHOLE = "all"
"""The one stratum of a draw without strata."""


@dataclass(frozen=True)
class Stratum:
    """`trajectories` N, of which `expected` n are drawn on average, each with `probability` n / N; `drawn` were."""

    name: str
    trajectories: int
    expected: float
    probability: float
    drawn: int


def luck(seed: int, name: str) -> float:
    """A number in [0, 1) that belongs to this name under this seed, whatever else is in the study."""
    digest = hashlib.sha256(f"{seed}|{name}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def sample(rows: pd.DataFrame, asked: Rows, audit: float) -> tuple[pd.DataFrame, list[Stratum]]:
    """Draw trajectories, then leave out the items of automatic success that the audit passes over.

    `rows` has one row for each output of the population: trajectory, pair, item_id, content_key, success. Returned
    with the columns of schemas.rows.Link added: trajectory_probability, drawn, audit_probability, asked,
    item_probability. `audit` is the chance that an item of automatic success is asked about; 1 asks about all.
    """
    drawing = draw(strata(rows, asked.strata), asked.trajectories, asked.seed)
    rows = rows.copy()
    rows["trajectory_probability"] = rows["trajectory"].map(drawing["probability"]).astype(float)
    rows["drawn"] = rows["trajectory"].map(drawing["drawn"]).astype(bool)
    rows["audit_probability"] = np.where(rows["success"], audit, 1.0)
    keys = rows.loc[rows["audit_probability"] < 1, "content_key"].unique()
    passed_over = {key for key in keys if luck(asked.seed, f"audit|{key}") >= audit}
    rows["asked"] = ~rows["content_key"].isin(passed_over)
    reached = item_probabilities(rows["item_id"], rows["trajectory"], rows["trajectory_probability"])
    rows["item_probability"] = reached * rows["audit_probability"]
    return rows, _figures(drawing)


def strata(rows: pd.DataFrame, by: Sequence[str]) -> pd.Series[str]:
    """The stratum of each trajectory: what it is by every name in `by`, or `all`.

    `outcome` is automatic success over the trajectory's rows: always right, never right, or changes.
    """
    groups = rows.groupby("trajectory", sort=True)
    parts = []
    for name in by:
        if name == "outcome":
            share = groups["success"].mean()
            parts.append(share.map(lambda right: {0.0: "never right", 1.0: "always right"}.get(right, "changes")))
        else:
            parts.append(groups["pair"].first())
    if not parts:
        return pd.Series(WHOLE, index=groups.size().index)
    names: pd.Series[str] = parts[0].astype("str")
    for part in parts[1:]:
        names = names + ", " + part
    return names


def shares(sizes: Mapping[str, int], wanted: float) -> dict[str, float]:
    """How many of `wanted` trajectories to expect from each stratum: equal shares, and no more than it has.

    A stratum smaller than its share is taken whole, and what it leaves is shared again among the others.
    """
    left, found = float(wanted), {}
    names = sorted(sizes, key=lambda name: (sizes[name], name))
    for done, name in enumerate(names):
        found[name] = min(float(sizes[name]), left / (len(names) - done))
        left -= found[name]
    return found


def draw(strata: pd.Series[str], wanted: int | None, seed: int) -> pd.DataFrame:
    """Poisson sampling of trajectories, each with probability n / N of its stratum.

    `strata` names the stratum of each trajectory, its index. Returns, by trajectory: stratum, probability (0 < π ≤ 1),
    drawn. How many are drawn is random with mean `wanted`; None, or at least as many as there are, draws all.
    """
    sizes = {str(name): int(size) for name, size in strata.value_counts().items()}
    expected = sizes if wanted is None else shares(sizes, wanted)
    chance = {name: min(1.0, expected[name] / size) for name, size in sizes.items()}
    found = pd.DataFrame({"stratum": strata, "probability": strata.map(chance).astype(float)}).sort_index()
    found["drawn"] = [
        probability >= 1 or luck(seed, str(name)) < probability
        for name, probability in zip(found.index, found["probability"], strict=True)
    ]
    return found


def _figures(drawing: pd.DataFrame) -> list[Stratum]:
    found = []
    for name, group in drawing.groupby("stratum", sort=True):
        probability = float(group["probability"].iloc[0])
        found.append(Stratum(str(name), len(group), probability * len(group), probability, int(group["drawn"].sum())))
    return found


def item_probabilities(
    items: pd.Series[str], trajectories: pd.Series[str], probabilities: pd.Series[float]
) -> pd.Series[float]:
    """1 - ∏(1 - π) over an item's distinct trajectories, aligned with the given rows.

    The three series have one entry a row of the population.
    """
    pairs = pd.DataFrame({"item": items, "trajectory": trajectories, "miss": 1.0 - probabilities})
    missed = pairs.drop_duplicates(["item", "trajectory"]).groupby("item", sort=False)["miss"].prod()
    return 1.0 - items.map(missed).astype(float)


def both_drawn(one: Mapping[str, float], two: Mapping[str, float]) -> float:
    """The probability that two items are both drawn, from the π of each one's trajectories.

    1 - P(one missed) - P(two missed) + P(both missed); both are missed when every trajectory of either is.
    """
    missed = [math.prod(1 - p for p in members.values()) for members in (one, two, {**one, **two})]
    return 1 - missed[0] - missed[1] + missed[2]
