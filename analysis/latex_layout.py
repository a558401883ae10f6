"""Where the columns and rows of a table go: one column of a paper or its whole width, panels, parts of a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.analysis.latex_fields import GAP, Field, field_of
from gainsift.analysis.latex_names import naming
from gainsift.analysis.latex_text import cut, wrapped
from gainsift.analysis.tables import Column, Table, display

FULL, HALF = 345.0, 200.0
"""The text block of LaTeX's article in one column, and one column of it in two, at 10 pt: most papers have more."""
PAGE, LINE, NOTE_LINE = 490.0, 9.6, 8.4
"""Height of a page that a part may fill, and of a line of the table and of its notes, in pt."""
FEWEST_ROWS = 12
"""Rows a part beneath which the panels of a long table follow each other."""
MOST_LINES = 3
"""Lines of a cell beyond which columns rather go into another panel."""


@dataclass(frozen=True)
class Panel:
    """Columns side by side with the width given to each, in pt."""

    fields: Sequence[Field]
    rooms: Sequence[float]

    def lines(self, row: int) -> int:
        return max((f.lines(row, room) for f, room in zip(self.fields, self.rooms, strict=True)), default=1)

    def head_height(self) -> float:
        heads = (len(f.head_lines(room)) for f, room in zip(self.fields, self.rooms, strict=True))
        return LINE * max(heads, default=1) + 18.0

    def wide(self) -> float:
        return sum(self.rooms) + GAP * (len(self.rooms) - 1)


@dataclass(frozen=True)
class Part:
    """Panels over each other, and the rows that they show."""

    panels: Sequence[Panel]
    rows: range


@dataclass(frozen=True)
class Layout:
    """`wide`: over both columns of a page of two; `headings`: that of each row's group; `said`: what holds for all
    rows; `left`: the height that the last part leaves on its page, in pt."""

    wide: bool
    headings: Sequence[str]
    parts: Sequence[Part]
    said: Sequence[str]
    left: float


def layout(table: Table, above: float) -> Layout:
    """How to set a table whose caption takes `above` pt."""
    columns, said = _columns(table)
    named = naming(columns, table.rows)
    names, values = ([field_of(column, table.rows) for column in some] for some in (named.names, named.values))
    rows = range(len(table.rows))
    narrow = _side_by_side([*names, *values], HALF)
    wide = narrow is None or max((narrow.lines(row) for row in rows), default=1) > 2
    panels = [narrow] if narrow and not wide else _panels(names, values)
    parts, left = _parts(panels, named.headings, above)
    return Layout(wide, named.headings, parts, said, left)


def _columns(table: Table) -> tuple[list[Column], list[str]]:
    """The columns to be set; one that is empty is left out, one that says the same in every row is told in a note."""
    kept, said = [], []
    for column in table.columns:
        shown = {display(column, row[column.key]) for row in table.rows}
        if not column.printed or shown == {""}:
            continue
        if column.kind == "text" and len(shown) == 1 and len(table.rows) > 1:
            said.append(f"{column.head}: {cut(shown.pop(), 200)} in every row.")
        else:
            kept.append(column)
    return (kept, said) if kept else (list(table.columns), [])


def _side_by_side(fields: Sequence[Field], room: float) -> Panel | None:
    """All columns in one panel of `room` pt, long texts on several lines; None if they do not fit."""
    room -= GAP * (len(fields) - 1)
    numbers = sum(field.wide() for field in fields if not field.text)
    texts = [field for field in fields if field.text]
    least, most = sum(field.least() for field in texts), sum(field.wide() for field in texts)
    if numbers + least > room:
        return None
    share = 1.0 if most <= room - numbers else (room - numbers - least) / (most - least)
    rooms = [field.least() + share * (field.wide() - field.least()) if field.text else field.wide() for field in fields]
    return Panel(fields, rooms)


