"""Agreement in parts, worked out by hand or by another route; and that intervals hold what they promise."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from gainsift.analysis.agreement import NEVER_AGREED, Labels, agreement, alpha_only, overall
from gainsift.analysis.agreement_drift import SAME_ITEMS, drift
from gainsift.analysis.agreement_parts import (
    against_rest,
    at_conditions,
    each_against_rest,
    every_coefficient_without_each,
    self_agreement,
    without_each,
)
from gainsift.analysis.distances import nominal
from gainsift.analysis.estimate import generator
from gainsift.analysis.kappas import cohen
from gainsift.analysis.light import light_kappa, light_kappa_without_each
from gainsift.analysis.patterns import ALIKE, DROPPED, Disagreement, estimates, patterns
from gainsift.analysis.ratings import GAP, Ratings

TABLE: Labels = {
    "1": {"ann": "x", "bob": "x", "cy": "y"},
    "2": {"ann": "y", "bob": "y", "cy": "x"},
    "3": {"ann": "x", "bob": "x"},
    "4": {"ann": "y", "cy": "y"},
    "5": {"bob": "z"},
}


def test_without_each_is_the_table_without_them() -> None:
    found = without_each(TABLE, "nominal", 20, 0.95, generator(1))
    assert list(found) == ["ann", "bob", "cy"]
    for name, alpha in found.items():
        rest = {item: {who: label for who, label in votes.items() if who != name} for item, votes in TABLE.items()}
        assert alpha.point == pytest.approx(agreement(rest, "nominal", 20, 0.95, generator(1)).alpha.point)
    assert found["cy"].point == 1  # ann and bob never differ
    alone = without_each({"1": {"a": "x", "b": "y"}}, "nominal", 20, 0.95, generator(1))
    assert {alpha.reason for alpha in alone.values()} == {"one annotator only, 1 item"}


def test_the_whole_without_pairs_is_the_whole_but_for_pairs() -> None:
    weights = {item: float(item) for item in TABLE}
    one, other = (of(TABLE, "nominal", 50, 0.95, generator(3), weights) for of in (agreement, overall))
    assert [(pair.a, pair.b) for pair in one.pairwise] == [("ann", "bob"), ("ann", "cy"), ("bob", "cy")]
    assert replace(one, pairwise=[]) == other


def test_at_a_condition_are_the_items_that_occur_there() -> None:
    """Items 1 and 3, of 1 and 3 outputs. Unweighted: x x y, x x: n = 5, x 4 times, y once, disagreement 2 of item 1:
    alpha 1 - 4 * 2 / (2 * 4 * 1) = 0. Weights of mean 1 are 1/2 and 3/2: n = 4.5, x 4, y 1/2, disagreement 1:
    alpha 1 - 3.5 * 1 / (2 * 4 * 1/2) = 1/8."""
    found = at_conditions(
        TABLE, {"early": {"1": 1, "3": 3}, "late": {"2": 2, "4": 2, "9": 5}}, "nominal", 20, 0.95, generator(1)
    )
    assert list(found) == ["early", "late"]
    early = found["early"]
    assert (early.items, early.judgements) == (2, 5)
    assert early.alpha.point == pytest.approx(0)
    assert early.weighted["alpha"].point == pytest.approx(1 / 8)
    assert early.percent.point == pytest.approx(50)  # 2 of 4 pairs
    assert early.weighted["percent"].point == pytest.approx(100 * (1 / 2 + 3 / 2) / (3 / 2 + 3 / 2))
    assert found["late"].items == 2  # nobody judged 9
    nothing = at_conditions(TABLE, {"none": {"9": 1}}, "nominal", 20, 0.95, generator(1))["none"]
    assert {one.reason for one in nothing.weighted.values()} == {"no judgements"}


def test_a_label_against_the_rest() -> None:
    assert against_rest({"1": {"a": "x", "b": "y"}, "2": {"a": "z"}}, "x") == {
        "1": {"a": "x", "b": "rest"},
        "2": {"a": "rest"},
    }
    assert against_rest({"1": {"a": "rest", "b": "y"}}, "rest") == {"1": {"a": "rest", "b": "not rest"}}
    whole = agreement(TABLE, "nominal", 20, 0.95, generator(1))
    for one in whole.per_label:
        part = agreement(against_rest(TABLE, one.label), "nominal", 20, 0.95, generator(1)).alpha
        if one.alpha.point is None:  # z: by one annotator alone
            assert part.point == pytest.approx(whole.alpha.point) if one.label != "z" else one.alpha.reason
        else:
            assert one.alpha.point == pytest.approx(part.point)


PAIRS = {"1": {"a": "x", "b": "x"}, "2": {"a": "x", "b": "y"}, "3": {"a": "y", "b": "z"}, "4": {"a": "z", "b": "z"}}


def test_every_coefficient_of_a_label_against_the_rest() -> None:
    """x-x, x-rest and twice rest-rest: 3 of 4 agree, 3 of 8 judgements say x.

    By chance kappa (3² + 5²) / 8² = 17/32, AC1 2 × 3/8 × 5/8 = 15/32, S 1/2.
    """
    found = each_against_rest(PAIRS, ["x", "z"], 50, 0.95, generator(1))
    assert list(found) == ["x", "z"]
    for name, value in {"percent": 75, "fleiss": 7 / 15, "scott": 7 / 15, "ac1": 9 / 17, "s": 1 / 2}.items():
        one = found["x"][name]
        assert one.point == pytest.approx(value), name
        assert one.low <= one.point <= one.high
        assert one.low < one.high
    assert each_against_rest(PAIRS, ["x"], 50, 0.95, generator(1))["x"] == found["x"]  # whatever else is asked


def test_every_coefficient_without_an_annotator() -> None:
    """Without c two of four agree, labels 3, 2 and 3 of 8: by chance kappa 22/64, AC1 (1 − 22/64) / 2, S 1/3."""
    with_c = {item: {**votes, "c": "y"} for item, votes in PAIRS.items()}
    found = every_coefficient_without_each(with_c, 50, 0.95, generator(1))
    assert list(found) == ["a", "b", "c"]
    for name, value in {"percent": 50, "fleiss": 10 / 42, "ac1": 11 / 43, "s": 1 / 4}.items():
        assert found["c"][name].point == pytest.approx(value), name
        assert found["c"][name].low is not None
    alone = every_coefficient_without_each(PAIRS, 50, 0.95, generator(1))
    assert all(one.point is None and one.reason for one in alone["a"].values())


def test_cohen_is_the_mean_of_pairs_each_on_its_common_items() -> None:
    """Against scikit-learn, pair by pair: a and b, a and c, b and c have 6, 4 and 3 items in common."""
    said = {"a": "xxyyzx", "b": "xyyzzx", "c": "x.yx.z"}
    table = {str(n): {name: labels[n] for name, labels in said.items() if labels[n] != "."} for n in range(6)}
    del table["5"]["b"]
    each = []
    for one, two in ("ab", "ac", "bc"):
        both = [(votes[one], votes[two]) for votes in table.values() if {one, two} <= votes.keys()]
        each.append(cohen_kappa_score(*zip(*both, strict=True)))
    found = light_kappa(table, 200, 0.95, generator(1))
    assert found.point == pytest.approx(np.mean(each))
    assert found.low < found.point < found.high
    pair = light_kappa(PAIRS, 50, 0.95, generator(1))  # 2 of 4 agree; by chance (2 × 1 + 1 × 1 + 1 × 2) / 16
    assert pair.point == pytest.approx((1 / 2 - 5 / 16) / (11 / 16))
    assert light_kappa({"1": {"a": "x", "b": "x"}}, 50, 0.95, generator(1)).reason


@given(
    st.lists(st.lists(st.sampled_from([None, "x", "y", "z"]), min_size=5, max_size=5), min_size=2, max_size=12),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_all_pairs_at_once_are_each_pair_by_itself(said: list[list[str | None]], seed: int) -> None:
    """Point and limits are those of one pair after the other, of the same draws."""
    table = {
        f"{n:02}": {name: label for name, label in zip("abcde", labels, strict=True) if label}
        for n, labels in enumerate(said)
    }
    found = light_kappa(table, 40, 0.95, generator(seed))
    if found.reason == "no disagreement is expected by chance" or not found.defined:
        return
    ratings = Ratings.of(table)
    rows = patterns(ratings.chosen(ratings.sizes >= 2), who=True)

    def one_by_one(times: npt.NDArray[np.float64]) -> Disagreement:
        pairs = []
        for pair in combinations(range(rows.codes.shape[1]), 2):
            both = (rows.codes[:, pair] != GAP).all(1)
            if both.any():
                pairs.append(cohen(rows.codes[both][:, pair], times[:, both], nominal(ratings.labels)))
        ratios = np.concatenate([one.coefficient() for one in pairs], axis=1)
        expected = np.concatenate([one.expected for one in pairs], axis=1)
        with np.errstate(invalid="ignore"):
            known = np.isfinite(ratios)
            number = known.sum(1, keepdims=True)
            scale = np.where(known, expected, 0).sum(1, keepdims=True) / number
            mean = 1 - np.where(known, ratios, 0).sum(1, keepdims=True) / number
        return Disagreement(mean * scale, scale)

    (slow,) = estimates(rows, one_by_one, 40, 0.95, generator(seed))
    assert (found.point, found.low, found.high) == pytest.approx((slow.point, slow.low, slow.high), abs=1e-12)
    assert found.reason == slow.reason


@given(st.lists(st.lists(st.sampled_from([None, "x", "y"]), min_size=4, max_size=4), min_size=1, max_size=10))
@settings(max_examples=60, deadline=None)
def test_without_each_all_at_once_is_each_table_without_them(said: list[list[str | None]]) -> None:
    table = {
        f"{n:02}": {name: label for name, label in zip("abcd", labels, strict=True) if label}
        for n, labels in enumerate(said)
    }
    ratings = Ratings.of(table)
    for name, found in light_kappa_without_each(ratings, 30, 0.95, generator(1)).items():
        rest = {item: {who: label for who, label in votes.items() if who != name} for item, votes in table.items()}
        alone = light_kappa(rest, 30, 0.95, generator(1))
        assert found.point == pytest.approx(alone.point, abs=1e-12)
        assert (found.bounded, found.reason) == (alone.bounded, alone.reason) or found.defined
        if found.bounded:
            assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_without_each_the_interval_is_as_wide_as_that_of_the_table_without_them() -> None:
    """Two hundred items, five judgements each by eight people who err in 20 %: limits of other draws, within .02."""
    rng = np.random.default_rng(5)
    table: dict[str, dict[str, str]] = {}
    for n in range(200):
        right = "xyz"[n % 3]
        table[f"{n:03}"] = {
            f"a{who}": str(rng.choice(list("xyz"))) if rng.random() < 0.2 else right
            for who in sorted(rng.choice(8, 5, replace=False))
        }
    together = light_kappa_without_each(Ratings.of(table), 2000, 0.95, generator(1))
    for name in ("a0", "a7"):
        rest = {item: {who: label for who, label in votes.items() if who != name} for item, votes in table.items()}
        alone = light_kappa(rest, 2000, 0.95, generator(2))
        assert together[name].point == pytest.approx(alone.point, abs=1e-12)
        assert (together[name].low, together[name].high) == pytest.approx((alone.low, alone.high), abs=0.02)


def test_people_with_themselves() -> None:
    """Ann: x-x, y-x, y-y; bob: z-z and, without a first judgement, x-y among the repeats."""
    table = {"1": {"ann": "x", "bob": "z"}, "2": {"ann": "y"}, "3": {"ann": "y"}}
    repeats = {"1": {"ann": ["x"], "bob": ["z"]}, "2": {"ann": ["x"]}, "3": {"ann": ["y"]}, "4": {"bob": ["x", "y"]}}
    found = self_agreement(table, repeats, "nominal", 50, 0.95, generator(1))
    assert list(found.each) == ["ann", "bob"]
    assert found.each["ann"].percent.point == pytest.approx(200 / 3)
    assert found.each["ann"].alpha.point == pytest.approx(1 - 5 * 2 / (2 * 3 * 3))
    assert found.each["bob"].percent.point == pytest.approx(50)
    assert found.together.percent.point == pytest.approx(60)
    assert (found.together.items, found.together.judgements) == (5, 10)
    nobody = self_agreement(table, {}, "nominal", 50, 0.95, generator(1))
    assert nobody.each == {}
    assert nobody.together.alpha.reason == "no judgements"


def test_items_and_people_are_not_mixed_up_by_their_names() -> None:
    """Annotator "a" on item "b c" and annotator "a b" on item "c" are two units."""
    repeats = {"b c": {"a": ["x", "x"]}, "c": {"a b": ["x", "y"]}}
    assert self_agreement({}, repeats, "nominal", 20, 0.95, generator(1)).together.items == 2


def test_perfect_agreement_has_a_bound_not_a_point() -> None:
    """Ten items, x and y five times each: D_e = 2 * 10 * 10 / (20 * 19), b = 1 - .025^(1/10), limit 1 - b / D_e."""
    table = {str(n): {"a": "xy"[n % 2], "b": "xy"[n % 2]} for n in range(10)}
    found = agreement(table, "nominal", 50, 0.95, generator(1))
    share = 1 - 0.025 ** (1 / 10)
    assert (found.alpha.point, found.alpha.high, found.alpha.bounded) == (1, 1, True)
    assert found.alpha.low == pytest.approx(1 - share / (200 / 380))
    assert found.alpha.reason == ALIKE
    assert found.percent.low == pytest.approx(100 * (1 - share))
    (pair,) = found.pairwise
    assert pair.cohen_kappa.low == pytest.approx(1 - share / 0.5)
    assert pair.confusion.tolist() == [[5, 0], [0, 5]]


def test_no_agreement_at_all_has_a_bound_too() -> None:
    """Four items, x by a and y by b: none agrees, up to b = 1 - .025^(1/4) may; kappa's chance disagreement is 1."""
    found = agreement({str(n): {"a": "x", "b": "y"} for n in range(4)}, "nominal", 50, 0.95, generator(1))
    share = 1 - 0.025 ** (1 / 4)
    assert (found.percent.point, found.percent.low, found.percent.reason) == (0, 0, ALIKE)
    assert found.percent.high == pytest.approx(100 * share)
    (pair,) = found.pairwise
    assert (pair.cohen_kappa.point, pair.cohen_kappa.low) == (0, 0)
    assert pair.cohen_kappa.high == pytest.approx(share)


