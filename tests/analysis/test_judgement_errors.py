"""The committed simulation of corrected estimates says what the documentation says; and it can be run again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOUND = json.loads((ROOT / "docs" / "reliability" / "judgements.json").read_text("utf-8"))
RESULTS: list[dict[str, Any]] = FOUND["results"]
ASSUMING = "adjudication"
"""It takes agreement as right, which is not quite so: a little bias is its own."""


def cases(table: str, *without: str) -> list[dict[str, Any]]:
    found = [one for one in RESULTS if one["table"] == table and not any(word in one["case"] for word in without)]
    assert found
    return found


@pytest.fixture(scope="module")
def simulation(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("judgement_errors")


def test_the_page_is_that_of_the_figures(simulation: ModuleType) -> None:
    page = (ROOT / "docs" / "reliability" / "judgements.md").read_text("utf-8")
    assert FOUND["repetitions"] >= 1000
    results = [simulation.Result(**one) for one in RESULTS]
    shown = simulation.page(results, FOUND["repetitions"], FOUND["seed"], FOUND["minutes"])
    assert page == shown, "run: make reliability"
    assert page.index("| what | asked | worst measured |") < page.index("## What people did not judge")
    for one in RESULTS:
        assert f"{100 * one['bias']:+.2f} ± {100 * one['bias_error']:.2f}" in page


def test_a_bound_that_is_not_kept_is_shown(simulation: ModuleType) -> None:
    results = [simulation.Result(**one) for one in RESULTS]
    assert not [row for row in simulation.answer(results) if "✗" in row]
    for broken, place in ((replace(results[0], coverage=0.9), 0), (replace(results[0], bias=-0.05), 1)):
        bad = [place for place, row in enumerate(simulation.answer([broken, *results[1:]])[2:]) if "✗" in row]
        assert bad == [place]


def test_no_bias_beyond_a_fifth_of_a_point() -> None:
    """Means of ratios, and a matrix that is itself estimated: a small bias goes with one over the sample."""
    for one in [*cases("unjudged"), *cases("misjudged", ASSUMING, "likelihood")]:
        assert abs(one["bias"]) < 4 * one["bias_error"] + 0.002, one


def test_intervals_hold() -> None:
    """At least 93 % less two Monte Carlo errors; more where few units move."""
    for one in [*cases("unjudged"), *cases("misjudged", ASSUMING)]:
        error = (0.93 * 0.07 / one["n"]) ** 0.5
        assert one["coverage"] > 0.93 - 2 * error, one


def test_good_labels_narrow_and_correction_takes_the_bias_out() -> None:
    for one in cases("unjudged", "70%", " 0%"):
        if one["case"].startswith("95%"):
            assert one["width"] < one["plain_width"]
    for one in cases("misjudged"):
        if one["figure"] == "human":
            assert abs(one["bias"]) < abs(one["plain_bias"]) / 2


@pytest.mark.parametrize("repetitions", [2])
def test_it_runs(tmp_path: Path, repetitions: int) -> None:
    command = [sys.executable, ROOT / "benchmarks" / "judgement_errors.py", "--repetitions", repetitions]
    done = subprocess.run(
        [str(part) for part in [*command, "--out", tmp_path]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "judgements.json").read_text("utf-8"))
    assert [(one["case"], one["figure"]) for one in again["results"]] == [(r["case"], r["figure"]) for r in RESULTS]
    assert (tmp_path / "judgements.run.json").is_file()
