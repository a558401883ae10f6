"""Two runs of the demo are compared by what their files say: a change is seen, the time of day is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def twice(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("twice")


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of the same content, made at other times."""
    for name, second in (("one", 1), ("other", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "split.csv").write_text("part,flow\nhuman,0.5\n")
        (folder / "report.html").write_text(f"<p>made 2026-01-02T03:04:0{second}+00:00</p>")
        (folder / "items.run.json").write_text(f'{{"started": {second}}}')
        pq.write_table(pa.table({"answer": ["a", "b"]}), folder / "items.parquet", row_group_size=second)
    return tmp_path / "one", tmp_path / "other"


def test_times_run_records_and_the_layout_of_parquet_do_not_count(twice: ModuleType, two: tuple[Path, Path]) -> None:
    one, other = map(twice.contents, two)
    assert set(one) == {"split.csv", "report.html", "items.parquet"}
    assert twice.differing(one, other) == []


def test_whatever_else_differs_is_named(twice: ModuleType, two: tuple[Path, Path]) -> None:
    _, folder = two
    (folder / "split.csv").write_text("part,flow\nhuman,0.5000000000000001\n")
    (folder / "report.html").write_text("<p>made 2026-01-02T03:04:02+00:00.</p>")
    pq.write_table(pa.table({"answer": ["a", "c"]}), folder / "items.parquet")
    (folder / "further.tex").write_text("")
    one, other = map(twice.contents, two)
    assert twice.differing(one, other) == ["further.tex", "items.parquet", "report.html", "split.csv"]
    told = twice.page(one, twice.differing(one, other), "two")
    assert "4 differ" in told
    assert "- differs: `split.csv`" in told


def test_a_file_that_one_run_alone_has_is_named(twice: ModuleType, two: tuple[Path, Path]) -> None:
    shutil.copy(two[0] / "split.csv", two[0] / "levels.csv")
    one, other = map(twice.contents, two)
    assert twice.differing(one, other) == twice.differing(other, one) == ["levels.csv"]
