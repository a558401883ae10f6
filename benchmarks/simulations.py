"""Simulated studies whose truth is known: how often tests raise false alarms, and intervals hold the truth.

Concepts are the clusters. Every case has a generator of its own, so that it can be run alone with the same result.
`reliability.py` runs them all and writes the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gainsift.analysis.bca import BcaBootstrap
from gainsift.analysis.cochran_q import cochran_q
from gainsift.analysis.estimate import ClusterBootstrap, Estimate, cluster_sums, generator
from gainsift.analysis.gee import gee_trend
from gainsift.analysis.marginal_homogeneity import marginal_wald, net_flows, paired_difference, sign_flip_homogeneity
from gainsift.analysis.max_t import max_t
from gainsift.analysis.share_of_gain import share_of_gain
from gainsift.analysis.sign_flip import sign_flip
from gainsift.analysis.significance import Significance
from gainsift.analysis.studentised import ENOUGH, StudentisedBootstrap
from gainsift.analysis.transition_tests import bhapkar, mcnemar_mid_p, stuart_maxwell
from gainsift.analysis.trend_scores import sign_flip_trend

FLIPS, RESAMPLES, LEVEL = 1999, 999, 0.05
MOST_FALSE_ALARMS, LEAST_POWER, COVERAGE = 0.06, 0.55, (0.93, 0.97)
INDEPENDENT = " †"
Rng = np.random.Generator
Array = np.typing.NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """How often a test rejected at .05, or an interval held the truth, in `n` samples; undefined ones do not count.

    `meets`: whether the rate keeps the bound that is asked of it, None where none is.
    """

    table: str
    case: str
    method: str
    clusters: int
    rate: float
    error: float
    n: int
    meets: bool | None


class Tally:
    """Counts of one case: method -> hits and samples in which the method was defined."""

    def __init__(self, table: str, case: str, clusters: int) -> None:
        self.about, self.counts = (table, case, clusters), dict[str, list[int]]()

    def add(self, method: str, hit: bool, defined: bool = True) -> None:
        count = self.counts.setdefault(method, [0, 0])
        count[0] += hit
        count[1] += defined

    def test(self, method: str, *found: Significance) -> None:
        """Rejected if any of `found` is; an undefined test rejects nothing, and counts."""
        self.add(method, any(one.p is not None and one.p <= LEVEL for one in found))

    def interval(self, method: str, found: Estimate, truth: float) -> None:
        defined = found.low is not None and found.high is not None
        self.add(method, defined and found.low <= truth <= found.high, defined)  # type: ignore[operator]

    def rates(self, meets: Callable[[str, float], bool | None]) -> list[Rate]:
        table, case, clusters = self.about
        found = []
        for method, (hits, n) in self.counts.items():
            rate = hits / n if n else math.nan
            error = math.sqrt(rate * (1 - rate) / n) if n else math.nan
            found.append(Rate(table, case, method, clusters, rate, error, n, meets(method, rate) if n else None))
        return found


# --- trends ----------------------------------------------------------------------------------------------

CONCEPTS, LANGUAGES = 50, 3
X = np.linspace(-1, 1, 6)
SLOPES: dict[str, tuple[float, float]] = {
    "no trend": (0, 0),
    "no trend on average, slopes N(0, 1.5)": (0, 1.5),
    "rising, slopes N(.35, .5)": (0.35, 0.5),
}


def trend_sample(slope: tuple[float, float], rng: Rng) -> Array:
    """0/1 outcomes [concepts, languages, checkpoints]; N(mean, standard deviation) on the logit scale."""
    level = rng.normal(0, 2, (CONCEPTS, 1, 1)) + rng.normal(0, 0.5, (CONCEPTS, LANGUAGES, 1))
    logit = level + rng.normal(slope[0], slope[1], (CONCEPTS, 1, 1)) * X
    return (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float)


def trend_rates(case: str, repetitions: int, seed: int) -> list[Rate]:
    rng = generator(seed, "trend", case)
    tally = Tally("trend", case, CONCEPTS)
    units = np.repeat(np.arange(CONCEPTS * LANGUAGES), len(X))
    clusters, position = units // LANGUAGES, np.tile(X, CONCEPTS * LANGUAGES)
    for _ in range(repetitions):
        sample = trend_sample(SLOPES[case], rng)
        tally.test("GEE, bias-reduced", gee_trend(sample.ravel(), position, clusters))
        tally.test("sign flips", sign_flip_trend(sample.ravel(), position, units, clusters, rng, flips=FLIPS))
        tally.test("Cochran's Q" + INDEPENDENT, cochran_q(sample.reshape(-1, len(X))))
    return tally.rates(_meets_test(SLOPES[case][0] != 0))


def _meets_test(power: bool) -> Callable[[str, float], bool | None]:
    def meets(method: str, rate: float) -> bool | None:
        if method.endswith(INDEPENDENT):
            return None
        return rate >= LEAST_POWER if power else rate <= MOST_FALSE_ALARMS

    return meets


# --- tests of the split ----------------------------------------------------------------------------------

SHARES = np.log([0.45, 0.20, 0.05, 0.30])
"""correct, other sense, copy, error, on the logit scale of a concept without effects."""
CHANGES: dict[str, tuple[float, float]] = {
    "no change": (0, 0),
    "no change on average, concepts N(0, 1)": (0, 1),
    "gain of .5 on the logit scale, concepts N(0, .5)": (0.5, 0.5),
    "gain of 1 on the logit scale, concepts N(0, .5)": (1.0, 0.5),
}
POWERFUL = "gain of 1 "
"""The case that power is asked of; the smaller gain shows where power ends."""
BUCKETS = ("smallest bucket: sign flips", "any of three buckets: max-T")
"""No power is asked of them: the gain moves few answers of any single bucket, and max-T corrects for three."""


def split_sample(change: tuple[float, float], units: int, rng: Rng) -> tuple[Array, Array]:
    """Categories before and after [concepts, units]: multinomial logits with effects of concepts and units."""
    size = len(SHARES)
    level = SHARES + rng.normal(0, 1.5, (CONCEPTS, 1, size)) + rng.normal(0, 0.5, (CONCEPTS, units, size))
    sides = []
    for gain in (0.0, change[0]):
        logit = level + rng.normal(0, change[1], (CONCEPTS, 1, size))
        logit[..., 0] += gain
        odds = np.exp(logit).cumsum(-1)
        sides.append((rng.random((CONCEPTS, units, 1)) * odds[..., -1:] > odds).sum(-1))
    return sides[0], sides[1]


def split_rates(case: str, units: int, repetitions: int, seed: int) -> list[Rate]:
    name = f"{case}; {units} units a concept"
    rng = generator(seed, "split", name)
    tally = Tally("split", name, CONCEPTS)
    clusters, size = np.repeat(np.arange(CONCEPTS), units), len(SHARES)
    for _ in range(repetitions):
        before, after = (side.ravel() for side in split_sample(CHANGES[case], units, rng))
        flows, totals = net_flows(before, after, size, clusters)
        table = np.zeros((size, size))
        np.add.at(table, (before, after), 1)
        moves = [
            (before == k) * 1.0 * (after == 0) - (before == 0) * (after == k) for k in range(1, size)
        ]  # fmt: skip
        buckets = cluster_sums(np.column_stack(moves), clusters, CONCEPTS)
        tally.test("human gain: paired difference by clusters", paired_difference(flows[:, 0], totals))
        tally.test("human gain: sign flips", sign_flip(flows[:, 0], rng, FLIPS))
        tally.test("all categories: Wald by clusters", marginal_wald(flows, totals))
        tally.test("all categories: sign flips", sign_flip_homogeneity(flows, rng, FLIPS))
        tally.test(BUCKETS[0], sign_flip(buckets[:, 1], rng, FLIPS))
        tally.test(BUCKETS[1], *max_t(buckets, rng, FLIPS))
        gained, lost = int(table[1:, 0].sum()), int(table[0, 1:].sum())
        tally.test("human gain: McNemar mid-p" + INDEPENDENT, mcnemar_mid_p(gained, lost))
        tally.test("all categories: Stuart-Maxwell" + INDEPENDENT, stuart_maxwell(table))
        tally.test("all categories: Bhapkar" + INDEPENDENT, bhapkar(table))
    if CHANGES[case][0] == 0:
        return tally.rates(_meets_test(False))
    asked = _meets_test(True)
    return tally.rates(
        lambda method, rate: asked(method, rate) if case.startswith(POWERFUL) and method not in BUCKETS else None
    )


def gain_in_points(case: str, units: int, repetitions: int = 400) -> float:
    """The mean rise of the share of `correct` that a case makes, by simulation with a fixed seed."""
    rng = generator(1, "gain", case, str(units))
    sides = [split_sample(CHANGES[case], units, rng) for _ in range(repetitions)]
    return 100 * float(np.mean([(after == 0).mean() - (before == 0).mean() for before, after in sides]))


# --- coverage --------------------------------------------------------------------------------------------

FLOWS = {"30 %": (0.34, 0.04), "8 %": (0.10, 0.02), "2 %": (0.03, 0.01)}
"""Probability that a unit enters `correct` from a bucket and that it leaves it for the bucket."""
ONE_WAY = {bucket: (gain - loss, 0.0) for bucket, (gain, loss) in FLOWS.items()}
DESIGNS = ("three units a concept", "1 to 12 units a concept", "six units a concept")
CLUSTERS = (10, 20, 35, 50, 70, 100)
CORRELATION = 0.2
STRESS: dict[str, tuple[dict[str, tuple[float, float]], float]] = {
    "moves correlated .4": (FLOWS, 0.4),
    "moves one way only": (ONE_WAY, CORRELATION),
}


def sizes(design: str, clusters: int, rng: Rng) -> Array:
    if design == DESIGNS[1]:
        return np.clip(rng.geometric(0.4, clusters), 1, 12).astype(float)
    return np.full(clusters, 3.0 if design == DESIGNS[0] else 6.0)


def flow_sample(flows: dict[str, tuple[float, float]], correlation: float, size: Array, rng: Rng) -> Array:
    """Net flow of each bucket summed over the units of each cluster: [C, buckets].

    The probabilities of a cluster are Dirichlet: any two of its units move alike with the intraclass correlation.
    """
    chances = np.array([chance for pair in flows.values() for chance in pair])
    chances = np.append(chances, 1 - chances.sum())
    weights = rng.gamma(np.maximum(chances * (1 / correlation - 1), 1e-12), size=(len(size), len(chances)))
    own = np.maximum(weights, 1e-300)
    moves = rng.multinomial(size.astype(int), own / own.sum(1, keepdims=True)).astype(float)
    return moves[:, 0:-1:2] - moves[:, 1:-1:2]


def coverage_rates(design: str, clusters: int, stress: str, repetitions: int, seed: int) -> list[Rate]:
    flows, correlation = STRESS.get(stress, (FLOWS, CORRELATION))
    name = design + (f", {stress}" if stress else "")
    rng = generator(seed, "coverage", name, str(clusters))
    tallies = {bucket: Tally("coverage", f"{bucket}; {name}", clusters) for bucket in flows}
    truth = {bucket: gain - loss for bucket, (gain, loss) in flows.items()}
    least = np.full(len(flows) + 1, -1.0)
    for _ in range(repetitions):
        size = sizes(design, clusters, rng)
        parts = flow_sample(flows, correlation, size, rng)
        values = np.column_stack([parts, parts.sum(1)])
        totals = np.repeat(size[:, None], values.shape[1], axis=1)
        studentised = StudentisedBootstrap.of(clusters, RESAMPLES, 0.95, rng).ratios(values, totals, least)
        bca = BcaBootstrap.of(clusters, RESAMPLES, 0.95, rng)
        accelerated = bca.ratios(values, totals, least)
        percentile = ClusterBootstrap(bca.draws, 0.95).ratios(values, totals, least)
        shares = share_of_gain(parts, values[:, -1], size, 0.95, studentised[-1])
        for column, (bucket, tally) in enumerate(tallies.items()):
            tally.interval("studentised", studentised[column], truth[bucket])
            tally.interval("BCa", accelerated[column], truth[bucket])
            tally.interval("percentile", percentile[column], truth[bucket])
            tally.interval("share of Δ: Fieller", shares[column], truth[bucket] / sum(truth.values()))

    def meets(method: str, rate: float) -> bool | None:
        asked = method == "studentised" and clusters >= ENOUGH and not stress
        return COVERAGE[0] <= rate <= COVERAGE[1] if asked else None

    return [rate for tally in tallies.values() for rate in tally.rates(meets)]


# --- all of it -------------------------------------------------------------------------------------------


TESTS_PER_INTERVAL = 5
"""Tests are that much faster to simulate, and their bounds need finer rates."""


def jobs(repetitions: int, seed: int) -> list[tuple[str, Callable[[], list[Rate]]]]:
    """Every case with its name, in the order of the page; `repetitions` are those of a case of coverage."""
    tests = TESTS_PER_INTERVAL * repetitions
    found: list[tuple[str, Callable[[], list[Rate]]]] = [
        (f"trend: {case}", partial(trend_rates, case, tests, seed)) for case in SLOPES
    ]
    for units in (3, 6):
        found += [(f"split: {case}", partial(split_rates, case, units, tests, seed)) for case in CHANGES]
    plans = [(design, clusters, "") for design in DESIGNS for clusters in CLUSTERS]
    plans += [(design, ENOUGH, stress) for stress in STRESS for design in DESIGNS]
    for plan in plans:
        found.append((f"coverage: {plan[0]}, {plan[1]} clusters", partial(coverage_rates, *plan, repetitions, seed)))
    return found
