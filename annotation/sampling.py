"""Drawing trajectories: independent, seeded, with every probability kept."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd


def luck(seed: int, trajectory: str) -> float:
    """A number in [0, 1) that belongs to this trajectory under this seed, whatever else is in the study.

    Permanent random numbers (Ohlsson 1995): a study that grows keeps its earlier draws.
    """
    digest = hashlib.sha256(f"{seed}|{trajectory}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def draw(trajectories: pd.Series[str], wanted: int | None, seed: int) -> pd.DataFrame:
    """Poisson sampling: each of N trajectories is drawn independently with probability π = wanted / N.

    `trajectories` may repeat; returns one row each: trajectory, probability (0 < π ≤ 1), drawn. The number drawn
    is random with mean `wanted`; None, or at least N, draws all with π = 1.
    """
    distinct = sorted(trajectories.unique())
    probability = 1.0 if wanted is None else min(1.0, wanted / max(1, len(distinct)))
    drawn = [probability >= 1 or luck(seed, name) < probability for name in distinct]
    return pd.DataFrame({"trajectory": distinct, "probability": probability, "drawn": drawn})


def item_probabilities(
    items: pd.Series[str], trajectories: pd.Series[str], probabilities: pd.Series[float]
) -> pd.Series[float]:
    """1 - ∏(1 - π) over an item's distinct trajectories, aligned with the given rows.

    The three series have one entry a row of the population.
    """
    pairs = pd.DataFrame({"item": items, "trajectory": trajectories, "miss": 1.0 - probabilities})
    missed = pairs.drop_duplicates(["item", "trajectory"]).groupby("item", sort=False)["miss"].agg(np.prod)
    return 1.0 - items.map(missed).astype(float)
