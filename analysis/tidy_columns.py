"""The cells of a tidy table, from csv or Parquet alike: text by column, with the line that each row stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gainsift.schemas.csv_records import csv_records
from gainsift.schemas.errors import UserError, near

LINE = "line"
"""Column of the row's place: the line of a csv (where the row begins), the number of a Parquet row, from 1."""


def read_cells(path: Path, needed: Sequence[str], optional: Collection[str]) -> pd.DataFrame:
    """The columns `needed` and those of `optional` that are there, stripped text, empty where there is nothing.

    Blank rows are passed over, other columns ignored. Raises UserError with file and line.
    """
    frame = _parquet(path, needed, optional) if _is_parquet(path) else _csv(path, needed, optional)
    if frame.empty:
        raise UserError(str(path), "no rows beneath the header", "give one row for each judgement")
    return frame


def place(path: Path, line: int) -> str:
    """Where a row stands: `table.csv:31`, or `table.parquet, row 31`."""
    return f"{path}, row {line}" if _is_parquet(path) else f"{path}:{line}"


def _chosen(where: str, names: Sequence[str], needed: Sequence[str], optional: Collection[str]) -> list[str]:
    for name in needed:
        if name not in names:
            found = ", ".join(names)[:200]
            raise UserError(
                where,
                f"column {name!r} is missing; found: {found}",
                f"{near(name, names)}a tidy table has {', '.join(needed)}",
            )
    wanted = [name for name in (*needed, *optional) if name in names]
    for name in wanted:
        if list(names).count(name) > 1:
            raise UserError(where, f"column {name} stands twice", "keep one of them")
    return wanted


# --- csv -------------------------------------------------------------------------------------------------


def _csv(path: Path, needed: Sequence[str], optional: Collection[str]) -> pd.DataFrame:
    records = csv_records(path, "give a tidy table, csv or Parquet")
    _, header = next(records, (0, []))
    if not header:
        raise UserError(str(path), "the file is empty", f"give a table with the columns {', '.join(needed)}")
    names = [name.strip() for name in header]
    places = {name: names.index(name) for name in _chosen(f"{path}:1", names, needed, optional)}
    lines: list[int] = []
    columns: dict[str, list[str]] = {name: [] for name in places}
    for line, fields in records:
        lines.append(line)
        for name, number in places.items():
            columns[name].append(fields[number].strip())
    return pd.DataFrame({LINE: lines, **columns})


# --- Parquet ---------------------------------------------------------------------------------------------


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _parquet(path: Path, needed: Sequence[str], optional: Collection[str]) -> pd.DataFrame:
    try:
        wanted = _chosen(str(path), pq.read_schema(path).names, needed, optional)
        table = pq.read_table(path, columns=wanted)
        table.validate(full=True)  # a damaged page may hold text that is not UTF-8
    except FileNotFoundError:
        raise UserError(str(path), "no such file", "give a tidy table, csv or Parquet") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(str(path), f"not a Parquet file ({error})", "give a csv or Parquet file") from None
    columns = {name: [_cell(value) for value in table[name].to_pylist()] for name in wanted}
    frame = pd.DataFrame({LINE: range(1, len(table) + 1), **columns})
    return frame[(frame[wanted] != "").any(axis=1)].reset_index(drop=True)


def _cell(value: Any) -> str:
    """The text that a csv would hold; a number that is none (NaN) is a gap."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value).strip()
