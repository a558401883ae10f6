"""Intervals for coefficients of agreement: units that look alike are resampled together.

A coefficient cannot tell two units with the same labels apart, so a table of a million units is its few hundred
distinct rows ("patterns") and how many units show each. Drawing n units with replacement is then one multinomial
draw over the patterns, and a coefficient takes all resamples at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, Estimate, divide, interval
from gainsift.analysis.ratings import GAP, Ratings

Codes = npt.NDArray[np.int32]
BLOCK = 1 << 22
"""Cells of the table resamples x patterns that are held at once (32 MB of them)."""
CACHE = 1 << 13
"""Units that are drawn at once."""
COMMON = 40
"""Units of a pattern from which a binomial number is quicker than drawing them one by one."""
PERCENTILE = "percentile limits of resampled items"
DROPPED = "Interval over the resamples in which the figure is defined; in some it is not."
ALIKE = (
    "Every resample gives the same figure, so that the limits are bounds: what it would be if a share 1 − (tail)^(1/n)"
    " of the n items agreed, or disagreed, as far as can be (Clopper-Pearson: none of n differs)."
)


class Disagreement(NamedTuple):
    """Observed and chance-expected disagreement, each [R, K]: K coefficients in R resamples. A coefficient is
    1 - observed / expected."""

    observed: Array
    expected: Array

    def coefficient(self) -> Array:
        return np.asarray(1 - divide(self.observed, self.expected))


Measure = Callable[[Array], Disagreement]
"""From how much each pattern counts, [R, P], to the disagreements [R, K]."""


@dataclass(frozen=True)
class Patterns:
    """Distinct rows `codes` [P, A], the number of units that show each [P], and each such unit's weight [P].

    Weights have mean 1 over the units, so that their scale does not matter.
    """

    codes: Codes
    units: npt.NDArray[np.int64]
    weight: Array

    def once(self) -> Array:
        """How much each pattern counts in the table itself: [1, P]."""
        return np.asarray((self.units * self.weight)[None])

    def counts(self, labels: int) -> Array:
        """How many annotators gave each label: [P, V]."""
        found = np.zeros((len(self.codes), labels))
        for column in self.codes.T:
            given = np.flatnonzero(column != GAP)
            found[given, column[given]] += 1
        return found


def patterns(ratings: Ratings, who: bool = False) -> Patterns:
    """The patterns of a table, in the order of their codes whatever the order of the units.

    Who gave which label is kept only if `who`: most coefficients ask how often each label was given, kappa of two
    annotators asks by whom. Weights that are all zero count as none.
    """
    codes = ratings.codes if who else np.sort(ratings.codes, axis=1)
    weights = ratings.weights
    if weights is None or not weights.any():
        first, units = _distinct(codes)
        return Patterns(codes[first], units, np.ones(len(first)))
    kinds, kind = np.unique(weights / weights.mean(), return_inverse=True)
    first, units = _distinct(np.column_stack([codes, kind]))
    return Patterns(codes[first], units, kinds[kind[first]])


def joint_patterns(ratings: Ratings, there: npt.NDArray[np.bool_]) -> tuple[Patterns, npt.NDArray[np.bool_]]:
    """The patterns of units that occur in several parts, `there` [U, G], and in which parts each is: [P, G]."""
    codes = np.sort(ratings.codes, axis=1)
    first, units = _distinct(np.column_stack([codes, there]).astype(np.int64))
    return Patterns(codes[first], units, np.ones(len(first))), there[first]


def _distinct(rows: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Where each distinct row of [U, K] first stands, and how often it occurs; ordered by the rows' values."""
    key: npt.NDArray[np.int64] = np.zeros(len(rows), dtype=np.int64)
    size = 1
    for column in rows.T:
        low = int(column.min(initial=0))
        span = int(column.max(initial=0)) - low + 1
        if size > 2**62 // span:  # the number would not fit: take ranks instead, they keep the order
            seen, ranks = np.unique(key, return_inverse=True)
            key, size = ranks.astype(np.int64), len(seen)
        key, size = key * span + (column - low), size * span
    _, first, units = np.unique(key, return_index=True, return_counts=True)
    return first, units.astype(np.int64)


