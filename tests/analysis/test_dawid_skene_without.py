"""Fits without each cluster: EM's own, run until nothing moves, is the referee."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gainsift.analysis.dawid_skene_without as module
from gainsift.analysis.dawid_skene import (
    Votes,
    dawid_skene,
    expected_counts,
    judgements_of,
    most_likely,
    posteriors_of,
)
from gainsift.analysis.dawid_skene_without import without_each

PATIENTS = pd.read_csv(Path(__file__).parent / "reference" / "15_dawid_skene1979_long.csv").astype(str)
Judgements = list[tuple[str, str, str]]


def simulated(items: int, annotators: int, labels: int, right: float, seed: int) -> Judgements:
    """Four judgements an item, each of one of many annotators, right that often."""
    rng = np.random.default_rng(seed)
    found = []
    for item, true in enumerate(rng.integers(0, labels, items)):
        for name in rng.choice(annotators, 4, replace=False):
            label = true if rng.random() < right else rng.integers(0, labels)
            found.append((f"i{item:04}", f"a{name}", str(label)))
    return found


CASES = {
    "patients": list(PATIENTS[["patient", "observer", "class"]].itertuples(index=False, name=None)),
    "few labels": simulated(400, 6, 2, 0.7, 1),
    "many annotators": simulated(1500, 8, 3, 0.8, 2),
}


def by_em(votes: Votes, counts: np.ndarray, posteriors: np.ndarray) -> np.ndarray:
    """The expected judgements at which EM's plain steps stay, from posteriors [P, V]."""
    for _ in range(5000):
        before = posteriors
        posteriors, _each = posteriors_of(votes, *most_likely(votes, expected_counts(votes, counts, before)))
        if np.abs(posteriors - before)[counts > 0].max() <= 1e-9:
            return judgements_of(votes, expected_counts(votes, counts, posteriors))
    raise AssertionError("EM has not settled")


@pytest.mark.parametrize(("name", "count"), [("patients", 9), ("few labels", 30), ("many annotators", 50)])
@pytest.mark.parametrize("largest", [module.LARGEST, 0])
def test_each_is_the_fit_of_the_other_items(
    name: str, count: int, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Newton's steps, and by EM alone as where there are too many counts for a Jacobian.

    A label of four patients may leave with its cluster, which is too far for Newton.
    """
    votes = Votes.of(CASES[name])
    monkeypatch.setattr(module, "LARGEST", largest)
    taken = []
    monkeypatch.setattr(module, "_by_em", lambda *given, em=module._by_em: taken.append(given) or em(*given))
    clusters = np.arange(len(votes.items)) % count
    fit = dawid_skene(votes)
    found = list(without_each(fit, clusters, count))
    assert len(taken) <= 2 * (name == "patients") if largest else len(taken) == count
    for cluster, joint in enumerate(found):
        left = {item for item, number in zip(votes.items, clusters, strict=True) if number != cluster}
        rest = Votes.of([one for one in CASES[name] if one[0] in left], votes.labels)
        assert list(rest.annotators) == list(votes.annotators)
        start = dict(zip(votes.items, fit.posteriors, strict=True))
        by_pattern = np.zeros((rest.patterns.shape[0], len(votes.labels)))
        by_pattern[rest.pattern] = [start[item] for item in rest.items]
        expected = by_em(rest, rest.items_of_patterns(), by_pattern)
        assert joint == pytest.approx(expected, abs=1e-5 if largest else 1e-3)
    assert np.abs(found[0] - fit.joint() * (1 - 1 / count)).max() > 0.1  # a cluster makes a difference that is seen


def test_the_jacobian_is_that_of_em() -> None:
    """By finite differences, of every count that is not next to nothing."""
    votes = Votes.of(CASES["few labels"])
    whole = votes.items_of_patterns()
    there = expected_counts(votes, whole, dawid_skene(votes).by_pattern)
    jacobian = module._jacobian(votes, whole, there)

    def step(expected: np.ndarray) -> np.ndarray:
        return expected_counts(votes, whole, posteriors_of(votes, *most_likely(votes, expected))[0]).ravel()

    for cell in range(there.size):
        moved = np.zeros(there.size)
        moved[cell] = 1e-4
        numeric = (step(there + moved.reshape(there.shape)) - step(there - moved.reshape(there.shape))) / 2e-4
        assert jacobian[:, cell] == pytest.approx(numeric, abs=1e-6)


def test_a_cluster_of_nothing_and_one_of_everything() -> None:
    votes = Votes.of(CASES["few labels"])
    fit = dawid_skene(votes)
    empty, everything = without_each(fit, np.ones(len(votes.items), np.intp), 2)
    assert empty == pytest.approx(fit.joint())
    assert not everything.any()


def test_what_cannot_be_told_apart_is_left_to_em() -> None:
    """Two annotators, whose accuracy and labels' shares can be traded for each other: a step may lead anywhere."""
    votes = Votes.of([(f"i{n}", name, str((n * (1 + turn)) % 2)) for n in range(40) for turn, name in enumerate("ab")])
    found = np.array(list(without_each(dawid_skene(votes), np.arange(40) % 5, 5)))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert found.sum((1, 2, 3)) == pytest.approx(np.full(5, 64.0))


CHANCES = np.array([[0.93, 0.04, 0, 0.03], [0.1, 0.82, 0.02, 0.06], [0.05, 0.05, 0.85, 0.05], [0.03, 0.05, 0.02, 0.9]])


@pytest.mark.parametrize("seed", [28, 34, 38])
def test_newton_goes_to_no_other_place_than_em(seed: int) -> None:
    """Of rare labels: with these seeds Newton alone stays where EM would leave zero again, or jumps far away."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, 300, p=[0.5, 0.17, 0.05, 0.28])
    votes = Votes.of(
        [(f"i{n:04}", f"a{a}", str(rng.choice(4, p=CHANCES[t]))) for n, t in enumerate(truth) for a in range(3)]
    )
    fit, clusters = dawid_skene(votes), np.arange(300) % 30
    for cluster, joint in enumerate(without_each(fit, clusters, 30)):
        left = votes.items_of_patterns((clusters != cluster).astype(float))
        assert joint == pytest.approx(by_em(votes, left, fit.by_pattern), abs=0.01)
