"""Automatic labels combined with sampled verdicts: right on average however bad they are, narrower where good."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gainsift.analysis.estimate import Array, generator
from gainsift.analysis.prediction_powered import Powered, Rows, prediction_powered
from gainsift.analysis.studentised import StudentisedBootstrap

SHARES = np.array([0.45, 0.35, 0.15, 0.05])
CHANCE = np.array([0.25, 0.5, 0.5, 0.8])
"""Of being drawn, by the automatic label: no simple random sample."""


def powered(rows: Rows, least: float = 0.0, resamples: int = 2) -> Powered:
    bootstrap = StudentisedBootstrap.of(rows.count, resamples, 0.95, generator(1, "powered"))
    return prediction_powered(rows, np.full(rows.predicted.shape[1], least), bootstrap)


def points(found: Powered) -> Array:
    return np.array([estimate.point for estimate in found.estimates], float)


def population(clusters: int, right: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Clusters, true categories, and automatic ones that are `right` that often, each [N]; else the next category."""
    size = np.clip(rng.geometric(0.3, clusters), 1, 15)
    of_row = np.repeat(np.arange(clusters), size)
    own = rng.dirichlet(SHARES * 4, clusters)[of_row]
    truth = (rng.random((len(of_row), 1)) > own.cumsum(1)).sum(1).clip(0, 3)
    return of_row, truth, np.where(rng.random(len(truth)) < right, truth, (truth + 1) % 4)


def drawn(sample: tuple[Array, Array, Array], rng: np.random.Generator, decided: Array | None = None) -> Rows:
    of_row, truth, guess = sample
    selected = rng.random(len(truth)) < CHANCE[guess]
    counted = selected & (np.ones(len(truth), bool) if decided is None else decided)
    return Rows(
        np.eye(4)[guess], np.eye(4)[truth] * counted[:, None], counted.astype(float), selected,
        np.where(selected, 1 / CHANCE[guess], np.nan), of_row, int(of_row.max()) + 1,
    )  # fmt: skip


def test_by_hand() -> None:
    """Four clusters of one row, f = 1 0 1 0; the first two are drawn, with 1/2 each, and h = 1 0 of them.

    Parts of the clusters in the mean of h: (1/2)(1/2, -1/2, 0, 0); in the gap, (f - 1/2)/4 less (f - 1/2)/2 if drawn:
    (1/8 - 1/4, -1/8 + 1/4, 1/8, -1/8). Products 2 (1/4)(-1/8) = -1/16, squares 4/64: the factor is 1. Gap 1/2 - 1/2.
    What is left of the variance: (1/8, -1/8, 1/8, -1/8) against (1/4, -1/4, 0, 0), 4/64 over 2/16 = 1/2.
    """
    rows = Rows(
        np.array([[1.0], [0], [1], [0]]), np.array([[1.0], [0], [0], [0]]), np.array([1.0, 1, 0, 0]),
        np.array([True, True, False, False]), np.full(4, 2.0), np.arange(4), 4,
    )  # fmt: skip
    found = powered(rows)
    assert found.tuning == pytest.approx(1)
    assert points(found) == pytest.approx([1 / 2])
    assert found.variance_left == pytest.approx(1 / 2)


def test_point_against_fractions() -> None:
    """Rows in clusters, drawn unequally: the estimate from its definition, with the factor that was found."""
    rng = np.random.default_rng(3)
    rows = drawn(population(12, 0.7, rng), rng)
    found = powered(rows)
    assert 0 < found.tuning < 1
    weights = [Fraction(float(w)).limit_denominator(100) for w in rows.weight[rows.selected]]
    for k in range(4):
        h, f = ([int(x) for x in values[rows.selected, k]] for values in (rows.judged, rows.predicted))
        human = sum(w * x for w, x in zip(weights, h, strict=True)) / sum(weights)
        guessed = sum(w * x for w, x in zip(weights, f, strict=True)) / sum(weights)
        everywhere = Fraction(int(rows.predicted[:, k].sum()), len(rows.predicted))
        assert found.alone[k].point == pytest.approx(float(human), abs=1e-12)
        expected = human + Fraction(found.tuning) * (everywhere - guessed)
        assert found.estimates[k].point == pytest.approx(float(expected), abs=1e-12)
    assert points(found).sum() == pytest.approx(1, abs=1e-12)


def test_the_factor_of_ppi_plus_plus() -> None:
    """Single rows, a simple random sample: published for n judged and N other rows as cov(h, f) / ((1 + n/N) var f).

    There it multiplies the gap between the two sets; the gap to all rows is N / (N + n) of that.
    """
    rng = np.random.default_rng(4)
    n, others = 4000, 12000
    f = rng.normal(size=n + others)
    h = 0.6 * f + rng.normal(size=n + others) * 0.8
    selected = np.arange(n + others) < n
    rows = Rows(
        f[:, None], (h * selected)[:, None], selected * 1.0, selected, np.ones(n + others), np.arange(n + others),
        n + others,
    )  # fmt: skip
    published = np.cov(h[:n], f[:n])[0, 1] / ((1 + n / others) * f.var())
    found = powered(rows, least=-9.0)
    assert found.tuning * others / (n + others) == pytest.approx(published, rel=0.02)
    expected = h[:n].mean() + published * (f[n:].mean() - f[:n].mean())
    assert points(found) == pytest.approx([expected], abs=2e-3)


