"""Dawid and Skene's model without each cluster of items, from the fit of all of them, in a few steps a cluster.

EM is a map of expected counts (dawid_skene.expected_counts) to themselves, and a fit is where they stay, N = G(N).
Without one cluster of many they stay near by. So each refit goes from the fit of all by Newton's steps for
N = G_without(N), with one Jacobian for all clusters, that of G at the fit (the chord method: Kelley 1995, Iterative
Methods for Linear and Nonlinear Equations, ch. 5), and one of its own for a cluster that this does not bring near
enough. Where such steps do not settle, or EM would not stay, EM's own are taken, extrapolated by SQUAREM (Varadhan &
Roland 2008, Scandinavian Journal of Statistics 35:335), which never lowers the likelihood.

The Jacobian is the share of missing information whose largest eigenvalue is the rate of EM (Dempster, Laird & Rubin
1977, Journal of the Royal Statistical Society B 39:1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.dawid_skene import (
    MOST_STEPS,
    SETTLED,
    DawidSkene,
    Votes,
    expected_counts,
    judgements_of,
    most_likely,
    posteriors_of,
)
from gainsift.analysis.estimate import Array

Chosen = npt.NDArray[np.bool_]

ROUGHLY = 1e-7
"""Where a fit without a cluster has settled: far below what clusters differ by."""
PATIENCE, SHRINKAGE = 10, 30
"""Within so many steps a movement becomes so many times smaller, or a Jacobian of where it is now is worth its making.
"""
MOST_JACOBIANS = 3
"""Made anew for one cluster; then EM's own steps are taken, which do not jump, but may be hundreds."""
NEXT_TO_NOTHING = 1e-12
"""A count that is no larger moves nothing, and is moved by EM's own steps alone."""
SMALL, GROWTH = 1e-3, 1.001
"""A count below the one that grows by more than the other in a step of EM is about to leave zero."""
LARGEST = 4000
"""Expected counts, in number, whose Jacobian is still worth its making: 130 MB a matrix."""


@dataclass(frozen=True)
class Newton:
    """`moving` [C, V]: which of the expected counts take Newton's step; `inverse` [K, K] of identity less Jacobian."""

    moving: Chosen
    inverse: Array

    def step(self, residual: Array) -> Array:
        """How far to move the counts [C, V] from what EM's step would add to them."""
        found = residual.copy()
        found[self.moving] = self.inverse @ residual[self.moving]
        return found


@dataclass(frozen=True)
class Start:
    """The fit of all, from which every cluster's steps begin: expected counts [C, V], posteriors [P, V].

    `each` [P]: the log likelihood of an item of each pattern; `rising` [C, V]: counts that EM would make large ones
    there, too, which the fit of all has left as they are.
    """

    expected: Array
    posteriors: Array
    each: Array
    rising: Chosen
    newton: Newton


def without_each(fit: DawidSkene, clusters: npt.NDArray[np.intp], count: int) -> Iterator[Array]:
    """Expected judgements [A, V, V], by annotator, true label and label given, without cluster 0, 1, ..., count - 1.

    `clusters` [U] is the number of each item's cluster. Zeros where no item is left.
    """
    votes, whole = fit.votes, fit.votes.items_of_patterns()
    there = expected_counts(votes, whole, fit.by_pattern)
    posteriors, each = _posteriors(votes, there)
    known = _rising(there, expected_counts(votes, whole, posteriors))
    newton = _newton(votes, whole, there)
    start = None if newton is None else Start(there, fit.by_pattern, each, known, newton)
    for cluster in range(count):
        counts = votes.items_of_patterns((clusters != cluster).astype(np.float64))
        found = there
        if not counts.any():
            found = np.zeros_like(there)
        elif not np.array_equal(counts, whole):
            settled = None if start is None else _settled(votes, counts, start)
            found = _by_em(votes, counts, fit.by_pattern) if settled is None else settled
        yield judgements_of(votes, found)


