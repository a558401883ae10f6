"""Files appear whole or not at all, and carry their format."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gainsift.schemas.atomic import FOLDER, atomic, hidden_folder, remove_hidden_folders
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import (
    append_jsonl,
    iterate_appended,
    json_line,
    parquet_records,
    read_jsonl,
    read_parquet,
    write_jsonl,
    write_parquet,
    write_text,
)
from gainsift.schemas.rows import Item, Link

DOG = Concept(id="dog", gloss="barks", reference={"en": ["dog"]})
CAT = Concept(id="cat", gloss="meows", reference={"en": ["cat"]})


def write_half(path: Path) -> None:
    with atomic(path) as file:
        file.write(b"half of the n")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "file[1].txt"
    (tmp_path / ".file[1].txt.killed.tmp").write_text("half of the n")
    (tmp_path / ".file1.txt.other.tmp").write_text("half of another")
    with atomic(path) as outer:
        (being_written,) = tmp_path.glob(".file[[]1].txt.*.tmp")
        write_text(path, "by another process meanwhile")
        assert being_written.exists()
        outer.write(b"new")
    assert path.read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == [".file1.txt.other.tmp", "file[1].txt"]


def test_a_hidden_folder_of_a_killed_process_goes_and_one_that_is_being_filled_stays(tmp_path: Path) -> None:
    (tmp_path / f".bundle.killed{FOLDER}" / "half").mkdir(parents=True)
    with hidden_folder(tmp_path / "bundle") as place:
        (place / "file").write_text("x")
        remove_hidden_folders(tmp_path / "bundle")
        assert [path.name for path in tmp_path.iterdir()] == [place.name]
        assert (place / "file").exists()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """That is how a disk that fills up ends a write in its middle.

    It holds for this whole process, pytest's own output in a file among it: so for a few lines, never a whole test.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_lines_that_cannot_all_be_appended_are_not_appended(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG], "concept/1")
    whole = path.read_bytes()
    with no_file_larger_than(len(whole) + 10), pytest.raises(OSError, match="File too large") as appended:
        append_jsonl(path, [CAT], "concept/1")
    with no_file_larger_than(len(whole) + 10), pytest.raises(OSError, match="File too large") as written:
        write_text(path, "x" * 1000)
    assert appended.value.filename == written.value.filename == str(path)
    assert path.read_bytes() == whole
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("place", ["file/new", "file/folder/new"])
def test_a_file_in_the_way_of_a_folder_is_the_users_mistake(tmp_path: Path, place: str) -> None:
    """Whatever is to be written there: of a command it is one line, and no defect."""
    (tmp_path / "file").write_text("here", "utf-8")
    path = tmp_path / place
    for write in (
        lambda: write_text(path, "new"),
        lambda: append_jsonl(path, [DOG], "concept/1"),
        lambda: hidden_folder(path).__enter__(),
    ):
        with pytest.raises(UserError, match="expected a folder, found a file") as refused:
            write()
        assert refused.value.where == str(path.parent)
    assert (tmp_path / "file").read_text("utf-8") == "here"


def test_a_new_file_is_readable_by_the_group(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "x")
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == 0o644


def test_appending_keeps_every_line(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG], "concept/1")
    append_jsonl(path, [CAT], "concept/1")
    assert read_jsonl(path, Concept, "concept/1", "make it") == [DOG, CAT]


def test_appending_cuts_off_a_torn_line_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG, CAT], "concept/1")
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    append_jsonl(path, [CAT], "concept/1")
    assert path.read_bytes() == whole


def test_a_torn_line_holds_nothing_until_it_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG, CAT], "concept/1")
    path.write_bytes(path.read_bytes()[:-10])
    assert list(iterate_appended(path, Concept, "concept/1", "make it")) == [(1, DOG)]
    path.write_bytes(path.read_bytes() + b"\n")  # nobody's kill leaves that
    with pytest.raises(UserError, match=r"c\.jsonl:2: not JSON"):
        list(iterate_appended(path, Concept, "concept/1", "make it"))


def test_appending_keeps_a_last_line_without_newline(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG], "concept/1")
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    append_jsonl(path, [CAT], "concept/1")
    assert read_jsonl(path, Concept, "concept/1", "make it") == [DOG, CAT]