def test_the_authors_own_code_finds_the_same() -> None:
    """Two figures, one factor for both: ppi-python 0.2.3's ppi_mean_pointestimate gives these for the same numbers."""
    rng = np.random.default_rng(4)
    f = rng.normal(size=(1600, 2))
    h = 0.6 * f + rng.normal(size=(1600, 2)) * 0.8
    selected = np.arange(1600) < 400
    rows = Rows(f, h * selected[:, None], selected * 1.0, selected, np.ones(1600), np.arange(1600), 1600)
    assert points(powered(rows, least=-9.0)) == pytest.approx([0.09601359, -0.06163126], abs=5e-4)
    assert h[:400].mean(0) == pytest.approx([0.0898794, -0.0537376], abs=1e-7)  # what the verdicts alone would say


@pytest.mark.parametrize("right", [0.9, 0.0])
def test_unbiased_over_draws_of_one_population(right: float) -> None:
    """Labels that are never right do no harm, though they decide who is drawn; the labels alone are far off.

    Rows whose verdict is missing are left out of the mean of h; they depend on the label, too.
    """
    rng = np.random.default_rng(5)
    sample = population(150, right, rng)
    decided = rng.random(len(sample[0])) < np.where(sample[2] == 0, 0.7, 1.0)
    truth = np.eye(4)[sample[1][decided]].mean(0)
    found = np.array([points(powered(drawn(sample, rng, decided))) for _ in range(1500)])
    error = found.std(0, ddof=1) / np.sqrt(len(found))
    # a ratio of sums: its bias goes with one over the size of the sample
    assert (np.abs(found.mean(0) - truth) < 4 * error + 0.002).all()
    if not right:
        assert np.abs(np.eye(4)[sample[2]].mean(0) - truth).max() > 0.1


def test_good_labels_narrow_the_intervals_and_bad_ones_leave_them() -> None:
    rng = np.random.default_rng(6)
    width: dict[float, list[Array]] = {0.95: [], 0.35: [], 0.0: []}
    for right, widths in width.items():
        for _ in range(12):
            found = powered(drawn(population(200, right, rng), rng), resamples=300)
            both = [[e.high - e.low for e in estimates] for estimates in (found.estimates, found.alone)]  # type: ignore[operator]
            widths.append(np.array(both[0]) / np.array(both[1]))
            assert found.variance_left is not None
            assert found.variance_left <= 1
    ratios = {right: np.median(widths, axis=0) for right, widths in width.items()}
    assert (ratios[0.95][:2] < 0.8).all(), ratios
    assert (ratios[0.95] < 1).all(), ratios  # outputs of the rare label are nearly all judged
    assert (ratios[0.35] < 1.05).all(), ratios
    assert (ratios[0.0] == 1).all(), ratios


def test_intervals_cover_the_shares_that_clusters_are_drawn_from() -> None:
    """300 populations of 60 clusters: 95 % within four Monte Carlo errors (the large simulation is a benchmark)."""
    rng = np.random.default_rng(7)
    covered = np.zeros(4)
    for _ in range(300):
        found = powered(drawn(population(60, 0.8, rng), rng), resamples=300)
        limits = [(estimate.low, estimate.high) for estimate in found.estimates]
        covered += [low <= share <= high for (low, high), share in zip(limits, SHARES, strict=True)]  # type: ignore[operator]
    assert (covered / 300 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300)).all(), covered / 300


def test_parts_of_a_gain_still_add_up() -> None:
    """Flows of three buckets, from -1 to 1, and their sum, the gain: one factor serves all."""
    rng = np.random.default_rng(8)
    moves, guesses = (rng.choice([-1, 0, 1], (300, 3), p=[0.1, 0.7, 0.2]) * (rng.random((300, 3)) < 0.5) for _ in "hf")
    guesses = np.where(rng.random((300, 1)) < 0.8, moves, guesses)
    selected = rng.random(300) < 0.4
    columns = [np.column_stack([values, values.sum(1)]).astype(float) for values in (guesses, moves)]
    rows = Rows(columns[0], columns[1] * selected[:, None], selected * 1.0, selected, np.full(300, 2.5),
                rng.integers(0, 40, 300), 40)  # fmt: skip
    found = points(powered(rows, least=-3.0))
    assert found[:3].sum() == pytest.approx(found[3], abs=1e-12)


def test_where_everything_is_judged_labels_change_nothing() -> None:
    rng = np.random.default_rng(9)
    of_row, truth, guess = population(20, 0.5, rng)
    everyone = np.ones(len(truth), bool)
    rows = Rows(np.eye(4)[guess], np.eye(4)[truth], everyone * 1.0, everyone, np.ones(len(truth)), of_row, 20)
    found = powered(rows)
    assert (found.estimates, found.tuning, found.variance_left) == (found.alone, 0.0, 1.0)


def test_where_nobody_is_judged_nothing_is_estimated() -> None:
    nobody = np.zeros(6, bool)
    rows = Rows(np.ones((6, 1)), np.zeros((6, 1)), nobody * 1.0, nobody, np.ones(6), np.arange(6), 6)
    found = powered(rows)
    assert [estimate.reason for estimate in found.estimates] == ["no unit to count"]
    assert (found.tuning, found.variance_left) == (0.0, None)
