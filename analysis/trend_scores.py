"""Slopes of clusters over ordered conditions, from changes within units; the sign-flip test of trends uses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, cluster_sums
from gainsift.analysis.sign_flip import FLIPS, sign_flip
from gainsift.analysis.significance import Significance

Numbers = npt.NDArray[np.intp]


def positions(tokens: Sequence[float | None]) -> tuple[Array, str]:
    """Where conditions stand on the axis of a trend, from -1 (first) to 1 (last), and the name of that axis.

    log tokens where every condition says how many it has seen and the numbers rise, else the rank. A slope is then
    half of the change from the first condition to the last.
    """
    seen = np.array([np.nan if value is None else value for value in tokens], float)
    if len(seen) > 1 and np.isfinite(seen).all() and (seen > 0).all() and (np.diff(seen) > 0).all():
        at, name = np.log(seen), "log tokens"
    else:
        at, name = np.arange(len(seen), dtype=float), "rank"
    if len(at) < 2:
        return np.zeros(len(at)), name
    return 2 * (at - at[0]) / (at[-1] - at[0]) - 1, name


@dataclass(frozen=True)
class TrendScores:
    """`scores` [C]: each cluster's sum of w (x - x̄_unit) y; `spread`: the sum of w (x - x̄_unit)² over all units."""

    scores: Array
    spread: float

    @property
    def slope(self) -> float | None:
        """Change of the outcome (a rate) for one step of position, within units."""
        return float(self.scores.sum() / self.spread) if self.spread > 0 else None


def trend_scores(
    value: Array, position: Array, units: Numbers, clusters: Numbers, weight: Array | None = None
) -> TrendScores:
    """Scores of clusters from rows [N]: value, position, and the unit and cluster as numbers from 0 on.

    Each unit is measured against its own mean position, so that units which are missing at some conditions cannot
    feign a trend; a unit seen once says nothing. The sum of all scores over `spread` is the least-squares slope
    with one intercept for each unit.
    """
    weight = np.ones(len(value)) if weight is None else weight
    if not len(value):
        return TrendScores(np.zeros(0), 0.0)
    away = within_unit(position, units, weight)
    scores = cluster_sums((weight * away * value)[:, None], clusters, int(clusters.max()) + 1)[:, 0]
    size = cluster_sums(np.abs(weight * away * value)[:, None], clusters, len(scores))[:, 0]
    scores[np.abs(scores) <= 1e-12 * size] = 0.0  # rounding is no movement
    return TrendScores(scores, float((weight * away**2).sum()))


def within_unit(position: Array, units: Numbers, weight: Array) -> Array:
    """How far each row stands from the mean position of its unit: [N]."""
    sums = cluster_sums(np.column_stack([weight, weight * position]), units, int(units.max()) + 1)
    mean = np.divide(sums[:, 1], sums[:, 0], out=np.zeros(len(sums)), where=sums[:, 0] > 0)
    away = position - mean[units]
    away[np.abs(away) < 1e-12 * max(1.0, float(np.abs(position).max()))] = 0.0
    return np.asarray(away)


def sign_flip_trend(
    value: Array,
    position: Array,
    units: Numbers,
    clusters: Numbers,
    rng: np.random.Generator,
    weight: Array | None = None,
    flips: int = FLIPS,
) -> Significance:
    """The default test of a trend: sign flips of the clusters' scores; `effect` is the slope within units, a rate."""
    found = trend_scores(value, position, units, clusters, weight)
    return sign_flip(found.scores, rng, flips, effect=found.slope)
