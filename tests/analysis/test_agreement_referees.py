"""Coefficients against other people's code, and fast resampling against slow resampling of whole units."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from gainsift.analysis.agreement import Level, Scale, agreement, alpha_only
from gainsift.analysis.distances import METRICS
from gainsift.analysis.estimate import generator
from gainsift.analysis.kappas import cohen
from gainsift.analysis.patterns import COMMON, draws, estimates, patterns
from gainsift.analysis.ratings import GAP, Ratings

LIBRARY = ("nominal", "ordinal", "interval", "ratio")
NUMBERS = ["1.0", "2.0", "4.0", "7.0"]


@st.composite
def tables(draw: Callable[..., list[list[int]]], gaps: bool = True, annotators: int = 3) -> Ratings:
    """2 to 25 units of up to four labels that are numbers, each unit judged once at least."""
    lowest = GAP if gaps else 0
    row = st.lists(st.integers(lowest, 3), min_size=annotators, max_size=annotators).filter(lambda one: max(one) >= 0)
    rows = draw(st.lists(row, min_size=2, max_size=25))
    return Ratings(np.array(rows, dtype=np.int32), [f"a{n}" for n in range(annotators)], NUMBERS)


def library_alpha(ratings: Ratings, level: str) -> float:
    """NaN where it is undefined."""
    data = np.where(ratings.codes == GAP, np.nan, np.array([float(x) for x in ratings.labels])[ratings.codes]).T
    pairable = (ratings.codes != GAP).sum(1) >= 2
    if len(np.unique(ratings.codes[pairable][ratings.codes[pairable] != GAP])) < 2:
        return float("nan")
    domain = np.array([float(label) for label in ratings.labels])
    return float(krippendorff.alpha(data, value_domain=domain, level_of_measurement=level))


@pytest.mark.parametrize("level", LIBRARY)
@settings(max_examples=60, deadline=None)
@given(ratings=tables())
def test_alpha_is_the_librarys(level: Level, ratings: Ratings) -> None:
    found = alpha_only(ratings, level, 2, 0.95, generator(1)).point
    assert (np.nan if found is None else found) == pytest.approx(library_alpha(ratings, level), abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(ratings=tables(gaps=False, annotators=4))
def test_fleiss_is_that_of_statsmodels(ratings: Ratings) -> None:
    found = agreement(ratings, "nominal", 2, 0.95, generator(1)).coefficients["fleiss"].point
    counts = np.stack([(ratings.codes == label).sum(1) for label in range(4)], axis=1)
    if (counts.sum(0) > 0).sum() < 2:
        assert found is None
    else:
        assert found == pytest.approx(fleiss_kappa(counts), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(ratings=tables(annotators=2))
def test_kappa_is_that_of_scikit_learn(ratings: Ratings) -> None:
    (pair,) = agreement(ratings, "ordinal", 2, 0.95, generator(1)).pairwise
    both = ratings.codes[(ratings.codes != GAP).all(1)]
    assert pair.n == len(both)
    for name, weights in (("cohen", None), ("cohen_linear", "linear"), ("cohen_quadratic", "quadratic")):
        found = pair.coefficients[name].point
        if len(both) == 0 or len(np.unique(both)) < 2:
            assert found is None
            assert pair.coefficients[name].reason
        else:
            expected = cohen_kappa_score(both[:, 0], both[:, 1], labels=range(4), weights=weights)
            assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", LIBRARY)
def test_alpha_of_each_label_is_the_librarys(level: Level) -> None:
    """Nominal alpha of two values, whatever the level of the whole."""
    codes = np.random.default_rng(4).integers(GAP, 4, (60, 3)).astype(np.int32)
    ratings = Ratings(codes[codes.max(1) >= 0], ["a", "b", "c"], NUMBERS)
    for place, one in enumerate(agreement(ratings, level, 2, 0.95, generator(1)).per_label):
        binary = np.where(ratings.codes == GAP, GAP, ratings.codes == place).astype(np.int32)
        expected = library_alpha(Ratings(binary, ratings.annotators, ["0", "1"]), "nominal")
        assert one.alpha.point == pytest.approx(expected, abs=1e-9)


# --- resampling ------------------------------------------------------------------------------------------


def some_ratings(units: int = 80) -> Ratings:
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 4, units)
    codes = np.where(rng.random((units, 3)) < 0.6, truth[:, None], rng.integers(GAP, 4, (units, 3)))
    return Ratings(codes[(codes != GAP).sum(1) >= 2].astype(np.int32), ["a", "b", "c"], NUMBERS)


def repeated(ratings: Ratings, times: np.ndarray) -> Ratings:
    """The table in which the units of each pattern stand as often as `times` says, one row for each."""
    return Ratings(np.repeat(patterns(ratings).codes, times, axis=0), ratings.annotators, ratings.labels)


@pytest.mark.parametrize("level", LIBRARY)
def test_fast_resampling_equals_slow_resampling(level: Level) -> None:
    """The library's alpha of each resample, written out unit by unit from the same multinomial counts."""
    ratings = some_ratings()
    found = alpha_only(ratings, level, 60, 0.9, generator(11, "slow"))
    times = draws(patterns(ratings).units, 60, generator(11, "slow"))
    slow = [library_alpha(repeated(ratings, row), level) for row in times]
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-10)


