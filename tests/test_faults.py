"""Faults in the middle of commands, a short form of benchmarks/faults.py; and that its page says what must be said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reliability"
KINDS = {
    "kill -9", "full disk", "read-only folder", "clock jump", "two commands at once", "server away", "server slow",
    "server answers garbage", "network cut during download",
}  # fmt: skip
STAGES = {
    "generate", "generate, two workers", "generate, from a hub", "annotate plan", "lock", "annotate prelabel",
    "annotate export", "annotate import", "annotate adjudicate", "annotate push", "annotate pull", "analyze", "export",
    "release",
}  # fmt: skip


def test_eight_faults_harm_nothing(tmp_path: Path) -> None:
    program = str(ROOT / "benchmarks" / "faults.py")
    done = subprocess.run(
        [sys.executable, program, "--stage", "annotate i", "--faults", "8", "--seed", "11", "--out", str(tmp_path)],
        capture_output=True, text=True, timeout=600, check=False, env={**os.environ, "FAULTS_INSIDE": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "faults.json").read_text("utf-8"))
    assert [one["finding"] for one in found["faults"]] == [""] * 8
    hit = [one for one in found["faults"] if one["ended"] != "missed"]  # a command may end before it is killed
    assert len(hit) >= 6
    assert all(one["ended"] in ("killed", "refused", "went on") for one in hit)
    assert {one["kind"] for one in hit} >= {"kill -9", "two commands at once"}
    could_not = {line.split(":")[0] for line in found["missing"] if not line.endswith("ended before")}
    assert could_not <= {"full disk", "read-only folder", "clock jump"}  # where mounts or libfaketime are not to be had


def test_the_page_is_of_two_hundred_faults_in_every_stage_and_of_every_kind() -> None:
    found = json.loads((PAGES / "faults.json").read_text("utf-8"))
    hit = [one for one in found["faults"] if one["ended"] != "missed"]
    assert len(hit) >= 200
    assert {one["kind"] for one in hit} == KINDS
    assert {one["stage"].split(" + ")[0] for one in hit} >= STAGES
    assert found["not_run"] == []
    assert sum(one["lost"] + one["doubled"] for one in hit) == 0
    assert [one["finding"] for one in found["faults"] if one["finding"]] == []
    assert f"**{len(hit)} faults were injected into" in (PAGES / "faults.md").read_text("utf-8")


@pytest.fixture
def checks(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("fault_checks")


@pytest.fixture
def study(benchmark: Callable[[str], ModuleType], tmp_path: Path) -> Path:
    folder: Path = benchmark("fuzz_seeds").study(tmp_path / "study").folder
    return folder


def lose_a_judgement(study: Path) -> None:
    file = study / "annotations.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))


def double_a_judgement(study: Path) -> None:
    file = study / "annotations.jsonl"
    file.write_bytes(file.read_bytes() + file.read_bytes().splitlines(keepends=True)[0])


def double_rows(study: Path) -> None:
    file = next((study / "translations").rglob("*.parquet"))
    shutil.copy(file, file.with_name("again.parquet"))


def halve_a_file(study: Path) -> None:
    file = study / "items.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def change_a_file(study: Path) -> None:
    (study / "concepts.jsonl").write_bytes(b"\n" + (study / "concepts.jsonl").read_bytes())


def leave_something(study: Path) -> None:
    (study / ".items.parquet.abc.tmp").write_text("half")


def remove_a_file(study: Path) -> None:
    (study / "prompts.parquet").unlink()


@pytest.mark.parametrize(
    ("do", "harm"),
    [
        (lose_a_judgement, (1, 0)), (double_a_judgement, (0, 1)), (double_rows, (0, 16)), (halve_a_file, (0, 0)),
        (change_a_file, (0, 0)), (leave_something, (0, 0)), (remove_a_file, (0, 0)),
    ],
)  # fmt: skip
def test_harm_is_found(checks: ModuleType, study: Path, do: Callable[[Path], None], harm: tuple[int, int]) -> None:
    before = checks.holdings(study)
    assert not checks.difference(before, before, set())
    do(study)
    after = checks.holdings(study)
    found: Any = checks.difference(after, before, set())
    assert found
    assert (found.lost, found.doubled) == harm
    assert bool(checks.harm_of(before, after, before, set())) == (do is not leave_something)


@pytest.mark.parametrize(
    ("status", "said", "right"),
    [
        (0, "", True),
        (1, "a note\nerror: study/items.parquet: cannot be written: No space left on device; make room", True),
        (1, "error: OSError: [Errno 28]; this is a defect of gainsift: run again with --debug", False),
        (1, "error: it did not work", False),
        (2, "error: one; do this\nerror: two; do that", False),
        (1, "Traceback (most recent call last):\nOSError", False),
        (-11, "", False),
    ],
)
def test_a_wrong_end_is_found(benchmark: Callable[[str], ModuleType], status: int, said: str, right: bool) -> None:
    ended = benchmark("fault_commands").Ended(status, "", said, 1.0)
    assert (benchmark("fault_outcomes").wrong_end(ended) == "") == right
