"""The Mann-Kendall test of a series of shares, with Sen's slope; only from five conditions on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.significance import INDEPENDENT_CONDITIONS, Significance

FEWEST = 5
"""With four conditions even a strictly rising series has p = 2/4! = .083."""


@dataclass(frozen=True)
class MannKendall:
    """The parts of the test: S, its variance under ties, z with continuity correction, Kendall's tau-a, Sen's slope."""

    s: float
    variance: float
    z: float
    tau: float
    slope: float


def mann_kendall(series: Array, positions: Array) -> MannKendall:
    """Mann (1945), Kendall (1975): S = sum of sign(x_j - x_i) over i < j, of a series [n] in order.

    var S = (n (n-1) (2n+5) - sum of t (t-1) (2t+5) over groups of t ties) / 18; tau = S / (n (n-1) / 2). The slope is
    Sen's (1968), the median of all pairwise slopes over `positions` [n].
    """
    from scipy.stats import theilslopes

    n = len(series)
    s = float(np.sign(series[None, :] - series[:, None])[np.triu_indices(n, 1)].sum())
    ties = np.unique(series, return_counts=True)[1]
    variance = float(n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    z = float(np.sign(s) * (abs(s) - 1) / np.sqrt(variance)) if variance > 0 and s else 0.0
    return MannKendall(s, variance, z, s / (n * (n - 1) / 2), float(theilslopes(series, positions).slope))


def trend(series: Array, positions: Array | None = None) -> Significance:
    """The test of a series of shares [n], NaN where a condition has none; `effect` is Sen's slope.

    Positions are 0, 1, 2, ... where none are given.
    p is exact (the null distribution of Kendall's S) without ties, else from the normal approximation.
    """
    from scipy.stats import kendalltau, norm

    kept = np.isfinite(series)
    positions = (np.arange(len(series), dtype=float) if positions is None else positions)[kept]
    series = series[kept]
    method = "Mann-Kendall"
    if len(series) < FEWEST:
        return Significance(
            method,
            reason=f"needs {FEWEST} conditions, {len(series)} have a share",
            warning=INDEPENDENT_CONDITIONS,
        )
    found = mann_kendall(series, positions)
    if found.variance <= 0:
        return Significance(method, reason="the share is the same at all conditions", warning=INDEPENDENT_CONDITIONS)
    if len(np.unique(series)) == len(series):
        p = float(kendalltau(np.arange(len(series)), series, method="exact").pvalue)
        method += ", exact"
    else:
        p = float(2 * norm.sf(abs(found.z)))
        method += ", normal approximation with ties"
    return Significance(method, p, found.z, effect=found.slope, warning=INDEPENDENT_CONDITIONS)
