"""The BCa cluster bootstrap against scipy's, where clusters are equal and one cluster is one observation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from gainsift.analysis.bca import BcaBootstrap
from gainsift.analysis.estimate import ClusterBootstrap, generator


def test_comes_near_scipys_bca_of_cluster_means() -> None:
    values = np.random.default_rng(3).exponential(0.2, 25)
    found = BcaBootstrap.of(25, 20_000, 0.9, generator(1, "bca")).ratios(
        values[:, None] * 4, np.full((25, 1), 4.0), np.array([0.0])
    )[0]
    other = bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=20_000, method="BCa", rng=np.random.default_rng(7)
    ).confidence_interval
    width = other.high - other.low
    assert found.point == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx([other.low, other.high], abs=0.02 * width)


def test_skewness_moves_both_limits_up() -> None:
    """Few large values: BCa lies above the percentile limits of the same resamples."""
    values = np.array([0.0] * 20 + [0.1, 0.2, 0.3, 0.9])[:, None]
    bca = BcaBootstrap.of(24, 2000, 0.95, generator(2, "skew"))
    plain = ClusterBootstrap(bca.draws, 0.95)
    ones, least = np.ones((24, 1)), np.array([0.0])
    (found,), (percentile,) = bca.ratios(values, ones, least), plain.ratios(values, ones, least)
    assert None not in (found.low, found.high, percentile.low, percentile.high)
    assert found.low > percentile.low  # type: ignore[operator]
    assert found.high > percentile.high  # type: ignore[operator]


def test_what_has_no_bootstrap_is_as_in_the_percentile_one() -> None:
    n, d = np.array([[0.0, 1], [0, 0]]), np.array([[2.0, 1], [2, 0]])
    found = BcaBootstrap.of(2, 50, 0.95, generator(1, "x")).ratios(n, d, np.array([-1.0, -1]))
    assert found[0].bounded
    assert found[1].reason == "no interval: fewer than two clusters"
    assert (
        BcaBootstrap.of(0, 50, 0.95, generator(1, "x"))
        .ratios(np.zeros((0, 1)), np.zeros((0, 1)), np.zeros(1))[0]
        .reason
    )
