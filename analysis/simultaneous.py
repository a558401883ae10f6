"""Bands over ordered conditions by a cluster bootstrap: for each condition alone, and for all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gainsift.analysis.estimate import BOUND, Array, Estimate, divide, resample_counts, same_everywhere, undefined

METHOD = "studentised cluster bootstrap, within Hoeffding's bound"
TOGETHER = "by the largest and the smallest t over the checkpoints (max-T)"
ADDED = 1 / 3
"""Size of a cluster added at an end of the range, as a share of a typical one, Σ d² / Σ d (Kish 1965)."""
FEWEST = 20
"""Clusters below which a band here is not to be relied on."""
FEW_CLUSTERS = f"fewer than {FEWEST} clusters: the band is unreliable"


@dataclass(frozen=True)
class Band:
    """One effect at T ordered conditions: the same points with limits for each alone and for all together."""

    pointwise: list[Estimate]
    simultaneous: list[Estimate]

    @property
    def above_from(self) -> int | None:
        """The first condition from which on every lower limit is above zero; None if the last one is not.

        Conditions where the effect is undefined are passed over.
        """
        return _stays([value.low for value in self.simultaneous], [value.defined for value in self.simultaneous])

    @property
    def below_from(self) -> int | None:
        """The same for upper limits below zero."""
        highs = [None if value.high is None else -value.high for value in self.simultaneous]
        return _stays(highs, [value.defined for value in self.simultaneous])


def _stays(limits: list[float | None], defined: list[bool]) -> int | None:
    found = None
    for place in range(len(limits) - 1, -1, -1):
        if not defined[place]:
            continue
        limit = limits[place]
        if limit is None or limit <= 0:
            break
        found = place
    return found


@dataclass(frozen=True)
class ClusterBands:
    """Resamples C clusters and two added ones; `draws` [R, C + 2], drawn once, are used for every effect."""

    draws: Array
    confidence: float

    @classmethod
    def of(cls, clusters: int, resamples: int, confidence: float, rng: np.random.Generator) -> ClusterBands:
        return cls(resample_counts(clusters + 2, resamples, rng), confidence)

    def band(self, numerators: Array, denominators: Array, least: float) -> Band:
        """The band of numerators [C, T] over denominators [C, T], summed over clusters.

        `least` is the smallest value that a unit can have: 0 for a probability, -1 for a difference of two.

        Limits are those of a studentised bootstrap, r - se q, with q the quantiles of t* = (r* - r) / se* over
        resamples. For all conditions together, q are the quantiles of the largest and of the smallest t* over the
        conditions, so that the error probability is shared evenly between too low and too high (max-T: Westfall &
        Young 1993; studentised, stepless form of Romano & Wolf 2005, Econometrica 73:1237). Standard errors are
        those of ratios of cluster sums. As in `studentised`, a part of a cluster is added at each end of the range,
        here of the range of the clusters that a condition has: masses may be of the order of 0.001, where -1 and 1
        would drown them. What tiny standard errors of single resamples blow up is cut off at Hoeffding's bound.

        Where all clusters are alike there is nothing to resample: such a condition takes its share of the error
        probability (one T-th) with it and gets the limits of `estimate.same_everywhere`.
        """
        points = divide(numerators.sum(0), denominators.sum(0))  # [T]
        several = np.isfinite(points) & ((denominators != 0).sum(0) > 1)
        off = np.abs(numerators - np.nan_to_num(points) * denominators).max(0, initial=0.0)
        alike = several & (off <= 1e-12 * np.abs(denominators).max(0, initial=0.0))
        moves = several & ~alike
        error = 1 - self.confidence
        each = error / max(int(several.sum()), 1)
        low, high = self._limits(numerators[:, moves], denominators[:, moves], each * int(moves.sum()))
        alone: list[Estimate] = []
        together: list[Estimate] = []
        column = 0
        for place, point in enumerate(points):
            if not np.isfinite(point):
                both = [undefined("no unit to count")] * 2
            elif not several[place]:
                both = [Estimate(float(point), reason="no interval: fewer than two clusters")] * 2
            elif alike[place]:
                weights = denominators[:, place]
                limits = [same_everywhere(float(point), least, weights, 1 - level) for level in (error, each)]
                both = [Estimate(float(point), *pair, reason=BOUND, bounded=True) for pair in limits]
            else:
                reach = [_hoeffding(denominators[:, place], least, level) for level in (error, each)]
                both = [
                    Estimate(float(point), max(least, point - far, a[column]), min(1.0, point + far, b[column]))
                    for a, b, far in zip(low, high, reach, strict=True)
                ]
                column += 1
            alone.append(both[0])
            together.append(both[1])
        return Band(alone, together)

    def _limits(self, numerators: Array, denominators: Array, error: float) -> tuple[Array, Array]:
        """Lower and upper limits [2, M]: of each condition alone, and of all M with error probability `error`."""
        if not numerators.shape[1]:
            return np.zeros((2, 0)), np.zeros((2, 0))
        means = divide(numerators, denominators)
        size = ADDED * divide((denominators**2).sum(0), denominators.sum(0))
        n = np.vstack([numerators, size * np.nanmin(means, axis=0), size * np.nanmax(means, axis=0)])  # [C + 2, M]
        d = np.vstack([denominators, size, size])
        estimate, spread = _ratio(n.sum(0), d.sum(0), (n * n).sum(0), (n * d).sum(0), (d * d).sum(0))
        drawn, spreads = _ratio(*(self.draws @ part for part in (n, d, n * n, n * d, d * d)))  # [R, M]
        # a resample whose clusters are all alike has no t; it stands in the middle
        t = np.nan_to_num(divide(drawn - estimate, np.where(spreads > 1e-9 * spread, spreads, 0.0)), nan=0.0)
        tail = (1 - self.confidence) / 2
        alone = np.quantile(t, [tail, 1 - tail], axis=0)  # [2, M]
        together = np.quantile(t.min(axis=1), error / 2), np.quantile(t.max(axis=1), 1 - error / 2)
        low = np.stack([estimate - spread * alone[1], estimate - spread * together[1]])
        high = np.stack([estimate - spread * alone[0], estimate - spread * together[0]])
        return low, high


def _hoeffding(weights: Array, least: float, error: float) -> float:
    """How far a mean of independent clusters with values from `least` to 1 can be from the truth, whatever they are.

    P(|mean - truth| >= t) <= 2 exp(-2 n t² / range²) (Hoeffding 1963, JASA 58:13), n = (Σ w)² / Σ w².
    """
    count = weights.sum() ** 2 / (weights**2).sum()
    return float((1 - least) * np.sqrt(np.log(2 / error) / (2 * count)))


def _ratio(n: Array, d: Array, nn: Array, nd: Array, dd: Array) -> tuple[Array, Array]:
    """The ratio and its linearised standard error (up to a constant factor, which t does without), from sums."""
    ratio = divide(n, d)
    return ratio, divide(np.sqrt(np.maximum(nn - 2 * ratio * nd + ratio**2 * dd, 0.0)), np.abs(d))
