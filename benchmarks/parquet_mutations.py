"""Parquet files made bad: their bytes, their metadata, and tables whose columns are missing, of other types or odd."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from mutations import TEXTS, VALUES, mutate

Change = Callable[[random.Random, pa.Table], pa.Table]


def _column(rng: random.Random, table: pa.Table) -> int:
    return rng.randrange(table.num_columns)


def without(rng: random.Random, table: pa.Table) -> pa.Table:
    return table.remove_column(_column(rng, table)) if table.num_columns > 1 else table


def renamed(rng: random.Random, table: pa.Table) -> pa.Table:
    names = list(table.column_names)
    names[_column(rng, table)] = rng.choice([*TEXTS[:60], *names]).encode("utf-8", "replace").decode()
    return table.rename_columns(names)


def retyped(rng: random.Random, table: pa.Table) -> pa.Table:
    """A column as another type, its values where they can be cast, else nothing."""
    at = _column(rng, table)
    kind = rng.choice((
        pa.string(), pa.int8(), pa.int64(), pa.uint64(), pa.float16(), pa.float64(), pa.bool_(), pa.binary(),
        pa.large_string(), pa.date32(), pa.timestamp("ns"), pa.list_(pa.string()), pa.list_(pa.int64()), pa.null(),
        pa.decimal128(38, 9), pa.dictionary(pa.int32(), pa.string()), pa.struct([("x", pa.int64())]),
        pa.map_(pa.string(), pa.int64()),
    ))  # fmt: skip
    try:
        values = pc.cast(table.column(at), kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        values = pa.nulls(len(table), kind)
    return table.set_column(at, pa.field(table.column_names[at], kind), values)


def emptied(rng: random.Random, table: pa.Table) -> pa.Table:
    """Nulls in one column, here and there or everywhere."""
    at, share = _column(rng, table), rng.choice((0.1, 0.5, 1.0))
    mask = pa.array([rng.random() < share for _ in range(len(table))], pa.bool_())
    kind = table.schema.field(at).type
    values = pc.if_else(mask, pa.scalar(None, kind), table.column(at))
    return table.set_column(at, pa.field(table.column_names[at], kind), values)


def odd(rng: random.Random, table: pa.Table) -> pa.Table:
    """Odd values of the right type in one column."""
    at = _column(rng, table)
    kind = table.schema.field(at).type
    column = table.column(at).to_pylist()
    for place in range(len(column)):
        if rng.random() < 0.3:
            column[place] = _odd(rng, kind, column)
    try:
        return table.set_column(at, pa.field(table.column_names[at], kind), pa.array(column, kind))
    except (ValueError, TypeError, OverflowError):  # a value that this type cannot hold; Arrow's errors are of these
        return table


def _odd(rng: random.Random, kind: pa.DataType, column: list[Any]) -> Any:
    if pa.types.is_string(kind):
        return rng.choice([*TEXTS, *(value for value in column[:5] if value)])
    if pa.types.is_list(kind):
        return rng.choice(([], [float("nan")], [0.5] * 500, [2.0], None))
    return rng.choice(VALUES[:17])


def rows(rng: random.Random, table: pa.Table) -> pa.Table:
    """Rows left out, doubled, turned round, or none at all."""
    what = rng.randrange(4)
    if what == 0:
        return table.slice(0, 0)
    if what == 1:
        return pa.concat_tables([table, table])
    if what == 2:
        return table.take(pa.array(range(len(table) - 1, -1, -1), pa.int64()))
    return table.slice(rng.randrange(len(table) + 1))


def metadata(rng: random.Random, table: pa.Table) -> pa.Table:
    """Other words, other bytes or nothing where the file says what it is."""
    found = dict(table.schema.metadata or {})
    key = rng.choice([*found, b"gainsift_format"])
    found[key] = rng.choice(
        (b"", b"\xff\xfe", b"translations/99", b"x" * 5000, b"[", b"[1e999, null]", b"[[" * 3000, b"items", b"null")
    )
    return table.replace_schema_metadata(found if rng.random() < 0.8 else None)


TABLES: list[Change] = [without, renamed, retyped, retyped, emptied, emptied, odd, odd, odd, rows, metadata]


def mutate_parquet(rng: random.Random, data: bytes) -> tuple[bytes, list[str]]:
    """One to three changes of the table, or of the bytes of its file, and their names."""
    if rng.random() < 0.4:
        return mutate(rng, data, "bytes")
    table, names = pq.read_table(io.BytesIO(data)), []
    for _ in range(rng.choice((1, 1, 2, 3))):
        change = rng.choice(TABLES)
        table = change(rng, table)
        names.append(change.__name__)
    out = io.BytesIO()
    try:
        pq.write_table(table, out, compression=rng.choice(("zstd", "snappy", "none")))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a type that Parquet does not have
        return mutate(rng, data, "bytes")
    return out.getvalue(), names
