"""An estimate with its interval, and the cluster bootstrap that every interval of shares and splits comes from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.wording import counted

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A point with the limits of its interval. None means undefined, and `reason` says why.

    `bounded`: all clusters had the same value, and the limits are those of `same_everywhere`.
    """

    point: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    bounded: bool = False

    @property
    def defined(self) -> bool:
        return self.point is not None


def undefined(reason: str) -> Estimate:
    return Estimate(None, reason=reason)


def generator(seed: int, *names: str) -> np.random.Generator:
    """A generator for one table: the same seed and names give the same stream, whatever else is computed."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names)])


def resample_counts(units: int, resamples: int, rng: np.random.Generator) -> Array:
    """How often each unit is drawn in each bootstrap resample (n draws with replacement of n): [R, units]."""
    return rng.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def interval(draws: Array, confidence: float) -> tuple[float | None, float | None]:
    """Percentile limits of the resamples in which the figure is defined (not NaN); None if there are none."""
    kept = draws[np.isfinite(draws)]
    if not kept.size:
        return None, None
    tail = (1 - confidence) / 2
    low, high = np.quantile(kept, [tail, 1 - tail])
    return float(low), float(high)


FEW = 200
"""Resamples below which percentile limits are too rough to be shown without a warning."""


def few_resamples(number: int) -> str:
    return f"Intervals from {counted(number, 'resample')} only are not to be trusted; take {FEW} at least, better 1000."


BOUND = (
    "No unit moved, or all alike: resampling would show nothing, so the interval is the Clopper-Pearson bound"
    " 1 − (tail)^(1/n) for n clusters of which none differs."
)


def same_everywhere(
    point: float, least: float, weights: Array, confidence: float, most: float = 1.0
) -> tuple[float, float]:
    """Limits of a mean over clusters that all showed the same value `point`, of possible values least to most.

    A percentile bootstrap has no width there. With n clusters and none that differs, the exact interval of the
    share that differs is [0, b], b = 1 - ((1 - confidence) / 2)^(1/n) (Clopper & Pearson 1934, no event in n;
    one-sided at 95 % it is the rule of three, Hanley & Lippman-Hand 1983). At worst those lie at the far end of the
    range. Clusters of weight w count as n = (sum w)^2 / sum w^2 equal ones (Kish 1965), at most their number.
    """
    count = weights.sum() ** 2 / (weights**2).sum()
    bound = 1 - ((1 - confidence) / 2) ** (1 / count)
    return float(point - bound * (point - least)), float(point + bound * (most - point))


def divide(numerator: Array, denominator: Array) -> Array:
    """Elementwise quotient, NaN where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    out = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


def cluster_sums(values: Array, clusters: npt.NDArray[np.intp], count: int) -> Array:
    """Sum the rows of `values` [U, K] within each of `count` clusters, given by number [U]: [count, K]."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, clusters, values)
    return sums


@dataclass(frozen=True)
class ClusterBootstrap:
    """Resamples whole clusters with replacement (Cameron, Gelbach & Miller 2008, pairs cluster bootstrap).

    `draws` [R, C] counts each cluster in each resample; it is drawn once and used for every column of a table,
    so that the parts of a split add up in each resample too.
    """

    draws: Array
    confidence: float

    @classmethod
    def of(cls, clusters: int, resamples: int, confidence: float, rng: np.random.Generator) -> ClusterBootstrap:
        return cls(resample_counts(clusters, resamples, rng) if clusters else np.zeros((0, 0)), confidence)

    def ratios(self, numerators: Array, denominators: Array, least: Array) -> list[Estimate]:
        """Each numerator [C, K] over its denominator [C, K], summed over clusters.

        `least` [K] is the smallest value that a figure can have: 0 for a rate, -1 for a difference of rates.
        """
        points = divide(numerators.sum(0), denominators.sum(0))
        several = int((denominators != 0).any(1).sum()) > 1
        samples = divide(self.draws @ numerators, self.draws @ denominators) if several else None
        found = []
        for column, point in enumerate(points):
            weights = denominators[:, column]
            if not np.isfinite(point):
                found.append(undefined("no unit to count"))
            elif samples is None or int((weights != 0).sum()) < 2:
                found.append(Estimate(float(point), reason="no interval: fewer than two clusters"))
            elif np.allclose(numerators[:, column], point * weights, rtol=0, atol=1e-12 * weights.max()):
                limits = same_everywhere(float(point), float(least[column]), weights, self.confidence)
                found.append(Estimate(float(point), *limits, reason=BOUND, bounded=True))
            else:
                found.append(Estimate(float(point), *interval(samples[:, column], self.confidence)))
        return found
