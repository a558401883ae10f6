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
def populations(draw: Callable[..., Any]) -> tuple[dict[str, float], dict[str, set[str]]]:
    chances = {f"t{i}": draw(st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0])) for i in range(draw(st.integers(1, 5)))}
    members = st.sets(st.sampled_from(sorted(chances)), min_size=1)
    return chances, {f"item{i}": draw(members) for i in range(draw(st.integers(1, 3)))}


@settings(max_examples=80, deadline=None)
@given(populations())
def test_probability_equals_the_sum_over_all_draws(population: tuple[dict[str, float], dict[str, set[str]]]) -> None:
    chances, items = population
    inclusion = Inclusion({item: {t: chances[t] for t in members} for item, members in items.items()}, frozenset())
    for size in range(1, len(items) + 1):
        for wanted in itertools.combinations(items, size):
            expected = sum(p for chosen, p in draws(chances) if all(chosen & items[item] for item in wanted))
            assert inclusion.probability(wanted) == pytest.approx(expected, abs=1e-12)


def test_weighted_totals_are_right_on_average_over_every_draw() -> None:
    """Six units, items shared across trajectories: the mean of the estimate over all 64 draws is the truth."""
    chances = {"t0": 0.5, "t1": 0.5, "t2": 0.25, "t3": 0.8, "t4": 1.0, "t5": 0.1}
    a_items = {"t0": "x", "t1": "x", "t2": "y", "t3": "z", "t4": "z", "t5": "v"}
    b_items = {"t0": "p", "t1": "q", "t2": "p", "t3": "q", "t4": "r", "t5": "w"}
    value = {"t0": 1.0, "t1": 0.0, "t2": 1.0, "t3": -1.0, "t4": 1.0, "t5": 1.0}
    members: dict[str, dict[str, float]] = {}
    for items in (a_items, b_items):
        for trajectory, item in items.items():
            members.setdefault(item, {})[trajectory] = chances[trajectory]
    inclusion = Inclusion(members, frozenset())
    mean = count = naive = 0.0
    for chosen, probability in draws(chances):
        judged = {item for item, of_item in members.items() if chosen & of_item.keys()}
        inside = [t for t in chances if a_items[t] in judged and b_items[t] in judged]
        weights = {t: 1 / inclusion.probability([a_items[t], b_items[t]]) for t in inside}
        mean += probability * sum(weights[t] * value[t] for t in inside)
        count += probability * sum(weights.values())
        naive += probability * sum(value[t] for t in inside)
    assert mean == pytest.approx(sum(value.values()), abs=1e-12)
    assert count == pytest.approx(len(chances), abs=1e-12)
    assert abs(naive - sum(value.values())) > 0.5  # without the probabilities it is biased


def test_probabilities_that_disagree_are_refused() -> None:
    links = pd.DataFrame(
        {
            "row_id": ["r1", "r2"],
            "item_id": ["x", "x"],
            "trajectory": ["t1", "t2"],
            "trajectory_probability": [0.5, 0.5],
            "item_probability": [0.5, 0.5],
            "drawn": [True, False],
            "audit_probability": [1.0, 1.0],
            "asked": [True, True],
        }
    )
    with pytest.raises(
        UserError, match=r"links\.parquet: item x has probability 0\.5, its trajectories and audit give 0\.75"
    ):
        Inclusion.of(links, "links.parquet")
    links["item_probability"] = 0.75
    assert Inclusion.of(links, "links.parquet").selected == {"x"}
