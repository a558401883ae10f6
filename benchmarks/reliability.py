"""How reliable are the tests and intervals? False alarms, power and coverage, by simulation.

    python benchmarks/reliability.py [--repetitions 2000] [--seed 31337] [--out docs/reliability]

Writes reliability.json, .md, .png and .run.json. The simulated studies are in simulations.py.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
import simulations
from markdown import grid
from matplotlib.figure import Figure
from processes import minutes, side_by_side
from simulations import CLUSTERS, COVERAGE, DESIGNS, FLOWS, INDEPENDENT, LEAST_POWER, MOST_FALSE_ALARMS, Rate

from gainsift.analysis.house_style import LINES, STYLE, rendered
from gainsift.analysis.studentised import ENOUGH
from gainsift.schemas.atomic import atomic
from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import now, write_run

FORMAT = "reliability/1"
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
INTERVALS = ("studentised", "BCa", "percentile")
SHARE = "share of Δ: Fieller"


def simulate(repetitions: int, seed: int) -> list[Rate]:
    """All cases, in the order of the page."""
    return side_by_side([job for _, job in simulations.jobs(repetitions, seed)])


# --- the page --------------------------------------------------------------------------------------------


def _shown(rate: Rate) -> str:
    if math.isnan(rate.rate):
        return "–"
    return f"{rate.rate:.3f} ± {rate.error:.3f}" + {None: "", True: " ✓", False: " ✗"}[rate.meets]


def _by_case(rates: list[Rate]) -> list[str]:
    """Methods down, cases across."""
    cases, methods = (list(dict.fromkeys(getattr(rate, key) for rate in rates)) for key in ("case", "method"))
    cells = {(rate.case, rate.method): _shown(rate) for rate in rates}
    heads = [case.removesuffix("; 3 units a concept").removesuffix("; 6 units a concept") for case in cases]
    return grid(["test", *heads], [[method, *(cells[case, method] for case in cases)] for method in methods])


def _by_clusters(rates: list[Rate], methods: Iterable[str]) -> list[str]:
    """Buckets and designs down, clusters across; a line of methods only where there are several."""
    methods = list(methods)
    numbers = sorted({rate.clusters for rate in rates})
    cells = {(rate.case, rate.method, rate.clusters): _shown(rate) for rate in rates}
    rows = [
        [case, *([method] if len(methods) > 1 else []), *(cells[case, method, number] for number in numbers)]
        for case in dict.fromkeys(rate.case for rate in rates)
        for method in methods
    ]
    names = ["interval"] if len(methods) > 1 else []
    return grid(["bucket; design", *names, *(f"{number} clusters" for number in numbers)], rows)


@dataclass(frozen=True)
class Bound:
    """What is asked of some rates. `worst`: how much a rate is to be feared, the largest first."""

    asked: str
    bound: str
    rates: list[Rate]
    worst: Callable[[Rate], float]

    def row(self) -> list[str]:
        kept = sum(bool(rate.meets) for rate in self.rates)
        one = max(self.rates, key=self.worst)
        where = f"{one.method}; {one.case}" + (f"; {one.clusters} clusters" if one.table == "coverage" else "")
        mark = "✓" if kept == len(self.rates) else "✗"
        return [
            self.asked,
            self.bound,
            f"{one.rate:.3f} ± {one.error:.3f}",
            where,
            f"{mark} {kept} of {len(self.rates)}",
        ]


def bounds(rates: list[Rate]) -> list[Bound]:
    """Every bound with the rates that it is asked of, in the order of the page."""
    asked = [rate for rate in rates if rate.meets is not None]
    alarms, power = f"≤ {MOST_FALSE_ALARMS:.2f}", f"≥ {LEAST_POWER:.2f}"
    middle = sum(COVERAGE) / 2
    found = []
    for title, table, end in (
        ("a trend", "trend", ""),
        ("the split, three units a concept", "split", "3 units a concept"),
        ("the split, six correlated units a concept", "split", "6 units a concept"),
    ):
        mine = [rate for rate in asked if rate.table == table and rate.case.endswith(end)]
        nothing = [rate for rate in mine if rate.case.startswith("no ")]
        found.append(Bound(f"false alarms of tests of {title}", alarms, nothing, lambda rate: rate.rate))
        found.append(Bound(f"power of tests of {title}", power, [rate for rate in mine if rate not in nothing],
                           lambda rate: -rate.rate))  # fmt: skip
    for bucket in FLOWS:
        mine = [rate for rate in asked if rate.table == "coverage" and rate.case.startswith(f"{bucket};")]
        what, bound = f"coverage for a bucket of {bucket}, {ENOUGH} clusters and more", "{:.2f} to {:.2f}"
        found.append(Bound(what, bound.format(*COVERAGE), mine, lambda rate: abs(rate.rate - middle)))
    return [one for one in found if one.rates]


def answer(rates: list[Rate]) -> list[str]:
    """The bounds as a table."""
    return grid(["what", "asked", "worst measured", "where", "kept"], [one.row() for one in bounds(rates)])


def _small_samples(rates: list[Rate]) -> list[str]:
    """What the interval of the report holds below ENOUGH clusters, over all buckets and designs."""
    rows = []
    for number in sorted({rate.clusters for rate in rates if rate.clusters < ENOUGH}):
        mine = [rate for rate in rates if rate.clusters == number and rate.method == INTERVALS[0]]
        low, high = (choose(mine, key=lambda rate: rate.rate) for choose in (min, max))
        rows.append([f"{number} clusters", *(f"{_shown(one)} ({one.case})" for one in (low, high))])
    return grid(["", "lowest coverage", "highest coverage"], rows)


def page(rates: list[Rate], repetitions: int, seed: int, minutes: float) -> str:
    """docs/reliability/reliability.md: the answer first, then every rate."""
    kinds: dict[str, list[Rate]] = {
        kind: [r for r in rates if r.table == kind] for kind in ("trend", "split", "coverage")
    }
    units = {n: [r for r in kinds["split"] if r.case.endswith(f"{n} units a concept")] for n in (3, 6)}
    plain = [r for r in kinds["coverage"] if r.case.split("; ")[1] in DESIGNS]
    stress = [r for r in kinds["coverage"] if r not in plain]
    tests = simulations.TESTS_PER_INTERVAL * repetitions
    asked = [rate for rate in rates if rate.meets is not None]
    kept = sum(bool(rate.meets) for rate in asked)
    small, large = (case for case in simulations.CHANGES if case.startswith("gain"))
    points = [simulations.gain_in_points(case, 3) for case in (small, large)]
    lines = [
        "# How reliable are the tests and intervals?", "",
        "<!-- made by benchmarks/reliability.py (make reliability) -->", "",
        f"**{kept} of {len(asked)} bounds are kept.** Rates are given ± their Monte Carlo standard error, from"
        f" {tests:,} simulated studies for each test and {repetitions:,} for each interval of {simulations.RESAMPLES}"
        f" resamples (seed {seed}; {minutes:.1f} minutes of one core).", "",
        *answer(rates),
        f"Below {ENOUGH} clusters no bound is asked. The interval that the report shows then holds:", "",
        *_small_samples(plain),
        "The report calls intervals of fewer than 20 clusters unreliable.", "",
        "![False alarms and power, and coverage](reliability.png)", "",
        f"{INDEPENDENT.strip()} assumes independent units; no bound is asked of it, and its false alarms show why it is"
        " never shown without that warning. What people did not judge or judged wrongly has a page of its own:"
        " [judgements.md](judgements.md).", "",
        "## Tests of a trend", "",
        "50 concepts × 3 languages × 6 checkpoints; logit of success = N(0, 2) by concept + N(0, .5) by concept and"
        " language + slope · x, x from −1 to 1; the second number is a standard deviation. Rejected at .05:", "",
        *_by_case(kinds["trend"]),
        "## Tests of a split", "",
        "50 concepts; four categories (correct .45, other sense .20, copy .05, error .30), multinomial logits with"
        " N(0, 1.5) by concept and N(0, .5) by unit, the same before and after; then what the case adds, by concept and"
        f" side. The two gains are {points[0]:.1f} and {points[1]:.1f} points; power is asked of the larger one, for"
        " the human gain and for all categories. Sign flips of small whole numbers are conservative: many patterns tie."
        " Rejected at .05:", "",
        "### Three units a concept", "", *_by_case(units[3]),
        "### Six correlated units a concept", "", *_by_case(units[6]),
        "## Coverage of 95 % intervals", "",
        "A bucket's net flow: units enter `correct` from it and leave for it with probability .34 and .04 (30 %), .10"
        " and .02 (8 %), .03 and .01 (2 %); moves of two units of a concept correlate .2. The studentised interval,"
        " which the report shows:", "",
        *_by_clusters(plain, INTERVALS[:1]),
        "How much it adds was settled on other seeds: a first choice, a third of a cluster, had covered .929 of the 2 %"
        " bucket with three units a concept at 100 concepts.", "",
        f"At {ENOUGH} clusters where moves correlate more, or go one way only (with 2 % one way hardly any concept"
        " moves, and an interval that holds then holds nearly always), beside the intervals that are not the default:",
        "",
        *_by_clusters(stress, INTERVALS),
        "### The share of Δ", "",
        "Fieller's interval, in samples where the share is estimable:", "",
        *_by_clusters(plain, [SHARE]), *_by_clusters(stress, [SHARE]),
        "### Intervals that are not the default", "",
        *_by_clusters(plain, INTERVALS[1:]),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


# --- the figure ------------------------------------------------------------------------------------------


def figure(rates: list[Rate]) -> Figure:
    """Left: false alarms of every test; right: coverage over clusters for each bucket, of six units a concept."""
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(7.2, 3.9), layout="constrained")
        left, right = drawn.subplots(1, 2, width_ratios=(1.15, 1))
        _alarms(left, [rate for rate in rates if rate.table != "coverage" and rate.case.startswith("no ")])
        _coverage(right, [rate for rate in rates if rate.table == "coverage" and rate.case.endswith(DESIGNS[2])])
        drawn.legend(*right.get_legend_handles_labels(), fontsize=6, loc="outside lower right", ncols=3)
    return drawn


def _alarms(axes: Any, rates: list[Rate]) -> None:
    methods = list(dict.fromkeys(rate.method for rate in rates))[::-1]
    for place, method in enumerate(methods):
        own = [rate for rate in rates if rate.method == method]
        mark = {"color": LINES[1 if method.endswith(INDEPENDENT) else 0][0], "marker": "o", "ms": 4, "ls": ""}
        axes.errorbar([r.rate for r in own], [place] * len(own), xerr=[2 * r.error for r in own], lw=0.8, **mark)
    axes.axvline(MOST_FALSE_ALARMS, color="#666666", lw=0.8, ls="--")
    axes.set_yticks(range(len(methods)), methods, fontsize=7)
    axes.set_xlim(left=0)
    axes.set_title("False alarms at .05, nothing changes")
    axes.set_xlabel(f"rate ± 2 errors; line: .06;{INDEPENDENT} assumes independence", fontsize=7)


def _coverage(axes: Any, rates: list[Rate]) -> None:
    axes.axhspan(*COVERAGE, color="#e3e3e3", zorder=0)
    axes.axvline(ENOUGH, color="#666666", lw=0.8, ls=":")
    for method, (color, _, marker) in zip(INTERVALS, LINES, strict=False):
        for bucket, dash in zip(FLOWS, ("-", "--", ":"), strict=True):
            own = [r for r in rates if r.method == method and r.case.startswith(f"{bucket};")]
            style = {"color": color, "ls": dash, "marker": marker, "ms": 3, "lw": 1}
            axes.plot([r.clusters for r in own], [r.rate for r in own], label=f"{method}, {bucket}", **style)
    axes.set_xscale("log")
    axes.set_xticks(CLUSTERS, [str(number) for number in CLUSTERS])
    axes.minorticks_off()
    axes.set_xlabel("concepts (band: 93 to 97 %)")
    axes.set_title("Coverage, six units a concept")


# --- all of it -------------------------------------------------------------------------------------------


def write(folder: Path, rates: list[Rate], repetitions: int, seed: int, minutes: float) -> None:
    """The four files of the page, atomically."""
    found = {
        "format": FORMAT,
        "seed": seed,
        "repetitions": repetitions,
        "minutes": minutes,
        "rates": [{**asdict(rate), **({"rate": None, "error": None} if not rate.n else {})} for rate in rates],
    }
    write_json(folder / "reliability.json", found)
    write_text(folder / "reliability.md", page(rates, repetitions, seed, minutes))
    with atomic(folder / "reliability.png") as file:
        file.write(rendered(figure(rates), "png"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000, help="simulated studies for each interval")
    parser.add_argument("--seed", type=int, default=31337)
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    started = now()
    rates = simulate(arguments.repetitions, arguments.seed)
    write(arguments.out, rates, arguments.repetitions, arguments.seed, minutes())
    write_run(
        arguments.out / "reliability.run.json",
        product="reliability",
        command=f"python benchmarks/reliability.py --repetitions {arguments.repetitions} --seed {arguments.seed}",
        started=started,
        inputs={},
        seeds={"simulation": arguments.seed},
        settings={"flips": simulations.FLIPS, "resamples": simulations.RESAMPLES},
        counts={"rates": len(rates), "bounds": sum(rate.meets is not None for rate in rates)},
    )
    print("\n".join(answer(rates)))
    missed = [rate for rate in rates if rate.meets is False]
    for rate in missed:
        print(f"bound not kept: {rate.table}, {rate.case}, {rate.clusters} clusters, {rate.method}: {rate.rate:.3f}")
    print(f"{len(rates)} rates, {len(missed)} bounds not kept; every rate: {arguments.out}/reliability.md")


if __name__ == "__main__":
    main()
