"""How `gainsift trace` shows a number and what is behind it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table as RichTable
from rich.text import Text

from gainsift.analysis.report_cells import Cell, cells_of
from gainsift.analysis.shares import series_name
from gainsift.analysis.tables import Column, display
from gainsift.analysis.trace import Traced
from gainsift.analysis.wording import answered, counted
from gainsift.cli.terminal import Console, say
from gainsift.schemas.rows import Annotation
from gainsift.schemas.visible_text import visible


def show_tables(tables: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """The tables of the report with the number of addresses in each."""
    listed = [(str(one["name"]), sum(1 for _ in cells_of(one)), str(one["title"])) for one in tables]
    if as_json:
        say(json.dumps([{"table": name, "numbers": size, "title": title} for name, size, title in listed]))
        return
    _grid(["Table", "Numbers", "Title"], [(name, f"{size:,}", title) for name, size, title in listed], right=(1,))


def show_cells(cells: Sequence[Cell], as_json: bool) -> None:
    """Addresses with their numbers."""
    if as_json:
        say(json.dumps([{"address": cell.address, "value": cell.value} for cell in cells], ensure_ascii=False))
        return
    for cell in cells:
        say(f"{cell.address}\t{shown(cell)}")


def shown(cell: Cell) -> str:
    """The number as the report prints it."""
    if cell.value is None:
        return "undefined"
    column = Column(cell.column, cell.head, cell.kind)  # type: ignore[arg-type]
    return display(column, cell.value)


def show(found: Traced, most: int, file: Path | None) -> None:
    """The number, how it is made, whether it comes out again, and the terms that move it most."""
    console = Console(highlight=False, soft_wrap=True)

    def say(text: str) -> None:
        console.print(Text(visible(text)))

    cell, entering = found.cell, found.entering
    row = cell.row["address"].split("/", 1)[-1]
    console.print(Text(visible(cell.address), style="bold"))
    say(f"{cell.table['title']}: {row}, {cell.head}{f', {cell.limit} limit' if cell.limit else ''}")
    say(f"in the report: {shown(cell)}" + (f" ({cell.value!r})" if cell.value is not None else f" ({cell.reason})"))
    say(f"made as: {entering.formula}")
    if found.agrees is not None:
        verdict = "the same" if found.agrees else "NOT the number in the report"
        say(f"made again from what is listed: {entering.again!r}, {verdict}")
    elif entering.again is None:
        say(f"not made again: {entering.instead}")
        if cell.limit:
            say(f"seed {found.seed}, {found.resamples:,} resamples of the clusters of what is listed")
        elif cell.value is not None:
            say(f"seed {found.seed}; where it resamples or flips signs, it is of the clusters of what is listed")
    if found.changed:
        say(f"changed since the report was written: {', '.join(found.changed)}")
    people = {line.annotator for line in found.judgements}
    say(
        f"of {counted(len(entering.terms), 'term')}, {counted(len(found.outputs), 'output')},"
        f" {counted(len(found.judgements), 'judgement')}" + f" by {counted(len(people), 'annotator')}" * bool(people)
    )
    _show_terms(found, most)
    if file is not None:
        say(f"all of them: {file}")
    elif len(entering.terms) > most:
        say(f"{len(entering.terms) - most:,} further terms: --show N prints more, --csv FILE and --json all")


def _show_terms(found: Traced, most: int) -> None:
    terms = found.entering.terms
    moved = (terms["weight"] * terms["value"]).abs().sort_values(ascending=False, kind="stable").index[:most]
    outputs: dict[str, Mapping[Any, Any]] = {one["row_id"]: one for one in found.outputs.to_dict("records")}
    lines: dict[str, list[Annotation]] = defaultdict(list)
    for line in found.judgements:
        if found.entering.lines is None or len(lines[line.item_id]) < most:
            lines[line.item_id].append(line)
    rows = []
    for term in terms.loc[moved].to_dict("records"):
        own = [outputs[row_id] for row_id in term["rows"] if row_id in outputs]
        items = dict.fromkeys([*term["items"], *(one["item_id"] for one in own if isinstance(one["item_id"], str))])
        said = [line for item in items for line in lines.get(item, [])]
        rows.append(
            (
                term["unit"], term["cluster"], _answers(own), _labels(term["labels"]),
                _told(said), f"{term['weight']:.4g}", f"{term['value']:+.4g}", f"{term['total']:.4g}",
            )
        )  # fmt: skip
    if rows:
        heads = ["Unit", "Cluster", "Answers", "Stands as", "Judgements", "Weight", "Value", "Of"]
        _grid(heads, rows, right=(5, 6, 7))


def _labels(labels: Sequence[str]) -> str:
    """Before and after; or, of an item, what each annotator said."""
    return (", " if any(": " in label for label in labels) else " → ").join(label or "–" for label in labels)


def _answers(outputs: Sequence[Mapping[Any, Any]]) -> str:
    told = [f"{one['checkpoint']} {_asked(one)}: “{answered(one['answer'], one['closed'])}”" for one in outputs[:2]]
    return "\n".join([*told, *([f"and {len(outputs) - 2} more"] if len(outputs) > 2 else [])])


def _asked(output: Mapping[Any, Any]) -> str:
    layer = None if pd.isna(output["layer"]) else int(output["layer"])
    return series_name(output["setting"], output["prompt"], layer)


def _told(lines: Iterable[Annotation]) -> str:
    told = []
    for line in list(lines)[:6]:
        at = (line.updated_at or line.created_at or "")[:16]
        told.append(f"{line.annotator}: {line.label or line.status}" + f" ({at})" * bool(at))
    return "\n".join(told)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    table = RichTable(box=None, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in right else "left", no_wrap=place in right)
    for row in rows:
        table.add_row(*(Text("\n".join(visible(part) for part in str(cell).split("\n"))) for cell in row))
    Console(highlight=False).print(table)
