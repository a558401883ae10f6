"""docs/scale.md names figures, files and commands of Ray that are there, and its arithmetic holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gainsift.generation.ready import SHARD_ROWS
from gainsift.generation.schedule import DEATHS
from gainsift.generation.work_estimate import MASS_BYTES, ROW_BYTES, Size, Work

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "scale.md").read_text("utf-8")


def test_rays_own_commands_exist() -> None:
    from ray.scripts.scripts import cli

    for option in re.findall(r"ray start.*?(--[a-z]+)", DOCS):
        assert any(option in part.opts for part in cli.commands["start"].params)


def test_numbers_that_are_ours_elsewhere() -> None:
    assert f"{SHARD_ROWS:,} by default" in DOCS
    assert f"{ROW_BYTES} bytes and {MASS_BYTES} for each language" in DOCS
    assert DEATHS == 3
    assert (ROOT / "benchmarks" / "scale.py").is_file()


def test_the_arithmetic_of_the_first_row() -> None:
    """26 checkpoints × 256 prompt pairs × the rows of 20 language pairs; `self` is absent in the 4 into English."""
    assert pytest.approx(15.6e6, rel=0.01) == 26 * 256 * (20 * (2 + 4 * 24) + 16 * 24)
    operations = Size(1_132_562_432, 262_144_000, 0, 24, 2048).flops(Work(forwards=107_226_626, heads=50_907_792))
    assert operations == pytest.approx(2.7e17, rel=0.01)
    assert operations / (989e12 * 0.109) == pytest.approx(2501, abs=1)
    assert pytest.approx(0.69, abs=0.005) == 2501 / 3600
    assert pytest.approx(86, abs=0.5) == 26 * 3.3137


def test_the_arithmetic_of_source_vectors() -> None:
    """Language pairs × prompt pairs of a shard × layers × width × bytes of a number."""
    assert SHARD_ROWS // (2 + 5 * 24) == 163
    told = re.findall(r"^\|[^|]*\|[^|]* GB \| ([0-9.]+) GB", DOCS, re.MULTILINE)
    pairs = SHARD_ROWS // (2 + 5 * 32)
    counted = [25 * 163 * 24 * 2048 * 2, 25 * pairs * 32 * 4096 * 2, 25 * pairs * 32 * 4096 * 4]
    assert [float(number) for number in told] == [round(number / 1e9, 1) for number in counted]
