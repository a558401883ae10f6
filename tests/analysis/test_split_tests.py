"""Families and corrections of the tests beside splits, worked out with plain numbers; distributions of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from gainsift.analysis.estimate import generator
from gainsift.analysis.max_t import max_t
from gainsift.analysis.split import SplitSums, split_sums
from gainsift.analysis.split_tests import SplitTest, classic_tests, corrected, robust_tests
from gainsift.analysis.transitions import transitions
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
BUCKETS = list(TAXONOMY.buckets)
MOVES = [("plain_copy", "correct"), ("correct", "other_sense"), ("unrelated", "correct"), ("correct", "correct")]


def units(seed: int, families: int) -> pd.DataFrame:
    """Three units a family with moves drawn at random; families of different contrasts overlap."""
    rng = np.random.default_rng(seed)
    rows = []
    for family in range(families):
        for number in range(3):
            a, b = MOVES[rng.choice(4, p=[0.5, 0.1, 0.2, 0.2])]
            row: dict[str, Any] = {
                "unit": f"{family}.{number}",
                "cluster": f"f{family + seed}",
                "weight": 1.5,
                "mass": 1.0,
            }
            for side, label in (("a", a), ("b", b)):
                category = TAXONOMY.category(label)
                row |= {
                    f"label_{side}": label,
                    f"bucket_{side}": category.bucket,
                    f"correct_{side}": float(category.kind == "correct"),
                    f"success_{side}": label == "correct",
                }
            rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def sums() -> dict[str, SplitSums]:
    return {name: split_sums(units(seed, 8), BUCKETS) for seed, name in enumerate(("one", "two"))}


@pytest.fixture(scope="module")
def tests(sums: dict[str, SplitSums]) -> list[SplitTest]:
    found: list[SplitTest] = []
    for seed, (name, own) in enumerate(sums.items()):
        moved = transitions(units(seed, 8), TAXONOMY.ids)
        found += robust_tests(name, own, moved, generator(1, name)) + classic_tests(name, moved, ["correct"])
    return found


def buckets(found: list[SplitTest]) -> list[SplitTest]:
    return [one for one in found if one.what == "bucket" and one.test.p is not None]


def holm(values: list[float]) -> list[float]:
    """Holm (1979) step by step."""
    order, found, reached = sorted(range(len(values)), key=lambda i: values[i]), [0.0] * len(values), 0.0
    for step, place in enumerate(order):
        reached = max(reached, min(1.0, (len(values) - step) * values[place]))
        found[place] = reached
    return found


@pytest.mark.parametrize("family", ["each", "all"])
def test_holm_within_the_families_of_the_study(tests: list[SplitTest], sums: dict[str, SplitSums], family: Any) -> None:
    found = corrected(tests, sums, AnalysisSpec(family=family), generator(2, "x"))
    groups = [buckets(found)] if family == "all" else [
        [one for one in buckets(found) if one.contrast == name] for name in sums
    ]  # fmt: skip
    for group in groups:
        assert [one.adjusted for one in group] == pytest.approx(holm([one.test.p or 0.0 for one in group]))
    assert len(buckets(found)) > len(sums)
    alone = [one for one in found if one.what == "gain" and one.part == "human" and not one.test.warning]
    if family == "each":
        assert all(one.adjusted == pytest.approx(one.test.p) for one in alone)
    else:  # the human gains of the two contrasts, each method a family of two
        first, second = (sorted((one.test.p or 0.0, one.adjusted or 0.0) for one in alone[i::2]) for i in (0, 1))
        assert first[0][1] == pytest.approx(min(1, 2 * first[0][0]))
        assert second[0][1] == pytest.approx(min(1, 2 * second[0][0]))


def test_max_t_flips_word_families_of_all_contrasts_together(
    tests: list[SplitTest], sums: dict[str, SplitSums]
) -> None:
    found = corrected(tests, sums, AnalysisSpec(family="all", correction="max_t"), generator(2, "x"))
    names = sorted({name for own in sums.values() for name in own.clusters})  # nine families, two shared sets of eight
    assert len(names) == 9
    columns = []
    for own in sums.values():
        for bucket in BUCKETS:
            values = dict(zip(own.clusters, own.of(("flow bucket", bucket))[0], strict=True))
            columns.append([values.get(name, 0.0) for name in names])
    expected = [one.p for one in max_t(np.array(columns).T, generator(3, "y")) if one.p is not None]  # exact: 2^9
    assert [one.adjusted for one in buckets(found)] == pytest.approx(expected)


def test_classic_tests_are_in_no_family_and_need_whole_units(
    tests: list[SplitTest], sums: dict[str, SplitSums]
) -> None:
    found = corrected(tests, sums, AnalysisSpec(), generator(2, "x"))
    assert {one.adjusted for one in found if one.test.warning} == {None}
    frame = pd.concat([units(0, 8).assign(mass=0.5), units(1, 8).assign(mass=0.5)])
    torn = classic_tests("soft", transitions(frame.assign(mass=0.25), TAXONOMY.ids), ["correct"])
    assert all(not one.test.defined and "distributions" in one.test.reason for one in torn)


def test_cochran_q_of_two_conditions_is_mcnemar_without_correction() -> None:
    moved = transitions(units(0, 40), TAXONOMY.ids)
    gained, lost = moved.correct(["correct"])
    (found,) = (one for one in classic_tests("one", moved, ["correct"]) if one.test.method == "Cochran's Q")
    plain = mcnemar([[0, gained], [lost, 0]], exact=False, correction=False)
    assert gained > lost > 0
    assert found.test.statistic == pytest.approx(plain.statistic)
    assert found.test.p == pytest.approx(plain.pvalue)
    assert (found.what, found.part, found.test.warning) == ("gain", "human", "assumes independent units")


def test_no_units() -> None:
    frame = units(0, 1).iloc[:0]
    moved = transitions(frame, TAXONOMY.ids)
    found = robust_tests("none", split_sums(frame, BUCKETS), moved, generator(1, "x"))
    found += classic_tests("none", moved, ["correct"])
    assert all(one.test.p is None and one.test.reason for one in found)
