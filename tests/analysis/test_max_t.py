"""Step-down max-T against a slow referee that follows Westfall & Young's algorithm line by line."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gainsift.analysis.estimate import generator
from gainsift.analysis.max_t import max_t
from gainsift.analysis.sign_flip import sign_flip

RNG = generator(1, "unused where all patterns are gone through")


def slow(scores: np.ndarray) -> list[float]:
    """Every sign pattern, every successive maximum, in plain loops."""
    clusters, tests = scores.shape
    size = [sum(scores[c, k] ** 2 for c in range(clusters)) ** 0.5 for k in range(tests)]
    observed = [abs(sum(scores[:, k])) / size[k] for k in range(tests)]
    order = sorted(range(tests), key=lambda k: -observed[k])
    counts = [0] * tests
    for signs in product((1, -1), repeat=clusters):
        drawn = [abs(sum(s * x for s, x in zip(signs, scores[:, k], strict=True))) / size[k] for k in range(tests)]
        for place, k in enumerate(order):
            counts[k] += max(drawn[other] for other in order[place:]) >= observed[k] - 1e-9
    adjusted, largest = [0.0] * tests, 0.0
    for k in order:
        largest = max(largest, counts[k] / 2**clusters)
        adjusted[k] = largest
    return adjusted


def test_equals_the_slow_referee() -> None:
    rng = np.random.default_rng(3)
    common = rng.normal(0.5, 1, (8, 1))
    scores = common + rng.normal(0, 1, (8, 4)) * [0.2, 1, 2, 1]
    scores[rng.random((8, 4)) < 0.2] = 0
    assert [found.p for found in max_t(scores, RNG)] == pytest.approx(slow(scores), abs=1e-12)


def test_whole_numbers_with_ties_too() -> None:
    scores = np.random.default_rng(9).integers(-1, 3, (7, 5)).astype(float)
    assert [found.p for found in max_t(scores, RNG)] == pytest.approx(slow(scores), abs=1e-12)


def test_one_test_alone_needs_no_correction() -> None:
    scores = np.random.default_rng(5).normal(0.4, 1, 10)
    assert max_t(scores[:, None], RNG)[0].p == pytest.approx(sign_flip(scores, RNG).p)


def test_copies_of_a_test_cost_nothing_and_independent_ones_do() -> None:
    """Where Holm would multiply by three, max-T sees that it is the same test."""
    rng = np.random.default_rng(7)
    scores = rng.normal(0.5, 1, (12, 1))
    alone = max_t(scores, RNG)[0].p
    assert [found.p for found in max_t(np.repeat(scores, 3, axis=1), RNG)] == [alone] * 3
    beside = max_t(np.column_stack([scores, rng.normal(0, 1, (12, 2))]), RNG)[0].p
    assert alone is not None
    assert beside is not None
    assert alone < beside <= 3 * alone + 1e-12


def test_a_test_in_which_nothing_moved_is_undefined_and_takes_no_part() -> None:
    scores = np.random.default_rng(8).normal(0.4, 1, (9, 2))
    found = max_t(np.column_stack([scores[:, 0], np.zeros(9), scores[:, 1]]), RNG)
    assert found[1].p is None
    assert found[1].reason == "no cluster moved"
    assert [found[0].p, found[2].p] == [one.p for one in max_t(scores, RNG)]
    assert all(one.p is None for one in max_t(np.zeros((4, 2)), RNG))


def test_random_patterns_come_near_all_of_them() -> None:
    scores = np.random.default_rng(11).normal(0.3, 1, (14, 3))
    signs = np.array(list(product((1, -1), repeat=14)))
    scale = np.sqrt((scores**2).sum(0))
    largest = np.abs(signs @ (scores / scale)).max(1)
    strongest = float(np.abs(scores.sum(0) / scale).max())
    exact = float((largest >= strongest - 1e-9).mean())
    found = min(one.p for one in max_t(scores, generator(3, "flips"), flips=20_000) if one.p is not None)
    assert found == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))
