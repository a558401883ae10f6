"""What is behind a number, for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from gainsift.analysis.trace import OUTPUT, Traced
from gainsift.schemas.rows import Annotation
from gainsift.schemas.spreadsheet import guarded

TERM = ("group", "unit", "cluster", "weight", "value", "total")
JUDGEMENT = ("judgement_id", "annotator", "label", "sense", "source", "role", "status", "created_at", "updated_at")
COLUMNS = ("term", *TERM, *OUTPUT, "item_id", "probability", "stands_as", *JUDGEMENT[:2],
           *(f"judgement_{one}" for one in JUDGEMENT[2:]))  # fmt: skip


def trace_json(found: Traced) -> dict[str, Any]:
    """Everything: the number, how it is made, its terms, outputs and judgements."""
    cell, entering = found.cell, found.entering
    return {
        "address": cell.address,
        "title": cell.table["title"],
        "column": cell.head,
        "signature": cell.row.get("signature", cell.table["signature"]),
        "value": cell.value,
        "reason": cell.reason,
        "formula": entering.formula,
        "made_again": entering.again,
        "agrees": found.agrees,
        "not_made_again": entering.instead,
        "seed": found.seed,
        "resamples": found.resamples,
        "changed_inputs": found.changed,
        "terms": [{name: _plain(value) for name, value in one.items()} for one in entering.terms.to_dict("records")],
        "outputs": [{name: _plain(value) for name, value in one.items()} for one in found.outputs.to_dict("records")],
        "judgements": [{"item_id": line.item_id, **_judgement(line)} for line in found.judgements],
    }


def trace_csv(found: Traced) -> str:
    """A row for each judgement of each output of each term; text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in _flat(found):
        writer.writerow({name: guarded(value) if isinstance(value, str) else value for name, value in row.items()})
    return out.getvalue()


def _flat(found: Traced) -> Iterator[dict[str, Any]]:
    outputs: dict[str, Mapping[Any, Any]] = {one["row_id"]: one for one in found.outputs.to_dict("records")}
    lines: dict[str, list[Annotation]] = defaultdict(list)
    for line in found.judgements:
        lines[line.item_id].append(line)
    ids = found.entering.lines
    for number, term in enumerate(found.entering.terms.to_dict("records"), start=1):
        own = {"term": number, **{name: _plain(term[name]) for name in TERM}}
        rows, items, labels = ([*term[name]] for name in ("rows", "items", "labels"))
        size = max(len(rows), len(items), 1)
        for place in range(size):
            row_id = rows[place] if place < len(rows) else ""
            output = {str(name): _plain(value) for name, value in outputs.get(row_id, {}).items()}
            item = items[place] if place < len(items) else output.get("item_id") or (items[0] if items else "")
            label = labels[place] if place < len(labels) else ""
            told = {**own, **output, "item_id": item, "stands_as": label}
            given = [one for one in lines.get(str(item), []) if ids is None or one.judgement_id == term["unit"]]
            for line in given:
                said = _judgement(line)
                yield told | {name if name in JUDGEMENT[:2] else f"judgement_{name}": said[name] for name in JUDGEMENT}
            if not given:
                yield told


def _judgement(line: Annotation) -> dict[str, Any]:
    return {name: "" if (value := getattr(line, name)) is None else value for name in JUDGEMENT}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
