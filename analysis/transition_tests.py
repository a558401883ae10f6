"""Classic tests of a square table of transitions. All of them take units to be independent, and say so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.significance import INDEPENDENT_UNITS, Significance


def _undefined(method: str, reason: str = "no unit moved") -> Significance:
    return Significance(method, reason=reason, warning=INDEPENDENT_UNITS)


def _moves(table: Array) -> Array:
    """The table without its diagonal."""
    return table - np.diag(np.diag(table))


def _homogeneity(table: Array, method: str, key: str) -> Significance:
    from statsmodels.stats.contingency_tables import SquareTable

    moves = _moves(table)
    if not moves.any():
        return _undefined(method)
    # A category that nothing enters or leaves makes the covariance singular. It goes, but its units stay: on the
    # diagonal it does not matter where.
    keep = (moves.sum(0) + moves.sum(1)) > 0
    kept = table[np.ix_(keep, keep)].copy()
    kept[0, 0] += np.diag(table)[~keep].sum()
    covariance = np.diag(moves.sum(0) + moves.sum(1)) - moves - moves.T
    if key == "bhapkar":
        net = moves.sum(1) - moves.sum(0)
        covariance -= np.outer(net, net) / table.sum()
    if np.linalg.matrix_rank(covariance[np.ix_(keep, keep)]) < keep.sum() - 1:
        return _undefined(method, "the covariance of the marginals is singular")
    found = SquareTable(kept, shift_zeros=False).homogeneity(method=key)
    statistic, p = float(found.statistic), float(found.pvalue)
    return Significance(method, p, statistic, (float(found.df),), warning=INDEPENDENT_UNITS)


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

    if not _moves(table).any():
        return _undefined("Bowker")
    upper = np.triu_indices(len(table), 1)
    there, back = table[upper], table.T[upper]
    occur = there + back > 0
    statistic = float(((there - back)[occur] ** 2 / (there + back)[occur]).sum())
    df = float(occur.sum())
    return Significance("Bowker", float(chi2.sf(statistic, df)), statistic, (df,), warning=INDEPENDENT_UNITS)


def mcnemar(gained: int, lost: int) -> Significance:
    """McNemar's test of one rate, exact: gained of gained + lost is binomial(1/2) under the null (statsmodels)."""
    from statsmodels.stats.contingency_tables import mcnemar as exact

    if not gained + lost:
        return _undefined("McNemar, exact")
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
        return _undefined("McNemar, mid-p")
    point = float(binom.pmf(few, moved, 0.5))
    p = 1 - point / 2 if gained == lost else 2 * float(binom.cdf(few, moved, 0.5)) - point
    return Significance("McNemar, mid-p", p, float(few), warning=INDEPENDENT_UNITS)


CLASSIC: dict[str, Callable[[Array], Significance]] = {
    "stuart_maxwell": stuart_maxwell,
    "bhapkar": bhapkar,
    "bowker": bowker,
}
