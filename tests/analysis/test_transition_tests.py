"""Classic tests of transitions on the vision of 7,477 women (Stuart 1955; Agresti, Categorical Data Analysis)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import SquareTable

from gainsift.analysis.significance import INDEPENDENT_UNITS
from gainsift.analysis.transition_tests import CLASSIC, bhapkar, bowker, mcnemar, mcnemar_mid_p, stuart_maxwell

VISION = pd.read_csv(Path(__file__).parent / "reference" / "16_vision_7477_women_4x4.csv", index_col=0).to_numpy(float)


@pytest.mark.parametrize(
    ("name", "published", "df"), [("stuart_maxwell", 11.957, 3), ("bhapkar", 11.976, 3), ("bowker", 19.107, 6)]
)
def test_published_statistics(name: str, published: float, df: int) -> None:
    found = CLASSIC[name](VISION)
    assert found.statistic == pytest.approx(published, abs=5e-4)
    assert found.df == (df,)
    assert found.warning == INDEPENDENT_UNITS


def test_two_categories_are_mcnemar_without_correction() -> None:
    """Stuart-Maxwell and Bowker of 2 × 2 are (b - c)² / (b + c) = 36/20; Bhapkar's has b + c - (b - c)²/n: 36/19.64."""
    table = np.array([[50.0, 13], [7, 30]])
    assert stuart_maxwell(table).statistic == pytest.approx(36 / 20)
    assert bowker(table).statistic == pytest.approx(36 / 20)
    assert bhapkar(table).statistic == pytest.approx(36 / (20 - 36 / 100))


def test_bowker_equals_statsmodels_where_no_pair_is_empty() -> None:
    found, other = bowker(VISION), SquareTable(VISION, shift_zeros=False).symmetry()
    assert (found.statistic, found.p) == (pytest.approx(other.statistic), pytest.approx(other.pvalue))


def test_categories_that_nothing_moves_between_change_nothing() -> None:
    """An unused category, and one that all units keep: as if those units had kept another."""
    wide, narrow = np.zeros((6, 6)), VISION.copy()
    wide[:4, :4], wide[5, 5] = VISION, 100
    narrow[2, 2] += 100
    for name, test in CLASSIC.items():
        found, plain = test(wide), test(narrow)
        assert (found.statistic, found.df) == (pytest.approx(plain.statistic, rel=1e-12), plain.df), name


@pytest.mark.parametrize("name", CLASSIC)
@pytest.mark.parametrize("table", [np.zeros((3, 3)), np.diag([4.0, 5, 6]), np.array([[7.0]])])
def test_no_move_is_undefined(name: str, table: np.ndarray) -> None:
    found = CLASSIC[name](table)
    assert (found.p, found.reason, found.warning) == (None, "no unit moved", INDEPENDENT_UNITS)


def test_groups_of_categories_that_nothing_joins_are_undefined() -> None:
    """a <-> b and c <-> d: each pair keeps its sum, so that only two of the three differences are free."""
    table = np.zeros((4, 4))
    table[0, 1], table[1, 0], table[2, 3], table[3, 2] = 9, 3, 2, 5
    for test in (stuart_maxwell, bhapkar):
        found = test(table)
        assert (found.p, found.reason) == (None, "the covariance of the marginals is singular")
    assert bowker(table).statistic == pytest.approx(36 / 12 + 9 / 7)


def test_all_moves_one_way() -> None:
    """Ten units a -> b, of ten: Stuart-Maxwell is 10²/10; Bhapkar's variance is 10 - 10²/10 = 0, undefined."""
    table = np.array([[0.0, 10], [0, 0]])
    assert stuart_maxwell(table).statistic == pytest.approx(10)
    assert bhapkar(table).p is None


def test_mcnemar() -> None:
    """Airway response before and after transplantation (Bentur et al. 2009, in Fagerland et al. 2013): 1 and 7.

    exact: 2 (1 + 8) / 2^8 = 18/256; mid-p: less 8/256. Published there: .0703 and .0391.
    """
    assert mcnemar(7, 1).p == pytest.approx(18 / 256)
    assert mcnemar(1, 7).p == pytest.approx(18 / 256)
    assert mcnemar_mid_p(7, 1).p == pytest.approx(10 / 256)
    assert mcnemar_mid_p(2, 2).p == pytest.approx(1 - 6 / 16 / 2)
    assert mcnemar(2, 2).p == 1
    for test in (mcnemar, mcnemar_mid_p):
        assert test(0, 0).p is None
        assert test(0, 0).warning == test(3, 1).warning == INDEPENDENT_UNITS
