"""Whether categories are as frequent after as before, for units that come in clusters.

The cluster-robust Wald form of Bhapkar's test, its paired difference of one rate, and both by sign flips.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, cluster_sums
from gainsift.analysis.sign_flip import EXACT_UP_TO, FLIPS, few_moved, method_in_words, sign_patterns, tail_probability
from gainsift.analysis.significance import Significance
from gainsift.analysis.wording import counted

WALD = "cluster-robust Wald test of marginal homogeneity (Bhapkar's form, Hotelling's F)"
PAIRED = "cluster-robust paired difference, t"
_SMALL = 1e-10
"""Eigenvalues smaller than this share of the largest count as zero."""


def net_flows(
    before: npt.NDArray[np.intp],
    after: npt.NDArray[np.intp],
    categories: int,
    clusters: npt.NDArray[np.intp],
    weight: Array | None = None,
) -> tuple[Array, Array]:
    """What each cluster gained in each category, [C, K], and its summed weight, [C].

    Units [U]: the number of their category before and after, and of their cluster.
    """
    weight = np.ones(len(before)) if weight is None else weight
    one_hot = np.eye(categories)
    change = (one_hot[after] - one_hot[before]) * weight[:, None]
    count = int(clusters.max()) + 1 if len(clusters) else 0
    sums = cluster_sums(np.column_stack([change, weight]), clusters, count)
    return sums[:, :-1], sums[:, -1]


def _robust(flows: Array, totals: Array) -> tuple[Array, Array]:
    """The change of each rate [K] and its cluster-robust covariance [K, K], linearised for unequal clusters."""
    count, total = len(flows), totals.sum()
    change = flows.sum(0) / total
    residuals = flows - totals[:, None] * change
    return change, residuals.T @ residuals * (count / (count - 1)) / total**2


def marginal_wald(flows: Array, totals: Array) -> Significance:
    """Test that no category's rate has changed, from `net_flows`.

    W = d' S^- d with the change of the rates d and its cluster-robust covariance S of rank r; with C clusters
    W (C - r) / ((C - 1) r) is referred to F(r, C - r), as Hotelling's T² is. With one unit a cluster and no weights
    W is Bhapkar's (1966, JASA 61:228) statistic times (n - 1) / n. After Rao & Scott's Wald tests for clustered
    samples (1984, Annals of Statistics 12:46) and Obuchowski (1998, Statistics in Medicine 17:1495).
    """
    held = totals > 0
    flows, totals = flows[held], totals[held]
    moved = int((flows != 0).any(1).sum())
    if not moved:
        return Significance(WALD, reason="no cluster moved")
    if len(flows) < 3:
        return Significance(WALD, reason=f"{len(flows)} clusters are too few")
    change, covariance = _robust(flows, totals)
    largest = float(np.linalg.eigvalsh(covariance)[-1])  # rates add up to one: the rank is K - 1 at most
    rank = int(np.linalg.matrix_rank(covariance, tol=_SMALL * largest, hermitian=True))
    if not 0 < rank < moved:
        return Significance(WALD, reason=f"{counted(moved, 'cluster')} moved, too few for {flows.shape[1]} categories")
    wald = float(change @ np.linalg.pinv(covariance, rcond=_SMALL, hermitian=True) @ change)
    df = float(rank), float(len(flows) - rank)
    from scipy.stats import f

    statistic = wald * df[1] / ((len(flows) - 1) * rank)
    return Significance(WALD, float(f.sf(statistic, *df)), statistic, df)


def paired_difference(flows: Array, totals: Array) -> Significance:
    """Test that one rate has not changed: `flows` [C] its net flow in each cluster, `totals` [C]; t with C - 1 df.

    `effect` is the change of the rate.
    """
    held = totals > 0
    flows, totals = flows[held], totals[held]
    if not (flows != 0).any():
        return Significance(PAIRED, reason="no cluster moved", effect=0.0 if len(flows) else None)
    if len(flows) < 2:
        return Significance(PAIRED, reason="one cluster only", effect=float(flows.sum() / totals.sum()))
    change, covariance = _robust(flows[:, None], totals)
    effect, error = float(change[0]), float(np.sqrt(covariance[0, 0]))
    if error < 1e-12 * abs(effect):
        return Significance(PAIRED, effect=effect, reason="all clusters changed alike")
    from scipy.stats import t

    df = float(len(flows) - 1)
    return Significance(PAIRED, float(2 * t.sf(abs(effect) / error, df)), effect / error, (df,), effect)


def sign_flip_homogeneity(flows: Array, rng: np.random.Generator, flips: int = FLIPS) -> Significance:
    """Marginal homogeneity by sign flips of whole clusters: n' (sum n_c n_c')^- n with n the sum of net flows [C, K].

    The matrix between is the same under every flip. Exact where before and after are exchangeable in each cluster.
    """
    moved = flows[(flows != 0).any(1)]
    method = "marginal homogeneity, " + method_in_words(len(moved), flips)
    if not len(moved):
        return Significance(method, reason="no cluster moved")
    middle = np.linalg.pinv(moved.T @ moved, rcond=_SMALL, hermitian=True)
    total = moved.sum(0)
    observed = float(total @ middle @ total)
    at_least = patterns = 0
    for signs in sign_patterns(len(moved), flips, rng):
        sums = signs @ moved
        at_least += int((((sums @ middle) * sums).sum(1) >= observed * (1 - 1e-9)).sum())
        patterns += len(signs)
    p = tail_probability(at_least, patterns, len(moved) <= EXACT_UP_TO)
    return Significance(method, p, observed, note=few_moved(len(moved)))
