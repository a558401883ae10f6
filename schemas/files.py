"""Reading and writing Parquet and JSONL: every file says its format, every write is whole or not at all."""

from __future__ import annotations

import json
import os
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from gainsift.schemas.atomic import atomic, make_folder, naming
from gainsift.schemas.config import problems
from gainsift.schemas.errors import UserError
from gainsift.schemas.record import Record

R = TypeVar("R", bound=Record)
FORMAT_KEY = b"gainsift_format"
_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


def write_text(path: Path, text: str) -> None:
    """UTF-8, always: a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    with atomic(path) as file:
        file.write(text.encode("utf-8", "replace"))


def write_json(path: Path, value: Any) -> None:
    """Indented JSON of plain data or of a record."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    with atomic(path) as file:
        file.write(json_bytes(plain, indent=2) + b"\n")


def json_bytes(plain: Any, indent: int | None = None) -> bytes:
    r"""JSON that any reader takes: UTF-8, a lone surrogate as its escape (`\ud800`).

    A high surrogate right before a low one is read back as the one character that they stand for in UTF-16.
    """
    # Python's backslashreplace spells a surrogate as JSON does, and surrogates are all that UTF-8 refuses
    return json.dumps(plain, ensure_ascii=False, indent=indent).encode("utf-8", "backslashreplace")


# --- Parquet ---------------------------------------------------------------------------------------------


def arrow_schema(record: type[Record], format_name: str, extra: dict[str, str] | None = None) -> pa.Schema:
    """The Arrow schema of a flat record; `extra` goes into the file's metadata."""
    fields = [pa.field(name, *_arrow_type(field.annotation)) for name, field in record.model_fields.items()]
    metadata = {FORMAT_KEY: format_name.encode()}
    metadata |= {key.encode(): value.encode() for key, value in (extra or {}).items()}
    return pa.schema(fields, metadata=metadata)


def _arrow_type(annotation: Any) -> tuple[pa.DataType, bool]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        (inner,) = [part for part in arguments if part is not type(None)]
        return _arrow_type(inner)[0], True
    if origin is typing.Literal:
        return pa.string(), False
    if origin is list:
        inner_type, _ = _arrow_type(arguments[0])
        return pa.list_(pa.float32() if inner_type == pa.float64() else inner_type), False
    return _ARROW[annotation], False


