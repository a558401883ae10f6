"""Correction of a family of cluster-level tests that uses how they hang together: step-down max-T by sign flips."""

from __future__ import annotations

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.sign_flip import EXACT_UP_TO, FLIPS, method_in_words, sign_patterns, tail_probability
from gainsift.analysis.significance import Significance


def max_t(scores: Array, rng: np.random.Generator, flips: int = FLIPS) -> list[Significance]:
    """Adjusted p-values of K sign-flip tests: `scores` [C, K], one column for each test.

    Westfall & Young (1993), step-down, free of assumptions on the dependence: every pattern flips whole clusters,
    all columns at once. T is |sum| over the root of the sum of squares, which no flip changes. Tests are ordered by
    T, each is compared with the largest T among itself and those after it, and p may not fall on the way
    (Ge, Dudoit & Speed 2003, Test 12:1, box 2). Controls the probability of any false alarm in the family.
    """
    moved = scores[(scores != 0).any(1)]
    method = f"step-down max-T over {scores.shape[1]} tests, {method_in_words(len(moved), flips)}"
    scale = np.sqrt((moved**2).sum(0))
    tested = np.flatnonzero(scale > 0)
    if not len(tested):
        return [Significance(method, reason="no cluster moved")] * scores.shape[1]
    unit = moved[:, tested] / scale[tested]
    observed = np.abs(unit.sum(0))
    order = np.argsort(-observed, kind="stable")
    at_least = np.zeros(len(tested))
    patterns = 0
    for signs in sign_patterns(len(moved), flips, rng):
        drawn = np.abs(signs @ unit[:, order])  # [F, K] from the largest T to the smallest
        largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        at_least += (largest >= observed[order] - 1e-9).sum(0)
        patterns += len(signs)
    exact = len(moved) <= EXACT_UP_TO
    stepped = np.maximum.accumulate([tail_probability(int(count), patterns, exact) for count in at_least])
    found = [Significance(method, reason="no cluster moved")] * scores.shape[1]
    for place, p in zip(order, stepped, strict=True):
        found[tested[place]] = Significance(method, float(p), float(observed[place]))
    return found
