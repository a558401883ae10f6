"""Planned studies: annotators' errors by enumeration, and their agreement by the `krippendorff` library."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import krippendorff
import numpy as np
import pytest

from gainsift.analysis.estimate import generator
from gainsift.analysis.planned_study import Assumed, Pilot, States, confusion, verdict_chances


def slow_verdicts(said: np.ndarray, overlap: int) -> np.ndarray:
    """Every sequence of labels with its probability."""
    found = np.zeros_like(said)
    for true, labels in itertools.product(
        range(len(said)), itertools.product(range(len(said)), repeat=overlap)
    ):  # fmt: skip
        counts = Counter(labels)
        winners = [label for label, count in counts.items() if count == max(counts.values())]
        if len(winners) == 1:
            found[true, winners[0]] += np.prod([said[true, label] for label in labels])
    return found


@pytest.mark.parametrize("overlap", [1, 2, 3, 4, 5])
def test_verdicts_of_a_majority_against_every_sequence(overlap: int) -> None:
    said = confusion(0.6, np.array([0.5, 0.2, 0.2, 0.1]))
    assert said.sum(1) == pytest.approx(1)
    assert verdict_chances(said, overlap) == pytest.approx(slow_verdicts(said, overlap), abs=1e-14)


def test_two_labels_by_hand() -> None:
    """Known 1/2, shares 3/4 and 1/4: right about the first 1/2 + 3/8 = 7/8. Of three, 343/512 + 3 * 49/512 = 490/512.

    Two agree on the first with 49/64, on the second with 1/64, and tie with 14/64.
    """
    said = confusion(0.25, np.array([0.75, 0.25]))
    assert said[0, 0] == pytest.approx(7 / 8)
    assert said[1, 1] == pytest.approx(1 / 2 + 1 / 8)
    assert verdict_chances(said, 3)[0] == pytest.approx([490 / 512, 22 / 512])
    assert verdict_chances(said, 2)[0] == pytest.approx([49 / 64, 1 / 64])


@pytest.mark.parametrize("alpha", [0.3, 0.75])
def test_such_annotators_agree_as_said(alpha: float) -> None:
    shares = np.array([0.5, 0.3, 0.2])
    said = confusion(alpha, shares)
    rng = generator(1, "agreement")
    true = rng.choice(3, 40_000, p=shares)
    given = [(rng.random(len(true))[:, None] > said[true].cumsum(1)).sum(1) for _ in range(3)]
    measured = krippendorff.alpha(np.stack(given), level_of_measurement="nominal")
    assert measured == pytest.approx(alpha, abs=0.015)  # standard error about .003


def test_a_single_item_at_both_ends_never_moves() -> None:
    right, bucket = np.array([True, False]), np.array([False, True])
    states = States(
        np.array([0, 0]), np.array([0, 0]), np.array([True, False]), np.array([0.5, 0.5]), bucket, bucket, right, right
    )
    up, down = states.values(0.25, 1)  # says the truth with probability 1/2 + 1/4
    assert (up[0], down[0]) == (0, 0)
    assert (up[1], down[1]) == (pytest.approx(3 / 16), pytest.approx(3 / 16))


def test_the_expected_flow_of_assumed_shares_by_hand() -> None:
    """gained 1/4, correct 1/2, else 1/4; alpha 1/4: known with probability 1/2.

    Labels correct, bucket, other have shares (1/2 + 1/8, 1/8, 1/4). Said of correct: 13/16, 1/16, 1/8; of the bucket:
    5/16, 9/16, 1/8; of other: 5/16, 1/16, 5/8. Net flow P(bucket, correct) - P(correct, bucket):
    gained 9/16 * 13/16 - 5/16 * 1/16 = 112/256, of the states that stay nothing, as both ends err alike.
    """
    population = Assumed.of(0.25, 0.0, 0.5)
    up, down = population.states.values(0.25, 1)
    assert (up - down).tolist() == pytest.approx([112 / 256, -112 / 256, 0, 0])
    flows, totals = population.draw(400, 100, up, down, generator(3))
    assert totals.sum() == 40_000
    assert flows.sum() / 40_000 == pytest.approx(float(Fraction(1, 4) * Fraction(112, 256)), abs=0.006)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 1.0])
def test_units_of_a_family_are_correlated_as_asked(correlation: float) -> None:
    """Of a family's number of gaining units the variance is m p (1 - p) (1 + (m - 1) rho)."""
    p, m = 0.3, 5
    population = Assumed.of(p, 0.0, 0.2, m, correlation)
    flows, _ = population.draw(1, 60_000, *population.states.values(1.0, 1), generator(4))
    assert flows.mean() == pytest.approx(m * p, abs=0.05)
    assert flows.var() == pytest.approx(m * p * (1 - p) * (1 + (m - 1) * correlation), rel=0.04)


def test_a_pilot_is_drawn_by_families_with_their_weights() -> None:
    """Three families: two gaining units of weight 2, one losing of weight 1, one that stays of weight 4."""
    right, bucket = np.array([True, False]), np.array([False, True])
    states = States(
        np.array([1, 0, 0]), np.array([0, 1, 0]), np.zeros(3, bool), np.array([0.5, 0.5]), bucket, bucket, right, right
    )
    pilot = Pilot(states, np.array([0, 0, 1, 2]), np.array([2.0, 2.0, 1.0, 4.0]), np.array([0, 2, 3]), 2.0)
    assert pilot.per_family == pytest.approx(4 / 3)
    assert pilot.chances == pytest.approx([4 / 9, 1 / 9, 4 / 9])
    flows, totals = pilot.draw(300, 20, *states.values(1.0, 1), generator(5))
    assert {(flow, total) for flow, total in zip(flows.flat, totals.flat, strict=True)} == {(4, 4), (-1, 1), (0, 4)}
    for flow in (4, -1, 0):
        assert (flows == flow).mean() == pytest.approx(1 / 3, abs=0.03)
