"""Bands over ordered conditions by a cluster bootstrap: for each condition alone, and for all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gainsift.analysis.estimate import BOUND, Array, Estimate, divide, resample_counts, same_everywhere, undefined

METHOD = "studentised cluster bootstrap, within Hoeffding's bound"
TOGETHER = "by the largest and the smallest t over the checkpoints (max-T)"
_AT_ONCE = 16
"""Effects whose resamples are held at a time."""
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
        """The band of numerators [C, T] over denominators [C, T], summed over clusters: `bands` of one effect."""
        return self.bands(numerators[:, None], denominators[:, None], np.array([least]))[0]

    def bands(self, numerators: Array, denominators: Array, least: Array) -> list[Band]:
        """The bands of Q effects: numerators [C, Q, T] over denominators [C, Q, T], summed over clusters.

        `least` [Q] is the smallest value that a unit can have: 0 for a probability, -1 for a difference of two.

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
        found = []
        for start in range(0, numerators.shape[1], _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            resampled = self._resampled(numerators[:, part], denominators[:, part])
            for number, (estimate, spread, t) in enumerate(zip(*resampled, strict=True), start):
                sums = numerators[:, number], denominators[:, number]
                found.append(self._band(*sums, float(least[number]), estimate, spread, t))
        return found

    def _resampled(self, numerators: Array, denominators: Array) -> tuple[Array, Array, Array]:
        """Estimates and standard errors [Q, T] with the added clusters, and t* [Q, R, T]."""
        _, effects, times = numerators.shape
        sums, sizes = (part.reshape(len(part), -1) for part in (numerators, denominators))  # [C, Q * T]
        means = divide(sums, sizes)
        known = np.isfinite(means)
        low, high = np.where(known, means, np.inf).min(0), np.where(known, means, -np.inf).max(0)
        low, high = np.where(known.any(0), [low, high], 0.0)
        size = ADDED * np.nan_to_num(divide((sizes**2).sum(0), sizes.sum(0)))
        n: Array = np.vstack([sums, size * low, size * high])  # [C + 2, Q * T]
        d: Array = np.vstack([sizes, size, size])
        estimate, spread = _ratio(n.sum(0), d.sum(0), (n * n).sum(0), (n * d).sum(0), (d * d).sum(0))
        drawn, spreads = _ratio(*(self.draws @ part for part in (n, d, n * n, n * d, d * d)))  # [R, Q * T]
        # a resample whose clusters are all alike has no t; it stands in the middle
        t = np.nan_to_num(divide(drawn - estimate, np.where(spreads > 1e-9 * spread, spreads, 0.0)), nan=0.0)
        return (
            estimate.reshape(effects, times),
            spread.reshape(effects, times),
            t.reshape(len(t), effects, times).transpose(1, 0, 2),
        )

    def _band(
        self, numerators: Array, denominators: Array, least: float, estimate: Array, spread: Array, t: Array
    ) -> Band:
        """One band from its sums [C, T] and what `_resampled` made of them."""
        points = divide(numerators.sum(0), denominators.sum(0))  # [T]
        several = np.isfinite(points) & ((denominators != 0).sum(0) > 1)
        off = np.abs(numerators - np.nan_to_num(points) * denominators).max(0, initial=0.0)
        alike = several & (off <= 1e-12 * np.abs(denominators).max(0, initial=0.0))
        moves = several & ~alike
        error = 1 - self.confidence
        each = error / max(int(several.sum()), 1)
        moving = t[:, moves]
        least_t = largest_t = np.float64(0.0)
        if moving.shape[1]:
            shared = each * int(moves.sum()) / 2
            least_t, largest_t = np.quantile(moving.min(1), shared), np.quantile(moving.max(1), 1 - shared)
        alone_t = np.quantile(t, [error / 2, 1 - error / 2], axis=0)  # [2, T]
        alone: list[Estimate] = []
        together: list[Estimate] = []
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
                both = []
                for level, lower, upper in ((error, *alone_t[:, place]), (each, least_t, largest_t)):
                    reach = _hoeffding(denominators[:, place], least, level)
                    low = max(least, point - reach, estimate[place] - spread[place] * upper)
                    high = min(1.0, point + reach, estimate[place] - spread[place] * lower)
                    both.append(Estimate(float(point), float(low), float(high)))
            alone.append(both[0])
            together.append(both[1])
        return Band(alone, together)


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