@pytest.mark.parametrize("name", ["cohen", "cohen_linear", "cohen_quadratic"])
def test_fast_resampling_of_kappa_equals_slow_resampling(name: str) -> None:
    ratings = some_ratings().common(("a", "b"))
    distance = METRICS[{"cohen": "nominal"}.get(name, name.removeprefix("cohen_"))](ratings.labels)
    table = patterns(ratings, who=True)
    (found,) = estimates(table, lambda times: cohen(table.codes, times, distance), 60, 0.9, generator(3))
    slow = []
    for row in draws(table.units, 60, generator(3)):
        codes = np.repeat(table.codes, row, axis=0)
        weights = None if name == "cohen" else name.removeprefix("cohen_")
        slow.append(cohen_kappa_score(codes[:, 0], codes[:, 1], labels=range(4), weights=weights))
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-10)


@pytest.mark.parametrize("units", [[1, 1, 2, 3], [COMMON, 3 * COMMON], [1, 2, 5 * COMMON, COMMON, 7]])
def test_draws_are_multinomial(units: list[int]) -> None:
    """Means n p, variances n p (1 - p), covariances -n p q: within five standard errors of 40,000 draws."""
    sizes, number = np.array(units), 40_000
    found = draws(sizes, number, np.random.default_rng(5)).astype(float)
    total = sizes.sum()
    share = sizes / total
    assert (found.sum(1) == total).all()
    expected = total * (np.diag(share) - np.outer(share, share))
    spread = np.sqrt(np.diag(expected))
    assert np.abs(found.mean(0) - sizes).max() < 5 * spread.max() / np.sqrt(number)
    # the variance of a product of two near-normal numbers is at most twice that of independent ones
    error = np.sqrt(2 / number) * np.outer(spread, spread) * 1.5
    assert (np.abs(np.cov(found.T) - expected) < 5 * error).all()


