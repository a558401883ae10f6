"""Reader of the long table of judgements: a csv with the columns item, annotator, label."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from gainsift.schemas.errors import UserError

COLUMNS = ("item", "annotator", "label")
Row = tuple[int, str, str, str]
"""Line, item, annotator, label."""


@dataclass(frozen=True)
class LongTable:
    """`labels` is item -> annotator -> label; `skipped` counts rows without a label and exact repetitions.

    An item that has rows but no label is kept with no votes, so that it is counted.
    """

    labels: dict[str, dict[str, str]]
    skipped: int


def read_long_table(path: Path, numeric: bool = False) -> LongTable:
    """Read and check a file. Further columns are ignored; an empty label is a gap.

    Two different labels of one annotator for one item are an error: which of them counts is not ours to choose.
    With `numeric` every label must be a number. Raises UserError with file and line.
    """
    labels: dict[str, dict[str, str]] = {}
    seen: dict[tuple[str, str], int] = {}
    skipped = 0
    for line, item, annotator, label in _rows(path, _text(path)):
        votes = labels.setdefault(item, {})
        if not label:
            skipped += 1
            continue
        if numeric:
            label = _number(label, f"{path}:{line}")
        if annotator in votes:
            if votes[annotator] != label:
                raise UserError(
                    f"{path}:{line}",
                    f"annotator {annotator!r} labels item {item!r} {label!r} here"
                    f" and {votes[annotator]!r} on line {seen[item, annotator]}",
                    "keep one row for each item and annotator",
                )
            skipped += 1
            continue
        votes[annotator] = label
        seen[item, annotator] = line
    return LongTable(labels, skipped)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(str(path), "no such file", "give a csv with the columns item,annotator,label") from None
    except OSError as error:
        raise UserError(str(path), f"cannot be read ({error.strerror})", "give a csv file") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}", f"not UTF-8 at byte {error.start}", "save the file as UTF-8") from None


def _rows(path: Path, text: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    places: list[int] = []
    width = 0
    try:
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            if not places:
                places, width = _places(path, fields), len(fields)
                continue
            if len(fields) != width:
                raise UserError(
                    f"{path}:{reader.line_num}",
                    f"expected {width} fields as in the header, found {len(fields)}",
                    "mend that row (quote fields that hold commas)",
                )
            item, annotator, label = (fields[place].strip() for place in places)
            if not item or not annotator:
                missing = "item" if not item else "annotator"
                raise UserError(f"{path}:{reader.line_num}", f"no {missing}", "mend or remove that row")
            rows.append((reader.line_num, item, annotator, label))
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}", f"broken row ({error})", "mend the quotes of that row") from None
    if not places:
        raise UserError(str(path), "the file is empty", "give a csv with the columns item,annotator,label")
    if not rows:
        raise UserError(str(path), "no rows beneath the header", "give one row for each judgement")
    return rows


def _places(path: Path, header: list[str]) -> list[int]:
    names = [name.strip() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UserError(
            f"{path}:1",
            f"missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; found: {', '.join(names)[:200]}",
            "the first line must name item,annotator,label, parted by commas",
        )
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise UserError(f"{path}:1", f"column {twice[0]} stands twice", "keep one of them")
    return [names.index(name) for name in COLUMNS]


def _number(label: str, where: str) -> str:
    """The label as one spelling of its number, so that 1 and 1.0 are one value."""
    try:
        value = float(label)
        if value - value != 0:  # infinite or not a number
            raise ValueError
    except ValueError:
        raise UserError(where, f"label {label!r} is not a number", "use --level nominal for names") from None
    return repr(value + 0.0)  # -0.0 is 0.0