def write_parquet(
    path: Path,
    record: type[Record],
    rows: pa.Table | Iterable[Record],
    format_name: str,
    extra: dict[str, str] | None = None,
) -> None:
    """Write rows under `format_name` (such as `items/1`), atomically."""
    schema = arrow_schema(record, format_name, extra)
    if not isinstance(rows, pa.Table):
        rows = pa.Table.from_pylist([row.model_dump(mode="python") for row in rows], schema=schema)
    table = rows.select(schema.names).cast(schema).replace_schema_metadata(schema.metadata)
    refuse_newer(path, format_name)
    with atomic(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_parquet(
    path: Path, record: type[Record], format_name: str, made_by: str, columns: list[str] | None = None
) -> pa.Table:
    """The table, or some columns, of a file that must carry `format_name`, each column as `record` has it.

    A field with a default may be missing, for older versions did not have it. `made_by` is the command to run if the
    file is missing or broken. Raises UserError.
    """
    try:
        schema = pq.read_schema(path)
        check_format(
            (schema.metadata or {}).get(FORMAT_KEY, b"none").decode("utf-8", "replace"), format_name, str(path)
        )
        wanted = _wanted(schema, record, columns)
        table = pq.read_table(path, columns=wanted)
        table.validate(full=True)  # a damaged page may hold text that is not UTF-8
        for name in wanted:
            if not _arrow_type(record.model_fields[name].annotation)[1] and table[name].null_count:
                raise _Unfit(f"column {name!r} has gaps")
        return table
    except FileNotFoundError:
        raise UserError(str(path), "no such file", f"run `{made_by}` first") from None
    except _Unfit as error:
        raise UserError(str(path), str(error), f"run `{made_by}` again") from None
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names that are not UTF-8
        raise UserError(str(path), f"not a Parquet file ({error})", f"run `{made_by}` again") from None


class _Unfit(Exception):
    """What a Parquet file lacks of its record."""


def _wanted(schema: pa.Schema, record: type[Record], columns: list[str] | None) -> list[str]:
    """The columns to read. Raises _Unfit unless each stands there once, in its type."""
    found = []
    for name in columns if columns is not None else record.model_fields:
        field = record.model_fields[name]
        count = schema.names.count(name)
        if not count and not field.is_required() and columns is None:
            continue
        if count != 1:
            raise _Unfit(f"column {name!r} is missing" if not count else f"column {name!r} stands twice")
        expected, given = _arrow_type(field.annotation)[0], schema.field(name).type
        if not given.equals(expected):
            raise _Unfit(f"column {name!r} holds {str(given)[:40]}, expected {expected}")
        found.append(name)
    return found


def parquet_records(path: Path, record: type[R], format_name: str, made_by: str) -> list[R]:
    """The rows of a small Parquet file as records."""
    rows = read_parquet(path, record, format_name, made_by).to_pylist()
    try:
        return [record.model_validate(row) for row in rows]
    except ValidationError as error:
        raise UserError(str(path), problems(error), f"run `{made_by}` again") from None


def refuse_newer(path: Path, format_name: str) -> None:
    """Raise UserError if the file at `path` is of the same kind in a newer version: it must not be replaced."""
    if not path.is_file():
        return
    kind, _, version = format_name.partition("/")
    try:
        if path.suffix == ".parquet":
            found = ((pq.read_schema(path).metadata or {}).get(FORMAT_KEY, b"")).decode("utf-8", "replace")
        else:
            with path.open("rb") as file:
                found = str(json.loads(file.read() if path.suffix == ".json" else file.readline()).get("format", ""))
    except (OSError, ValueError, AttributeError):  # damaged: nothing to protect
        return
    other, _, newer = found.partition("/")
    if other == kind and newer.isdigit() and int(newer) > int(version):
        check_format(found, format_name, str(path))


OLDER = {"annotation/2": ("annotation/1",), "links/2": ("links/1",)}
"""Earlier versions that are read as the one of today: what they lack has a default."""


def check_format(found: str, expected: str, where: str) -> None:
    """Refuse a file whose kind or version is not the one that this gainsift reads."""
    if found != expected and found not in OLDER.get(expected, ()):
        remedy = "it was written by another version: install that one, or make the file again"
        if found == "none":
            remedy = f'add "format": "{expected}" if you wrote it yourself, or make the file again'
        raise UserError(where, f"expected format {expected}, found {found}", remedy)


# --- JSONL -----------------------------------------------------------------------------------------------


def read_jsonl(path: Path, record: type[R], format_name: str, made_by: str) -> list[R]:
    """Every line as a record. Raises UserError with file and line."""
    return [row for _, row in iterate_jsonl(path, record, format_name, made_by)]


def iterate_jsonl(path: Path, record: type[R], format_name: str, made_by: str) -> Iterator[tuple[int, R]]:
    """(line number from 1, record) for every line that is not blank."""
    for number, raw in _raw_lines(path, made_by):
        yield number, parse_line(raw, record, format_name, f"{path}:{number}")


def _raw_lines(path: Path, made_by: str) -> Iterator[tuple[int, bytes]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UserError(str(path), "no such file", f"run `{made_by}` first") from None
    with file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield number, raw


def parse_line(raw: bytes, record: type[R], format_name: str, where: str) -> R:
    """One JSON line as a record that must carry `format_name` under the key `format`, if it has that field."""
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: no UTF-8, no JSON, a number of too many digits
        raise UserError(where, f"not JSON ({error})", "mend or remove that line") from None
    if not isinstance(data, dict):
        raise UserError(where, "expected a JSON object", "mend or remove that line")
    if "format" in record.model_fields:
        check_format(str(data.get("format", "none")), format_name, where)
    else:
        check_format(str(data.pop("format", "none")), format_name, where)
    try:
        return record.model_validate(data)
    except ValidationError as error:
        raise UserError(where, problems(error), "mend or remove that line") from None


def json_line(row: Record, format_name: str) -> bytes:
    """One line of JSONL, its format first."""
    data = {"format": format_name, **row.model_dump(mode="json")}
    return json_bytes(data) + b"\n"


def write_jsonl(path: Path, rows: Iterable[Record], format_name: str) -> None:
    refuse_newer(path, format_name)
    with atomic(path) as file:
        for row in rows:
            file.write(json_line(row, format_name))


def iterate_appended(path: Path, record: type[R], format_name: str, made_by: str) -> Iterator[tuple[int, R]]:
    """The same for a file that `append_jsonl` writes: a torn last line, as a killed run leaves it, holds nothing."""
    for number, raw in _raw_lines(path, made_by):
        if raw.endswith(b"\n") or _is_json(raw):
            yield number, parse_line(raw, record, format_name, f"{path}:{number}")


def append_jsonl(path: Path, rows: Iterable[Record], format_name: str) -> None:
    """Append lines and sync: all of them, or none if that fails. A torn last line is cut off first.

    Who is killed meanwhile leaves whole lines and a torn one: what is missing is appended by the next run.
    """
    make_folder(path.parent)
    with naming(path), path.open("ab+", buffering=0) as file:  # a buffer would try again when it is closed
        torn, end = _last_line(file), file.seek(0, os.SEEK_END)
        whole = end if _is_json(torn) else end - len(torn)
        file.truncate(whole)
        try:
            if torn and whole == end:  # a complete line whose newline an editor dropped
                _write(file, b"\n")
            for row in rows:
                _write(file, json_line(row, format_name))
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(whole)
            raise


def _write(file: IO[bytes], data: bytes) -> None:
    """All of it: an unbuffered file may take a part."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _last_line(file: IO[bytes]) -> bytes:
    """What stands after the last newline."""
    place, found = file.seek(0, os.SEEK_END), b""
    while place and b"\n" not in found:
        step = min(place, 1 << 16)
        place -= step
        file.seek(place)
        found = file.read(step) + found
    return found[found.rfind(b"\n") + 1 :]


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True
