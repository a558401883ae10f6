"""Cochran's Q on a published table (R package CVST), by hand, and where it is undefined."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from gainsift.analysis.cochran_q import cochran_q
from gainsift.analysis.significance import INDEPENDENT_UNITS

TABLE = pd.read_csv(Path(__file__).parent / "reference" / "18a_cochran_q_9x4.csv").iloc[:, 1:].to_numpy(float)


def test_the_table_of_cvst() -> None:
    found = cochran_q(TABLE)
    assert found.statistic == pytest.approx(4.2)
    assert found.df == (3,)
    assert found.p == pytest.approx(chi2.sf(4.2, 3))
    assert found.warning == INDEPENDENT_UNITS


def test_by_hand() -> None:
    """Units 110, 100, 110: columns 3 2 0, rows 2 1 2; Q = 2 (3 (9 + 4 + 0) - 25) / (3·5 - 9) = 28/6."""
    found = cochran_q(np.array([[1.0, 1, 0], [1, 0, 0], [1, 1, 0]]))
    assert found.statistic == pytest.approx(28 / 6)


def test_units_with_gaps_are_left_out_and_counted() -> None:
    gap = np.full((2, 4), np.nan)
    gap[0, :3] = 1
    found = cochran_q(np.vstack([TABLE, gap]))
    assert found.statistic == pytest.approx(4.2)
    assert found.note == "2 units without an outcome at every condition left out"


@pytest.mark.parametrize(
    "outcomes", [np.zeros((0, 3)), np.ones((4, 1)), np.ones((4, 3)), np.full((3, 3), np.nan), np.eye(3)[[0, 0]] * 0]
)
def test_degenerate_tables_are_undefined(outcomes: np.ndarray) -> None:
    found = cochran_q(outcomes)
    assert found.p is None
    assert found.reason
    assert found.warning == INDEPENDENT_UNITS
