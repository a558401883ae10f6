"""False alarms, power and coverage on fewer simulated studies, with a fixed seed; and the page that is committed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.marginal_homogeneity import net_flows
from gainsift.analysis.significance import Significance

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs" / "reliability"
SEED = 77
FALSE_ALARMS, POWER, COVERAGE = 0.06, 0.55, (0.93, 0.97)
"""What is asked of 2,000 studies and more; fewer get a slack of two Monte Carlo errors."""


@pytest.fixture(scope="module")
def simulations(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("simulations")


@pytest.fixture(scope="module")
def reliability(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("reliability")


def by_method(rates: list[Any]) -> dict[str, Any]:
    return {rate.method: rate for rate in rates}


@pytest.mark.parametrize("case", [0, 1, 2])
def test_trends(simulations: ModuleType, case: int) -> None:
    name = list(simulations.SLOPES)[case]
    found = by_method(simulations.trend_rates(name, 600, SEED))
    for method in ("GEE, bias-reduced", "sign flips"):
        rate = found[method]
        assert rate.n == 600
        if case == 2:
            assert rate.rate >= POWER - 2 * rate.error, method
        else:
            assert 0.02 < rate.rate <= FALSE_ALARMS + 2 * rate.error, method
    if case == 1:  # the warning is earned: it takes concepts that differ for a trend
        assert found["Cochran's Q †"].rate > 0.1


@pytest.mark.parametrize("units", [3, 6])
@pytest.mark.parametrize("case", [0, 1])
def test_false_alarms_of_the_split(simulations: ModuleType, case: int, units: int) -> None:
    name = list(simulations.CHANGES)[case]
    found = by_method(simulations.split_rates(name, units, 300, SEED))
    for method, rate in found.items():
        if not method.endswith("†"):
            assert rate.rate <= FALSE_ALARMS + 2 * rate.error, method
    if (case, units) == (1, 6):
        assert found["all categories: Stuart-Maxwell †"].rate > 0.15


@pytest.mark.parametrize("units", [3, 6])
def test_power_of_the_split(simulations: ModuleType, units: int) -> None:
    """The larger gain is found as often as is asked; the smaller one less often, but more often than nothing."""
    small, large = (
        by_method(simulations.split_rates(case, units, 200, SEED)) for case in list(simulations.CHANGES)[2:]
    )
    asked = [method for method in large if not method.endswith("†") and method not in simulations.BUCKETS]
    assert len(asked) == 4
    for method in asked:
        assert large[method].rate >= POWER - 2 * large[method].error, method
        assert 0.1 < small[method].rate < large[method].rate, method
        assert (large[method].meets, small[method].meets) == (large[method].rate >= POWER, None)


def test_the_bounds_can_fail(simulations: ModuleType, reliability: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that take every unit for a cluster of its own break the bounds that those by concept keep."""
    monkeypatch.setattr(simulations, "net_flows", lambda before, after, size, clusters: net_flows(
        before, after, size, np.arange(len(clusters))
    ))  # fmt: skip
    found = simulations.split_rates(list(simulations.CHANGES)[1], 6, 300, SEED)
    wrong = by_method(found)["human gain: paired difference by clusters"]
    assert wrong.rate > FALSE_ALARMS + 2 * wrong.error
    assert wrong.meets is False
    (row,) = [bound.row() for bound in reliability.bounds(found)]
    assert row[-1].startswith("✗ ")


@pytest.mark.parametrize("design", [0, 1, 2])
def test_coverage_at_fifty_clusters(simulations: ModuleType, design: int) -> None:
    rates = simulations.coverage_rates(simulations.DESIGNS[design], 50, "", 250, SEED)
    for rate in rates:
        if rate.method == "studentised":
            assert COVERAGE[0] - 2 * rate.error <= rate.rate <= COVERAGE[1] + 2 * rate.error, rate.case
        if rate.method == "share of Δ: Fieller":
            assert rate.rate >= 0.9, rate.case
    small = {rate.method: rate.rate for rate in rates if rate.case.startswith("2 %")}
    assert small["BCa"] < small["studentised"]


def test_the_same_seed_gives_the_same_rates(simulations: ModuleType) -> None:
    first, second, other = (
        simulations.coverage_rates(simulations.DESIGNS[0], 20, "", 20, seed) for seed in (SEED, SEED, SEED + 1)
    )
    assert first == second
    assert first != other


# --- the simulated studies are what they say -------------------------------------------------------------


@pytest.mark.parametrize("correlation", [0.2, 0.4])
def test_flows_have_the_stated_means_and_correlation(simulations: ModuleType, correlation: float) -> None:
    """Sum of 6 units: variance 6 v (1 + 5 r), with v the variance of one unit's move."""
    flows = simulations.flow_sample(simulations.FLOWS, correlation, np.full(60_000, 6.0), generator(1, "flows"))
    for column, (gain, loss) in enumerate(simulations.FLOWS.values()):
        mean, one = gain - loss, gain + loss - (gain - loss) ** 2
        variance = 6 * one * (1 + 5 * correlation)
        assert flows[:, column].mean() == pytest.approx(6 * mean, abs=5 * math.sqrt(variance / 60_000))
        assert flows[:, column].var() == pytest.approx(variance, rel=0.06)


