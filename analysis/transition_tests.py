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
    """McNemar's test of one rate, exact: gained of gained + lost is binomial(1/2) under the null (statsmodels)."""
    from statsmodels.stats.contingency_tables import mcnemar as exact

    if not gained + lost:
        return Significance("McNemar, exact", reason="no unit moved", warning=INDEPENDENT_UNITS)
    found = exact([[0, gained], [lost, 0]], exact=True)
    return Significance("McNemar, exact", float(found.pvalue), float(found.statistic), warning=INDEPENDENT_UNITS)


def mcnemar_mid_p(gained: int, lost: int) -> Significance:
    """McNemar's test with the mid-p value, less conservative: half of the observed point is taken off each tail.

    Fagerland, Lydersen & Laake (2013), BMC Medical Research Methodology 13:91: p - f with the probability f of the
    point, and 1 - f / 2 where as many are gained as lost.
    """
    from scipy.stats import binom

    few, moved = min(gained, lost), gained + lost
    if not moved:
        return Significance("McNemar, mid-p", reason="no unit moved", warning=INDEPENDENT_UNITS)
    point = float(binom.pmf(few, moved, 0.5))
    p = 1 - point / 2 if gained == lost else 2 * float(binom.cdf(few, moved, 0.5)) - point
    return Significance("McNemar, mid-p", p, float(few), warning=INDEPENDENT_UNITS)


CLASSIC: dict[str, Callable[[Array], Significance]] = {
    "stuart_maxwell": stuart_maxwell,
    "bhapkar": bhapkar,
    "bowker": bowker,
}