def test_a_label_that_nobody_agreed_on_is_not_known_to_be_unreliable() -> None:
    """z was given on two items by one person each: alpha is hardly 0, but no more than 2 items say so."""
    table = {str(n): {"a": "xy"[n % 2], "b": "xy"[n % 2]} for n in range(38)}
    table |= {"38": {"a": "z", "b": "x"}, "39": {"a": "y", "b": "z"}}
    found = {one.label: one.alpha for one in agreement(table, "nominal", 200, 0.95, generator(1)).per_label}["z"]
    assert (found.bounded, found.reason) == (True, NEVER_AGREED)
    assert found.point == pytest.approx(1 - (4 / 80) / (2 * 2 * 78 / (80 * 79)))
    assert found.high == pytest.approx(found.point + (1 - 0.025**0.5) * (1 - found.point))


def test_resamples_without_a_label_are_said() -> None:
    """Of 39 items one has the label twice over three people: (38/39)^39 = 36 % of the resamples lack it."""
    table = {str(n): {"a": "x", "b": "x", "c": "x"} for n in range(38)} | {"38": {"a": "x", "b": "y", "c": "y"}}
    found = {one.label: one.alpha for one in agreement(table, "nominal", 200, 0.95, generator(1)).per_label}["y"]
    assert found.low is not None
    assert found.reason == DROPPED
    once = [agreement(table, "nominal", 1, 0.95, generator(seed)).alpha for seed in range(30)]
    assert {one.reason for one in once} == {"", "no interval: undefined in every resample"}


