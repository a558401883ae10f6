"""Agreement against published tables, against the library resample by resample, and where it is undefined."""

from __future__ import annotations

import csv
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from gainsift.analysis.agreement import LEVELS, Agreement, Labels, Level, agreement, alpha_of, coincidences
from gainsift.analysis.estimate import generator

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


def test_published_kappa() -> None:
    """SAS PROC FREQ: .4842. Artstein & Poesio (Computational Linguistics 34(4), 2008): .8013, observed .88."""
    sas = measure(contingency("07_sas_cohen_3x3.csv"))
    assert sas.pairwise[0].cohen_kappa.point == pytest.approx(0.4842, abs=5e-5)
    two = measure(grid("08_artstein_poesio_2coders_100items.csv"))
    assert two.pairwise[0].cohen_kappa.point == pytest.approx(0.8013, abs=5e-5)
    assert two.percent.point == pytest.approx(88)


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


def library_alpha(counts: np.ndarray, level: str, values: np.ndarray) -> float:
    used = counts.sum(0) > 0
    return float(
        krippendorff.alpha(
            value_counts=counts[:, used].astype(int), value_domain=values[used], level_of_measurement=level
        )
    )


@pytest.mark.parametrize("level", LEVELS)
def test_all_resamples_at_once_equal_the_library_one_by_one(level: Level) -> None:
    """Each row of weights stands for the table in which every item occurs so many times."""
    rng = np.random.default_rng(5)
    counts = rng.multinomial(3, [0.5, 0.3, 0.1, 0.1], size=20).astype(float)
    values = np.array([1.0, 2.0, 4.0, 7.0])
    weights = rng.multinomial(20, np.full(20, 0.05), size=25)
    each = coincidences(counts)
    together = alpha_of(np.einsum("ru,uvw->rvw", weights.astype(float), each), values, level)
    for row, found in zip(weights, together, strict=True):
        assert found == pytest.approx(library_alpha(np.repeat(counts, row, axis=0), level, values), abs=1e-10)


def test_interval_equals_a_slow_bootstrap() -> None:
    """The percentile limits of the library's alpha over the same resamples, one at a time."""
    table = random_table(3)
    found = agreement(table, "nominal", 60, 0.9, generator(11, "slow"))
    domain = sorted({label for votes in table.values() for label in votes.values()})
    rows = [[list(votes.values()).count(label) for label in domain] for votes in table.values() if len(votes) > 1]
    counts = np.array(rows)
    draws = generator(11, "slow").multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=60)
    slow = [library_alpha(np.repeat(counts, row, axis=0), "nominal", np.arange(len(domain))) for row in draws]
    assert [found.alpha.low, found.alpha.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-10)
    for place, one in enumerate(found.per_label):
        both = np.stack([counts[:, place], counts.sum(1) - counts[:, place]], axis=1)
        slow = [library_alpha(np.repeat(both, row, axis=0), "nominal", np.arange(2)) for row in draws]
        assert [one.alpha.low, one.alpha.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-10)


def test_kappa_is_on_common_items_alone() -> None:
    table = random_table(9)
    for pair in measure(table).pairwise:
        both = [votes for votes in table.values() if pair.a in votes and pair.b in votes]
        expected = cohen_kappa_score([v[pair.a] for v in both], [v[pair.b] for v in both])
        assert (pair.n, pair.cohen_kappa.point) == (len(both), pytest.approx(expected))


def test_order_of_rows_does_not_matter() -> None:
    table = random_table(4)
    turned = {item: dict(reversed(votes.items())) for item, votes in reversed(table.items())}
    first, second = measure(table), measure(turned)
    assert first.alpha.point == second.alpha.point
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
    assert all(pair.cohen_kappa.point is None and pair.cohen_kappa.reason for pair in found.pairwise)


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
