"""The studentised cluster bootstrap: against a slow one, and what its limits must and must not do."""

from __future__ import annotations

import numpy as np
import pytest

from gainsift.analysis.estimate import BOUND, Estimate, generator, same_everywhere
from gainsift.analysis.studentised import StudentisedBootstrap

DIFFERENCE, RATE = np.array([-1.0]), np.array([0.0])


def one(numerators: object, denominators: object, least: np.ndarray, resamples: int = 800) -> Estimate:
    """The interval of one figure."""
    n, d = (np.array(values, float)[:, None] for values in (numerators, denominators))
    (found,) = StudentisedBootstrap.of(len(n), resamples, 0.95, generator(1, "studentised")).ratios(n, d, least)
    return found


def slow(n: list[float], d: list[float], resamples: int, confidence: float) -> tuple[float, float]:
    """One resample at a time, every cluster by itself, from the definition."""
    added = 0.4 * (sum(x * x for x in d) / len(d)) ** 0.5
    n, d = [*n, -added, added], [*d, added, added]

    def fit(chosen: list[int]) -> tuple[float, float]:
        total = sum(d[c] for c in chosen)
        ratio = sum(n[c] for c in chosen) / total
        return ratio, sum((n[c] - ratio * d[c]) ** 2 for c in chosen) ** 0.5 / total

    point, error = fit(list(range(len(n))))
    values = []
    draws = generator(3, "slow").multinomial(len(n), [1 / len(n)] * len(n), size=resamples)
    for draw in draws:
        ratio, own = fit([c for c, times in enumerate(draw) for _ in range(times)])
        if own > 0.05 * error:
            values.append((ratio - point) / own)
    tail = (1 - confidence) / 2
    return point - np.quantile(values, 1 - tail) * error, point - np.quantile(values, tail) * error


def test_equals_a_slow_bootstrap() -> None:
    rng = np.random.default_rng(2)
    d = rng.integers(1, 7, 14).astype(float)
    n = np.array([rng.integers(-1, 2, int(size)).sum() for size in d], float)
    bootstrap = StudentisedBootstrap.of(14, 300, 0.9, generator(3, "slow"))
    both = bootstrap.ratios(np.column_stack([n, n * 0.5]), np.column_stack([d, d * 0.5]), np.array([-1.0, -1.0]))
    for found in both:  # the unit of the weights changes nothing
        assert [found.low, found.high] == pytest.approx(slow(n.tolist(), d.tolist(), 300, 0.9), abs=1e-12)
        assert found.point == pytest.approx(n.sum() / d.sum())


def test_a_hair_between_clusters_is_not_blown_up() -> None:
    """One of 31 clusters moved; rates that a model smooths differ from zero in the others, by nothing to speak of."""
    exact = np.array([1.0] + [0.0] * 30)
    smoothed = exact + np.random.default_rng(5).normal(0, 1e-5, 31)
    plain, noisy = (one(values, [4.0] * 31, DIFFERENCE) for values in (exact, smoothed))
    assert [noisy.low, noisy.high] == pytest.approx([plain.low, plain.high], abs=2e-3)
    assert noisy.high is not None
    assert noisy.high < 0.1


def test_large_samples_come_near_the_normal_interval() -> None:
    rng = np.random.default_rng(4)
    n = rng.binomial(4, 0.4, 3000)
    found = one(n, [4] * 3000, RATE)
    error = 1.96 * np.std(n / 4, ddof=1) / np.sqrt(3000)
    assert [found.low, found.high] == pytest.approx([found.point - error, found.point + error], abs=0.1 * error)


def test_one_cluster_that_moved_leaves_an_interval_of_some_width() -> None:
    """A percentile bootstrap gives [0, 3 × the point]; here nothing speaks against a loss, either."""
    found = one([2] + [0] * 49, [6] * 50, DIFFERENCE)
    assert found.point == pytest.approx(2 / 300)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < 3 * 2 / 300 < found.high < 0.1
    assert not found.bounded


def test_limits_stay_within_what_is_possible() -> None:
    found, turned = one([3, 3, 3, 2], [3] * 4, RATE), one([0, 0, 0, 1], [3] * 4, RATE)
    assert (found.high, turned.low) == (1, 0)
    assert found.low is not None
    assert 0 < found.low < 11 / 12
    assert turned.high == pytest.approx(1 - found.low, abs=0.05)  # the same but for the order of the draws
    loss = one([-3, -3, -3, -2], [3] * 4, DIFFERENCE)
    assert loss.low == -1
    assert loss.high is not None
    assert loss.high < 1


def test_all_alike_and_too_few() -> None:
    alike = one([0] * 12, [3] * 12, DIFFERENCE)
    assert (alike.bounded, alike.reason) == (True, BOUND)
    assert (alike.low, alike.high) == same_everywhere(0.0, -1.0, np.full(12, 3.0), 0.95)
    alone = one([1, 0], [3, 0], DIFFERENCE)
    assert (alone.point, alone.low, alone.reason) == (1 / 3, None, "no interval: fewer than two clusters")
    assert one([0, 0], [0, 0], DIFFERENCE).reason == "no unit to count"
    none = np.zeros((0, 2))
    empty = StudentisedBootstrap.of(0, 5, 0.95, generator(1, "x")).ratios(none, none, np.array([-1.0, 0]))
    assert [found.reason for found in empty] == ["no unit to count"] * 2


def test_one_column_does_not_disturb_another() -> None:
    rng = np.random.default_rng(8)
    d = rng.uniform(1, 5, (30, 1))
    n = d * rng.uniform(-1, 1, (30, 1))
    alone = StudentisedBootstrap.of(30, 200, 0.95, generator(1, "x")).ratios(n, d, DIFFERENCE)[0]
    wide_n, wide_d = np.column_stack([n, np.zeros(30), n * 0]), np.column_stack([d, np.zeros(30), d])
    beside = StudentisedBootstrap.of(30, 200, 0.95, generator(1, "x")).ratios(wide_n, wide_d, np.array([-1.0] * 3))
    assert (beside[0].low, beside[0].high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert [found.defined for found in beside] == [True, False, True]
