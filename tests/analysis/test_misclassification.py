"""Turning mistakes round: by hand, exactly on what is to be expected, and against a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from gainsift.analysis.misclassification import DEFAULT, METHODS, inverse, likelihood

CHANCES = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.25, 0.75]])


def one(method: str, judged: object, left: object, right: object) -> np.ndarray:
    return METHODS[method](*(np.array(values, float)[None] for values in (judged, left, right)))[0]


@pytest.mark.parametrize("method", METHODS)
def test_shares_by_hand(method: str) -> None:
    """Of 100 rows 41 are called x. Of true x 9/10 are, of true y 1/5: x = (41/100 - 1/5) / (9/10 - 1/5) = 3/10."""
    found = one(method, [[41, 59]], [[1]], [[0.9, 0.1], [0.2, 0.8]])
    assert found == pytest.approx(np.array([[30, 70]]))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_to_be_expected_gives_the_truth_back(method: str) -> None:
    """Pairs and shares, several tables at once, each with a matrix of its own."""
    rng = np.random.default_rng(1)
    truth = rng.dirichlet(np.ones(9), 5).reshape(5, 3, 3)
    chances = 0.6 * np.eye(3) + 0.4 * rng.dirichlet(np.ones(3), (5, 3))
    judged = np.array([m.T @ table @ m for m, table in zip(chances, truth, strict=True)])
    assert METHODS[method](judged, chances, chances) == pytest.approx(truth, abs=1e-12)


def test_a_share_below_zero_is_kept_or_ruled_out() -> None:
    """Nobody says z or y: under the matrix that is less than nothing of y."""
    judged = [[10.0, 0.0, 0.0]]
    assert one("inverse", judged, [[1]], CHANCES).min() < -1
    assert one("likelihood", judged, [[1]], CHANCES) == pytest.approx(np.array([[10, 0, 0]]), abs=1e-4)


def test_the_likeliest_table_against_a_general_optimiser() -> None:
    """Where the inverse leaves the simplex; parameters are soft-maxed, so that the optimiser cannot leave it."""
    rng = np.random.default_rng(2)
    tested = 0
    for _ in range(6):
        judged = rng.multinomial(30, [0.5, 0.1, 0.02, 0.05, 0.2, 0.02, 0.01, 0.05, 0.05]).reshape(3, 3).astype(float)
        if (inverse(judged[None], CHANCES[None], CHANCES[None]) >= 0).all():
            continue
        tested += 1

        def loss(logits: np.ndarray, judged: np.ndarray = judged) -> float:
            table = np.exp(logits - logits.max()).reshape(3, 3)
            chances = CHANCES.T @ (table / table.sum()) @ CHANCES
            return -float((judged * np.log(chances)).sum())

        found = likelihood(judged[None], CHANCES[None], CHANCES[None])[0]
        assert (found >= 0).all()
        assert found.sum() == pytest.approx(judged.sum())
        starts = [minimize(loss, rng.normal(size=9), options={"maxiter": 2000}) for _ in range(4)]
        best = min(result.fun for result in starts)
        ours = CHANCES.T @ (found / found.sum()) @ CHANCES
        assert -(judged * np.log(ours)).sum() == pytest.approx(best, abs=1e-3)
    assert tested >= 3


def test_the_default_is_unbiased() -> None:
    """The mean over 4000 samples of 40 rows: an inverse may be negative, and so is right on average."""
    rng = np.random.default_rng(3)
    truth = np.array([0.9, 0.08, 0.02])
    judged = rng.multinomial(40, truth @ CHANCES, 4000)[:, None, :].astype(float)
    left, right = np.ones((4000, 1, 1)), np.repeat(CHANCES[None], 4000, axis=0)
    found = METHODS[DEFAULT](judged, left, right)[:, 0] / 40
    assert found.min() < 0
    assert (np.abs(found.mean(0) - truth) < 4 * found.std(0) / np.sqrt(4000)).all()
    assert METHODS["likelihood"](judged[:200], left[:200], right[:200]).min() >= 0
