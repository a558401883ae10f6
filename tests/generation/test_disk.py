"""A disk too small for the files is noticed before anything is loaded. How much is free is what a test says it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.cli.main import app
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.disk import free_space, size_word
from gainsift.generation.engines import Watch
from gainsift.generation.run import generate
from gainsift.generation.work_estimate import disk_bytes
from gainsift.schemas.errors import WorkError

RUN = CliRunner()
NEEDED = disk_bytes(rows=160, files=2, languages=4)
"""fr-en and en-fr, four prompt pairs: 4 x (2 + 4 layers x 4 settings) and, with `self`, 4 x (2 + 4 x 5) rows."""


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Path]]:
    """free(bytes): so much is free from now on; returns the places that are asked about."""

    def say(number: int) -> list[Path]:
        asked: list[Path] = []
        monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or SimpleNamespace(free=number))
        return asked

    return say


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the checkpoints whose weights were loaded."""
    load, names = Checkpoint.load_model, []

    def loading(self: Checkpoint, *arguments: Any) -> Any:
        names.append(self.name)
        return load(self, *arguments)

    monkeypatch.setattr(Checkpoint, "load_model", loading)
    return names


def test_a_disk_that_cannot_suffice_is_refused_before_a_model_is_loaded(
    maker: Any, free: Callable[[int], list[Path]], loaded: list[str]
) -> None:
    study = maker.study([maker.model("c1")])
    asked = free(NEEDED // 2 - 1)
    with pytest.raises(WorkError) as caught:
        generate(study)
    figures = f"the files to write take about {size_word(NEEDED)}, {size_word(NEEDED // 2 - 1)} are free"
    assert str(caught.value) == f"{study.folder}: {figures}; make room, or keep the study on a larger disk"
    assert (loaded, [path.name for path in study.folder.iterdir()]) == ([], ["study.yaml"])
    assert asked == [study.folder]
    done = RUN.invoke(app, ["generate", str(study.folder), "--dry-run"])
    assert isinstance(done.exception, WorkError)
    assert "160 rows to make" in done.stdout
    assert f"{size_word(NEEDED // 2 - 1)} are free" in done.stdout


@pytest.mark.parametrize(("number", "warned"), [(NEEDED // 2 + 1, True), (2 * NEEDED - 1, True), (2 * NEEDED, False)])
def test_a_disk_that_may_not_suffice_is_told(
    maker: Any, free: Callable[[int], list[Path]], loaded: list[str], number: int, warned: bool
) -> None:
    study, said = maker.study([maker.model("c1")]), []
    free(number)
    shown = RUN.invoke(app, ["generate", str(study.folder), "--dry-run", "--json"])
    assert (loaded, len(json.loads(shown.stdout)["shards"])) == ([], 2)
    generate(study, watch=Watch(warn=said.append))
    assert loaded == ["c1"]
    line = (
        f"warning: {study.folder}: the files to write take about {size_word(NEEDED)}, {size_word(number)} are free: "
        "the disk may become full"
    )
    assert (said, shown.stderr.splitlines()) == (([line], [line]) if warned else ([], []))


def test_only_missing_files_count_and_those_that_go_make_room(maker: Any, free: Callable[[int], list[Path]]) -> None:
    study = maker.study([maker.model("c1")])
    generate(study)
    free(0)
    assert generate(study).files_written == 0  # nothing is missing
    there = sum(path.stat().st_size for path in study.translation_files())
    assert there > NEEDED / 2
    changed = maker.study([maker.model("c1")], generation={"max_new_tokens": 3})
    assert generate(changed, redo=True).files_written == 2  # the files that go make room for their successors
    next(iter(changed.translation_files())).unlink()
    with pytest.raises(WorkError, match="0 B are free"):
        generate(changed)


def test_space_is_asked_of_the_folder_that_is_there(tmp_path: Path, free: Callable[[int], list[Path]]) -> None:
    asked = free(7)
    assert free_space(tmp_path / "not" / "yet") == 7
    assert asked == [tmp_path]


def test_sizes_for_people() -> None:
    sizes = (0, 999, 1000, 41_960_000, 3_313_700_864, 2e12)
    assert [size_word(size) for size in sizes] == ["0 B", "999 B", "1.0 kB", "42.0 MB", "3.3 GB", "2.0 TB"]
