"""The default interval of a weighted rate, difference or ratio over clusters: a studentised cluster bootstrap.

A percentile bootstrap is too short for small buckets of a split: most resamples hold none of the few clusters that
moved, and what was never seen cannot be drawn. Two small clusters are therefore added, one at each end of the range
of possible values, as Agresti & Coull (1998, American Statistician 52:119) and, for paired differences, Agresti & Min
(2005, Statistics in Medicine 24:729) add observations; and limits are taken from the bootstrap distribution of
t = (estimate - truth) / standard error (Hall 1992; Cameron, Gelbach & Miller 2008, for clusters), which knows about
skewness. What it covers is measured by benchmarks/reliability.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gainsift.analysis.estimate import BOUND, Array, Estimate, divide, resample_counts, same_everywhere, undefined

METHOD = "studentised cluster bootstrap with two fifths of a cluster added at each end of the range"
ADDED = 0.4
"""Size of an added cluster, as a share of a typical one; chosen by simulation: .3 covers too little where 2 % of the
units move, .5 too much."""
STILL = 0.05
"""A resample whose standard error is below this share of the sample's has no t: its clusters are as good as alike, and
a hair between them would be blown up to the whole range. Of counts only a resample of equal clusters is so still."""
FEWEST = 20
"""Clusters below which no interval here is reliable."""
ENOUGH = 50
"""Clusters from which coverage of 93 to 97 % was shown."""


def typical_size(denominators: Array) -> Array:
    """Root mean square of the sizes [C, K] of clusters that are not empty: [K]."""
    squares, number = (denominators**2).sum(0), (denominators != 0).sum(0)
    return np.asarray(np.sqrt(squares / np.maximum(number, 1)))


@dataclass(frozen=True)
class StudentisedBootstrap:
    """Resamples C clusters and the two added ones; `draws` [R, C + 2] is used for every column of a table."""

    draws: Array
    confidence: float

    @classmethod
    def of(cls, clusters: int, resamples: int, confidence: float, rng: np.random.Generator) -> StudentisedBootstrap:
        return cls(resample_counts(clusters + 2, resamples, rng), confidence)

    def ratios(self, numerators: Array, denominators: Array, least: Array, most: float = 1.0) -> list[Estimate]:
        """Each numerator [C, K] over its denominator [C, K], summed over clusters, with limits.

        `least` [K] and `most` bound the value of a single unit: 0 and 1 for a rate, -1 and 1 for a difference of
        rates. Where all clusters are alike the limits are those of `estimate.same_everywhere`.
        """
        points = divide(numerators.sum(0), denominators.sum(0))
        lows, highs = self._limits(numerators, denominators, least, most)
        found = []
        for column, point in enumerate(points):
            weights = denominators[:, column]
            if not np.isfinite(point):
                found.append(undefined("no unit to count"))
            elif int((weights != 0).sum()) < 2:
                found.append(Estimate(float(point), reason="no interval: fewer than two clusters"))
            elif np.allclose(numerators[:, column], point * weights, rtol=0, atol=1e-12 * weights.max()):
                limits = same_everywhere(float(point), float(least[column]), weights, self.confidence, most)
                found.append(Estimate(float(point), *limits, reason=BOUND, bounded=True))
            else:
                found.append(Estimate(float(point), float(lows[column]), float(highs[column])))
        return found

    def _limits(self, numerators: Array, denominators: Array, least: Array, most: float) -> tuple[Array, Array]:
        """Lower and upper limits [K]; of no meaning where a figure is undefined or all clusters are alike."""
        size = typical_size(denominators) * ADDED
        n = np.vstack([numerators, size * least, size * most])  # [C + 2, K]
        d = np.vstack([denominators, size, size])
        estimate, error = _ratio(n.sum(0), d.sum(0), (n * n).sum(0), (n * d).sum(0), (d * d).sum(0))
        drawn, errors = _ratio(*(self.draws @ part for part in (n, d, n * n, n * d, d * d)))  # [R, K]
        t = divide(drawn - estimate, np.where(errors > STILL * error, errors, 0.0))
        tail = (1 - self.confidence) / 2
        usable = np.isfinite(t)
        whole = usable.all(0)
        high, low = np.full((2, n.shape[1]), np.nan)
        if whole.any():
            high[whole], low[whole] = np.quantile(t[:, whole], [tail, 1 - tail], axis=0)
        for column in np.flatnonzero(usable.any(0) & ~whole):
            high[column], low[column] = np.quantile(t[usable[:, column], column], [tail, 1 - tail])
        limits = estimate - error * np.stack([low, high])
        return np.clip(limits[0], least, most), np.clip(limits[1], least, most)


def _ratio(n: Array, d: Array, nn: Array, nd: Array, dd: Array) -> tuple[Array, Array]:
    """The ratio and its linearised standard error (up to a constant factor, which t does without), from sums."""
    ratio = divide(n, d)
    return ratio, divide(np.sqrt(np.maximum(nn - 2 * ratio * nd + ratio**2 * dd, 0.0)), np.abs(d))
