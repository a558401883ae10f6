"""Mann-Kendall on a published series with gaps and ties, by hand, and against all orders of a short series."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.mann_kendall import FEWEST, mann_kendall, trend
from gainsift.analysis.significance import INDEPENDENT_CONDITIONS

SERIES = pd.read_csv(Path(__file__).parent / "reference" / "24_mann_kendall_series_360.csv")["x"].to_numpy(float)


def test_the_series_of_pymannkendall() -> None:
    """Figures of pymannkendall's own tests, which were taken from R's packages trend and modifiedmk."""
    kept = np.isfinite(SERIES)
    parts = mann_kendall(SERIES[kept], np.flatnonzero(kept).astype(float))
    assert parts.s == -1959
    assert parts.variance == pytest.approx(4889800.333333333, rel=1e-12)
    assert parts.z == pytest.approx(-0.8854562842589916, rel=1e-12)
    assert parts.tau == pytest.approx(-0.03153167653875869, rel=1e-12)
    assert parts.slope == pytest.approx(-0.006369426751592357, rel=1e-12)
    found = trend(SERIES)
    assert found.p == pytest.approx(0.37591058740506833, rel=1e-12)
    assert found.effect == pytest.approx(parts.slope)
    assert "ties" in found.method
    assert found.warning == INDEPENDENT_CONDITIONS


def test_by_hand() -> None:
    """1 3 2 4 5: nine pairs rise, one falls, S = 8; var = 5·4·15/18; z = 7 / sqrt(16.67); tau = .8."""
    parts = mann_kendall(np.array([1.0, 3, 2, 4, 5]), np.arange(5.0))
    assert (parts.s, parts.variance, parts.tau) == (8, pytest.approx(50 / 3), 0.8)
    assert parts.z == pytest.approx(7 / np.sqrt(50 / 3))
    assert parts.slope == 1  # pairwise: 2, 1/2, 1, 1, -1, 1/2, 2/3, 2, 3/2, 1; the middle ones are 1 and 1


def test_exact_p_counts_the_orders() -> None:
    series = [0.1, 0.3, 0.2, 0.5, 0.4, 0.6]

    def s(order: tuple[float, ...]) -> int:
        return sum((b > a) - (b < a) for i, a in enumerate(order) for b in order[i + 1 :])

    orders = [s(order) for order in permutations(series)]
    expected = sum(abs(value) >= abs(s(tuple(series))) for value in orders) / len(orders)
    found = trend(np.array(series))
    assert found.p == pytest.approx(expected)
    assert found.method == "Mann-Kendall, exact"


def test_only_from_five_conditions_on() -> None:
    assert trend(np.array([1.0, 2, 3, 4])).p is None
    gap = trend(np.array([1.0, 2, 3, np.nan, 4]))
    assert gap.p is None
    assert gap.reason == f"needs {FEWEST} conditions, 4 have a share"
    assert gap.warning == INDEPENDENT_CONDITIONS
    assert trend(np.array([1.0, 2, 3, 4, 5])).p == pytest.approx(2 / 120)


def test_a_level_series_is_undefined() -> None:
    found = trend(np.full(6, 0.4))
    assert found.p is None
    assert found.reason == "the share is the same at all conditions"


def test_the_slope_follows_the_positions() -> None:
    series = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    assert trend(series, np.linspace(-1, 1, 5)).effect == pytest.approx(0.2)
    assert trend(series[::-1], np.linspace(-1, 1, 5)).effect == pytest.approx(-0.2)
