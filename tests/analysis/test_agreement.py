"""Agreement against published tables, against the library resample by resample, and where it is undefined."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gainsift.analysis.agreement import Agreement, Labels, Level, Scale, agreement
from gainsift.analysis.distances import nominal
from gainsift.analysis.estimate import generator
from gainsift.analysis.kappas import fleiss, fleiss_z, label_shares, mean_disagreement
from gainsift.analysis.patterns import patterns
from gainsift.analysis.ratings import Ratings

HERE = Path(__file__).parent / "reference"


def grid(name: str) -> Labels:
    """item -> annotator -> label of a table with one column for each annotator."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return {row[0]: {who: label for who, label in zip(rows[0][1:], row[1:], strict=True) if label} for row in rows[1:]}


def contingency(name: str) -> Labels:
    """The same of a contingency table of two annotators: one item for each count."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    labels = [row[0] for row in rows[1:]]
    pairs = [
        (labels[i], labels[j])
        for i, row in enumerate(rows[1:])
        for j, count in enumerate(row[1:])
        for _ in range(int(count))
    ]
    return {str(number): {"a": a, "b": b} for number, (a, b) in enumerate(pairs)}


def measure(table: Labels, level: Level = "nominal", resamples: int = 50) -> Agreement:
    return agreement(table, level, resamples, 0.95, generator(1, "test"))


@pytest.mark.parametrize(
    ("name", "level", "published"),
    [
        # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011.1.25)
        ("01_krippendorff2011_4obs_12units.csv", "nominal", 0.743),
        ("01_krippendorff2011_4obs_12units.csv", "ordinal", 0.815),
        ("01_krippendorff2011_4obs_12units.csv", "interval", 0.849),
        ("01_krippendorff2011_4obs_12units.csv", "ratio", 0.797),
        ("02_krippendorff2011_binary_2obs_10units.csv", "nominal", 0.095),
        # Wikipedia, Krippendorff's alpha: three coders, fifteen units with gaps
        ("04_wikipedia_alpha_3coders_15units.csv", "nominal", 0.691),
        ("04_wikipedia_alpha_3coders_15units.csv", "interval", 0.811),
    ],
)
def test_published_alpha(name: str, level: Level, published: float) -> None:
    found = measure(grid(name), level)
    assert found.alpha.point == pytest.approx(published, abs=5e-4)
    assert found.alpha.low is not None
    assert found.alpha.low <= found.alpha.point <= found.alpha.high


def test_published_alpha_of_gwet() -> None:
    """Gwet, Handbook of Inter-Rater Reliability: 100 women, two abstractors; alpha .797, kappa .796."""
    found = measure(contingency("09_gwet_abstractors_3x3.csv"))
    assert found.alpha.point == pytest.approx(0.797, abs=5e-4)
    assert found.pairwise[0].cohen_kappa.point == pytest.approx(0.796, abs=5e-4)
    assert found.percent.point == pytest.approx(89)
    assert (found.items, found.judgements) == (100, 200)
    assert (found.pairwise[0].coefficients["percent"].point, found.pairwise[0].n) == (pytest.approx(89), 100)


def test_published_kappa() -> None:
    """SAS PROC FREQ: .4842. Artstein & Poesio (Computational Linguistics 34(4), 2008): .8013, observed .88."""
    sas = measure(contingency("07_sas_cohen_3x3.csv"))
    assert sas.pairwise[0].cohen_kappa.point == pytest.approx(0.4842, abs=5e-5)
    two = measure(grid("08_artstein_poesio_2coders_100items.csv"))
    assert two.pairwise[0].cohen_kappa.point == pytest.approx(0.8013, abs=5e-5)
    assert two.percent.point == pytest.approx(88)


def test_published_coefficients_of_gwet() -> None:
    """Gwet, Handbook of Inter-Rater Reliability: observed .89, kappa .796, pi .796, AC1 .849, S .835 of 100 women."""
    found = measure(contingency("09_gwet_abstractors_3x3.csv"))
    (pair,) = found.pairwise
    for ids, published in {"cohen": 0.796, "scott": 0.796, "ac1": 0.849}.items():
        assert pair.coefficients[ids].point == pytest.approx(published, abs=5e-4)
    for ids, published in {"scott": 0.796, "fleiss": 0.796, "ac1": 0.849, "s": 0.835}.items():
        assert found.coefficients[ids].point == pytest.approx(published, abs=5e-4)


def test_published_coefficients_with_gaps() -> None:
    """The R package irrCAC prints these for the 4 x 12 table (cac.raw4raters); the twelfth unit has one judgement."""
    found = measure(grid("01_krippendorff2011_4obs_12units.csv"))
    for ids, published in {"ac1": 0.77544, "fleiss": 0.76117, "s": 0.77273}.items():
        assert found.coefficients[ids].point == pytest.approx(published, abs=5e-6)


def test_published_fleiss() -> None:
    """Fleiss, Psychological Bulletin 76 (1971): .430, observed .5556, chance .2201; R's irr: z 17.65183."""
    table = Ratings.of(grid("05_fleiss1971_30patients_6raters_sorted.csv"))
    found = agreement(table, "nominal", 50, 0.95, generator(1, "test"))
    assert found.coefficients["fleiss"].point == pytest.approx(0.4302, abs=5e-5)
    assert found.alpha.point == pytest.approx(0.4334, abs=5e-5)
    alike = patterns(table)
    counts, times = alike.counts(5), alike.once()
    assert fleiss_z(counts, times) == pytest.approx(17.65183, abs=5e-6)
    assert 1 - mean_disagreement(counts, times, nominal(table.labels))[0, 0] == pytest.approx(0.5556, abs=5e-5)
    assert (label_shares(counts, times) ** 2).sum() == pytest.approx(0.2201, abs=2e-4)  # he rounded the shares
    assert fleiss(counts, times, nominal(table.labels)).expected[0, 0] == pytest.approx(1 - 0.2199382716, abs=1e-9)


