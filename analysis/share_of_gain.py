"""The share of a gain that a part of it makes up, part / whole, with Fieller's interval over clusters.

The whole is itself estimated, and may lie near zero: bootstrap limits of the ratio are then far too short (measured
by benchmarks/reliability.py). Fieller's set is bounded exactly where the whole differs from zero at the same level.
"""

from __future__ import annotations

import numpy as np

from gainsift.analysis.estimate import BOUND, Array, Estimate, same_everywhere, undefined
from gainsift.analysis.studentised import ADDED, typical_size

METHOD = "Fieller's interval with the cluster-robust covariance, t, four small clusters added"
NOT_ESTIMABLE = "not estimable: the interval of the whole gain holds 0"
NO_INTERVAL = "not estimable: the whole gain has no interval"


def share_of_gain(parts: Array, whole: Array, totals: Array, confidence: float, gain: Estimate) -> list[Estimate]:
    """The share of each part: cluster sums `parts` [C, K] over those of `whole` [C]; `totals` [C] their weights.

    `gain` is the whole as the report shows it: where it is undefined, 0, or without an interval that leaves 0 out, no
    share is estimable (limits of a handful of resamples may leave 0 out beside a gain of 0).
    Fieller (1954, JRSS B 16:175): all r for which the mean of part - r whole is not significantly different from
    zero, t with C - 1 degrees of freedom. The clusters added are those that the interval of the whole adds (see
    `studentised`), each halved into one that the part shares in and one that it does not. A part that is zero in
    every cluster, or the whole gain in every cluster, has the bound of `estimate.same_everywhere` over the gain.
    """
    from scipy.stats import t

    if gain.point is None:
        return [undefined(gain.reason)] * parts.shape[1]
    if gain.low is None or gain.high is None:
        return [undefined(NO_INTERVAL)] * parts.shape[1]
    if not gain.point or gain.low <= 0 <= gain.high or len(totals) < 2:
        return [undefined(NOT_ESTIMABLE)] * parts.shape[1]
    size = float(typical_size(totals[:, None])[0]) * ADDED / 2
    g = np.concatenate([whole, size * np.array([1, -1, 1, -1])])
    d = np.concatenate([totals, np.full(4, size)])
    factor = len(totals) / (len(totals) - 1) * float(t.ppf((1 + confidence) / 2, len(totals) - 1)) ** 2
    away = g - g.sum() / d.sum() * d
    found = []
    for part in parts.T:
        constant = 0.0 if not part.any() else 1.0 if np.array_equal(part, whole) else None
        if constant is not None:
            bound = same_everywhere(0.0, -1.0, totals, confidence)[1] / abs(gain.point)
            found.append(Estimate(constant, constant - bound, constant + bound, reason=BOUND, bounded=True))
            continue
        n = np.concatenate([part, size * np.array([1, -1, 0, 0])])
        of_part = n - n.sum() / d.sum() * d
        # (N - r G)² = factor * variance of (N - r G) is a r² - 2 b r + c = 0
        a = g.sum() ** 2 - factor * float(away @ away)
        b = n.sum() * g.sum() - factor * float(of_part @ away)
        c = n.sum() ** 2 - factor * float(of_part @ of_part)
        if a <= 0:
            found.append(undefined(NOT_ESTIMABLE))
            continue
        width = float(np.sqrt(max(b * b - a * c, 0.0)))
        found.append(Estimate(float(part.sum() / whole.sum()), float(b - width) / a, float(b + width) / a))
    return found
