"""Where confusion matrices come from: counts by hand, and what each cluster contributes to them."""

from __future__ import annotations

import numpy as np
import pytest

from gainsift.analysis.confusion import SOURCES, Confusion, adjudication, controls, model
from gainsift.analysis.verdict_rules import Ballot

LABELS = ["x", "y"]


def ballot(given: str, adjudicated: str | None = None, void: bool = False) -> Ballot:
    return Ballot({f"a{number}": label for number, label in enumerate(given)}, adjudicated, void)


def without_one(source: Confusion, cluster: int) -> list[list[float]]:
    found: list[list[float]] = source.without[cluster].tolist()
    return found


def test_controls() -> None:
    """Words w1 and w2: true x is called x twice and y once, true y is called y."""
    found = controls([("w1", "x", "x"), ("w1", "x", "y"), ("w2", "x", "x"), ("w2", "y", "y")], LABELS)
    assert found.counts.tolist() == [[2, 1], [0, 1]]
    assert [without_one(found, cluster) for cluster in (0, 1)] == [[[1, 0], [0, 1]], [[1, 1], [0, 0]]]
    assert (found.name, found.shared, found.reason) == ("controls", False, "")
    assert found.about == "4 judgements of control items"


def test_controls_that_are_too_few() -> None:
    assert controls([], LABELS).reason == "there are no controls"
    assert controls([("w", "x", "x")] * 9, LABELS).reason == "controls of one word only"
    with pytest.raises(KeyError):
        controls([("w", "x", "z")], LABELS)


def test_adjudication() -> None:
    """Four disagreements, two of them adjudicated: each stands for two. Agreement counts as right unless overturned.

    Singles and items that cannot be judged are passed over. Family 0: xx, and xy settled as x; family 1: the rest.
    """
    items = {
        "agree": ballot("xx"), "settled": ballot("xy", "x"), "overturned": ballot("yy", "x"),
        "three": ballot("xyy", "y"), "open": ballot("xy"), "open too": ballot("yx"), "single": ballot("y"),
        "void": ballot("xy", void=True),
    }  # fmt: skip
    families = {name: int(name not in ("agree", "settled")) for name in items}
    found = adjudication(items, families, 2, LABELS)
    assert found.counts.tolist() == [[2 + 2, 2 + 2], [2, 4]]
    assert without_one(found, 1) == [[2 + 2, 2], [0, 0]]
    assert (found.shared, found.reason) == (True, "")
    assert found.about == "2 adjudicated disagreements of 4, and 2 items on which all agree"


def test_adjudication_that_says_nothing() -> None:
    assert adjudication({"i": ballot("xy")}, {"i": 0}, 1, LABELS).reason == "no disagreement was adjudicated"
    assert adjudication({"i": ballot("x")}, {"i": 0}, 1, LABELS).reason == "no item was judged twice"
    assert adjudication({"i": ballot("xx")}, {"i": 0}, 1, LABELS).reason == ""


def judged(items: int, seed: int) -> tuple[dict[str, Ballot], dict[str, int], np.ndarray]:
    """Three annotators, .85 right on x and .7 on y; ten families; and the true labels [U]."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, items)
    right = rng.random((items, 3)) < np.array([0.85, 0.7])[truth][:, None]
    said = np.where(right, truth[:, None], 1 - truth[:, None])
    names = [f"i{number:04}" for number in range(items)]
    return (
        {name: ballot("".join(LABELS[label] for label in row)) for name, row in zip(names, said, strict=True)},
        {name: number % 10 for number, name in enumerate(names)},
        truth,
    )


def test_the_model_finds_the_matrix_of_an_average_judgement() -> None:
    ballots, families, _ = judged(6000, 1)
    found = model(ballots, families, 10, LABELS)
    assert found.counts.sum() == pytest.approx(18000)
    assert found.counts / found.counts.sum(1, keepdims=True) == pytest.approx(
        np.array([[0.85, 0.15], [0.3, 0.7]]), abs=0.03
    )
    assert (found.shared, found.reason) == (True, "")
    assert found.about == "18,000 judgements of 6,000 items by 3 annotators"


def test_the_model_without_a_family_is_the_model_of_the_others() -> None:
    ballots, families, _ = judged(300, 2)
    found = model(ballots, families, 10, LABELS)
    for family in (0, 7):
        rest = {name: one for name, one in ballots.items() if families[name] != family}
        assert found.without[family] == pytest.approx(model(rest, families, 10, LABELS).counts, abs=1e-3)
    moved = np.abs(found.without / found.without.sum((1, 2), keepdims=True) - found.counts / found.counts.sum())
    assert moved.max() > 0.002  # far more than the tolerance


def test_a_model_that_cannot_be_told() -> None:
    assert model({"i": ballot("xy"), "j": ballot("xx")}, {"i": 0, "j": 1}, 2, LABELS).reason == (
        "no item has three judgements"
    )
    assert model({"i": Ballot()}, {"i": 0}, 1, LABELS).reason == "there is no judgement"


def test_every_source_is_named() -> None:
    ballots, families, _ = judged(20, 3)
    made = [controls([], LABELS), adjudication(ballots, families, 10, LABELS), model(ballots, families, 10, LABELS)]
    assert [source.name for source in made] == list(SOURCES)
