"""A short form of benchmarks/load.py: its figures are right; the committed page is that of the committed figures."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gainsift.schemas.study import Study

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
SEED = 3
STEPS = ["plan", "export", "import", "plan again", "status", "analyze", "trace"]


@pytest.fixture(scope="module")
def load(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("load")


@pytest.fixture(scope="module")
def small(load: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    run = load.Run(tmp_path_factory.mktemp("load"), load.Size(4, 2, 7, annotators=12), SEED)
    return run, run.all()


def test_commands_count_what_was_made(load: ModuleType, small: tuple[Any, dict[str, Any]]) -> None:
    run, found = small
    assert load.disagreements(found["asked"], found["told"]) == []
    study = Study.open(run.folder)
    assert found["asked"]["rows"] == len(study.translations(["row_id"])) == 4 * 2 * 8 * 98
    assert found["asked"]["population"] == len(study.links()) == 4 * 2 * 8 * 10
    assert found["asked"]["items"] == len(study.items()) > 100
    assert found["asked"]["judgements"] == 5 * len(study.items())
    assert found["told"]["import"]["added"] == len(study.assignments()) == len(study.annotations())
    assert [step["name"] for step in found["steps"]] == STEPS
    for step in found["steps"]:
        assert step["cpu_s"] > 0
        assert 0.05 < step["peak_gb"] < 2


def test_what_shows_says_that_it_is_simulated(small: tuple[Any, dict[str, Any]]) -> None:
    page = (small[0].folder / "report" / "report.html").read_text("utf-8")
    assert "simulated-load" in page
    assert "Simulated: made-up words, outputs drawn at random, judgements by nobody." in page


def test_a_count_that_differs_is_told(load: ModuleType, small: tuple[Any, dict[str, Any]]) -> None:
    found = copy.deepcopy(small[1])
    items = found["told"]["analyze"]["items"]
    found["told"]["analyze"]["items"] -= 1
    assert load.disagreements(found["asked"], found["told"]) == [
        f"analyze says {items - 1:,} items, expected {items:,}"
    ]  # fmt: skip


def test_a_command_is_measured_and_killed_over_its_limit(benchmark: Callable[[str], ModuleType]) -> None:
    measured = benchmark("measured").measured
    hundred = "import time; held = bytearray(b'x') * 100_000_000; time.sleep(.3); print(len(held))"
    found = measured([sys.executable, "-c", hundred], 2, 2**30)
    assert (found.status, found.output) == (0, "100000000\n")
    assert 100e6 < found.peak < 150e6
    assert found.seconds > 0.3
    inside = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {hundred!r}]).returncode)"
    assert measured([sys.executable, "-c", inside], 2, 2**30).peak > 105e6  # with its child
    assert measured([sys.executable, "-c", inside], 2, 50_000_000).status == -9
    assert measured([sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"], 1, 2**30).output == "1\n"


def test_the_committed_page_holds_the_full_size_within_its_memory(
    load: ModuleType, benchmark: Callable[[str], ModuleType]
) -> None:
    found = json.loads((FOLDER / "load.json").read_bytes())
    assert (FOLDER / "load.md").read_text("utf-8") == benchmark("load_page").page(found)
    for one in found["studies"]:
        assert load.disagreements(one["asked"], one["told"]) == []
        assert all(step["peak_gb"] <= found["limit_gb"] == 8 for step in one["steps"])
        assert [step["name"] for step in one["steps"]] == STEPS
    largest = found["studies"][-1]["asked"]
    assert largest["rows"] >= 10**7
    assert largest["items"] >= 10**5
    assert largest["judgements"] >= 5 * 10**5
    assert largest["annotators"] == 50
