"""The logistic GEE: published coefficients, statsmodels' bias-reduced covariance, weights, degenerate input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t

from gainsift.analysis.gee import gee_trend, logistic_gee

DATA = np.loadtxt(Path(__file__).parent / "reference" / "25_gee_logistic_1.csv", delimiter=",")
GROUP, OUTCOME = DATA[:, 0].astype(int), DATA[:, 1]
DESIGN = np.column_stack([np.ones(len(DATA)), DATA[:, 2:]])
ONES = np.ones(len(DATA))


def test_coefficients_of_rs_gee_package() -> None:
    """R's gee with working independence, as in the tests of statsmodels."""
    found = logistic_gee(OUTCOME, DESIGN, GROUP, ONES)
    published = [0.0167272965285882, 1.13038654425893, -1.86896345082962, 1.09397608331333]
    assert found.coefficients == pytest.approx(published, abs=1e-9)


def test_exchangeable_coefficients_of_rs_gee_package() -> None:
    """By statsmodels, which our working independence is measured against; R stopped after some six digits."""
    exchangeable = sm.cov_struct.Exchangeable()
    found = sm.GEE(OUTCOME, DESIGN, GROUP, family=sm.families.Binomial(), cov_struct=exchangeable).fit()
    published = [0.0178982283915449, 1.13118798191788, -1.86133518416017, 1.08944256230299]
    assert found.params == pytest.approx(published, abs=1e-6)


def test_covariance_equals_statsmodels_bias_reduced() -> None:
    other = sm.GEE(OUTCOME, DESIGN, GROUP, family=sm.families.Binomial()).fit(cov_type="bias_reduced")
    found = logistic_gee(OUTCOME, DESIGN, GROUP, ONES)
    np.testing.assert_allclose(found.covariance, other.cov_params(), rtol=1e-6)
    assert found.clusters == len(set(GROUP))


def test_a_whole_weight_is_that_many_equal_rows() -> None:
    weight = np.random.default_rng(1).integers(1, 4, len(DATA))
    long = np.repeat(np.arange(len(DATA)), weight)
    weighed = logistic_gee(OUTCOME, DESIGN, GROUP, weight.astype(float))
    copied = sm.GEE(OUTCOME[long], DESIGN[long], GROUP[long], family=sm.families.Binomial()).fit(
        cov_type="bias_reduced"
    )
    np.testing.assert_allclose(weighed.coefficients, copied.params, rtol=1e-6)
    np.testing.assert_allclose(weighed.covariance, copied.cov_params(), rtol=1e-5)


def test_the_scale_of_weights_does_not_matter() -> None:
    first = gee_trend(OUTCOME, DATA[:, 2], GROUP, ONES * 0.01)
    second = gee_trend(OUTCOME, DATA[:, 2], GROUP)
    assert (first.p, first.effect) == (pytest.approx(second.p), pytest.approx(second.effect))


def test_trend_is_the_t_test_of_the_slope() -> None:
    other = sm.GEE(OUTCOME, DESIGN[:, :2], GROUP, family=sm.families.Binomial()).fit(cov_type="bias_reduced")
    found = gee_trend(OUTCOME, DATA[:, 2], [f"cluster {number}" for number in GROUP])  # type: ignore[arg-type]
    assert found.effect == pytest.approx(other.params[1])
    assert found.statistic == pytest.approx(other.params[1] / other.bse[1])
    assert found.statistic is not None
    df = len(set(GROUP)) - 2
    assert found.df == (df,)
    assert found.p == pytest.approx(2 * t.sf(abs(found.statistic), df))


X = np.tile([-1.0, 0, 1], 4)
NO_SLOPE = "no finite slope: the outcome or the position does not vary, or one fixes the other"
CLUSTERS = np.repeat(np.arange(4), 3)


@pytest.mark.parametrize(
    ("outcome", "position", "clusters", "reason"),
    [
        ([], [], [], "no outcome"),
        (np.ones(12), X, CLUSTERS, "the outcome is the same everywhere, or there is one condition only"),
        ((X > 0) * 1.0, np.zeros(12), CLUSTERS, "the outcome is the same everywhere, or there is one condition only"),
        ((X > 0) * 1.0, X, CLUSTERS, NO_SLOPE),
        (np.tile([0.0, 1, 0], 4), X, CLUSTERS // 2, "2 clusters are too few for 2 coefficients"),
        ([0.0, 1, 1, 0, 1], [0.0, 0, 0, 0, 1], [0, 1, 2, 3, 4], NO_SLOPE),
        ([0.0, 1, 1, 0, 1, 0], [0.0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 4, 4], "one cluster alone carries the slope"),
    ],
)
def test_degenerate_input_is_undefined(outcome: object, position: object, clusters: object, reason: str) -> None:
    found = gee_trend(np.array(outcome, float), np.array(position, float), np.array(clusters, int))
    assert (found.p, found.reason) == (None, reason)