def test_one_pair_of_many_may_be_undefined() -> None:
    table = {"1": {"a": "x", "b": "x"}, "2": {"a": "y", "b": "x"}, "3": {"c": "y"}}
    found = {(pair.a, pair.b): pair for pair in agreement(table, "nominal", 20, 0.95, generator(1)).pairwise}
    assert found["a", "b"].cohen_kappa.point == pytest.approx(0)
    assert found["a", "c"].cohen_kappa.reason == "no item judged by both"
    assert found["a", "c"].coefficients["percent"].point is None
    assert found["a", "c"].confusion.sum() == 0


@pytest.mark.parametrize(("name", "expected"), [("alpha", 0.49), ("cohen", 0.49), ("ac1", None)])
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str, expected: float | None) -> None:
    """Two annotators who know the label with probability .7 and else guess it by its share: kappa and alpha of the
    population are .7^2 (observed .49 + .51 c, chance c = sum of squared shares). AC1 = (o - e) / (1 - e), e = (1 - c)/2
    for three labels. 600 tables of 120 items, 90 % intervals: within 86.5 to 93.5 %."""
    shares = np.array([0.6, 0.3, 0.1])
    chance = (shares**2).sum()
    observed = 0.49 + 0.51 * chance
    truth = expected if expected is not None else 1 - (1 - observed) / (1 - (1 - chance) / 2)
    rng = np.random.default_rng(17)
    inside = 0
    for _ in range(600):
        label = rng.choice(3, 120, p=shares)
        guess = rng.choice(3, (120, 2), p=shares)
        codes = np.where(rng.random((120, 2)) < 0.7, label[:, None], guess).astype(np.int32)
        ratings = Ratings(codes, ["a", "b"], ["x", "y", "z"])
        if name == "alpha":
            found = alpha_only(ratings, "nominal", 200, 0.9, rng)
        else:
            found = agreement(ratings, "nominal", 200, 0.9, rng).pairwise[0].coefficients[name]
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= truth <= found.high
    assert 0.865 <= inside / 600 <= 0.935


