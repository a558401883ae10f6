"""docs/formats.md leaves out no file, field, key or version, and what it says of them is so."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

from gainsift.annotation.label_config import DATA_KEYS
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.json_schemas import RECORDS
from gainsift.schemas.lock import Lock
from gainsift.schemas.record import Record
from gainsift.schemas.rows import Annotation, Assignment, AutomaticLabel, Item, Link, Translation

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "formats.md").read_text("utf-8")
OLD = ROOT / "tests" / "schemas"


@pytest.fixture(scope="module")
def dictionary() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield import_module("data_dictionary")
        sys.modules.pop("data_dictionary")


def test_every_field_of_every_record_has_a_description(dictionary: ModuleType) -> None:
    for record in dictionary.records():
        assert record.__doc__, record.__name__
        for name, field in record.model_fields.items():
            assert field.description, f"{record.__name__}.{name}"


def test_every_record_with_a_json_schema_is_in_the_dictionary(dictionary: ModuleType) -> None:
    assert {*RECORDS, Lock} <= set(dictionary.records())


def test_records_have_distinct_headings(dictionary: ModuleType) -> None:
    names = [record.__name__ for record in dictionary.records()]
    assert len(set(names)) == len(names)
    links = set(re.findall(r"\]\(#([a-z0-9]+)\)", PAGE))
    assert links <= {name.lower() for name in names}


def test_every_format_that_the_code_knows_is_told() -> None:
    known = set()
    for stage in ("schemas", "generation", "annotation", "analysis", "cli"):
        for path in (ROOT / stage).rglob("*.py"):
            known |= set(re.findall(r'"([a-z_-]+/[0-9]+)"', path.read_text("utf-8")))
    assert len(known) > 15
    for name in known:
        assert f"`{name}`" in PAGE, name


def keys_of(line: str) -> set[str]:
    return set(json.loads(line)) - {"format"}


def first_line(path: Path) -> str:
    return path.read_text("utf-8").splitlines()[0]


def of_version(record: type[Record], version: int) -> set[str]:
    found = set()
    for name, field in record.model_fields.items():
        extra = field.json_schema_extra
        since = extra.get("since", 1) if isinstance(extra, dict) else 1
        if isinstance(since, int) and since <= version:
            found.add(name)
    return found - {"format"}


def test_since_which_version_a_field_is_there_is_what_old_files_show() -> None:
    assert keys_of(first_line(OLD / "version_1" / "annotations.jsonl")) == of_version(Annotation, 1)
    assert keys_of(first_line(OLD / "version_2" / "annotations.jsonl")) == of_version(Annotation, 2)
    assert set(pq.read_schema(OLD / "version_1" / "links.parquet").names) == of_version(Link, 1)
    assert set(pq.read_schema(OLD / "version_2" / "links.parquet").names) == of_version(Link, 2)


@pytest.mark.parametrize(
    ("file", "record"),
    [
        ("concepts.jsonl", Concept),
        ("assignments.jsonl", Assignment),
        ("prompts.parquet", PromptPair),
        ("items.parquet", Item),
        ("translations", Translation),
    ],
)
def test_files_of_a_study_hold_the_fields_that_the_page_tells(file: str, record: type[Record]) -> None:
    path = OLD / "version_2" / file
    path = next(path.rglob("*.parquet")) if path.is_dir() else path
    found = set(pq.read_schema(path).names) if path.suffix == ".parquet" else keys_of(first_line(path))
    assert found == of_version(record, 1)
    for name in found:
        assert f"| `{name}` |" in PAGE


def test_words_for_types(dictionary: ModuleType) -> None:
    fields = {name: dictionary.kind_of(field.annotation) for name, field in Annotation.model_fields.items()}
    assert fields["label"] == "text or empty"
    assert fields["lead_time"] == "number or empty"
    assert fields["problems"] == "list of text"
    assert fields["item"] == "[Item](#item)"
    assert fields["disagreement"] == "`variation`, `error` or empty"
    assert dictionary.kind_of(Concept.model_fields["reference"].annotation) == "list of text by text"
    assert dictionary.kind_of(AutomaticLabel.model_fields["label"].annotation) == "text or empty"
    assert dictionary.kind_of(Assignment.model_fields["competing"].annotation) == "list of (text, text or empty)"


def test_every_key_of_a_task_is_told_and_no_other() -> None:
    table = PAGE.partition("| key of `data` |")[2].partition("\n\n")[0]
    keys = {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert keys == DATA_KEYS
