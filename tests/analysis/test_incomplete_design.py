"""Agreement where every item has fewer judgements than there are annotators, as an overlap asks for it."""

from __future__ import annotations

import itertools

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from gainsift.analysis.agreement import Agreement, Level, agreement
from gainsift.analysis.estimate import generator

PEOPLE = ["a0", "a1", "a2", "a3", "a4"]


def measure(table: dict[str, dict[str, str]], level: Level = "nominal") -> Agreement:
    return agreement(table, level, 50, 0.95, generator(1, "test"))


def test_two_of_three_annotators_by_hand() -> None:
    """Overlap 2 of three people, one calibration item that all judge, one item that one person judges (left out).

    Values by item: xx, xy, yy, xx, xyy, (x). Krippendorff (2011): a pair of an item with m values counts 1 / (m - 1).
    Coincidences: xx 2 + 2 = 4; xy (and yx) 1 + 2/2 = 2; yy 2 + 2/2 = 3. So n_x = 6, n_y = 5, n = 11, and
    alpha = 1 - (n - 1) o_xy / (n_x n_y) = 1 - 10 * 2 / 30 = 1/3.
    Agreeing pairs: 1 + 0 + 1 + 1 + 1 of 1 + 1 + 1 + 1 + 3. Kappa of a and b, on xx and xy: observed 1/2, expected
    1/2, as a only says x: 0. Of a and c, on xy, xx, xy: 1/3 and 1/3: 0. Of b and c, on yy and yy: one label only.
    """
    table = {
        "1": {"a": "x", "b": "x"},
        "2": {"a": "x", "c": "y"},
        "3": {"b": "y", "c": "y"},
        "4": {"a": "x", "c": "x"},
        "5": {"a": "x", "b": "y", "c": "y"},
        "6": {"b": "x"},
    }
    found = measure(table)
    assert found.alpha.point == pytest.approx(1 / 3)
    assert found.percent.point == pytest.approx(100 * 4 / 7)
    assert (found.items, found.pairable, found.judgements) == (6, 5, 12)
    kappas = {(pair.a, pair.b): (pair.n, pair.cohen_kappa.point) for pair in found.pairwise}
    assert kappas == {
        ("a", "b"): (2, pytest.approx(0)),
        ("a", "c"): (3, pytest.approx(0)),
        ("b", "c"): (2, None),
    }
    assert found.confusion == {("x", "x"): 2, ("x", "y"): 3, ("y", "x"): 3, ("y", "y"): 2}


def in_turns(items: int, calibration: int) -> dict[str, dict[str, str]]:
    """Two of five people for each item, every two in their turn, and the first items for all; some are skipped."""
    rng = np.random.default_rng(8)
    turns = list(itertools.combinations(PEOPLE, 2))
    table = {}
    for item in range(items):
        truth = rng.integers(1, 5)
        asked = PEOPLE if item < calibration else turns[item % len(turns)]
        votes = {name: str(truth if rng.random() < 0.7 else rng.integers(1, 5)) for name in asked}
        table[f"i{item}"] = {name: label for name, label in votes.items() if rng.random() < 0.9}
    return table


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_equals_the_library_on_the_matrix_with_gaps(level: Level) -> None:
    """The library reads one row for each annotator, with a gap wherever they were not asked."""
    table = in_turns(90, calibration=10)
    matrix = np.array([[float(votes.get(name, "nan")) for votes in table.values()] for name in PEOPLE])
    found = measure(table, level)
    expected = krippendorff.alpha(reliability_data=matrix, level_of_measurement=level)
    assert found.alpha.point == pytest.approx(expected)
    assert found.alpha.low is not None
    assert found.alpha.low < expected < (found.alpha.high or 0)
    assert 0 < found.pairable < found.items


def test_each_pair_of_annotators_is_compared_on_what_both_judged() -> None:
    table = in_turns(90, calibration=10)
    found = measure(table)
    assert len(found.pairwise) == 10
    assert {pair.n for pair in found.pairwise} <= set(range(9, 19))  # eight turns, ten for all, less skips
    for pair in found.pairwise:
        both = [(votes[pair.a], votes[pair.b]) for votes in table.values() if {pair.a, pair.b} <= votes.keys()]
        assert pair.n == len(both)
        assert pair.cohen_kappa.point == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))
