"""Sign flips of clusters: worked by hand, against scipy's permutation test, and against exact enumeration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import permutation_test

from gainsift.analysis.estimate import generator
from gainsift.analysis.sign_flip import EXACT_UP_TO, sign_flip, sign_patterns

RNG = generator(1, "unused where all patterns are gone through")


@pytest.mark.parametrize(
    ("scores", "p"),
    [
        ([1, 2, 3], Fraction(2, 8)),  # only +++ and --- reach 6
        ([1, 1, -1], Fraction(8, 8)),  # |sum| is 1 at least
        ([2, 1, 1, 0, 0], Fraction(2, 8)),  # clusters that did not move do not count
        ([1, 2, 3, 4, -1], Fraction(6, 32)),  # |11 - 2 x| >= 9: x, the flipped sum, is 0 or 1 (two ways), or 10, 11
        ([0.1, 0.2, -0.3], Fraction(8, 8)),  # the sum is zero but for rounding
        (
            [0.1, 0.2, 0.3, -0.6, 1],
            Fraction(18, 32),
        ),  # in tenths: x <= 6 for {}, 1, 2, 3, 6, 12, 13, 23, 123; or 22 - x
    ],
)
def test_by_hand(scores: list[float], p: Fraction) -> None:
    assert sign_flip(np.array(scores, float), RNG).p == pytest.approx(float(p), abs=1e-12)


def test_all_patterns_equal_scipys_permutation_test() -> None:
    rng = np.random.default_rng(4)
    for size in (5, 9, EXACT_UP_TO):
        scores = rng.normal(0.4, 1, size)
        other = permutation_test(
            (scores,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert sign_flip(scores, RNG).p == pytest.approx(other.pvalue, abs=1e-12)


def test_random_patterns_come_near_all_of_them() -> None:
    scores = np.random.default_rng(6).normal(0.45, 1, EXACT_UP_TO + 3)
    signs = 1 - 2 * ((np.arange(2 ** len(scores))[:, None] >> np.arange(len(scores))) & 1)
    exact = float((np.abs(signs @ scores) >= abs(scores.sum()) - 1e-9).mean())
    assert 0.01 < exact < 0.5
    found = sign_flip(scores, generator(2, "flips"), flips=20_000)
    assert found.p == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 20_000))
    assert "20,000 random patterns" in found.method
    assert sign_flip(scores, generator(2, "flips"), flips=20_000) == found


def test_a_random_p_is_never_zero() -> None:
    """Phipson & Smyth 2010: of 99 patterns none as extreme is p = 1/100."""
    assert sign_flip(np.ones(200), generator(1, "x"), flips=99).p == 1 / 100


def test_blocks_of_patterns_hold_all_that_were_asked_for() -> None:
    blocks = list(sign_patterns(3000, 1500, generator(1, "blocks")))
    assert sum(len(block) for block in blocks) == 1500
    assert len(blocks) > 1
    assert {float(sign) for block in blocks for sign in np.unique(block)} == {-1.0, 1.0}
    assert abs(np.concatenate(blocks).mean()) < 5 / np.sqrt(3000 * 1500)


def test_few_clusters_cannot_be_significant_and_say_so() -> None:
    found = sign_flip(np.array([3.0, 4, 5, 6]), RNG)
    assert found.p == 2 / 16
    assert found.note == "only 4 clusters moved: p cannot be less than 0.125"
    assert sign_flip(np.array([0.0, 3]), RNG).note == "only 1 cluster moved: p cannot be less than 1"
    assert sign_flip(np.arange(1.0, 7), RNG).note == ""


@pytest.mark.parametrize("scores", [[], [0.0, 0.0]])
def test_nothing_moved_is_undefined(scores: list[float]) -> None:
    found = sign_flip(np.array(scores), RNG)
    assert found.p is None
    assert not found.defined
    assert found.reason == "no cluster moved"
