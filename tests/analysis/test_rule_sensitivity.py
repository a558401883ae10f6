"""One sentence on how far a conclusion depends on the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.rule_sensitivity import CONCLUSIONS, conclusion, rule_sensitivity

GAIN = Estimate(0.124, 0.05, 0.2)


def told(*others: Estimate) -> str:
    estimates = dict(zip(("adjudicated", "majority", "soft"), (GAIN, *others), strict=False))
    return rule_sensitivity(estimates.__getitem__, list(estimates), "adjudicated", "the human gain").sentence


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (
            (Estimate(0.131, 0.06, 0.21), Estimate(0.1, 0.01, 0.2)),
            "The human gain lies between +10.0 (soft) and +13.1 points (majority) under every rule (adjudicated,"
            " majority and soft), and every interval lies above 0.",
        ),
        (
            (Estimate(0.1241, 0.01, 0.2),),
            "The human gain is +12.4 points under every rule (adjudicated and majority), and every interval lies above"
            " 0.",
        ),
        ((), "The human gain is +12.4 points under adjudicated, and every interval lies above 0."),
        (
            (GAIN, Estimate(0.03, -0.01, 0.07)),
            "The human gain depends on the rule: under adjudicated (and majority) it is +12.4 [+5.0, +20.0] points, and"
            " its interval lies above 0; under soft it is +3.0 [−1.0, +7.0] points, and its interval holds 0.",
        ),
        (
            (Estimate(-0.03, -0.1, 0.04), Estimate(0.1)),
            "The human gain depends on the rule, its sign too: under adjudicated it is +12.4 [+5.0, +20.0] points, and"
            " its interval lies above 0; under majority it is −3.0 [−10.0, +4.0] points, and its interval holds 0;"
            " under soft it is +10.0 points without an interval.",
        ),
        (
            (Estimate(-0.03, -0.1, -0.0101), undefined("no unit to count")),
            "The human gain turns with the rule: under adjudicated it is +12.4 [+5.0, +20.0] points, and its interval"
            " lies above 0; under majority it is −3.0 [−10.0, −1.0] points, and its interval lies below 0; under soft"
            " it is undefined (no unit to count), so nothing can be said.",
        ),
    ],
)
def test_sentences(others: tuple[Estimate, ...], sentence: str) -> None:
    assert told(*others) == sentence


def test_undefined_and_without_intervals() -> None:
    nothing = rule_sensitivity(lambda rule: undefined("no unit"), ["a", "b"], "b", "the loss")
    assert nothing.sentence == "The loss is undefined under every rule (b and a): no unit."
    assert (nothing.steady, nothing.spread) == (True, None)
    bare = rule_sensitivity(lambda rule: Estimate(0.0002), ["a"], "a", "the gain")
    assert bare.sentence == "The gain is 0.0 points under a, without an interval."
    with pytest.raises(ValueError, match="'z' is not among"):
        rule_sensitivity(lambda rule: GAIN, ["a"], "z", "the gain")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((0.1, 0.2), "gain"), ((-0.2, -0.1), "loss"), ((0.0, 0.2), "open"), ((-0.2, 0.0), "open"), ((-0.1, 0.1), "open")],
)
def test_conclusions(limits: tuple[float, float], expected: str) -> None:
    assert conclusion(Estimate(0.1, *limits)) == expected


rates = st.floats(-1, 1, allow_nan=False)
estimates = st.one_of(
    st.tuples(rates, rates, rates).map(lambda three: Estimate(sorted(three)[1], min(three), max(three))),
    rates.map(Estimate),
    st.just(undefined("why")),
)


@given(st.lists(estimates, min_size=1, max_size=5))
def test_any_estimates_are_told_in_one_sentence(found: list[Estimate]) -> None:
    rules = [f"rule{number}" for number in range(len(found))]
    result = rule_sensitivity(dict(zip(rules, found, strict=True)).__getitem__, rules, rules[-1], "the gain")
    assert result.sentence.startswith("The gain ")
    assert result.sentence.endswith(".")
    assert all(rule in result.sentence for rule in rules)
    assert set(result.conclusions.values()) <= CONCLUSIONS.keys()
    assert result.steady == (len({conclusion(estimate) for estimate in found}) == 1)
    points = [estimate.point for estimate in found if estimate.point is not None]
    assert result.spread == (max(points) - min(points) if len(points) > 1 else None)
    assert ("depends on the rule" in result.sentence or "turns with the rule" in result.sentence) != result.steady
