"""What people did not judge, and judged wrongly: are the corrected estimates right, and do their intervals hold?

    python benchmarks/judgement_errors.py [--repetitions 2000] [--seed 20261] [--out docs/reliability]

Simulated studies whose truth is known. Writes judgements.json, .md and .run.json.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from markdown import grid
from processes import minutes, side_by_side

from gainsift.analysis.annotator_error import Observed, corrected_flows
from gainsift.analysis.confusion import Confusion, adjudication, controls, model
from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.prediction_powered import Rows, prediction_powered
from gainsift.analysis.studentised import StudentisedBootstrap
from gainsift.analysis.verdict_rules import Ballot
from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import now, write_run

FORMAT = "judgement_errors/1"
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
RESAMPLES = 499
LEAST_COVERAGE, MOST_BIAS = 0.93, 0.002
Rng = np.random.Generator
Array = np.typing.NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """Bias in points, with its Monte Carlo error, how often the interval held the truth, and its median width.

    `plain_*`: the same from the verdicts alone, or without correction. `undefined`: studies without an estimate.
    """

    table: str
    case: str
    figure: str
    truth: float
    bias: float
    bias_error: float
    coverage: float
    width: float
    plain_bias: float
    plain_coverage: float | None
    plain_width: float | None
    n: int
    undefined: int


class Samples:
    """Estimates of one figure of one case, over the repetitions."""

    def __init__(self, truth: float) -> None:
        self.truth, self.found, self.plain, self.undefined = truth, list[Estimate](), list[Estimate](), 0

    def add(self, found: Estimate, plain: Estimate) -> None:
        if found.point is None or found.low is None:
            self.undefined += 1
        else:
            self.found.append(found)
            self.plain.append(plain)

    def result(self, table: str, case: str, figure: str) -> Result:
        points, plain = (np.array([one.point for one in these], float) for these in (self.found, self.plain))
        coverage, width = self._intervals(self.found)
        plain_coverage, plain_width = self._intervals(self.plain)
        n = len(points)
        assert coverage is not None
        assert width is not None
        return Result(
            table, case, figure, self.truth, float(points.mean() - self.truth), float(points.std() / math.sqrt(n)),
            coverage, width, float(plain.mean() - self.truth), plain_coverage, plain_width, n, self.undefined,
        )  # fmt: skip

    def _intervals(self, estimates: list[Estimate]) -> tuple[float | None, float | None]:
        limits = [(one.low, one.high) for one in estimates if one.low is not None and one.high is not None]
        if not limits:
            return None, None
        held = np.mean([low <= self.truth <= high for low, high in limits])
        return float(held), float(np.median([high - low for low, high in limits]))


# --- what people did not judge ---------------------------------------------------------------------------

SHARES = np.array([0.45, 0.35, 0.15, 0.05])
DRAWN = np.array([0.25, 0.5, 0.5, 0.8])
"""Chance of being judged, by automatic label."""


def unjudged(right: float, clusters: int, repetitions: int, seed: int) -> list[Result]:
    """Shares of four labels; the automatic label is `right` that often, else the next one (0: never right)."""
    case = f"{right:.0%} of automatic labels right, {clusters} clusters"
    rng = generator(seed, "unjudged", case)
    samples = [Samples(share) for share in SHARES]
    for _ in range(repetitions):
        cluster = np.repeat(np.arange(clusters), np.clip(rng.geometric(0.2, clusters), 1, 20))
        own = rng.dirichlet(SHARES * 4, clusters)[cluster]
        truth = (rng.random((len(cluster), 1)) > own.cumsum(1)).sum(1).clip(0, 3)
        guess = np.where(rng.random(len(truth)) < right, truth, (truth + 1) % 4)
        selected = rng.random(len(truth)) < DRAWN[guess]
        rows = Rows(
            np.eye(4)[guess], np.eye(4)[truth] * selected[:, None], selected * 1.0, selected, 1 / DRAWN[guess],
            cluster, clusters,
        )  # fmt: skip
        found = prediction_powered(rows, np.zeros(4), StudentisedBootstrap.of(clusters, RESAMPLES, 0.95, rng))
        for sample, estimate, alone in zip(samples, found.estimates, found.alone, strict=True):
            sample.add(estimate, alone)
    return [
        sample.result("unjudged", case, f"share of {share:.0%}") for sample, share in zip(samples, SHARES, strict=True)
    ]


# --- what people judged wrongly --------------------------------------------------------------------------

LABELS = ["correct", "other sense", "copy", "error"]
CHANCES = np.array([[0.93, 0.04, 0, 0.03], [0.1, 0.82, 0.02, 0.06], [0.05, 0.05, 0.85, 0.05], [0.03, 0.05, 0.02, 0.9]])
PAIRS = np.array([[0.3, 0.02, 0.005, 0.02], [0.1, 0.1, 0, 0], [0.03, 0, 0.03, 0], [0.15, 0.02, 0.005, 0.22]]) * 0.7
SAME = np.array([0.5, 0.2, 0.05, 0.25]) * 0.3
"""True labels before and after of units with two items, and of units with one."""
CORRECT = np.array([1.0, 0, 0, 0])
FIGURES = {
    "human": PAIRS[:, 0].sum() - PAIRS[0].sum(),
    **{f"flow:{label}": PAIRS[k, 0] - PAIRS[0, k] for k, label in enumerate(LABELS) if k},
}
Judged = tuple[Array, Array, Array, Array]
"""Of each judged item: its family [I], its true label [I], the labels of the annotators [I, A]; and units, [U, 3]."""


def study(clusters: int, annotators: int, rng: Rng) -> Judged:
    """Six units a family; a unit is (family, first item, second item)."""
    family = np.repeat(np.arange(clusters), 6)
    own = rng.dirichlet(np.maximum(np.append(PAIRS.ravel(), SAME) * 4, 1e-9), clusters)[family]
    cell = (rng.random((len(family), 1)) > own.cumsum(1)).sum(1).clip(0, 19)
    same = cell >= 16
    first = np.arange(len(family))
    second = np.where(same, first, len(family) + np.cumsum(~same) - 1)
    truth = np.concatenate([np.where(same, cell - 16, cell // 4), (cell % 4)[~same]])
    said = (rng.random((len(truth), annotators, 1)) > CHANCES[truth].cumsum(1)[:, None]).sum(2)
    return np.concatenate([family, family[~same]]), truth, said, np.column_stack([family, first, second])


def tables(judged: Judged, clusters: int) -> Observed:
    _, _, said, units = judged
    soft = np.eye(4)[said].mean(1)
    pairs, single = np.zeros((clusters, 4, 4)), np.zeros((clusters, 4))
    same = units[:, 1] == units[:, 2]
    two = units[~same]
    np.add.at(pairs, two[:, 0], soft[two[:, 1]][:, :, None] * soft[two[:, 2]][:, None, :])
    np.add.at(single, units[same, 0], soft[units[same, 1]])
    return Observed(pairs, single, np.bincount(units[:, 0]).astype(float), CORRECT, CORRECT)


def source(name: str, judged: Judged, clusters: int, rng: Rng) -> Confusion:
    """The confusion matrix as a study would have it; `controls N` has N of them, two people each."""
    family, truth, said, _ = judged
    if name.startswith("controls"):
        words = rng.integers(0, 4, int(name.split()[1]))
        given = (rng.random((len(words), 2, 1)) > CHANCES[words].cumsum(1)[:, None]).sum(2)
        said_of = zip(words, given, strict=True)
        return controls([(f"w{n}", LABELS[t], LABELS[v]) for n, (t, both) in enumerate(said_of) for v in both], LABELS)
    ballots = {
        f"i{n:05}": Ballot(
            {f"a{a}": LABELS[v] for a, v in enumerate(labels)},
            LABELS[t] if name == "adjudication" and len(set(labels)) > 1 else None,
        )
        for n, (t, labels) in enumerate(zip(truth, said, strict=True))
    }
    families = dict(zip(ballots, family.tolist(), strict=True))
    return (adjudication if name == "adjudication" else model)(ballots, families, clusters, LABELS)


def misjudged(name: str, method: str, annotators: int, clusters: int, repetitions: int, seed: int) -> list[Result]:
    """The human gain and the flows; beside them what they would be with no correction."""
    case = f"{name}, {method}, {annotators} annotators, {clusters} clusters"
    rng = generator(seed, "misjudged", case)
    samples = {figure: Samples(truth) for figure, truth in FIGURES.items()}
    perfect = Confusion(
        "none", "", LABELS, np.eye(4) * 1e6, np.repeat(np.eye(4)[None] * 1e6, clusters, axis=0), shared=True
    )
    for _ in range(repetitions):
        judged = study(clusters, annotators, rng)
        found = tables(judged, clusters)
        corrected = corrected_flows(found, source(name, judged, clusters, rng), RESAMPLES, 0.95, rng, method).figures
        plain = corrected_flows(found, perfect, RESAMPLES, 0.95, rng).figures
        for figure, sample in samples.items():
            sample.add(corrected[figure], plain[figure])
    return [sample.result("misjudged", case, figure) for figure, sample in samples.items()]


# --- the page --------------------------------------------------------------------------------------------

HEADS = {
    "unjudged": (
        "What people did not judge",
        "Automatic labels on all rows and verdicts on a sample that is drawn by these labels: prediction-powered"
        " shares. Beside them: the verdicts alone.",
    ),
    "misjudged": (
        "What people judged wrongly",
        "Judgements are right in 82 to 93 % of cases, by true label; three in ten units have one item at both ends. The"
        " confusion matrix is estimated by the study itself. Beside it: no correction (units of one item do not move).",
    ),
}
UNBIASED = ("adjudication", "likelihood")
"""No bound of bias is asked of them: the first takes agreement as right, the second leans to the inside of 0 to 1."""


def _error(result: Result) -> float:
    return math.sqrt(result.coverage * (1 - result.coverage) / result.n)


def covers(result: Result) -> bool:
    return result.coverage >= LEAST_COVERAGE


def unbiased(result: Result) -> bool | None:
    """Within MOST_BIAS, give or take four Monte Carlo errors; None where it is not asked."""
    if any(word in result.case for word in UNBIASED):
        return None
    return abs(result.bias) <= MOST_BIAS + 4 * result.bias_error


def answer(results: list[Result]) -> list[str]:
    """Every bound, its worst figure, and how many keep it."""
    rows = []
    for table, (title, _) in HEADS.items():
        mine = [result for result in results if result.table == table]
        asked = [result for result in mine if unbiased(result) is not None]
        low = min(mine, key=lambda one: one.coverage)
        far = max(asked, key=lambda one: abs(one.bias))
        rows.append([f"{title}: coverage of 95 % intervals", f"≥ {LEAST_COVERAGE:.2f}",
                     f"{low.coverage:.3f} ± {_error(low):.3f}", f"{low.case}; {low.figure}",
                     _kept([covers(one) for one in mine])])  # fmt: skip
        rows.append([f"{title}: bias, points", f"≤ {100 * MOST_BIAS:.1f} and four errors",
                     f"{100 * far.bias:+.2f} ± {100 * far.bias_error:.2f}", f"{far.case}; {far.figure}",
                     _kept([bool(unbiased(one)) for one in asked])])  # fmt: skip
    return grid(["what", "asked", "worst measured", "where", "kept"], rows)


def _kept(bounds: list[bool]) -> str:
    return f"{'✓' if all(bounds) else '✗'} {sum(bounds)} of {len(bounds)}"


def page(results: list[Result], repetitions: int, seed: int, minutes: float) -> str:
    """docs/reliability/judgements.md: the answer first, then every figure."""
    lines = [
        "# What people did not judge, and judged wrongly: are the estimates right?", "",
        "<!-- made by benchmarks/judgement_errors.py (make reliability) -->", "",
        f"{repetitions:,} simulated studies a case (a quarter of them where the model is fitted), seed {seed}, 95 %"
        f" intervals of the studentised cluster bootstrap, {RESAMPLES} resamples; {minutes:.1f} minutes of one core."
        " Points are rates times 100; ± is the Monte Carlo standard error. Coverage may be above 97 % where few units"
        " move. No bound of bias is asked of a matrix from adjudication, which takes agreement as right, nor of the"
        " likelihood, which leans to the inside of what is possible.", "",
        *answer(results),
    ]  # fmt: skip
    for table, (title, text) in HEADS.items():
        mine = [result for result in results if result.table == table]
        lines += [f"## {title}", "", text, "", "Coverage, and beside it that of the plain estimate:", ""]
        lines += _by_figure(mine, lambda one: f"{one.coverage:.3f} ± {_error(one):.3f} {'✓' if covers(one) else '✗'}"
                                              f" ({_plain(one.plain_coverage, '.3f')})")  # fmt: skip
        lines += ["Bias in points, and beside it that of the plain estimate:", ""]
        lines += _by_figure(mine, lambda one: f"{100 * one.bias:+.2f} ± {100 * one.bias_error:.2f}"
                                              f"{ {None: '', True: ' ✓', False: ' ✗'}[unbiased(one)]}"
                                              f" ({100 * one.plain_bias:+.2f})")  # fmt: skip
        lines += ["Median width in points, and beside it that of the plain estimate:", ""]
        lines += _by_figure(mine, lambda one: f"{100 * one.width:.1f} ({_plain(one.plain_width, '.1f', 100)})")
    return "\n".join(lines).rstrip() + "\n"


def _plain(value: float | None, form: str, times: float = 1) -> str:
    return "–" if value is None else format(times * value, form)


def _by_figure(results: list[Result], shown: Callable[[Result], str]) -> list[str]:
    """Cases down, figures across, each with its truth; last how many studies of a case had no estimate."""
    figures = {result.figure: result.truth for result in results}
    cells = {(result.case, result.figure): shown(result) for result in results}
    undefined = {result.case: max(r.undefined for r in results if r.case == result.case) for result in results}
    heads = [f"{figure} (truth {100 * truth:.2f})" for figure, truth in figures.items()]
    return grid(
        ["case", *heads, "not estimable"],
        [[case, *(cells[case, figure] for figure in figures), str(count)] for case, count in undefined.items()],
    )


def jobs(repetitions: int, seed: int) -> list[Callable[[], list[Result]]]:
    found: list[Callable[[], list[Result]]] = [
        partial(unjudged, right, clusters, repetitions, seed) for clusters in (50, 100) for right in (0.95, 0.7, 0.0)
    ]
    for name, method in (
        ("controls 200", "inverse"), ("controls 200", "likelihood"), ("controls 80", "inverse"),
        ("adjudication", "inverse"),
    ):  # fmt: skip
        found.append(partial(misjudged, name, method, 2, 50, repetitions, seed))
    found.append(partial(misjudged, "controls 200", "inverse", 2, 100, repetitions, seed))
    found.append(partial(misjudged, "dawid-skene", "inverse", 3, 50, max(1, repetitions // 4), seed))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000, help="simulated studies a case")
    parser.add_argument("--seed", type=int, default=20261)
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    started = now()
    results = side_by_side(jobs(arguments.repetitions, arguments.seed))
    used = minutes()
    settings = {"repetitions": arguments.repetitions, "resamples": RESAMPLES}
    found = {
        "format": FORMAT,
        "seed": arguments.seed,
        "minutes": used,
        **settings,
        "results": [asdict(one) for one in results],
    }
    write_json(arguments.out / "judgements.json", found)
    write_text(arguments.out / "judgements.md", page(results, arguments.repetitions, arguments.seed, used))
    write_run(
        arguments.out / "judgements.run.json",
        product="judgement_errors",
        command=f"python benchmarks/judgement_errors.py --repetitions {arguments.repetitions} --seed {arguments.seed}",
        started=started,
        inputs={},
        seeds={"simulation": arguments.seed},
        settings=settings,
        counts={"results": len(results)},
    )
    print("\n".join(answer(results)))
    print(f"{len(results)} figures; every one: {arguments.out}/judgements.md")


if __name__ == "__main__":
    main()
