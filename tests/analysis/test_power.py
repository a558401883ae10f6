"""Power and half-widths against closed forms: independent units, one bucket, annotators who do not err."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, t
from statsmodels.stats.power import TTestPower

from gainsift.analysis.estimate import generator
from gainsift.analysis.marginal_homogeneity import paired_difference
from gainsift.analysis.planned_study import Assumed
from gainsift.analysis.power import Wanted, plan, robust_change, simulate
from gainsift.analysis.studentised import StudentisedBootstrap

NOTHING = Wanted()


def test_the_error_is_that_of_the_paired_difference() -> None:
    rng = generator(1)
    flows, totals = rng.integers(-3, 4, (5, 30)).astype(float), rng.integers(3, 9, (5, 30)).astype(float)
    changes, errors = robust_change(flows, totals)
    for row in range(5):
        known = paired_difference(flows[row], totals[row])
        assert changes[row] == pytest.approx(known.effect, abs=1e-14)
        assert changes[row] / errors[row] == pytest.approx(known.statistic, rel=1e-12)


@pytest.mark.parametrize("units", [60, 150, 400])
def test_half_width_and_power_of_independent_units(units: int) -> None:
    """A unit counts +1 with probability .15, -1 with .05: mean .1, variance .2 - .01.

    Half-width t * sd / sqrt(n); power by statsmodels' paired t test. The counts are not normal, which at these sizes
    moves the power by less than .02.
    """
    deviation = math.sqrt(0.19)
    found = simulate(Assumed.of(0.15, 0.05, 0.4), 1.0, units, 1, NOTHING, 4000, 0.95, 1)
    assert (found.units, found.families, found.items, found.judgements) == (units, units, 2 * units, 2 * units)
    assert found.truth == pytest.approx(0.1)
    assert found.estimate == pytest.approx(0.1, abs=4 * deviation / math.sqrt(units * 4000))
    assert found.half_width == pytest.approx(t.ppf(0.975, units - 1) * deviation / math.sqrt(units), rel=0.02)
    assert found.half_width < found.half_width_90
    wanted = float(TTestPower().power(0.1 / deviation, units, 0.05))
    assert found.power == pytest.approx(wanted, abs=0.02 + 4 * found.power_error)
    assert found.power_error == pytest.approx(math.sqrt(found.power * (1 - found.power) / 4000))


def test_power_of_a_one_sided_move_is_a_binomial_tail() -> None:
    """Only gains: with x of n gained the test is t = x / n / (s / sqrt(n)), s² = x (n - x) / n / (n - 1).

    Which x it sees is worked out for each; the power is their binomial probability, exactly.
    """
    n, p = 40, 0.12
    seen = [
        x
        for x in range(1, n)
        if x / n / math.sqrt(x * (n - x) / n / (n - 1) / n) > t.ppf(0.975, n - 1)
    ]  # fmt: skip
    exact = float(binom.pmf(seen, n, p).sum())
    assert 0.3 < exact < 0.9
    found = simulate(Assumed.of(p, 0.0, 0.5), 1.0, n, 1, NOTHING, 6000, 0.95, 2)
    assert found.power == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 6000))


def test_studies_in_which_nothing_moves_have_the_bound_of_clopper_and_pearson() -> None:
    """One in a million: none moves, and the half-width is 1 - .025^(1/50), and nothing is detected."""
    found = simulate(Assumed.of(1e-6, 0.0, 0.5), 1.0, 50, 1, NOTHING, 50, 0.95, 3)
    assert found.half_width == pytest.approx(1 - 0.025 ** (1 / 50))
    assert found.power == 0


def test_no_move_is_found_as_often_as_the_level_says() -> None:
    found = simulate(Assumed.of(0.1, 0.1, 0.4, 4, 0.3), 1.0, 800, 1, NOTHING, 4000, 0.95, 4)
    assert found.families == 200
    assert found.power == pytest.approx(0.05, abs=0.015)


def test_the_half_width_is_near_that_of_the_analysis() -> None:
    """The studentised bootstrap of the report, on thirty drawn studies of 80 families of five."""
    population = Assumed.of(0.15, 0.05, 0.4, 5, 0.2)
    planned = simulate(population, 1.0, 400, 1, NOTHING, 1000, 0.95, 5)
    flows, totals = population.draw(30, 80, *population.states.values(1.0, 1), generator(6))
    bootstrap = StudentisedBootstrap.of(80, 800, 0.95, generator(7))
    found = bootstrap.ratios(flows.T, totals.T, np.full(30, -1.0))
    widths = [(one.high - one.low) / 2 for one in found if one.high is not None and one.low is not None]
    assert len(widths) == 30
    assert float(np.mean(widths)) == pytest.approx(planned.half_width, rel=0.08)


def test_correlated_units_are_worth_less_by_the_design_effect() -> None:
    """Kish: the variance grows by 1 + (m - 1) rho = 2.8 for ten units with rho .2."""
    alone, together = (
        simulate(Assumed.of(0.15, 0.05, 0.4, size, rho), 1.0, 2000, 1, NOTHING, 800, 0.95, 8)
        for size, rho in ((1, 0.0), (10, 0.2))
    )
    assert together.half_width / alone.half_width == pytest.approx(math.sqrt(2.8), rel=0.03)


def test_the_needed_size_is_that_of_the_formula() -> None:
    """Half-width .05 needs n = (1.96 / .05)² * .19 = 292 units; power .8 needs 149 by statsmodels' formula."""
    population = Assumed.of(0.15, 0.05, 0.4)
    calls = []
    grid = (50, 100, 200, 400, 800)
    found = plan(population, 1.0, [1], Wanted(0.05, None), 1500, 0.95, 9, grid, lambda: calls.append(1))
    assert len(calls) == len(grid)
    assert [size.units for size in found.sizes] == list(grid)
    assert [size.enough for size in found.sizes] == [False, False, False, True, True]
    needed = found.needed[1]
    assert needed is not None
    assert needed.enough
    assert needed.units == pytest.approx(292, rel=0.05)
    seen = plan(population, 1.0, [1], Wanted(None, 0.8), 3000, 0.95, 9, grid).needed[1]
    assert seen is not None
    deviation = math.sqrt(0.19)
    assert seen.units == pytest.approx(TTestPower().solve_power(0.1 / deviation, alpha=0.05, power=0.8), rel=0.1)
    assert plan(population, 1.0, [1], Wanted(0.001, None), 50, 0.95, 9, grid).needed == {1: None}


def test_a_seed_gives_the_same_figures_whatever_else_is_asked() -> None:
    population = Assumed.of(0.15, 0.05, 0.4, 3, 0.1)
    wanted = Wanted(0.05, 0.8)
    both = plan(population, 0.7, [1, 3], wanted, 100, 0.95, 1, (60, 120))
    alone = plan(population, 0.7, [3], wanted, 100, 0.95, 1, (120,))
    assert alone.sizes[0] == both.sizes[3]
    assert plan(population, 0.7, [3], wanted, 100, 0.95, 2, (120,)).sizes[0] != both.sizes[3]