def _settled(votes: Votes, counts: Array, start: Start) -> Array | None:
    """The expected counts [C, V] at which Newton's steps settle; None if they do not, or where EM would not stay."""
    expected, posteriors, newton = start.expected, start.posteriors, start.newton
    met, moved, jacobians = counts > 0, [np.inf], 0
    while moved[-1] > ROUGHLY:
        if len(moved) > PATIENCE and not moved[-1] < moved[-PATIENCE] / SHRINKAGE:
            again = _newton(votes, counts, expected) if jacobians < MOST_JACOBIANS else None
            if again is None:
                return None
            newton, moved, jacobians = again, moved[-1:], jacobians + 1
        target = expected_counts(votes, counts, posteriors)
        step = expected + newton.step(target - expected)
        expected = np.where(step >= 0, step, target)  # EM's own step never goes below zero
        before, (posteriors, each) = posteriors, _posteriors(votes, expected)
        if not np.isfinite(posteriors).all():
            return None
        moved.append(float(np.abs(posteriors - before)[met].max()))
    found = expected_counts(votes, counts, posteriors)
    left = _rising(expected, found) & ~start.rising
    return None if left.any() or counts @ each < counts @ start.each else found


def _rising(expected: Array, after: Array) -> Chosen:
    """The small counts [C, V] that EM would make large ones, by one step of it."""
    return (expected < SMALL) & (after > GROWTH * expected)


def _by_em(votes: Votes, counts: Array, posteriors: Array) -> Array:
    """The expected counts [C, V] at which EM stays, by EM's steps, two of which tell how far to go on (SQUAREM)."""
    met = counts > 0
    expected = expected_counts(votes, counts, posteriors)
    for _ in range(MOST_STEPS):
        one, before, _ = _em(votes, counts, expected)
        two, after, likelihood = _em(votes, counts, one)
        if np.abs(after - before)[met].max() <= SETTLED:
            return two
        moved, bend = one - expected, two - 2 * one + expected
        length = max(1.0, float(np.linalg.norm(moved)) / max(float(np.linalg.norm(bend)), NEXT_TO_NOTHING))
        far = expected + 2 * length * moved + length**2 * bend
        beyond, _, reached = _em(votes, counts, np.where(far >= 0, far, two))
        expected = beyond if np.isfinite(reached) and reached >= likelihood else two
    return expected


def _posteriors(votes: Votes, expected: Array) -> tuple[Array, Array]:
    """What posteriors_of tells of the chances that are most likely given the expected counts [C, V]."""
    return posteriors_of(votes, *most_likely(votes, expected))


def _em(votes: Votes, counts: Array, expected: Array) -> tuple[Array, Array, float]:
    """One step of EM: expected counts [C, V], posteriors [P, V] that gave them, and the log likelihood before it."""
    posteriors, each = _posteriors(votes, expected)
    return expected_counts(votes, counts, posteriors), posteriors, float(counts @ each)


def _newton(votes: Votes, counts: Array, expected: Array) -> Newton | None:
    """Of EM's map at the expected counts [C, V]; None if there is none worth having."""
    if expected.size > LARGEST:
        return None
    moving = expected > NEXT_TO_NOTHING
    jacobian = _jacobian(votes, counts, expected)[np.ix_(moving.ravel(), moving.ravel())]
    try:
        inverse: Array = np.linalg.inv(np.eye(len(jacobian)) - jacobian).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    return Newton(moving, inverse) if np.isfinite(inverse).all() else None


def _jacobian(votes: Votes, counts: Array, expected: Array) -> Array:
    """How EM's map moves each expected count with each, [C * V, C * V]; columns next to nothing are not to be used."""
    from scipy.sparse import csr_array, hstack

    cells, size = expected.shape
    posteriors, _ = _posteriors(votes, expected)
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
    return np.asarray(jacobian.reshape(cells * size, -1))


def _some(counts: Array) -> Array:
    return np.maximum(counts, NEXT_TO_NOTHING)
