"""The rows of a csv by the names of its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gainsift.schemas.csv_records import csv_records
from gainsift.schemas.errors import UserError


def csv_rows(path: Path, wanted: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns, and (line, cells by column) of every further record.

    Raises UserError as `csv_records` does, and for a column that stands twice; `wanted` says what to name instead, such
    as `a csv of words`.
    """
    records = csv_records(path, f"name {wanted}")
    _, columns = next(records, (0, []))
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise UserError(f"{path}:1", f"column {twice[0]!r} stands twice", "remove one of them")
    return columns, ((line, dict(zip(columns, cells, strict=True))) for line, cells in records)
