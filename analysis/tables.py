"""One table, three outputs: csv for people, json for programs, booktabs LaTeX for the paper; signature in each."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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
LONG = 40
"""Rows from which a LaTeX table may break over pages."""


@dataclass(frozen=True)
class Column:
    """`interval`: the values are Estimates whose limits are shown too; `printed`: it stands in a paper, too.

    A column that is not printed (an id beside its label) is for programs: csv and JSON hold it.
    """

    key: str
    head: str
    kind: Kind = "text"
    interval: bool = False
    printed: bool = True


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

    Where the rows have signatures of their own, each row holds its `signature`.
    """
    rows = [{column.key: plain(row[column.key]) for column in table.columns} for row in table.rows]
    if table.signatures:
        rows = [{**row, "signature": recipe} for row, recipe in zip(rows, table.recipes(), strict=True)]
    return {
        "name": table.name,
        "title": table.title,
        "columns": [{"key": column.key, "head": column.head, "kind": column.kind} for column in table.columns],
        "rows": rows,
        "notes": table.all_notes(),
        "signature": table.signature,
    }


def plain(value: Any) -> Any:
    if not isinstance(value, Estimate):
        return value
    shown: dict[str, Any] = {"point": value.point, "low": value.low, "high": value.high}
    return shown | ({"reason": value.reason} if value.reason else {})


# --- LaTeX -----------------------------------------------------------------------------------------------

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "-": "{-}", "−": r"$-$", "×": r"$\times$", "→": r"$\to$", "≥": r"$\geq$", "Δ": r"$\Delta$",
    "α": r"$\alpha$", "κ": r"$\kappa$", "†": r"\textdagger{}",
}  # fmt: skip


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it stands: no command, no ligature, no line break, no control character."""
    kept = []
    for char in text:
        if char in _LATEX:
            kept.append(_LATEX[char])
        elif char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"):
            kept.append(char)
    return "".join(kept)


def to_latex(table: Table) -> str:
    """A booktabs table with notes and signature beneath; needs booktabs, textcomp, and longtable if it is long."""
    align = "".join("l" if column.kind == "text" else "r" for column in table.columns)
    head = " & ".join(latex_escape(column.head) for column in table.columns) + r" \\"
    body = [
        " & ".join(latex_escape(display(column, row[column.key])) for column in table.columns) + r" \\"
        for row in table.rows
    ]
    caption = rf"\caption{{{latex_escape(table.title)}}}\label{{tab:{_label(table.name)}}}"
    notes = [latex_escape(note) for note in table.all_notes()]
    recipe = latex_escape(table.signature).replace(r"\textbar{}", r"\textbar\allowbreak{}")
    beneath = [r"\par\smallskip\footnotesize\raggedright", *(f"{note}\\par" for note in notes)]
    beneath += [rf"\texttt{{\scriptsize {recipe}}}\par"] if table.signature else []
    if len(body) > LONG:
        lines = [rf"\begin{{longtable}}{{@{{}}{align}@{{}}}}", caption + r"\\", r"\toprule", head, r"\midrule"]
        lines += [r"\endhead", *body, r"\bottomrule", r"\end{longtable}", "{" + "\n".join(beneath) + "}"]
    else:
        lines = [r"\begin{table}", r"\centering", caption, rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}", r"\toprule"]
        lines += [head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}", *beneath, r"\end{table}"]
    return "\n".join(lines) + "\n"


def _label(name: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)
