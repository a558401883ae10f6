"""Does agreement change from the first condition of a series to the last?

The items of both conditions are resampled together, so that those which occur at both move both figures alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gainsift.analysis.agreement import undefined_because
from gainsift.analysis.estimate import Array, Estimate, interval, undefined
from gainsift.analysis.kappas import percent
from gainsift.analysis.levels import Level, Scale
from gainsift.analysis.patterns import Disagreement, draws, joint_patterns
from gainsift.analysis.ratings import Labels, Ratings

SAME_ITEMS = "the same items occur at both conditions, so that nothing can drift"


@dataclass(frozen=True)
class Drift:
    """Alpha and agreeing pairs (in points of 100) at the condition `last` less those at `first`."""

    first: str
    last: str
    alpha: Estimate
    percent: Estimate


def drift(
    table: Labels,
    rows: Mapping[str, Mapping[str, float]],
    level: Level | Scale,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> Drift:
    """From the first to the last of `rows`, condition -> items that occur there (two conditions at least).

    Over distinct items, each counted once; intervals are percentile limits of resampled items. Undefined where a
    figure is undefined at either end.
    """
    scale = Scale.of(level)
    first, *_, last = rows
    items = {item: votes for item, votes in table.items() if votes and (item in rows[first] or item in rows[last])}
    ratings = Ratings.of(items, order=scale.order)
    there = np.array([[item in rows[end] for end in (first, last)] for item in items], dtype=bool)
    there = there.reshape(-1, 2)
    twice = ratings.sizes >= 2
    reasons = [undefined_because(part, part.chosen(part.sizes >= 2)) for part in (ratings.chosen(e) for e in there.T)]
    counted = [bool((twice & end).any()) for end in there.T]
    alike, ends = joint_patterns(ratings.chosen(twice), there[twice])
    counts, units = alike.counts(len(ratings.labels)), alike.units
    of_alpha = scale.alpha(ratings.labels)

    def change(measure: Callable[[Array, Array], Disagreement], times: Array) -> Array:
        at = [measure(counts[ends[:, side]], times[:, ends[:, side]]).coefficient()[:, 0] for side in (0, 1)]
        return np.asarray(at[1] - at[0])

    def of(measure: Callable[[Array, Array], Disagreement], whys: list[str], times: float = 1.0) -> Estimate:
        why = [f"at {name}: {why}" for name, why in zip((first, last), whys, strict=True) if why]
        if why:
            return undefined("; ".join(why))
        point = float(change(measure, units[None].astype(np.float64))[0])
        if ends.all():
            return Estimate(0.0, 0.0, 0.0, SAME_ITEMS)
        low, high = interval(change(measure, sample), confidence)
        if low is None or high is None or high - low < 1e-12:
            return Estimate(times * point, reason="no interval: too few items to resample")
        return Estimate(times * point, times * low, times * high)

    sample = draws(units, resamples, rng).astype(np.float64) if len(units) else np.zeros((resamples, 0))
    nobody = ["" if some else why or "no item judged twice" for some, why in zip(counted, reasons, strict=True)]
    return Drift(first, last, of(of_alpha, reasons), of(percent, nobody, 100.0))
