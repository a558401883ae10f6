"""Bad input to every reader, a short form of benchmarks/fuzzing.py: read or refused in one line, without harm."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.schemas.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SEED = 4711
QUICK = 60
NAMES = [
    "study.yaml", "taxonomy", "private/annotators.yaml", "checkpoints.json", "lock.json",
    "concept list: concepts.jsonl", "concept list: csv", "concept list: Multi-SimLex", "concept list: lexicon",
    "concept list: WordNet LMF",
    "prompts.parquet", "translations (Parquet)", "items.parquet", "links.parquet", "float32_audit.parquet",
    "annotations.jsonl", "assignments.jsonl", "annotate import", "annotate table", "tidy table (csv)",
    "tidy table (Parquet)", "analyze --table, all of it", "import clap: exp_args.json", "import clap: outputs",
    "import clap: prompts", "labels of agreement",
]  # fmt: skip


@pytest.fixture(scope="module")
def fuzzing(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("fuzzing")


def test_every_reader_is_here(fuzzing: ModuleType) -> None:
    assert [reader.name for reader in fuzzing.READERS] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_bad_files_are_read_or_refused_in_one_line(fuzzing: ModuleType, name: str) -> None:
    reader = next(one for one in fuzzing.READERS if one.name == name)
    outcomes = fuzzing.fuzz(name, SEED, range(5 if reader.share < 0.1 else QUICK if reader.share > 1 else 30))
    assert outcomes[0].accepted, outcomes[0].message  # the valid file itself
    assert [one for one in outcomes if one.finding] == []
    assert any(not one.accepted for one in outcomes)


def test_an_input_is_the_same_whenever_it_is_drawn(fuzzing: ModuleType) -> None:
    one = fuzzing.fuzz("labels of agreement", SEED, range(7, 9))
    other = fuzzing.fuzz("labels of agreement", SEED, range(5, 9))[2:]
    assert [(a.number, a.changes, a.accepted) for a in one] == [(a.number, a.changes, a.accepted) for a in other]


@pytest.mark.parametrize("name", ["concept list: csv", "labels of agreement", "annotate table", "annotations.jsonl"])
def test_any_bytes_at_all(fuzzing: ModuleType, tmp_path: Path, name: str) -> None:
    reader = next(one for one in fuzzing.READERS if one.name == name)
    reader.build(tmp_path)
    opened = reader.open(tmp_path)

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
    def check(data: bytes) -> None:
        outcome, clean = fuzzing.one(reader, tmp_path, opened, data, 0, [])
        assert not outcome.finding
        assert clean

    check()


def harmful(kind: str) -> Callable[[Path, object], None]:
    """A reader that breaks one rule."""

    def read(folder: Path, _: object) -> None:
        if kind == "traceback":
            raise KeyError("label")
        if kind == "left over":
            (folder / ".labels.csv.x.tmp").write_text("half")
        if kind == "changed":
            (folder / "labels.csv").write_text("other")
        if kind == "long":
            error = UserError("a", "b")
            error.args = ("x" * 5000,)
            raise error

    return read


@pytest.mark.parametrize("kind", ["traceback", "left over", "changed", "long"])
def test_what_breaks_a_rule_is_found(fuzzing: ModuleType, tmp_path: Path, kind: str) -> None:
    reader = replace(next(one for one in fuzzing.READERS if one.name == "labels of agreement"), read=harmful(kind))
    reader.build(tmp_path)
    outcome, _ = fuzzing.one(reader, tmp_path, None, b"item,annotator,label\n", 1, ["none"])
    assert outcome.finding


def test_files_without_rows_are_damaged_too(benchmark: Callable[[str], ModuleType]) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())}), file)
    mutate = benchmark("parquet_mutations").mutate_parquet
    for seed in range(300):
        _, done = mutate(random.Random(seed), file.getvalue())
        assert done


def test_the_committed_page_says_what_the_figures_say(fuzzing: ModuleType) -> None:
    found = json.loads((ROOT / "docs" / "reliability" / "bad_input.json").read_text("utf-8"))
    text = (ROOT / "docs" / "reliability" / "bad_input.md").read_text("utf-8")
    assert found["format"] == fuzzing.FORMAT
    assert [row["reader"] for row in found["readers"]] == NAMES
    inputs = sum(row["inputs"] for row in found["readers"])
    assert inputs >= 100_000
    assert f"**{inputs:,} bad files were given to {len(NAMES)} readers: none of them broke a rule.**" in text
    assert found["findings"] == []
    for file in re.findall(r"tests/[\w/]+\.py", text):
        assert (ROOT / file).is_file(), file


def test_every_test_that_the_threat_model_names_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = re.findall(r"tests/[\w/]+\.py", text)
    assert len(set(named)) > 15
    for file in named:
        assert (ROOT / file).is_file(), file


def test_the_page_that_gathers_them_is_that_of_the_parts(benchmark: Callable[[str], ModuleType]) -> None:
    made = benchmark("reliability_page").page(ROOT / "docs" / "reliability")
    assert (ROOT / "docs" / "reliability.md").read_text("utf-8") == made, "run benchmarks/reliability_page.py"