def _panels(names: Sequence[Field], values: Sequence[Field]) -> list[Panel]:
    """Panels of the whole width, each with the names of the rows; as few as can be, and alike in width."""
    fields = [*names, *values]
    whole = _side_by_side(fields, FULL)
    rows = range(len(fields[0].texts))
    if whole and (not values or max((whole.lines(row) for row in rows), default=1) <= MOST_LINES):
        return [whole]
    if not values:
        return [_squeezed(fields)]
    groups = _groups(names, values, FULL)
    for room in range(int(FULL / 2), int(FULL), 5):
        if len(even := _groups(names, values, room)) == len(groups):
            groups = even
            break
    panels = [_side_by_side([*names, *group], FULL) or _squeezed([*names, *group]) for group in groups]
    narrowest = [min(panel.rooms[n] for panel in panels) for n in range(len(names))]  # alike in all panels
    return [Panel(panel.fields, [*narrowest, *panel.rooms[len(names) :]]) for panel in panels]


def _groups(names: Sequence[Field], values: Sequence[Field], room: float) -> list[list[Field]]:
    """The values in order, each group as many as `room` pt hold beside the names."""
    left = sum(min(field.wide(), max(field.least(), 80.0)) + GAP for field in names)
    groups: list[list[Field]] = [[]]
    reached = left
    for field in values:
        wide = min(field.wide(), max(field.least(), 110.0)) + GAP
        if groups[-1] and reached + wide > room + GAP:
            groups.append([])
            reached = left
        groups[-1].append(field)
        reached += wide
    return groups


def _squeezed(fields: Sequence[Field]) -> Panel:
    """Where even the least does not fit: texts share what numbers leave."""
    texts = [field for field in fields if field.text]
    left = FULL - GAP * (len(fields) - 1) - sum(field.wide() for field in fields if not field.text)
    return Panel(fields, [max(12.0, left / len(texts)) if field.text else field.wide() for field in fields])


# --- pages -----------------------------------------------------------------------------------------------


def _parts(panels: Sequence[Panel], headings: Sequence[str], above: float) -> tuple[list[Part], float]:
    """All panels of a row in one part, or where that leaves few rows a part, the panels one after the other."""
    parts, left = _filled(panels, headings, above)
    if len(parts) > 1 and len(panels) > 1 and len(headings) / len(parts) < FEWEST_ROWS:
        filled = [_filled([panel], headings, above) for panel in panels]
        return [part for of_panel, _ in filled for part in of_panel], filled[-1][1]
    return parts, left


def _filled(panels: Sequence[Panel], headings: Sequence[str], above: float) -> tuple[list[Part], float]:
    """As many rows a part as its page holds; it rather ends before a heading than short after it."""
    heads = above + sum(panel.head_height() for panel in panels)
    over = [sum(2.0 + LINE * len(heading_lines(heading, panel)) for panel in panels) for heading in headings]
    rows = [sum(LINE * panel.lines(row) for panel in panels) for row in range(len(headings))]
    starts = [row == 0 or heading != headings[row - 1] for row, heading in enumerate(headings)]
    parts: list[Part] = []
    first, used, row = 0, heads, 0
    while row < len(headings):
        height = rows[row] + over[row] * (starts[row] or row == first)
        if row > first and used + height > PAGE:
            early = [n for n in range(first + (row - first) // 2 + 1, row) if starts[n] and headings[n]]
            row = early[-1] if early else row
            parts.append(Part(panels, range(first, row)))
            first, used = row, heads
            continue
        used += height
        row += 1
    return [*parts, Part(panels, range(first, len(headings)))], PAGE - used


def heading_lines(heading: str, panel: Panel) -> list[str]:
    """A heading in lines that the panel is wide enough for."""
    return wrapped(heading, 0.9 * panel.wide()) if heading else []


def note_lines(wide: float, room: float) -> int:
    """Lines of a note of `wide` pt in the type of notes."""
    return math.ceil(0.96 * wide / room * 1.03)
