"""Slopes within units: by hand, against least squares with one intercept a unit, and what gaps must not do."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from gainsift.analysis.estimate import generator
from gainsift.analysis.trend_scores import positions, sign_flip_trend, trend_scores


def test_by_hand() -> None:
    """Units 0 1 (cluster 0) and 1 0 (cluster 1) at -1 and 1: scores 1 and -1; a unit seen once says nothing."""
    found = trend_scores(
        np.array([0.0, 1, 1, 0, 1]),
        np.array([-1.0, 1, -1, 1, 1]),
        np.array([0, 0, 1, 1, 2]),
        np.array([0, 0, 1, 1, 1]),
    )
    assert found.scores.tolist() == [1.0, -1.0]
    assert found.spread == 4
    assert found.slope == 0


def test_slope_equals_weighted_least_squares_with_one_intercept_a_unit() -> None:
    rng = np.random.default_rng(2)
    units = np.repeat(np.arange(12), 6)
    kept = rng.random(72) < 0.7
    units, position = units[kept], np.tile(np.linspace(-1, 1, 6), 12)[kept]
    value, weight = rng.integers(0, 2, kept.sum()).astype(float), rng.uniform(0.5, 3, kept.sum())
    found = trend_scores(value, position, units, units // 3, weight)
    design = np.column_stack([position, np.eye(12)[units]])
    assert found.slope == pytest.approx(sm.WLS(value, design, weight).fit().params[0])


def test_units_that_come_late_do_not_feign_a_trend() -> None:
    """Two units, always 0 and always 1; the second is missing at first. Shares rise, no unit does."""
    value = np.array([0.0, 0, 0, 0, 1, 1])
    position = np.array([0.0, 1, 2, 3, 2, 3])
    units = np.array([0, 0, 0, 0, 1, 1])
    found = trend_scores(value, position, units, np.zeros(6, int))
    assert found.scores.tolist() == [0.0]
    assert sign_flip_trend(value, position, units, np.zeros(6, int), generator(1, "x")).reason == "no cluster moved"


def test_the_test_is_the_sign_flip_of_the_scores() -> None:
    """Three clusters of one unit each, rising by 1, 1 and falling by 1: |1| or more always, p = 1."""
    value = np.array([0.0, 1, 0, 1, 1, 0])
    position, units = np.tile([0.0, 1], 3), np.repeat(np.arange(3), 2)
    found = sign_flip_trend(value, position, units, units, generator(1, "x"))
    assert found.p == 1
    assert found.effect == pytest.approx(1 / 3)
    rising = sign_flip_trend(np.tile([0.0, 1], 3), position, units, units, generator(1, "x"))
    assert (rising.p, rising.effect) == (2 / 8, 1)


def test_no_rows_have_no_slope() -> None:
    none = np.zeros(0)
    found = trend_scores(none, none, none.astype(int), none.astype(int))
    assert found.slope is None
    assert sign_flip_trend(none, none, none.astype(int), none.astype(int), generator(1, "x")).p is None


@pytest.mark.parametrize(
    ("tokens", "expected", "name"),
    [
        ([1, 10, 100], [-1, 0, 1], "log tokens"),
        ([1, 1000, 10_000, 1_000_000], [-1, 0, 1 / 3, 1], "log tokens"),
        ([0, 10, 100], [-1, 0, 1], "rank"),
        ([5, None, 7, 9, 11], [-1, -0.5, 0, 0.5, 1], "rank"),
        ([10, 10, 20], [-1, 0, 1], "rank"),
        ([3], [0], "rank"),
        ([], [], "rank"),
    ],
)
def test_positions(tokens: list[float | None], expected: list[float], name: str) -> None:
    at, axis = positions(tokens)
    assert at == pytest.approx(expected)
    assert axis == name
