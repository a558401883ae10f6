"""Cluster-robust tests of a split: against Bhapkar and t tests where units are independent, and by hand."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import f, ttest_1samp

from gainsift.analysis.estimate import generator
from gainsift.analysis.marginal_homogeneity import marginal_wald, net_flows, paired_difference, sign_flip_homogeneity
from gainsift.analysis.sign_flip import sign_flip

VISION = pd.read_csv(Path(__file__).parent / "reference" / "16_vision_7477_women_4x4.csv", index_col=0).to_numpy(int)
RNG = generator(1, "unused where all patterns are gone through")


def women() -> tuple[np.ndarray, np.ndarray]:
    pairs = [(i, j) for i in range(4) for j in range(4) for _ in range(VISION[i, j])]
    return np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])


def test_units_of_their_own_give_bhapkar() -> None:
    """W = 11.9757 (n - 1) / n for the vision of 7,477 women, and F as Hotelling's T² has it."""
    before, after = women()
    n = len(before)
    found = marginal_wald(*net_flows(before, after, 4, np.arange(n)))
    wald = 11.9757201555 * (n - 1) / n
    assert found.df == (3, n - 3)
    assert found.statistic == pytest.approx(wald * (n - 3) / ((n - 1) * 3), rel=1e-9)
    assert found.p == pytest.approx(f.sf(wald * (n - 3) / ((n - 1) * 3), 3, n - 3))


def test_equal_clusters_give_hotellings_t_squared() -> None:
    """Clusters of equal size are one observation each: T² from the mean and covariance of their flows."""
    rng = np.random.default_rng(3)
    before, after = rng.integers(0, 3, (2, 40))
    flows, totals = net_flows(before, after, 3, np.repeat(np.arange(10), 4))
    free = flows[:, :2] / 4
    t_squared = 10 * free.mean(0) @ np.linalg.solve(np.cov(free.T), free.mean(0))
    found = marginal_wald(flows, totals)
    assert found.df == (2, 8)
    assert found.statistic == pytest.approx(t_squared * 8 / (9 * 2))


def test_net_flows_by_hand() -> None:
    """Cluster 0: a -> b (weight 2) and b -> b (1); cluster 1: b -> a (3)."""
    flows, totals = net_flows(np.array([0, 1, 1]), np.array([1, 1, 0]), 3, np.array([0, 0, 1]), np.array([2.0, 1, 3]))
    assert flows.tolist() == [[-2, 2, 0], [3, -3, 0]]
    assert totals.tolist() == [3, 3]


def test_paired_difference_of_equal_clusters_is_the_t_test_of_their_means() -> None:
    flows = np.array([1.0, 0, -1, 2, 2, 0, 1])
    found, other = paired_difference(flows, np.full(7, 3.0)), ttest_1samp(flows / 3, 0)
    assert (found.statistic, found.p) == (pytest.approx(other.statistic), pytest.approx(other.pvalue))
    assert found.effect == pytest.approx(5 / 21)
    assert found.df == (6,)


def test_paired_difference_of_unequal_clusters_is_a_cluster_robust_regression() -> None:
    """Weighted least squares of the change on a constant, clustered, C / (C - 1) (statsmodels has a further factor)."""
    rng = np.random.default_rng(5)
    clusters = np.sort(rng.integers(0, 12, 60))
    change, weight = rng.integers(-1, 2, 60).astype(float), rng.uniform(0.5, 2, 60)
    fit = sm.WLS(change, np.ones(60), weight).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    numbers = np.unique(clusters, return_inverse=True)[1]
    flows, totals = (np.bincount(numbers, values) for values in (change * weight, weight))
    found = paired_difference(flows, totals)
    count = len(totals)
    assert found.effect == pytest.approx(fit.params[0])
    assert found.statistic == pytest.approx(fit.params[0] / fit.bse[0] / np.sqrt(count / (count - 1)))


def test_sign_flips_of_two_categories_are_those_of_one() -> None:
    one = np.random.default_rng(2).integers(-2, 4, 9).astype(float)
    found = sign_flip_homogeneity(np.column_stack([one, -one]), RNG)
    assert found.p == sign_flip(one, RNG).p


def test_sign_flips_equal_a_slow_referee() -> None:
    flows = np.random.default_rng(4).integers(-2, 3, (8, 3)).astype(float)
    flows[:, 2] = -flows[:, 0] - flows[:, 1]
    middle = np.linalg.inv(flows[:, :2].T @ flows[:, :2])  # the third category follows from the others

    def statistic(signs: tuple[int, ...]) -> float:
        total = np.array(signs) @ flows[:, :2]
        return float(total @ middle @ total)

    observed = statistic((1,) * 8)
    expected = sum(statistic(signs) >= observed - 1e-9 for signs in product((1, -1), repeat=8)) / 256
    assert sign_flip_homogeneity(flows, RNG).p == pytest.approx(expected)


def test_unused_categories_and_empty_clusters_change_nothing() -> None:
    rng = np.random.default_rng(6)
    before, after = rng.integers(0, 3, (2, 60))
    clusters = np.repeat(np.arange(15), 4)
    plain = marginal_wald(*net_flows(before, after, 3, clusters))
    assert plain.p is not None
    for found in (
        marginal_wald(*net_flows(before, after, 5, clusters)),
        marginal_wald(*net_flows(before, after, 3, clusters * 2)),
    ):
        assert (found.p, found.df) == (pytest.approx(plain.p), plain.df)


def test_degenerate_splits_are_undefined() -> None:
    none = np.zeros(0, int)
    flows, totals = net_flows(none, none, 3, none)
    assert marginal_wald(flows, totals).reason == "no cluster moved"
    assert sign_flip_homogeneity(flows, RNG).reason == "no cluster moved"
    assert paired_difference(flows[:, 0], totals).reason == "no cluster moved"
    assert paired_difference(np.zeros(4), np.ones(4)).effect == 0
    assert paired_difference(np.ones(1), np.ones(1)).reason == "one cluster only"
    assert paired_difference(np.ones(3), np.ones(3)).reason == "all clusters changed alike"
    two = np.array([[1.0, -1, 0], [0, 1, -1]])
    assert marginal_wald(two, np.ones(2)).reason == "2 clusters are too few"
    few = marginal_wald(np.vstack([two, np.zeros((20, 3))]), np.ones(22))
    assert few.reason == "2 clusters moved, too few for 3 categories"
