"""Bands over checkpoints: a slow bootstrap as referee, coverage by simulation, and what stays above zero."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gainsift.analysis.estimate import Array, Estimate
from gainsift.analysis.simultaneous import Band, ClusterBands


def estimates(*limits: tuple[float, float] | None) -> list[Estimate]:
    return [Estimate(None, reason="none") if pair is None else Estimate(sum(pair) / 2, *pair) for pair in limits]


@pytest.mark.parametrize(
    ("limits", "above", "below"),
    [
        ([(-1, 1), (0.1, 1), (0.2, 1)], 1, None),
        ([(0.1, 1), (-0.1, 1), (0.2, 1)], 2, None),  # it fell back once
        ([(0.1, 1), (0.1, 1), (-0.2, 1)], None, None),
        ([(0.1, 1), (0.1, 1)], 0, None),
        ([(0.1, 1), None, (0.1, 1)], 0, None),  # a gap proves nothing
        ([(0.0, 1), (0.1, 1), None], 1, None),
        ([(-1, 0), (-1, -0.1)], None, 1),
        ([None, None], None, None),
    ],
)
def test_from_when_on(limits: list[tuple[float, float] | None], above: int | None, below: int | None) -> None:
    band = Band([], estimates(*limits))
    assert (band.above_from, band.below_from) == (above, below)


def test_limits_are_those_of_a_slow_studentised_bootstrap() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 4, (40, 1)) * np.ones((40, 3))
    sums = sizes * rng.normal([0.0, 0.1, 0.3], 0.05, (40, 3))
    bands = ClusterBands.of(40, 300, 0.9, rng)
    found = bands.band(sums, sizes, -1.0)

    size = (sizes[:, 0] ** 2).sum() / sizes[:, 0].sum() / 3
    means = sums / sizes
    n = [*sums.tolist(), (size * means.min(0)).tolist(), (size * means.max(0)).tolist()]
    d = [*sizes.tolist(), [size] * 3, [size] * 3]

    def ratio(picked: list[int], column: int) -> tuple[float, float]:
        total = sum(d[i][column] for i in picked)
        mean = sum(n[i][column] for i in picked) / total
        return mean, math.sqrt(sum((n[i][column] - mean * d[i][column]) ** 2 for i in picked)) / total

    centre = [ratio(list(range(42)), column) for column in range(3)]
    t = []
    for draw in bands.draws.astype(int):
        picked = [i for i, times in enumerate(draw) for _ in range(times)]
        drawn = [ratio(picked, column) for column in range(3)]
        t.append([(r - c) / e for (r, e), (c, _) in zip(drawn, centre, strict=True)])
    largest, smallest = [max(row) for row in t], [min(row) for row in t]
    for column, (mean, error) in enumerate(centre):
        alone, together = found.pointwise[column], found.simultaneous[column]
        of_one = [row[column] for row in t]
        assert alone.point == pytest.approx(sums[:, column].sum() / sizes[:, column].sum())
        assert alone.low == pytest.approx(mean - error * np.quantile(of_one, 0.95))
        assert alone.high == pytest.approx(mean - error * np.quantile(of_one, 0.05))
        assert together.low == pytest.approx(mean - error * np.quantile(largest, 0.95))
        assert together.high == pytest.approx(mean - error * np.quantile(smallest, 0.05))


def test_one_condition_has_the_same_band_alone_and_together() -> None:
    rng = np.random.default_rng(2)
    band = ClusterBands.of(30, 400, 0.95, rng).band(rng.random((30, 1)), np.ones((30, 1)), 0.0)
    assert band.pointwise == band.simultaneous


def test_clusters_all_alike_get_a_bound_that_shares_the_error() -> None:
    rng = np.random.default_rng(3)
    sums = np.column_stack([np.zeros(40), rng.random(40)])
    band = ClusterBands.of(40, 400, 0.95, rng).band(sums, np.ones((40, 2)), 0.0)
    # no event in 40: 1 - (error / 2)^(1/40); together each of the two has half of the error
    assert band.pointwise[0].high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert band.simultaneous[0].high == pytest.approx(1 - 0.0125 ** (1 / 40))
    assert band.simultaneous[0].bounded
    wide, narrow = band.simultaneous[1], band.pointwise[1]
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]


def test_what_resampling_blows_up_ends_at_hoeffdings_bound() -> None:
    sums = np.zeros((12, 1))
    sums[0] = 0.9
    sums[1] = 1e-9
    (value,) = ClusterBands.of(12, 400, 0.95, np.random.default_rng(4)).band(sums, np.ones((12, 1)), 0.0).pointwise
    assert value.point == pytest.approx(0.9 / 12)
    assert value.high == pytest.approx(0.9 / 12 + math.sqrt(math.log(2 / 0.05) / 24))


def test_undefined_conditions_and_single_clusters() -> None:
    sums, sizes = np.ones((3, 2)), np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    band = ClusterBands.of(3, 50, 0.95, np.random.default_rng(1)).band(sums * sizes, sizes, 0.0)
    assert not band.pointwise[0].defined
    assert (band.simultaneous[1].point, band.simultaneous[1].low) == (1.0, None)


@pytest.mark.parametrize("kind", ["normal", "skewed", "rare"])
def test_the_band_covers_all_checkpoints_together(kind: str) -> None:
    """300 studies of 50 clusters and 8 checkpoints; 95 % asked for, Monte Carlo error 1.3 points.

    The pointwise limits, taken together, must miss far more often: else the test could not fail.
    """
    rng = np.random.default_rng(12)
    repetitions, clusters, times = 300, 50, 8
    level = np.array([0.05 * (number + 1) for number in range(times)])
    together = alone = 0
    values: Array
    truth: Array
    for _ in range(repetitions):
        mixed = 0.7 * rng.normal(size=(clusters, 1)) + 0.714 * rng.normal(size=(clusters, times))  # variance 1
        if kind == "normal":
            values, truth, least = 0.1 * mixed, np.zeros(times), -1.0
        elif kind == "skewed":  # lognormal of sigma 0.8, mean exp(0.32 - 4)
            values, truth, least = np.exp(0.8 * mixed - 4), np.full(times, math.exp(0.32 - 4)), 0.0
        else:  # a rate: normal below its quantile
            values, truth, least = (mixed < QUANTILES).astype(float), level, 0.0
        sizes = rng.integers(1, 5, (clusters, 1)) * np.ones((1, times))
        band = ClusterBands.of(clusters, 300, 0.95, rng).band(values * sizes, sizes, least)
        together += covers(band.simultaneous, truth)
        alone += covers(band.pointwise, truth)
    assert 0.92 <= together / repetitions <= 0.995
    assert alone / repetitions < 0.88


QUANTILES = np.array([-1.6449, -1.2816, -1.0364, -0.8416, -0.6745, -0.5244, -0.3853, -0.2533])
"""Of the standard normal distribution at .05, .10, … .40 (any printed table)."""


def covers(values: list[Estimate], truth: Array) -> bool:
    return all(
        v.low is not None and v.high is not None and v.low <= true <= v.high
        for v, true in zip(values, truth, strict=True)
    )