@pytest.mark.parametrize("torn", [0, 10, 70_000, 200_000])
def test_appending_looks_at_the_last_line_alone_however_long_it_is(tmp_path: Path, torn: int) -> None:
    path = tmp_path / "c.jsonl"
    append_jsonl(path, [DOG] * 2000, "concept/1")
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * torn)
    append_jsonl(path, [CAT], "concept/1")
    assert path.read_bytes() == whole + json_line(CAT, "concept/1")
    path.write_bytes(b"x" * torn)  # a torn line and nothing else
    append_jsonl(path, [CAT], "concept/1")
    assert path.read_bytes() == json_line(CAT, "concept/1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "c.jsonl:2: not JSON"),
        (b"[]", "c.jsonl:2: expected a JSON object"),
        (b'{"format": "concept/1"}', "c.jsonl:2: key 'id' is missing"),
        (b'{"format": "concept/9"}', "c.jsonl:2: expected format concept/1, found concept/9"),
        (b"\xff\xfe", "c.jsonl:2: not JSON"),
        (b"[" * 100_000, "c.jsonl:2: not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "c.jsonl"
    write_jsonl(path, [DOG], "concept/1")
    path.write_bytes(path.read_bytes() + content + b"\n")
    with pytest.raises(UserError) as caught:
        read_jsonl(path, Concept, "concept/1", "make it")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parquet_of_another_kind_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; run `gainsift generate` first"):
        read_parquet(tmp_path / "a.parquet", Link, "items/1", "gainsift generate")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(UserError, match="not a Parquet file"):
        read_parquet(tmp_path / "b.parquet", Link, "items/1", "gainsift generate")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "c.parquet")
    with pytest.raises(UserError, match="expected format items/1, found none"):
        read_parquet(tmp_path / "c.parquet", Link, "items/1", "gainsift generate")


def test_a_file_of_a_newer_version_is_never_replaced(tmp_path: Path) -> None:
    parquet, jsonl = tmp_path / "items.parquet", tmp_path / "c.jsonl"
    write_parquet(parquet, Link, [], "items/2")
    write_jsonl(jsonl, [DOG], "concept/2")
    before = parquet.read_bytes(), jsonl.read_bytes()
    with pytest.raises(UserError, match="expected format items/1, found items/2"):
        write_parquet(parquet, Link, [], "items/1")
    with pytest.raises(UserError, match="expected format concept/1, found concept/2"):
        write_jsonl(jsonl, [DOG], "concept/1")
    assert (parquet.read_bytes(), jsonl.read_bytes()) == before


def test_parquet_without_a_column_or_with_odd_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    write_parquet(path, Link, [], "items/1")
    with pytest.raises(UserError, match=r"items\.parquet: column 'answer' is missing"):
        read_parquet(path, Item, "items/1", "gainsift annotate plan", ["answer"])
    table = pa.table({"row_id": ["a"]}).replace_schema_metadata({"gainsift_format": "items/1"})
    pq.write_table(table, path)
    with pytest.raises(UserError, match=r"items\.parquet: column 'item_id' is missing"):
        parquet_records(path, Link, "items/1", "gainsift annotate plan")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop_columns("item_id"), "column 'item_id' is missing"),
        (lambda table: table.append_column("item_id", table["item_id"]), "column 'item_id' stands twice"),
        (lambda table: table.set_column(1, "item_id", pa.array([7])), "column 'item_id' holds int64, expected string"),
        (lambda table: table.set_column(1, "item_id", pa.array([None], pa.string())), "column 'item_id' has gaps"),
    ],
    ids=["missing", "twice", "type", "gap"],
)
def test_parquet_whose_columns_are_not_those_of_its_record_is_refused(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    path = tmp_path / "links.parquet"
    link = Link(row_id="r", item_id="i", trajectory="t", trajectory_probability=1, item_probability=1, drawn=True)
    write_parquet(path, Link, [link], "links/2")
    pq.write_table(change(pq.read_table(path)), path)
    for columns in (None, ["row_id", "item_id"]):
        with pytest.raises(UserError, match=f"{message}; run `make it` again"):
            read_parquet(path, Link, "links/2", "make it", columns)


def test_parquet_whose_format_is_no_text_is_another_format(tmp_path: Path) -> None:
    path = tmp_path / "links.parquet"
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"gainsift_format": b"\xff\xfe"}), path)
    with pytest.raises(UserError, match="expected format links/2"):
        read_parquet(path, Link, "links/2", "make it")
    write_parquet(path, Link, [], "links/2")  # damaged: nothing to protect


def test_items_of_a_language_that_nobody_knows_are_refused_with_the_file(tmp_path: Path) -> None:
    good = Item.of("1", "en", "fr", "dog", "cat", "dog", "chien", True, "none")
    write_parquet(tmp_path / "items.parquet", Item, [good.model_copy(update={"input_language": "xx"})], "items/1")
    with pytest.raises(UserError, match=r"items.parquet.*unknown language 'xx'"):
        parquet_records(tmp_path / "items.parquet", Item, "items/1", "gainsift annotate plan")


def test_text_that_is_not_utf8_is_refused_with_the_file(tmp_path: Path) -> None:
    write_parquet(tmp_path / "links.parquet", Link, [], "links/2")
    table = pq.read_table(tmp_path / "links.parquet")
    text = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xf3"))
    row = [text if field.type == pa.string() else pa.array([0]).cast(field.type) for field in table.schema]
    pq.write_table(pa.table(row, schema=table.schema), tmp_path / "links.parquet")
    with pytest.raises(UserError, match=r"links\.parquet: not a Parquet file .*Invalid UTF8.*`make it` again"):
        read_parquet(tmp_path / "links.parquet", Link, "links/2", "make it")