def test_draws_of_patterns_are_draws_of_units() -> None:
    """P(a pattern is left out) is (1 - k/n)^n, exactly: checked for rare and common ones."""
    sizes = np.array([1, 2, COMMON])
    found = draws(sizes, 40_000, np.random.default_rng(6))
    for column, units in enumerate(sizes):
        p = (1 - units / sizes.sum()) ** sizes.sum()
        assert abs((found[:, column] == 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / 40_000) + 1e-4


def test_patterns_of_wide_tables_do_not_overflow() -> None:
    """Forty annotators of 900 labels: the number of possible rows fits no integer."""
    codes = np.random.default_rng(7).integers(GAP, 900, (50, 40)).astype(np.int32)
    twice = np.concatenate([codes, codes])
    found = patterns(Ratings(twice, [str(n) for n in range(40)], [str(n) for n in range(900)]), who=True)
    assert (found.units == 2).all()
    assert np.array_equal(found.codes, np.unique(codes, axis=0))


# --- weights ---------------------------------------------------------------------------------------------


def weighted(ratings: Ratings, weights: np.ndarray) -> Ratings:
    return Ratings(ratings.codes, ratings.annotators, ratings.labels, weights)


def test_equal_weights_are_no_weights() -> None:
    ratings = some_ratings()
    plain = agreement(ratings, "ordinal", 50, 0.95, generator(1))
    for weight in (1.0, 3.0, 1e-3):
        found = agreement(weighted(ratings, np.full(len(ratings.codes), weight)), "ordinal", 50, 0.95, generator(1))
        assert found.coefficients == plain.coefficients
        for name, one in found.weighted.items():
            if one.point is not None:
                assert one.point == pytest.approx(plain.coefficients[name].point, abs=1e-12)


@pytest.mark.parametrize("level", LIBRARY)
def test_weighted_alpha_is_that_of_repeated_rows(level: Level) -> None:
    """Units written out as often as they weigh, by the library; only the correction n - 1 is that of the units.

    1 - alpha has the factor (n - 1) / n; the library takes n from the repeated rows.
    """
    ratings = some_ratings()
    weights = np.random.default_rng(2).integers(0, 6, len(ratings.codes))
    found = alpha_only(weighted(ratings, weights.astype(float)), level, 2, 0.95, generator(1)).point
    rows = Ratings(np.repeat(ratings.codes, weights, axis=0), ratings.annotators, ratings.labels)
    many = rows.sizes.sum()
    few = many / weights.sum() * len(weights)
    assert found is not None
    expected = (1 - library_alpha(rows, level)) * ((few - 1) / few) / ((many - 1) / many)
    assert 1 - found == pytest.approx(expected, abs=1e-10)


def test_weights_are_respected_when_resampling() -> None:
    """Each resample by hand: weights of mean 1 over the units, nominal alpha with fractions."""
    codes = [[0, 0], [0, 1], [1, 1], [0, 0], [1, 0], [1, 1]]
    weights = [1, 2, 3, 1, 2, 9]
    ratings = Ratings(np.array(codes, dtype=np.int32), ["a", "b"], ["x", "y"], np.array(weights, dtype=float))
    found = alpha_only(ratings, "nominal", 40, 0.9, generator(3))
    table = patterns(ratings)
    slow = []
    for times in draws(table.units, 40, generator(3)):
        x = y = split = Fraction(0)
        for row, weight, count in zip(table.codes, table.weight, times, strict=True):
            each = int(count) * Fraction(weight).limit_denominator(1000)
            x += each * int((row == 0).sum())
            y += each * int((row == 1).sum())
            split += 2 * each * int(row[0] != row[1])
        if x and y:
            slow.append(float(1 - (x + y - 1) * split / (2 * x * y)))
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=1e-10)


def test_weights_must_be_there_and_finite() -> None:
    table = {"1": {"a": "x", "b": "y"}}
    for weights in ({}, {"1": -1.0}, {"1": float("nan")}, {"1": float("inf")}):
        with pytest.raises(ValueError, match="item '1' needs a weight of 0 or more"):
            Ratings.of(table, weights)


def test_no_weight_on_what_was_judged_twice_is_undefined() -> None:
    table = {"1": {"a": "x", "b": "y"}, "2": {"a": "x"}, "3": {"a": "x", "b": "x"}}
    found = agreement(table, "nominal", 20, 0.95, generator(1), weights={"1": 0, "2": 5, "3": 0})
    assert found.alpha.point is not None
    for one in found.weighted.values():
        assert (one.point, one.reason) == (None, "no item judged twice has any weight")


def test_columns_and_rows_give_the_same_table() -> None:
    ratings = some_ratings()
    table = {
        f"u{unit:03}": {who: ratings.labels[code] for who, code in zip("abc", row, strict=True) if code != GAP}
        for unit, row in enumerate(ratings.codes)
    }
    long = [(item, who, label) for item, votes in table.items() for who, label in votes.items()]
    items, annotators, labels = zip(*reversed([*long, ("u900", "a", None)]), strict=True)
    one, other = Ratings.of(table), Ratings.of_columns(items, annotators, labels)
    assert np.array_equal(one.codes, other.codes)
    assert (one.annotators, one.labels) == (other.annotators, other.labels)
    with pytest.raises(ValueError, match="twice"):
        Ratings.of_columns(["1", "1"], ["a", "a"], ["x", "y"])


def test_a_scale_of_ones_own() -> None:
    """All distances alike: the nominal alpha, whatever their size."""
    ratings = some_ratings()
    same = Scale.given("same", lambda labels: 7 * METRICS["nominal"](labels))
    plain = alpha_only(ratings, "nominal", 50, 0.95, generator(1))
    found = alpha_only(ratings, same, 50, 0.95, generator(1))
    assert (found.point, found.low, found.high) == pytest.approx((plain.point, plain.low, plain.high), abs=1e-12)