def draws(units: npt.NDArray[np.int64], resamples: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many units of each pattern are in each resample of as many units as there are: [R, P].

    A multinomial draw. A binomial number for each common pattern, and for all rare ones together, is quickest; the
    units of that rest are then drawn one by one.
    """
    common = units >= COMMON
    rare, total = units[~common], int(units.sum())
    left = int(rare.sum())
    first = rng.multinomial(total, np.append(units[common], left) / total, size=resamples)
    found = np.empty((resamples, len(units)), dtype=np.int64)
    found[:, common] = first[:, :-1]
    if not left:
        return found
    owner = np.repeat(np.arange(len(rare)), rare)
    rest = np.empty((resamples, len(rare)), dtype=np.int64)
    step = max(1, CACHE // left)
    for start in range(0, resamples, step):
        numbers = first[start : start + step, -1]
        cells = owner.take(rng.integers(left, size=numbers.sum()))
        cells += np.repeat(np.arange(len(numbers)) * len(rare), numbers)
        rest[start : start + step] = np.bincount(cells, minlength=len(numbers) * len(rare)).reshape(len(numbers), -1)
    found[:, ~common] = rest
    return found


def estimates(
    table: Patterns, measure: Measure, resamples: int, confidence: float, rng: np.random.Generator
) -> list[Estimate]:
    """Each coefficient of `measure` with its interval; undefined without a reason where no disagreement is expected.

    The interval holds the percentile limits over resampled units (Efron 1979); where all items are alike, as where
    nobody disagrees or nobody agrees, that has no width, and it is bounded instead (ALIKE). Disagreements are between
    0 and 1.
    """
    at_hand = measure(table.once())
    points = at_hand.coefficient()[0]
    several = int(table.units[(table.codes != GAP).sum(1) >= 2].sum()) > 1
    samples = _resampled(table, measure, resamples, rng) if several else np.zeros((0, len(points)))
    found = []
    for point, observed, expected, sample in zip(
        points, at_hand.observed[0], at_hand.expected[0], samples.T, strict=True
    ):
        if not np.isfinite(point):
            found.append(Estimate(None))
        elif not several:
            found.append(Estimate(float(point), reason="no interval: one item judged twice"))
        elif observed <= 1e-12 * expected or _same(point, sample):
            share = unseen(_effective(table), confidence)
            low, high = (float(1 - (observed * (1 - share) + most * share) / expected) for most in (1, 0))
            found.append(Estimate(float(point), low, high, ALIKE, bounded=True))
        else:
            found.append(_percentile(float(point), sample, confidence))
    return found


def unseen(items: float, confidence: float) -> float:
    """The largest share that may differ where none of `items` does (Clopper & Pearson 1934)."""
    return float(1 - ((1 - confidence) / 2) ** (1 / items))


def _same(point: float, sample: Array) -> bool:
    """Whether every resample in which the figure is defined, ten at least, gives that of the table."""
    kept = sample[np.isfinite(sample)]
    return len(kept) >= 10 and bool((np.abs(kept - point) < 1e-12).all())


def _resampled(table: Patterns, measure: Measure, resamples: int, rng: np.random.Generator) -> Array:
    """Coefficients of each resample: [R, K], NaN where undefined."""
    step = max(1, BLOCK // len(table.units))
    return np.concatenate(
        [
            measure(draws(table.units, min(step, resamples - done), rng) * table.weight).coefficient()
            for done in range(0, resamples, step)
        ]
    )


def _effective(table: Patterns) -> float:
    """Units judged twice or more; of unequal weights the number of equal ones (Kish 1965)."""
    judged = (table.codes != GAP).sum(1) >= 2
    units, weight = table.units[judged], table.weight[judged]
    return float((units * weight).sum() ** 2 / (units * weight**2).sum())


def _percentile(point: float, sample: Array, confidence: float) -> Estimate:
    """An item on which people disagree defines every coefficient; a resample lacks it with probability .37 at most."""
    low, high = interval(sample, confidence)
    if low is None:
        return Estimate(point, reason="no interval: undefined in every resample")
    return Estimate(point, low, high, reason="" if np.isfinite(sample).all() else DROPPED)
