"""Dawid and Skene's model: their own patients, a second implementation, a simulation, and what weights mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.dawid_skene import DawidSkene, Votes, dawid_skene

PATIENTS = pd.read_csv(Path(__file__).parent / "reference" / "15_dawid_skene1979_long.csv").astype(str)
JUDGEMENTS = list(PATIENTS[["patient", "observer", "class"]].itertuples(index=False, name=None))
TRUTH = np.array([0.5, 0.3, 0.2])
CONFUSIONS = np.array(
    [
        [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]],
        [[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.2, 0.1, 0.7]],
        [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]],
    ]
)


def judged(items: int, seed: int) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Judgements of three annotators and the true labels [U]."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, items, p=TRUTH)
    found = [
        (f"i{item:05}", f"a{name}", str(rng.choice(3, p=CONFUSIONS[name, label])))
        for item, label in enumerate(truth)
        for name in range(3)
    ]
    return found, truth


def test_the_patients_of_dawid_and_skene() -> None:
    """Shares of the four classes as published, .40 .42 .11 .07; observer 1 calls .89 of class 1 so."""
    found = dawid_skene(Votes.of(JUDGEMENTS))
    assert found.converged
    assert found.shares.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert found.shares.tolist() == pytest.approx([0.3995547529, 0.4219833919, 0.1117951885, 0.0666666667], abs=1e-8)
    assert found.confusions[0, 0, 0] == pytest.approx(0.8894883487, abs=1e-8)
    assert found.posteriors.sum(1) == pytest.approx(np.ones(45))


@pytest.mark.filterwarnings("ignore:The (inplace|copy) keyword")
def test_crowd_kit_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many steps: its own rule stops too early (it counts the shares of labels once for each judgement)."""
    monkeypatch.setattr("gainsift.analysis.dawid_skene.MOST_STEPS", 20)
    from crowdkit.aggregation import DawidSkene as CrowdKit

    for judgements in (JUDGEMENTS, judged(300, 4)[0]):
        frame = pd.DataFrame(judgements, columns=["task", "worker", "label"])
        theirs = CrowdKit(n_iter=20, tol=-1e9).fit(frame)
        ours = dawid_skene(Votes.of(judgements))
        expected = theirs.probas_.loc[list(ours.votes.items), list(ours.votes.labels)].to_numpy()
        assert ours.posteriors == pytest.approx(expected, abs=1e-7)
        for place, annotator in enumerate(ours.votes.annotators):
            given = theirs.errors_.loc[annotator].reindex(index=ours.votes.labels, columns=ours.votes.labels).fillna(0)
            assert ours.confusions[place] == pytest.approx(given.to_numpy().T, abs=1e-7)


def test_known_confusions_are_found_again() -> None:
    """Within four standard errors of a multinomial share."""
    judgements, truth = judged(20000, 1)
    found = dawid_skene(Votes.of(judgements))
    counts = np.bincount(truth)
    error = np.sqrt(CONFUSIONS * (1 - CONFUSIONS) / counts[None, :, None])
    assert (np.abs(found.confusions - CONFUSIONS) < 4 * error + 0.02).all()  # labels are not seen: a little more
    assert found.shares == pytest.approx(TRUTH, abs=0.02)


def test_one_step_by_hand() -> None:
    """Two items, a says x of both, b says x then y: start 1 and (1/2, 1/2).

    Shares x 3/4, y 1/4; a gives x always; b gives x in 1 of 3/2 items of x, in 0 of y. Item 2: x 3/4 · 1/3 = 1/4, y
    1/4 · 1 = 1/4, so 1/2 each: EM has arrived. The likelihood is (3/4 · 2/3) (1/4 + 1/4) = 1/4.
    """
    found = dawid_skene(Votes.of([("1", "a", "x"), ("1", "b", "x"), ("2", "a", "x"), ("2", "b", "y")]))
    assert found.posteriors == pytest.approx(np.array([[1, 0], [0.5, 0.5]]))
    assert found.shares == pytest.approx([0.75, 0.25])
    assert found.confusions == pytest.approx(np.array([[[1, 0], [1, 0]], [[2 / 3, 1 / 3], [0, 1]]]))
    assert found.log_likelihood == pytest.approx(np.log(0.25))


def test_the_likelihood_is_that_of_the_parameters_and_no_neighbour_is_likelier() -> None:
    """Summed over the true labels of every item by plain loops; moving a little to any side lowers it."""
    judgements, _ = judged(40, 5)
    found = dawid_skene(Votes.of(judgements))

    def likelihood(shares: np.ndarray, confusions: np.ndarray) -> float:
        total = 0.0
        for item in found.votes.items:
            own = [(found.votes.annotators.index(a), int(label)) for i, a, label in judgements if i == item]
            total += np.log(
                sum(shares[t] * np.prod([confusions[a, t, label] for a, label in own]) for t in range(3))
            )  # fmt: skip
        return float(total)

    most = likelihood(found.shares, found.confusions)
    assert found.log_likelihood == pytest.approx(most, abs=1e-6)
    rng = np.random.default_rng(6)
    for _ in range(30):
        step = 0.02
        shares = (1 - step) * found.shares + step * rng.dirichlet(np.ones(3))
        confusions = (1 - step) * found.confusions + step * rng.dirichlet(np.ones(3), (3, 3))
        assert likelihood(shares, confusions) < most


def test_gaps_and_annotators_of_their_own_items() -> None:
    """Nobody but c has seen item 3: its label is c's; c has met no y, so what c makes of y is unknown."""
    given = [("1", "a", "x"), ("1", "b", "x"), ("2", "a", "y"), ("2", "b", "y"), ("3", "c", "x")]
    found = dawid_skene(Votes.of(given))
    assert found.posteriors == pytest.approx(np.array([[1, 0], [0, 1], [1, 0]]))
    assert np.isnan(found.confusions[2, 1]).all()
    assert not found.votes.identified
    assert Votes.of([*given, ("1", "c", "x")]).identified
    assert not Votes.of([*given, ("1", "a", "x")]).identified  # the same person twice is no third view


def test_nothing_to_fit_and_unknown_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="no judgement"):
        Votes.of([])
    with pytest.raises(ValueError, match="unknown label 'z'"):
        Votes.of([("1", "a", "z")], labels=["x", "y"])


def test_a_fit_that_is_stopped_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gainsift.analysis.dawid_skene.MOST_STEPS", 3)
    found: DawidSkene = dawid_skene(Votes.of(JUDGEMENTS))
    assert (found.steps, found.converged) == (3, False)
