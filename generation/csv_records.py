"""The records of a csv that somebody names, each with its line, or one line that says what is wrong with it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gainsift.schemas.errors import UserError
from gainsift.schemas.given_text import given_text


def csv_records(path: Path, wanted: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, cells) of every record that is not blank, the header included.

    Raises UserError with file and line for a file that is missing, not UTF-8 or broken; `wanted` says what to name
    instead, such as `a csv of words`.
    """
    reader = csv.reader(io.StringIO(given_text(path, f"name {wanted}"), newline=""), strict=True)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}:{start}", f"broken row ({error})", "mend that line") from None
        if any(cell.strip() for cell in cells):
            yield start, cells
        start = reader.line_num + 1


def csv_rows(path: Path, wanted: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns, and (line, cells by column) of every further record. Raises UserError as `csv_records` does,
    and for a column that stands twice or a record of another length."""
    records = csv_records(path, wanted)
    _, columns = next(records, (0, []))
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise UserError(f"{path}:1", f"column {twice[0]!r} stands twice", "remove one of them")
    return columns, _rows(records, columns, path)


def _rows(
    records: Iterator[tuple[int, list[str]]], columns: list[str], path: Path
) -> Iterator[tuple[int, dict[str, str]]]:
    for line, cells in records:
        if len(cells) != len(columns):
            raise UserError(f"{path}:{line}", f"expected {len(columns)} cells, found {len(cells)}", "mend that line")
        yield line, dict(zip(columns, cells, strict=True))


_PARTS = {"n": "noun", "v": "verb", "a": "adjective", "adj": "adjective", "adv": "adverb"}


def part_of_speech_of(cell: str) -> str:
    """The part of speech that a cell names, by its usual abbreviations; what is none of ours stays as it is."""
    named = cell.strip().casefold().removesuffix("s")
    return _PARTS.get(named, named)