# --- drift -----------------------------------------------------------------------------------------------


def random_votes(seed: int, items: int, right: float) -> dict[str, dict[str, str]]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, items)
    return {
        f"{seed}-{item}": {
            who: "xyz"[truth[item] if rng.random() < right else rng.integers(0, 3)]
            for who in ("ann", "bob", "cy")[: 1 + rng.integers(1, 3)]
        }
        for item in range(items)
    }


def test_drift_is_the_difference_of_the_ends_resampled_by_item() -> None:
    """A slow referee: items of both ends drawn together; an item that occurs at both counts at both."""
    early, both, late = random_votes(1, 40, 0.9), random_votes(2, 20, 0.7), random_votes(3, 40, 0.5)
    table = early | both | late
    rows = {"c1": dict.fromkeys([*early, *both], 1.0), "c2": {}, "c3": dict.fromkeys([*both, *late], 9.0)}
    found = drift(table, rows, "nominal", 4000, 0.95, generator(1))
    ends = [
        agreement({item: table[item] for item in rows[end]}, "nominal", 5, 0.95, generator(1)) for end in ("c1", "c3")
    ]
    assert found.alpha.point == pytest.approx((ends[1].alpha.point or 0) - (ends[0].alpha.point or 0))
    assert found.percent.point == pytest.approx((ends[1].percent.point or 0) - (ends[0].percent.point or 0))
    rng, names, slow = np.random.default_rng(5), list(table), []
    for _ in range(400):
        drawn = [names[place] for place in rng.integers(0, len(names), len(names))]
        alphas = [
            alpha_only(
                Ratings.of({f"{n}": table[item] for n, item in enumerate(drawn) if item in rows[end]}),
                "nominal", 1, 0.95, generator(1),
            ).point
            for end in ("c1", "c3")
        ]  # fmt: skip
        slow.append((alphas[1] or 0) - (alphas[0] or 0))
    assert found.alpha.low is not None
    assert [found.alpha.low, found.alpha.high] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.04)
    assert found.alpha.high < 0  # from .9 to .5 right


def test_drift_of_the_same_items_is_none_and_of_nothing_undefined() -> None:
    rows = {"c1": dict.fromkeys(TABLE, 1.0), "c2": dict.fromkeys(TABLE, 2.0)}
    found = drift(TABLE, rows, "nominal", 20, 0.95, generator(1))
    assert (found.alpha.point, found.alpha.reason) == (0, SAME_ITEMS)
    nothing = drift(TABLE, {"c1": {"5": 1.0}, "c2": {"1": 1.0, "2": 1.0}}, "nominal", 20, 0.95, generator(1))
    assert nothing.alpha.reason == "at c1: none of 1 item was judged by two annotators"
    assert nothing.percent.point is None
    alike = drift({"1": {"a": "x", "b": "x"}} | TABLE, {"c1": {"3": 1.0}, "c2": {"2": 1.0}}, "nominal", 20, 0.95,
                  generator(1))  # fmt: skip
    assert alike.alpha.reason == "at c1: one label only (x) on 1 item judged twice"
    assert alike.percent.point == pytest.approx(100 / 3 - 100)
    empty = drift({}, {"c1": {}, "c2": {}}, "nominal", 20, 0.95, generator(1))
    assert empty.alpha.reason == "at c1: no judgements; at c2: no judgements"
