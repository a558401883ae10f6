"""Intervals where all clusters are alike, which a bootstrap cannot give, against the binomial distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from gainsift.analysis.estimate import ClusterBootstrap, Estimate, generator, same_everywhere
from gainsift.analysis.latex_tables import to_latex
from gainsift.analysis.tables import Column, Table, display, plain

DIFFERENCE, RATE = -1.0, 0.0


def ratio(values: list[float], weights: list[float], least: float, confidence: float = 0.95) -> Estimate:
    """The one figure of clusters with these means and weights."""
    weight = np.array(weights)[:, None]
    bootstrap = ClusterBootstrap.of(len(values), 400, confidence, generator(1, "bounds"))
    (found,) = bootstrap.ratios(np.array(values)[:, None] * weight, weight, np.array([least]))
    return found


@pytest.mark.parametrize("clusters", [2, 9, 31, 200])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_no_event_is_bounded_as_clopper_and_pearson_do(clusters: int, confidence: float) -> None:
    exact = binomtest(0, clusters).proportion_ci(confidence, "exact").high
    ones = [1.0] * clusters
    for value, least, low, high in (
        (0.0, DIFFERENCE, -exact, exact),  # those that differ may all have lost or all have gained
        (0.0, RATE, 0.0, exact),
        (1.0, RATE, 1 - exact, 1.0),
        (1.0, DIFFERENCE, 1 - 2 * exact, 1.0),
        (-1.0, DIFFERENCE, -1.0, -1 + 2 * exact),
    ):
        found = ratio([value] * clusters, ones, least, confidence)
        assert found.bounded
        assert found.point == value
        assert [found.low, found.high] == pytest.approx([low, high], abs=1e-12)


def test_unequal_clusters_count_as_fewer_equal_ones() -> None:
    """Weights 8, 1, 1: 100/66 of a cluster; weights in another unit change nothing."""
    found = ratio([0.0] * 3, [8, 1, 1], RATE)
    assert found.high == pytest.approx(1 - 0.025 ** (66 / 100))
    assert ratio([0.0] * 3, [80, 10, 10], RATE) == found
    equal = ratio([0.0] * 3, [1, 1, 1], RATE).high
    assert found.high is not None
    assert equal is not None
    assert found.high > equal


def test_a_figure_that_differs_anywhere_keeps_its_bootstrap() -> None:
    found = ratio([0.0] * 9 + [0.1], [1.0] * 10, DIFFERENCE)
    assert not found.bounded
    assert found.low == 0.0
    assert found.high is not None
    assert 0 < found.high < 0.05


def test_the_bound_holds_in_repeated_samples() -> None:
    """3 % of clusters move, all one way; of samples of 20 clusters that show none, the bound covers 0.03."""
    low, high = same_everywhere(0.0, DIFFERENCE, np.ones(20), 0.95)
    assert low < 0.03 < high
    assert same_everywhere(0.0, DIFFERENCE, np.ones(200), 0.95)[1] < 0.03  # where it would be too narrow, ...
    assert (1 - 0.03) ** 200 < 0.025  # ... showing none is rarer than the error that was allowed


def test_a_bound_is_marked_wherever_it_is_shown() -> None:
    column = Column("x", "X", "points", interval=True)
    found = ratio([0.0] * 31, [1.0] * 31, DIFFERENCE)
    assert display(column, found) == "0.0 [−11.2, 11.2]†"
    table = Table("t", "T", [column], [{"x": found}])
    (note,) = table.all_notes()
    assert note.startswith("† No unit moved, or all alike")
    assert "Clopper-Pearson" in note
    assert r"11.2{{]}\textdagger}" in to_latex(table)
    assert "Clopper-Pearson" in plain(found)["reason"]
