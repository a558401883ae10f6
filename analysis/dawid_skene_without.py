"""Dawid and Skene's model without each cluster of items, from the fit of all of them, in two or three steps a cluster.

EM is a map of expected counts (dawid_skene.expected_counts) to themselves, and a fit is where they stay, N = G(N).
Without one cluster of many they stay near by. So each refit goes from the fit of all by Newton's steps for
N = G_without(N), with one Jacobian for all clusters, that of G at the fit (the chord method: Kelley 1995, Iterative
Methods for Linear and Nonlinear Equations, ch. 5). A cluster's first step needs no pass over the data, since
G_without(N) there is N less what the cluster brings in. Where such steps do not settle, EM's own are taken.

The Jacobian is the share of missing information whose largest eigenvalue is the rate of EM (Dempster, Laird & Rubin
1977, Journal of the Royal Statistical Society B 39:1).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gainsift.analysis.dawid_skene import (
    DawidSkene,
    Votes,
    dawid_skene,
    expected_counts,
    judgements_of,
    most_likely,
    posteriors_of,
)
from gainsift.analysis.estimate import Array

ROUGHLY = 1e-7
"""Where a fit without a cluster has settled: far below what clusters differ by."""
MOST_STEPS = 12
NEXT_TO_NOTHING = 1e-100
"""A count that is no larger moves nothing."""
LARGEST = 4000
"""Expected counts, in number, whose Jacobian is still worth its making: 130 MB."""


def without_each(fit: DawidSkene, clusters: npt.NDArray[np.intp], count: int) -> Iterator[Array]:
    """Expected judgements [A, V, V], by annotator, true label and label given, without cluster 0, 1, ..., count - 1.

    `clusters` [U] is the number of each item's cluster. Zeros where no item is left.
    """
    votes, start = fit.votes, fit.by_pattern()
    whole = votes.items_of_patterns(np.ones(len(votes.items)))
    there = expected_counts(votes, whole, start)
    newton = _newton(votes, whole, there)
    for cluster in range(count):
        counts = votes.items_of_patterns((clusters != cluster).astype(np.float64))
        found = there
        if not counts.any():
            found = np.zeros_like(there)
        elif not np.array_equal(counts, whole):
            settled = None if newton is None else _settled(votes, counts, start, there, newton)
            found = _by_em(fit, clusters != cluster, counts, start) if settled is None else settled
        yield judgements_of(votes, found)


def _settled(votes: Votes, counts: Array, posteriors: Array, expected: Array, newton: Array) -> Array | None:
    """The expected counts [C, V] at which the steps settle; None if they do not.

    `newton` [C * V, C * V] is the inverse of the identity less the Jacobian.
    """
    met = counts > 0
    for _ in range(MOST_STEPS):
        target = expected_counts(votes, counts, posteriors)
        step = (newton @ (target - expected).ravel()).reshape(expected.shape)
        expected = np.where(expected + step >= 0, expected + step, target)  # EM's own step never goes below zero
        before, (posteriors, _) = posteriors, posteriors_of(votes, *most_likely(votes, expected))
        if not np.isfinite(posteriors).all():
            return None
        if np.abs(posteriors - before)[met].max() <= ROUGHLY:
            return expected_counts(votes, counts, posteriors)
    return None


def _by_em(fit: DawidSkene, kept: npt.NDArray[np.bool_], counts: Array, start: Array) -> Array:
    alone = dawid_skene(fit.votes, kept.astype(np.float64), start, ROUGHLY)
    return expected_counts(fit.votes, counts, alone.by_pattern())


def _newton(votes: Votes, counts: Array, expected: Array) -> Array | None:
    """The inverse of the identity less the Jacobian of EM's map, [C * V, C * V]; None if there is none worth having."""
    from scipy.sparse import csr_array, hstack

    cells, size = expected.shape
    if cells * size > LARGEST:
        return None
    posteriors, _ = posteriors_of(votes, *most_likely(votes, expected))
    columns = hstack([votes.patterns, csr_array(np.ones((len(counts), 1)))], format="csr")  # [P, C]: the last, items
    moved = np.zeros((cells, size, cells, size))  # of a count, by the logarithm of a chance
    for true in range(size):
        for other in range(true + 1):
            both = counts * posteriors[:, true] * ((true == other) - posteriors[:, other])
            block = (columns.T @ (columns * both[:, None])).toarray()
            moved[:, true, :, other] = moved[:, other, :, true] = block
    moved[:, :, expected <= NEXT_TO_NOTHING] = 0.0
    # a chance is a count's part of the sum over the labels given, or over all items
    judged, items = moved[:, :, :-1].reshape(cells, size, -1, size, size), moved[:, :, -1]
    given = expected[:-1].reshape(-1, size, size)  # [A, given, true]
    by_judgements = judged / _some(given) - judged.sum(3, keepdims=True) / _some(given.sum(1, keepdims=True))
    by_items = items / _some(expected[-1]) - items.sum(2, keepdims=True) / expected[-1].sum()
    jacobian = np.concatenate([by_judgements.reshape(cells, size, -1, size), by_items[:, :, None]], axis=2)
    try:
        found = np.linalg.inv(np.eye(cells * size) - jacobian.reshape(cells * size, -1))
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None


def _some(counts: Array) -> Array:
    return np.maximum(counts, NEXT_TO_NOTHING)
