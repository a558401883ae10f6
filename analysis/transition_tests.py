"""Classic tests of a square table of transitions. All of them take units to be independent, and say so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.significance import INDEPENDENT_UNITS, Significance


def _in_use(table: Array) -> Array:
    """Without the categories that occur neither before nor after."""
    used = (table.sum(0) + table.sum(1)) > 0
    return table[np.ix_(used, used)]


def _undefined(method: str, table: Array) -> Significance | None:
    if len(table) < 2 or np.array_equal(table, np.diag(np.diag(table))):
        return Significance(method, reason="no unit moved", warning=INDEPENDENT_UNITS)
    return None


def _homogeneity(table: Array, method: str, key: str) -> Significance:
    from statsmodels.stats.contingency_tables import SquareTable

    table = _in_use(table)
    if (reason := _undefined(method, table)) is not None:
        return reason
    movers = table + table.T
    np.fill_diagonal(movers, 0)
    keep = movers.sum(0) > 0  # a category that nothing enters or leaves makes the covariance singular
    table = table[np.ix_(keep, keep)]
    found = SquareTable(table, shift_zeros=False).homogeneity(method=key)
    if not np.isfinite(found.statistic) or not 0 <= found.pvalue <= 1 or found.statistic < 0:
        return Significance(method, reason="the covariance of the marginals is singular", warning=INDEPENDENT_UNITS)
    return Significance(
        method, float(found.pvalue), float(found.statistic), (float(found.df),), warning=INDEPENDENT_UNITS
    )


def stuart_maxwell(table: Array) -> Significance:
    """Marginal homogeneity of a table of counts [K, K], before × after (Stuart 1955, Maxwell 1970; statsmodels)."""
    return _homogeneity(table, "Stuart-Maxwell", "stuart_maxwell")


def bhapkar(table: Array) -> Significance:
    """As `stuart_maxwell`, with the variance that does not suppose the null (Bhapkar 1966; statsmodels)."""
    return _homogeneity(table, "Bhapkar", "bhapkar")


def bowker(table: Array) -> Significance:
    """Symmetry: each transition as frequent as its reverse (Bowker 1948).

    sum of (n_ij - n_ji)² / (n_ij + n_ji) over the pairs i < j that occur, which are the degrees of freedom.
    """
    from scipy.stats import chi2

    method = "Bowker"
    if (reason := _undefined(method, table)) is not None:
        return reason
    upper = np.triu_indices(len(table), 1)
    there, back = table[upper], table.T[upper]
    occur = there + back > 0
    statistic = float(((there - back)[occur] ** 2 / (there + back)[occur]).sum())
    df = float(occur.sum())
    return Significance(method, float(chi2.sf(statistic, df)), statistic, (df,), warning=INDEPENDENT_UNITS)


def mcnemar(gained: int, lost: int) -> Significance:
    """McNemar's test of one rate, exact: gained of gained + lost is binomial(1/2) under the null."""
    return _binomial(gained, lost, "McNemar, exact", 0.0)


def mcnemar_mid_p(gained: int, lost: int) -> Significance:
    """McNemar's test with the mid-p value: half of the probability of what was observed is taken off each tail.

    Fagerland, Lydersen & Laake (2013), BMC Medical Research Methodology 13:91.
    """
    return _binomial(gained, lost, "McNemar, mid-p", 1.0)


def _binomial(gained: int, lost: int, method: str, taken_off: float) -> Significance:
    from scipy.stats import binom

    moved = gained + lost
    if not moved:
        return Significance(method, reason="no unit moved", warning=INDEPENDENT_UNITS)
    few = min(gained, lost)
    p = min(1.0, 2 * binom.cdf(few, moved, 0.5)) - taken_off * binom.pmf(few, moved, 0.5) * (1 if gained != lost else 0)
    if taken_off and gained == lost:
        p = 1.0 - binom.pmf(few, moved, 0.5)
    return Significance(method, float(p), float(few), warning=INDEPENDENT_UNITS)


CLASSIC: dict[str, Callable[[Array], Significance]] = {
    "stuart_maxwell": stuart_maxwell,
    "bhapkar": bhapkar,
    "bowker": bowker,
}