def test_z_needs_equal_numbers_of_judgements() -> None:
    table = patterns(Ratings.of({"1": {"a": "x", "b": "y"}, "2": {"a": "x"}}))
    with pytest.raises(ValueError, match="same number"):
        fleiss_z(table.counts(2), table.once())


def test_published_weighted_kappa() -> None:
    """SAS PROC FREQ: linear weights .4701."""
    (pair,) = measure(contingency("07_sas_cohen_3x3.csv"), "ordinal").pairwise
    assert pair.coefficients["cohen_linear"].point == pytest.approx(0.4701, abs=5e-5)
    assert pair.coefficients["cohen"].point == pytest.approx(0.4842, abs=5e-5)


def test_published_coefficients_of_artstein_and_poesio() -> None:
    """Computational Linguistics 34(4), 2008: S .82, pi .7995; a statement and an information request are 1 apart,
    a check half as far from both: alpha .8156, weighted pi (their alpha') .8146, weighted kappa (beta) .8163."""
    table = grid("08_artstein_poesio_2coders_100items.csv")
    found = measure(table)
    assert found.coefficients["s"].point == pytest.approx(0.82)
    assert found.coefficients["scott"].point == pytest.approx(0.7995, abs=5e-5)

    def apart(labels: Sequence[str]) -> np.ndarray:
        far = {"stat", "ireq"}
        return np.array([[0 if a == b else 1 if {a, b} == far else 0.5 for b in labels] for a in labels])

    weighted = agreement(table, Scale.given("apart", apart), 50, 0.95, generator(1, "test"))
    assert weighted.alpha.point == pytest.approx(0.8156, abs=5e-5)
    assert weighted.coefficients["fleiss_weighted"].point == pytest.approx(0.8146, abs=5e-5)
    assert weighted.pairwise[0].coefficients["cohen_weighted"].point == pytest.approx(0.8163, abs=5e-5)


def random_table(seed: int, items: int = 30, annotators: int = 4, labels: int = 4) -> Labels:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, labels + 1, items)
    return {
        f"i{item}": {
            f"a{who}": str(truth[item] if rng.random() < 0.7 else rng.integers(1, labels + 1))
            for who in range(annotators)
            if rng.random() < 0.8
        }
        for item in range(items)
    }


def test_order_of_rows_does_not_matter() -> None:
    table = random_table(4)
    turned = {item: dict(reversed(votes.items())) for item, votes in reversed(table.items())}
    first, second = measure(table), measure(turned)
    assert first.coefficients == second.coefficients
    assert [pair.coefficients for pair in first.pairwise] == [pair.coefficients for pair in second.pairwise]
    assert [(one.label, one.support) for one in first.per_label] == [
        (one.label, one.support) for one in second.per_label
    ]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, "no judgements"),
        ({"1": {}, "2": {}}, "no judgements"),
        ({"1": {"a": "x"}, "2": {"a": "y"}}, "one annotator only, 2 items"),
        ({"1": {"a": "x"}, "2": {"b": "y"}}, "none of 2 items was judged by two annotators"),
        ({"1": {"a": "x", "b": "x"}, "2": {"a": "x", "b": "x"}}, "one label only (x) on 2 items judged twice"),
    ],
)
def test_undefined_has_a_reason(table: Labels, reason: str) -> None:
    found = measure(table)
    assert found.alpha.point is None
    assert found.alpha.reason == reason
    assert all(one.alpha.point is None and one.alpha.reason for one in found.per_label)
    for coefficients in [found.coefficients, *(pair.coefficients for pair in found.pairwise)]:
        undefined = {ids: one for ids, one in coefficients.items() if ids != "percent" or one.point is None}
        assert all(one.point is None and one.reason for one in undefined.values()), undefined
    assert {"alpha", "percent", "fleiss", "scott", "s", "ac1"} == set(found.coefficients)


def test_one_item_judged_twice_has_no_interval() -> None:
    found = measure({"1": {"a": "x", "b": "y"}, "2": {"a": "x"}})
    assert found.alpha.point == pytest.approx(0)  # 1 - (1)(2)/(2 * 1 * 1)
    assert (found.alpha.low, found.alpha.high) == (None, None)
    assert found.alpha.reason


def test_a_label_given_by_one_person_alone_is_undefined_not_zero() -> None:
    found = measure({"1": {"a": "x", "b": "y"}, "2": {"a": "y", "b": "y"}, "3": {"a": "z"}})
    by_label = {one.label: one for one in found.per_label}
    assert by_label["z"].alpha.point is None
    assert by_label["z"].support == 1


def test_same_seed_same_limits() -> None:
    table = random_table(6)

    def limits(seed: int) -> tuple[float | None, float | None]:
        alpha = agreement(table, "nominal", 80, 0.95, generator(seed, "x")).alpha
        return alpha.low, alpha.high

    assert limits(1) == limits(1) != limits(2)
