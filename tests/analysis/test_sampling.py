"""Inclusion probabilities against all draws written out, and estimates that are right on average over them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.analysis.inclusion import Inclusion
from gainsift.schemas.errors import UserError


def draws(chances: dict[str, float]) -> list[tuple[set[str], float]]:
    """Every set of trajectories that can be drawn, with its probability."""
    found = []
    for bits in itertools.product((False, True), repeat=len(chances)):
        chosen = {name for name, bit in zip(chances, bits, strict=True) if bit}
        found.append((chosen, math.prod(p if name in chosen else 1 - p for name, p in chances.items())))
    return found


@st.composite
def populations(draw: Callable[..., Any]) -> tuple[dict[str, float], dict[str, set[str]], dict[str, float]]:
    """Probabilities of trajectories, the trajectories of each item, and the audit probabilities of some items."""
    chances = {f"t{i}": draw(st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0])) for i in range(draw(st.integers(1, 5)))}
    members = st.sets(st.sampled_from(sorted(chances)), min_size=1)
    items = {f"item{i}": draw(members) for i in range(draw(st.integers(1, 3)))}
    return chances, items, draw(st.dictionaries(st.sampled_from(sorted(items)), st.sampled_from([0.05, 0.2, 0.5])))


@settings(max_examples=80, deadline=None)
@given(populations())
def test_probability_equals_the_sum_over_all_draws(
    population: tuple[dict[str, float], dict[str, set[str]], dict[str, float]],
) -> None:
    """Every outcome of both draws is written out: which trajectories are drawn, which items are asked about."""
    chances, items, audits = population
    of_trajectories = {item: {t: chances[t] for t in members} for item, members in items.items()}
    inclusion = Inclusion(of_trajectories, frozenset(), audits)
    for size in range(1, len(items) + 1):
        for wanted in itertools.combinations(items, size):
            expected = sum(
                p * q
                for chosen, p in draws(chances)
                for asked, q in draws({item: audits.get(item, 1.0) for item in wanted})
                if all(chosen & items[item] and item in asked for item in wanted)
            )
            assert inclusion.probability(wanted) == pytest.approx(expected, abs=1e-12)
            assert inclusion.probability([*wanted, wanted[0]]) == inclusion.probability(wanted)


def test_weighted_totals_are_right_on_average_over_every_draw() -> None:
    """Six units, items shared across trajectories, three audited: over all 512 outcomes the mean is the truth."""
    chances = {"t0": 0.5, "t1": 0.5, "t2": 0.25, "t3": 0.8, "t4": 1.0, "t5": 0.1}
    audits = {"x": 0.2, "q": 0.2, "r": 0.5}
    a_items = {"t0": "x", "t1": "x", "t2": "y", "t3": "z", "t4": "z", "t5": "v"}
    b_items = {"t0": "p", "t1": "q", "t2": "p", "t3": "q", "t4": "r", "t5": "v"}
    value = {"t0": 1.0, "t1": 0.0, "t2": 1.0, "t3": -1.0, "t4": 1.0, "t5": 1.0}
    members: dict[str, dict[str, float]] = {}
    for items in (a_items, b_items):
        for trajectory, item in items.items():
            members.setdefault(item, {})[trajectory] = chances[trajectory]
    inclusion = Inclusion(members, frozenset(), audits)
    mean = count = naive = 0.0
    for chosen, drawn in draws(chances):
        for asked, kept in draws(audits):
            judged = {item for item, of_item in members.items() if chosen & of_item.keys()} - audits.keys() | {
                item for item in asked if chosen & members[item].keys()
            }
            inside = [t for t in chances if a_items[t] in judged and b_items[t] in judged]
            weights = {t: 1 / inclusion.probability([a_items[t], b_items[t]]) for t in inside}
            mean += drawn * kept * sum(weights[t] * value[t] for t in inside)
            count += drawn * kept * sum(weights.values())
            naive += drawn * kept * sum(value[t] for t in inside)
    assert mean == pytest.approx(sum(value.values()), abs=1e-12)
    assert count == pytest.approx(len(chances), abs=1e-12)
    assert abs(naive - sum(value.values())) > 0.5  # without the probabilities it is biased


def links_of(**changes: Any) -> pd.DataFrame:
    """Two rows of one item, whose two trajectories have one chance in two; one was drawn."""
    return pd.DataFrame(
        {
            "row_id": ["r1", "r2"],
            "item_id": ["x", "x"],
            "trajectory": ["t1", "t2"],
            "trajectory_probability": [0.5, 0.5],
            "item_probability": [0.75, 0.75],
            "drawn": [True, False],
            "audit_probability": [1.0, 1.0],
            "asked": [True, True],
        }
        | changes
    )


def test_the_sample_is_what_is_drawn_and_asked_about() -> None:
    found = Inclusion.of(links_of(), "links.parquet")
    assert (found.selected, found.unasked) == ({"x"}, set())
    for asked in (True, False):
        changes = {"item_probability": 0.15, "audit_probability": 0.2, "asked": asked}
        found = Inclusion.of(links_of(**changes), "links.parquet")
        assert (found.selected, found.unasked) == (({"x"}, set()) if asked else (set(), {"x"}))
        assert found.probability(["x"]) == pytest.approx(0.15)  # (1 - 1/2 * 1/2) / 5
    nothing = Inclusion.of(links_of(drawn=False), "links.parquet")
    assert (nothing.selected, nothing.unasked) == (set(), set())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"item_probability": 0.5}, r"item x has probability 0\.5, its trajectories and audit give 0\.75"),
        ({"audit_probability": 0.2}, r"item x has probability 0\.75, its trajectories and audit give 0\.15"),
        ({"asked": False}, "item x is not asked about, though no audit leaves it out"),
        ({"asked": [True, False], "audit_probability": 0.2}, "the rows of item x disagree on asked"),
        ({"audit_probability": [0.2, 1.0]}, "the rows of item x disagree on audit_probability"),
        ({"trajectory": "t1"}, "the rows of trajectory t1 disagree on drawn"),
        ({"trajectory": "t1", "trajectory_probability": [0.5, 0.4]}, "disagree on trajectory_probability"),
    ],
)
def test_links_that_contradict_themselves_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=rf"links\.parquet: .*{words}"):
        Inclusion.of(links_of(**changes), "links.parquet")
