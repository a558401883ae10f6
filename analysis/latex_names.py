"""What names the rows of a printed table: headings over groups of rows, and names at the left of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gainsift.analysis.latex_text import cut
from gainsift.analysis.tables import Column, display

ROWS_A_HEADING = 2.0
"""Fewest rows, on average, beneath a heading."""
LONGEST = 60
"""Signs of one value in a heading."""


@dataclass(frozen=True)
class Naming:
    """`headings`: that of each row's group, all empty if there are none; `names`: columns at the left; `values`:
    the others."""

    headings: Sequence[str]
    names: Sequence[Column]
    values: Sequence[Column]


def naming(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Naming:
    """Columns that change slowly become headings, if each stands over two rows or more."""
    shown = {column.key: [display(column, row[column.key]) for row in rows] for column in columns}
    chosen = _telling_apart(columns, shown, len(rows))
    chosen.sort(key=lambda column: _runs([shown[column.key]]))
    over: list[Column] = []
    for count in range(1, len(chosen)):
        if len(rows) >= ROWS_A_HEADING * _runs([shown[column.key] for column in chosen[:count]]):
            over = chosen[:count]
    if over:  # a number that a heading fixes, as the step of its checkpoint, stands in it too
        over += [one for one in columns if one not in chosen and one.kind == "count" and _fixed(one, over, shown)]
    heads = sorted(over, key=columns.index)
    headings = [
        " · ".join(text for column in heads if (text := _said(column, shown[column.key][row], len(heads))))
        for row in range(len(rows))
    ]
    left = [column for column in columns if column not in over]
    names = [column for column in chosen if column not in over]
    return Naming(headings, names, [column for column in left if column not in names])


def _said(column: Column, value: str, heads: int) -> str:
    text = cut(" ".join(value.split()), LONGEST)
    return text if heads == 1 or not text else f"{column.head} {text}"


def _telling_apart(columns: Sequence[Column], shown: Mapping[str, Sequence[str]], rows: int) -> list[Column]:
    """The first columns that tell the rows apart, without numbers that add nothing."""

    def apart(some: Sequence[Column]) -> bool:
        return _different([shown[column.key] for column in some]) == rows

    first = next((n for n, one in enumerate(columns) if one.kind not in ("text", "count")), len(columns))
    texts = [column for column in columns[:first] if column.kind == "text"]
    chosen = next((list(columns[:n]) for n in range(1, first + 1) if apart(columns[:n])), texts)
    for column in [one for one in chosen if one.kind != "text"]:
        if apart(without := [one for one in chosen if one is not column]):
            chosen = without
    return chosen if any(column.kind == "text" for column in chosen) else texts[:1]


def _different(values: Sequence[Sequence[str]]) -> int:
    return len(set(zip(*values, strict=True)))


def _runs(values: Sequence[Sequence[str]]) -> int:
    """Groups of rows in a row with the same values."""
    keys = list(zip(*values, strict=True))
    return sum(a != b for a, b in pairwise(keys)) + 1


def _fixed(column: Column, over: Sequence[Column], shown: Mapping[str, Sequence[str]]) -> bool:
    of_over = [shown[one.key] for one in over]
    return any(shown[column.key]) and _different([*of_over, shown[column.key]]) == _different(of_over)
