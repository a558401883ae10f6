"""One table, three outputs: csv for people, JSON for programs, LaTeX for papers (latex_tables); each is signed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gainsift.analysis.cell_addresses import row_addresses
from gainsift.analysis.estimate import Estimate
from gainsift.schemas.spreadsheet import guarded

Kind = Literal["text", "count", "weight", "points", "rate", "coefficient", "percent", "p"]
"""points: a rate difference, shown times 100 with a sign; rate: shown as per cent; percent: already 0 to 100.
p: a p-value, three places."""
UNDEFINED = "undefined"
NOT_ESTIMABLE = "not estimable"
"""Stands for `undefined` where the reason begins with it."""
MARK = "†"
"""Follows an interval that is a bound (Estimate.bounded)."""


@dataclass(frozen=True)
class Column:
    """`interval`: the values are Estimates whose limits are shown too; `printed`: it stands in a paper, too.

    A column that is not printed (an id beside its label, a coefficient of second rank) stands in csv and JSON alone.
    `finding`: a text that was found, and no part of what the row is called.
    """

    key: str
    head: str
    kind: Kind = "text"
    interval: bool = False
    printed: bool = True
    finding: bool = False


@dataclass(frozen=True)
class Table:
    """`rows` hold the value of each column's key: text, number, Estimate, or None where there is nothing.

    `signatures`: that of each row, where they differ; `signature` is what stands beneath the table.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = field(default_factory=tuple)
    signature: str = ""
    signatures: Sequence[str] = ()

    def recipes(self) -> list[str]:
        """The signature of each row."""
        return list(self.signatures) or [self.signature] * len(self.rows)

    def all_notes(self) -> list[str]:
        """The notes, and the reasons why figures or their intervals are undefined."""
        return [*self.notes, *reasons(self.rows)]


def reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why figures of these rows are undefined, have no interval, or have a bound instead."""
    return sorted(
        {
            _prefix(value) + value.reason
            for row in rows
            for value in row.values()
            if isinstance(value, Estimate) and value.reason
        }
    )


def _prefix(value: Estimate) -> str:
    if value.defined:
        return MARK + " " if value.bounded else ""
    return "" if value.reason.startswith(NOT_ESTIMABLE) else UNDEFINED + ": "


def display(column: Column, value: Any) -> str:
    """A value as people read it: `+18.2 [12.9, 23.4]`."""
    if isinstance(value, Estimate):
        if value.point is None:
            return NOT_ESTIMABLE if value.reason.startswith(NOT_ESTIMABLE) else UNDEFINED
        shown = _number(column.kind, value.point)
        if column.interval and value.low is not None and value.high is not None:
            limits = (_number(column.kind, limit, limit=True) for limit in (value.low, value.high))
            shown += f" [{', '.join(limits)}]" + MARK * value.bounded
        return shown
    if value is None:
        return ""
    return str(value) if column.kind == "text" else _number(column.kind, value)


def _number(kind: Kind, value: float, limit: bool = False) -> str:
    if kind == "count":
        return f"{round(value):,}"
    if kind == "p":
        return "< 0.001" if value < 0.0005 else f"{value:.3f}"
    places = {"coefficient": 3, "weight": 1}.get(kind, 1)
    scaled = value * 100 if kind in ("points", "rate") else value
    text = f"{abs(scaled):.{places}f}"
    if float(text) == 0:
        return text
    if scaled < 0:
        return "−" + text
    return "+" + text if kind == "points" and not limit else text


# --- csv and json ----------------------------------------------------------------------------------------


def to_csv(table: Table) -> str:
    """Full precision; an interval takes two further columns, and the last one is the signature.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    out = io.StringIO()
    # text always quoted: the writer leaves a lone carriage return bare, and readers end the row there
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    header = []
    for column in table.columns:
        header += [column.key, *([f"{column.key}_low", f"{column.key}_high"] if column.interval else [])]
    writer.writerow([_cell(name) for name in [*header, "signature"]])
    for row, recipe in zip(table.rows, table.recipes(), strict=True):
        cells: list[Any] = []
        for column in table.columns:
            value = row[column.key]
            if isinstance(value, Estimate):
                cells.append(UNDEFINED if value.point is None else value.point)
                cells += ["" if limit is None else limit for limit in (value.low, value.high)] * column.interval
            else:
                cells += [_cell(value), *["", ""] * column.interval]
        writer.writerow([*cells, _cell(recipe)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Formula injection (OWASP): a text cell may not begin with a sign that starts a formula."""
    if isinstance(value, str):
        return guarded(value)
    return "" if value is None else value


def to_json(table: Table) -> dict[str, Any]:
    """Plain data: columns, rows (an Estimate becomes point, low, high and reason), notes, signature.

    Each row holds its `address` (see cell_addresses), and where rows have signatures of their own its `signature`.
    """
    rows = [
        {"address": address, **{column.key: plain(row[column.key]) for column in table.columns}}
        for address, row in zip(row_addresses(table), table.rows, strict=True)
    ]
    if table.signatures:
        rows = [{**row, "signature": recipe} for row, recipe in zip(rows, table.recipes(), strict=True)]
    return {
        "name": table.name,
        "title": table.title,
        "columns": [
            {"key": column.key, "head": column.head, "kind": column.kind, "printed": column.printed}
            for column in table.columns
        ],
        "rows": rows,
        "notes": table.all_notes(),
        "signature": table.signature,
    }


def plain(value: Any) -> Any:
    if not isinstance(value, Estimate):
        return value
    shown: dict[str, Any] = {"point": value.point, "low": value.low, "high": value.high}
    return shown | ({"reason": value.reason} if value.reason else {})
