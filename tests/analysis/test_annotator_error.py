"""Shares and flows without annotators' errors: exact on expected judgements, unbiased and covering on drawn ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.annotator_error import Observed, corrected_flows, corrected_shares, observed, unbiased
from gainsift.analysis.confusion import Confusion, controls
from gainsift.analysis.estimate import Array, generator
from gainsift.analysis.soft_labels import row_atoms, unit_atoms
from gainsift.analysis.split import split
from gainsift.analysis.studentised import StudentisedBootstrap

LABELS = ["correct", "other_sense", "plain_copy", "non_word"]
CORRECT = np.array([1.0, 0, 0, 0])
CHANCES = np.array([[0.93, 0.04, 0, 0.03], [0.1, 0.82, 0.02, 0.06], [0.05, 0.05, 0.85, 0.05], [0.03, 0.05, 0.02, 0.9]])
TRUTH = np.array([[0.3, 0.02, 0.005, 0.02], [0.1, 0.1, 0, 0], [0.03, 0, 0.03, 0], [0.15, 0.02, 0.005, 0.22]])
PAIRS = TRUTH / TRUTH.sum() * 0.7
SAME = np.array([0.5, 0.2, 0.05, 0.25]) * 0.3
"""Three in ten units have one item at both ends."""


def known(chances: Array, judgements: int = 100000, clusters: int = 50) -> Confusion:
    """A matrix that is as good as certain."""
    counts = np.repeat(chances[None] * judgements, clusters, axis=0)
    return Confusion("controls", "many", LABELS, counts.sum(0), counts.sum(0) - counts, False)


def true_figures(pairs: Array, same: Array) -> dict[str, float]:
    """From the definitions; `same` never moves."""
    before, after = pairs.sum(1) + same, pairs.sum(0) + same
    found = {"human_a": before[0], "human_b": after[0], "human": after[0] - before[0]}
    for place, label in list(enumerate(LABELS))[1:]:
        found[f"flow:{label}"] = pairs[place, 0] - pairs[0, place]
        found[f"share:{label}"] = before[place] - after[place]
    return found


def point(estimate: Any) -> float:
    assert estimate.point is not None, estimate.reason
    return float(estimate.point)


@pytest.mark.parametrize("method", ["inverse", "likelihood"])
def test_what_is_to_be_expected_gives_the_truth_back(method: str) -> None:
    """Pairs are judged as P' T P, single items as P' t.

    Of all pairs .235 more are correct after, .06, .02 and .155 fewer are the rest: uncorrected, the gain would be
    .7 (.235 x .93 - .06 x .1 - .02 x .05 - .155 x .03) = .14483, not .7 x .235 = .1645.
    """
    sizes = np.array([1.0, 2, 3, 4])
    found = Observed(
        np.multiply.outer(sizes, CHANCES.T @ PAIRS @ CHANCES), np.multiply.outer(sizes, CHANCES.T @ SAME), sizes,
        CORRECT, CORRECT,
    )  # fmt: skip
    corrected = corrected_flows(found, known(CHANCES), 50, 0.95, generator(1, "x"), method)
    expected = true_figures(PAIRS, SAME)
    assert {name: point(value) for name, value in corrected.figures.items()} == pytest.approx(expected, abs=1e-12)
    plain = corrected_flows(found, known(np.eye(4)), 50, 0.95, generator(1, "x"), method).figures["human"]
    assert expected["human"] == pytest.approx(0.1645)
    assert point(plain) == pytest.approx(0.14483)
    assert corrected.condition == pytest.approx(np.linalg.cond(CHANCES))
    shares = corrected_shares(found.same, sizes, known(CHANCES), 50, 0.95, generator(1, "x"), method)
    assert [point(value) for value in shares.figures.values()] == pytest.approx(SAME.tolist(), abs=1e-12)


def test_units_of_one_item_never_move_whatever_people_say() -> None:
    found = Observed(np.zeros((5, 4, 4)), np.full((5, 4), 2.0), np.full(5, 8.0), CORRECT, CORRECT)
    corrected = corrected_flows(found, known(CHANCES), 50, 0.95, generator(1, "x"))
    for name, value in corrected.figures.items():
        if not name.startswith("human_"):
            assert point(value) == pytest.approx(0, abs=1e-12)
    assert point(corrected.figures["human_a"]) == point(corrected.figures["human_b"])


def test_sides_may_read_a_label_differently() -> None:
    """`other_sense` is right after and wrong before: all units of one item that have it are gained."""
    found = Observed(np.zeros((5, 4, 4)), np.tile(SAME, (5, 1)), np.ones(5), CORRECT, np.array([1.0, 1, 0, 0]))
    corrected = corrected_flows(found, known(np.eye(4)), 50, 0.95, generator(1, "x")).figures
    assert point(corrected["flow:other_sense"]) == pytest.approx(SAME[1])
    assert point(corrected["human"]) == pytest.approx(SAME[1])


def sample(clusters: int, rng: np.random.Generator) -> tuple[Array, Array, Array, Array, Array]:
    """Six units of each of the clusters, which differ: cluster, whether one item, true labels, votes of two [U, V]."""
    cluster = np.repeat(np.arange(clusters), 6)
    own = rng.dirichlet(np.maximum(np.append(PAIRS.ravel(), SAME) * 4, 1e-9), clusters)
    cell = (rng.random((len(cluster), 1)) > own[cluster].cumsum(1)).sum(1).clip(0, 19)
    same = cell >= 16
    before, after = np.where(same, cell - 16, cell // 4), np.where(same, cell - 16, cell % 4)
    votes = [
        np.eye(4)[(rng.random((2, len(side), 1)) > CHANCES[side].cumsum(1)).sum(2)].mean(0) for side in (before, after)
    ]
    return cluster, same, np.stack([before, after]), votes[0], votes[1]


def tables(cluster: Array, same: Array, before: Array, after: Array) -> Observed:
    clusters = int(cluster.max()) + 1
    pairs, single = np.zeros((clusters, 4, 4)), np.zeros((clusters, 4))
    np.add.at(pairs, cluster[~same], before[~same][:, :, None] * after[~same][:, None, :])
    np.add.at(single, cluster[same], before[same])
    return Observed(pairs, single, np.bincount(cluster).astype(float), CORRECT, CORRECT)


def drawn_controls(number: int, rng: np.random.Generator) -> Confusion:
    """Every control is another word; two people judge it."""
    said = [
        (f"w{word}", LABELS[true], LABELS[rng.choice(4, p=CHANCES[true])])
        for word, true in enumerate(rng.integers(0, 4, number))
        for _ in range(2)
    ]
    return controls(said, LABELS)


def test_unbiased_and_covering_with_a_matrix_from_controls() -> None:
    """250 studies of 50 clusters and 200 controls, neither of which knows the truth. Uncorrected, it is missed."""
    rng = np.random.default_rng(4)
    truth = true_figures(PAIRS, SAME)
    names = ("human", "flow:other_sense", "flow:plain_copy", "flow:non_word", "share:other_sense", "human_b")
    points: dict[str, list[float]] = {name: [] for name in (*names, "plain")}
    held = dict.fromkeys(names, 0)
    for _ in range(250):
        cluster, same, _, before, after = sample(50, rng)
        found = tables(cluster, same, before, after)
        corrected = corrected_flows(found, drawn_controls(200, rng), 200, 0.95, rng).figures
        for name in names:
            points[name].append(point(corrected[name]))
            low, high = corrected[name].low, corrected[name].high
            assert low is not None
            assert high is not None
            held[name] += low <= truth[name] <= high
        points["plain"].append(float(found.pairs[:, :, 0].sum() - found.pairs[:, 0].sum()) / 300)
    for name in names:
        error = np.std(points[name]) / np.sqrt(250)
        assert abs(np.mean(points[name]) - truth[name]) < 4 * error, name
        assert held[name] / 250 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 250), name
    assert truth["human"] - np.mean(points["plain"]) > 4 * np.std(points["plain"]) / np.sqrt(250)


def test_an_uncertain_matrix_widens_the_interval() -> None:
    rng = np.random.default_rng(5)
    cluster, same, _, before, after = sample(60, rng)
    found = tables(cluster, same, before, after)

    def width(confusion: Confusion) -> float:
        value = corrected_flows(found, confusion, 400, 0.95, generator(1, "w")).figures["human_b"]
        assert value.low is not None
        assert value.high is not None
        return value.high - value.low

    certain = width(known(CHANCES))
    few, many = (np.mean([width(drawn_controls(number, rng)) for _ in range(10)]) for number in (60, 600))
    assert few > 1.08 * certain
    assert certain * 0.97 < many < few


def test_without_errors_it_is_the_interval_of_the_report() -> None:
    """Clusters of one size: leaving one out is then the same as its sum."""
    rng = np.random.default_rng(6)
    cluster, same, truth, _, _ = sample(30, rng)
    found = tables(cluster, same, np.eye(4)[truth[0]], np.eye(4)[truth[1]])
    shared = Confusion("adjudication", "", LABELS, np.eye(4) * 900, np.repeat(np.eye(4)[None] * 870, 30, axis=0), True)
    ours = corrected_flows(found, shared, 300, 0.95, generator(2, "same")).figures["human"]
    gain = np.bincount(cluster, (truth[1] == 0) * 1.0 - (truth[0] == 0))[:, None]
    bootstrap = StudentisedBootstrap.of(30, 300, 0.95, generator(2, "same"))
    (theirs,) = bootstrap.ratios(gain, np.full((30, 1), 6.0), np.array([-1.0]))
    assert [ours.point, ours.low, ours.high] == pytest.approx([theirs.point, theirs.low, theirs.high], abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "words", "reason"),
    [
        (np.eye(4) * 50, 4, "what is known of a label rests on one word"),
        (np.diag([50, 50, 9, 50]), 0, "too few judgements: 9 of true plain_copy, 10 at least"),
        (np.ones((4, 4)) * 25, 0, "ill-conditioned, its smallest singular value is 0.00 ±"),
        (25 + 4 * np.eye(4), 0, "ill-conditioned, its smallest singular value is 0.04 ±"),
    ],
)
def test_what_cannot_be_turned_round_is_not_estimated(counts: Array, words: int, reason: str) -> None:
    """`words`: so many of one label each; else forty alike."""
    parts = np.array([np.eye(4)[[k]].T * counts[k] for k in range(4)]) if words else np.repeat(counts[None] / 40, 40, 0)
    confusion = Confusion("controls", "some", LABELS, counts.astype(float), parts.sum(0) - parts, False)
    found = tables(*[sample(10, np.random.default_rng(7))[place] for place in (0, 1, 3, 4)])
    corrected = corrected_flows(found, confusion, 50, 0.95, generator(1, "x"))
    for value in corrected.figures.values():
        assert value.point is None
        assert value.reason.startswith("not estimable: ")
        assert reason in value.reason
        assert "(some)" in value.reason
    assert corrected_shares(found.same, np.ones(10), confusion, 50, 0.95, generator(1, "x")).figures["correct"].reason
    with pytest.raises(ValueError, match=reason.split(",")[0]):
        unbiased({"item": dict.fromkeys(LABELS, 0.25)}, confusion)


def test_a_matrix_that_might_be_singular_is_not_turned_round() -> None:
    """.6 right of two labels, known from 15 controls each: .2 ± .17; from 1500 each it is good enough."""
    rng = np.random.default_rng(8)
    for each, estimable in ((15, False), (1500, True)):
        right = np.array([number < 0.6 * each for number in range(each)])
        said = [
            (f"{true}{number}", true, true if good else other)
            for true, other in (("x", "y"), ("y", "x"))
            for number, good in enumerate(right)
        ]
        shares = corrected_shares(
            np.tile([5.0, 5.0], (20, 1)), np.full(20, 10.0), controls(said, ["x", "y"]), 50, 0.95, rng
        ).figures["x"]
        assert shares.defined is estimable
        if not estimable:
            assert "smallest singular value is 0.20 ± 0.1" in shares.reason


def test_a_source_says_why_it_cannot_be_used() -> None:
    found = Observed(np.ones((2, 4, 4)), np.ones((2, 4)), np.full(2, 20.0), CORRECT, CORRECT)
    corrected = corrected_flows(found, controls([], LABELS), 50, 0.95, generator(1, "x"))
    assert {value.reason for value in corrected.figures.values()} == {"not estimable: there are no controls"}


def test_labels_that_nobody_gives_need_no_row() -> None:
    counts = np.zeros((6, 4, 4))
    counts[:, :2, :2] = [[9, 1], [2, 8]]
    confusion = Confusion("controls", "", LABELS, counts.sum(0), counts.sum(0) - counts, False)
    said = np.tile([3.0, 7.0, 0, 0], (6, 1))
    shares = corrected_shares(said, np.full(6, 10.0), confusion, 50, 0.95, generator(1, "x")).figures
    assert [point(value) for value in shares.values()] == pytest.approx([1 / 7, 6 / 7, 0, 0])  # (.3 - .2) / .7


def frames(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, dict[str, float]]]:
    """Both sides of forty units, some of one item, and soft labels of their items."""
    units = [f"u{number}" for number in range(40)]
    before = [f"i{rng.integers(12)}" for _ in units]
    after = [item if rng.random() < 0.3 else f"i{rng.integers(12)}" for item in before]
    soft = {
        f"i{number}": dict(zip(rng.permutation(LABELS)[:2].tolist(), [0.75, 0.25], strict=True)) for number in range(11)
    }
    sides = [
        pd.DataFrame({"unit": units, "item_id": items, "success": rng.random(40) < 0.5}) for items in (before, after)
    ]
    return sides[0], sides[1], {**soft, "i11": {}}


def test_unbiased_labels_through_the_split_are_the_same_correction() -> None:
    """Signed masses fanned out like any verdict: gain and flows as from the tables, and every identity of the split."""
    rng = np.random.default_rng(9)
    a, b, soft = frames(rng)
    confusion = known(CHANCES)

    def atoms(verdicts: Any) -> pd.DataFrame:
        found = unit_atoms(row_atoms(a, verdicts), row_atoms(b, verdicts))
        number = found["unit"].str[1:].astype(int)
        return found.assign(weight=found["mass"] * (1 + number % 3), cluster=number % 7)

    tallied = observed(atoms(soft), LABELS, 7, CORRECT, CORRECT)
    expected = corrected_flows(tallied, confusion, 50, 0.95, generator(1, "x")).figures
    signed = atoms(unbiased(soft, confusion))
    assert (signed["mass"] < 0).any()
    for side in "ab":
        label = signed[f"verdict_{side}"]
        signed[f"label_{side}"] = label
        signed[f"correct_{side}"] = (label == "correct").astype(float).where(label.notna())
        signed[f"bucket_{side}"] = label.where(label.notna(), None)
    found = split(signed, [], 2, 0.95, generator(1, "y"))
    assert point(found.parts["human"]) == pytest.approx(point(expected["human"]), abs=1e-12)
    for label in LABELS[1:]:
        assert point(found.flow[label, label]) == pytest.approx(point(expected[f"flow:{label}"]), abs=1e-12)
        assert point(found.share[label, label]) == pytest.approx(point(expected[f"share:{label}"]), abs=1e-12)
    parts = [point(found.parts[name]) for name in ("human", "undeserved", "missed", "undecided")]
    assert sum(parts) == pytest.approx(point(found.parts["apparent"]), abs=1e-12)
    weight = np.array([1 + number % 3 for number in range(40)])
    apparent = float((weight * (b["success"].astype(int) - a["success"].astype(int))).sum() / weight.sum())
    assert point(found.parts["apparent"]) == pytest.approx(apparent, abs=1e-12)


def test_tables_of_atoms() -> None:
    """Two units of weight 2 and 3: one item at both ends, and two items; an undecided one counts in the total alone."""
    sides = [
        pd.DataFrame({"unit": ["u", "v", "w"], "item_id": items}) for items in (["i", "i", "none"], ["i", "j", "i"])
    ]
    verdicts = {"i": {"correct": 0.5, "non_word": 0.5}, "j": {"other_sense": 1.0}, "none": {}}
    atoms = unit_atoms(*(row_atoms(side, verdicts) for side in sides))
    atoms["weight"] = atoms["mass"] * atoms["unit"].map({"u": 2.0, "v": 3.0, "w": 5.0})
    atoms["cluster"] = (atoms["unit"] != "u").astype(int)
    found = observed(atoms, LABELS, 2, CORRECT, CORRECT)
    assert found.same.tolist() == [[1, 0, 0, 1], [0] * 4]
    assert found.pairs[1].tolist() == [[0, 1.5, 0, 0], [0] * 4, [0] * 4, [0, 1.5, 0, 0]]
    assert found.pairs[0].sum() == 0
    assert found.totals.tolist() == [2, 8]
    with pytest.raises(KeyError):
        observed(atoms, ["correct"], 2, CORRECT[:1], CORRECT[:1])