def test_trend_samples_rise_only_when_asked(simulations: ModuleType) -> None:
    def shares(case: int) -> np.ndarray:
        rng = generator(2, "samples")
        slope = list(simulations.SLOPES.values())[case]
        found: np.ndarray = np.mean([simulations.trend_sample(slope, rng).mean((0, 1)) for _ in range(300)], axis=0)
        return found

    assert shares(0) == pytest.approx(np.full(6, 0.5), abs=0.02)
    assert shares(1) == pytest.approx(np.full(6, 0.5), abs=0.02)
    assert (np.diff(shares(2)) > 0).all()


def test_split_samples_keep_their_shares_unless_something_changes(simulations: ModuleType) -> None:
    def right(case: int) -> tuple[float, float]:
        rng = generator(3, "samples")
        change = list(simulations.CHANGES.values())[case]
        sides = [simulations.split_sample(change, 6, rng) for _ in range(200)]
        return tuple(float(np.mean([pair[side] == 0 for pair in sides])) for side in (0, 1))  # type: ignore[return-value]

    for case in (0, 1):
        before, after = right(case)
        assert after == pytest.approx(before, abs=0.012)
    before, after = right(2)
    assert after > before + 0.04


def test_rates_are_counted_as_they_say(simulations: ModuleType) -> None:
    tally = simulations.Tally("trend", "case", 50)
    for p in (0.01, 0.05, 0.051, None):
        tally.test("t", Significance("m", p))
    tally.test("t", Significance("m", 0.9), Significance("m", 0.02))
    for low, high in ((0.0, 1.0), (0.6, 1.0), (None, None)):
        tally.interval("i", Estimate(0.5, low, high), 0.5)
    test, interval = tally.rates(lambda method, rate: rate <= 0.6 if method == "t" else None)
    assert (test.rate, test.n, test.meets) == (3 / 5, 5, True)
    assert test.error == pytest.approx(math.sqrt(0.6 * 0.4 / 5))
    assert (interval.rate, interval.n, interval.meets) == (1 / 2, 2, None)


# --- the page --------------------------------------------------------------------------------------------


def test_the_committed_page_keeps_every_bound_and_shows_its_figures(reliability: ModuleType) -> None:
    stored = json.loads((DOCS / "reliability.json").read_text("utf-8"))
    rates = [
        reliability.Rate(**{**row, **({"rate": math.nan, "error": math.nan} if not row["n"] else {})})
        for row in stored["rates"]
    ]
    assert stored["repetitions"] >= 2000
    for rate in rates:
        if rate.table == "coverage":
            if rate.method == "studentised" and rate.clusters >= 50 and "moves" not in rate.case:
                assert COVERAGE[0] <= rate.rate <= COVERAGE[1], rate
        elif not rate.method.endswith("†"):
            if rate.case.startswith("no "):
                assert rate.rate <= FALSE_ALARMS, rate
            elif rate.table == "trend" or (rate.case.startswith("gain of 1 ") and "bucket" not in rate.method):
                assert rate.rate >= POWER, rate
    shown = reliability.page(rates, stored["repetitions"], stored["seed"], stored["minutes"])
    assert (DOCS / "reliability.md").read_text("utf-8") == shown, "run: make reliability"
    assert f"seed {stored['seed']}" in shown
    assert "**65 of 65 bounds are kept.**" in shown


def test_the_files_of_a_run(reliability: ModuleType, simulations: ModuleType, tmp_path: Path) -> None:
    trend = [rate for case in simulations.SLOPES for rate in simulations.trend_rates(case, 4, SEED)]
    split = [
        rate
        for units in (3, 6)
        for case in simulations.CHANGES
        for rate in simulations.split_rates(case, units, 4, SEED)
    ]
    coverage = [
        rate
        for design in simulations.DESIGNS
        for rate in simulations.coverage_rates(design, 50, "", 4, SEED)
        + simulations.coverage_rates(design, 50, next(iter(simulations.STRESS)), 4, SEED)
    ]
    reliability.write(tmp_path, trend + split + coverage, 4, SEED, 0.1)
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "reliability.md").read_text("utf-8")
    assert text.index("| what | asked | worst measured |") < text.index("## Tests of a trend")  # the answer first
    stored = json.loads((tmp_path / "reliability.json").read_text("utf-8"))
    assert (stored["format"], stored["seed"]) == ("reliability/1", SEED)
    assert len(stored["rates"]) == len(trend + split + coverage)
    for rate in trend + split + coverage:
        assert ("–" if math.isnan(rate.rate) else f"{rate.rate:.3f} ± {rate.error:.3f}") in text, rate
