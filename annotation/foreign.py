"""Any Label Studio export (format JSON) as a long table of judgements: item, annotator, label.

A label is what was chosen in one Choices or Taxonomy field. Only one judgement of an annotator on an item counts, the
latest. Whatever is left out, joined or changed is counted.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from gainsift.annotation.identity import Accounts, Who
from gainsift.annotation.label_studio_json import Task, moment
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.spreadsheet import guarded, is_formula

PathPart = Literal["leaf", "top", "full"]
Multiple = Literal["join", "leave-out"]
Path = tuple[str, ...]
LONG_AGO = datetime.min.replace(tzinfo=UTC)
STEP, AND = " > ", " | "
"""Between the steps of a path; between the labels that were chosen together."""

DRAFTS = "drafts left out"
CANCELLED = "skipped tasks (cancelled annotations) left out"
GROUND_TRUTH = "ground-truth annotations left out"
EMPTY = "annotations without a label left out"
REGIONS = "labels of single regions left out"
MALFORMED = "results of another shape left out"
NO_AUTHOR = "annotations without an author left out"
SEVERAL = "judgements with several labels"
PARENT_ONLY = "judgements that stop above a leaf, kept as they are"
REPEATED = "earlier judgements of the same annotator on the same item left out"
SAME_LEAF = "labels that stand in several places of the tree and are not told apart"
FORMULAS = "cells with an apostrophe in front, for a spreadsheet would run them"


@dataclass(frozen=True)
class Choice:
    """One annotation: what was chosen, as paths of the tree (of one step where there is no tree)."""

    item: str
    who: Who
    time: datetime
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Table:
    """`rows`: item, annotator, label, items in the order of the export; `counts`: what else happened, by reason."""

    rows: list[tuple[str, str, str]]
    counts: dict[str, int]
    tasks: int

    @property
    def items(self) -> int:
        return len({item for item, _, _ in self.rows})

    @property
    def annotators(self) -> int:
        return len({name for _, name, _ in self.rows})

    @property
    def shared(self) -> int:
        """Items that two annotators or more have judged."""
        return sum(number > 1 for number in Counter(item for item, _, _ in self.rows).values())


def long_table(
    tasks: Sequence[Task],
    *,
    from_name: str | None = None,
    path: PathPart = "full",
    multiple: Multiple = "join",
    item_key: str | None = None,
    ground_truth: bool = False,
    keep_ids: bool = False,
) -> Table:
    """The table of one field. Annotators become `annotator 1` and so on, by the server's number of their account.

    `path`: the last step of a tree's path, the first, or all of them. `item_key`: the key of the task data that names
    the item, where tasks of several projects show the same; else the task's number does. `keep_ids`: the server's
    numbers instead of ours. Raises UserError if there is no such field, or several and none is named.
    """
    counts: Counter[str] = Counter()
    name = _field(tasks, from_name)
    choices = list(_choices(tasks, name, item_key, ground_truth, counts))
    inner = {one[:length] for choice in choices for one in choice.paths for length in range(1, len(one))}
    counts[PARENT_ONLY] = sum(any(one in inner for one in choice.paths) for choice in choices)
    labelled: dict[tuple[str, int | str], tuple[datetime, Who, str]] = {}
    places: dict[str, set[Path]] = {}
    for choice in choices:
        labels = set()
        for one in choice.paths:
            labels.add(_label(one, path))
            places.setdefault(_label(one, path), set()).add(one if path == "leaf" else ())
        counts[SEVERAL] += len(labels) > 1
        if len(labels) > 1 and multiple == "leave-out":
            continue
        key = (choice.item, choice.who.key or "")
        counts[REPEATED] += key in labelled
        if key not in labelled or choice.time >= labelled[key][0]:
            labelled[key] = choice.time, choice.who, AND.join(sorted(_apart(label, AND) for label in labels))
    counts[SAME_LEAF] = sum(len(found) > 1 for found in places.values())
    names = _names([who for _, who, _ in labelled.values()], keep_ids)
    rows = [(item, names[account], label) for (item, account), (_, _, label) in labelled.items()]
    counts[FORMULAS] = sum(is_formula(cell) for row in rows for cell in row)
    order = {item: number for number, item in enumerate(dict.fromkeys(item for item, _, _ in rows))}
    return Table(sorted(rows, key=lambda row: (order[row[0]], row[1])), dict(+counts), len(tasks))


def to_csv(table: Table) -> bytes:
    """UTF-8 with the columns item, annotator, label; text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["item", "annotator", "label"])
    writer.writerows([[guarded(cell) for cell in row] for row in table.rows])
    return out.getvalue().encode("utf-8", "backslashreplace")  # a lone surrogate stays told apart from another


def _field(tasks: Iterable[Task], wanted: str | None) -> str:
    """The name of the field to read, among the Choices and Taxonomy fields of the export."""
    found: Counter[str] = Counter()
    for _, task in tasks:
        for entry in task["annotations"]:
            for part in _parts(entry):
                if _kind(part):
                    found[str(part.get("from_name"))] += 1
    listed = ", ".join(f"{name} ({number:,} results)" for name, number in sorted(found.items()))
    if wanted is not None and wanted not in found:
        raise UserError("--from-name", f"no field {wanted!r} in these exports", did_you_mean(wanted, found))
    if not found:
        raise UserError("EXPORT", "no Choices or Taxonomy result in it", "name exports of a project with such a field")
    if wanted is None and len(found) > 1:
        raise UserError("EXPORT", f"several fields: {listed}", "name one of them with --from-name")
    return wanted if wanted is not None else next(iter(found))


def _choices(
    tasks: Iterable[Task], name: str, item_key: str | None, ground_truth: bool, counts: Counter[str]
) -> Iterator[Choice]:
    """Every annotation that has a label in the field."""
    numbers = _numbers(tasks)
    for where, task in tasks:
        counts[DRAFTS] += len(task.get("drafts") or [])
        item = _item(where, task, item_key)
        for entry in task["annotations"]:
            if entry.get("was_cancelled"):
                counts[CANCELLED] += 1
            elif entry.get("ground_truth") and not ground_truth:
                counts[GROUND_TRUTH] += 1
            elif not (paths := _paths(entry, name, counts)):
                counts[EMPTY] += 1
            elif (who := _author(entry.get("completed_by"), numbers)).key is None:
                counts[NO_AUTHOR] += 1
            else:
                time = moment(entry.get("updated_at") or entry.get("created_at")) or LONG_AGO
                yield Choice(item, who, time, paths)


def _parts(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    result = entry.get("result")
    for part in result if isinstance(result, list) else []:
        if isinstance(part, dict):
            yield part


def _kind(part: dict[str, Any]) -> str | None:
    """`choices` or `taxonomy`, if the part is the result of such a field."""
    value = part.get("value")
    return next((key for key in ("choices", "taxonomy") if isinstance(value, dict) and key in value), None)


def _paths(entry: dict[str, Any], name: str, counts: Counter[str]) -> tuple[Path, ...]:
    """What was chosen in a field, for the task as a whole. A parent ticked along with its child says nothing more."""
    found: dict[Path, None] = {}
    for part in _parts(entry):
        if str(part.get("from_name")) != name or (kind := _kind(part)) is None:
            continue
        if set(part["value"]) != {kind}:
            counts[REGIONS] += 1
            continue
        values = part["value"][kind]
        for value in values if isinstance(values, list) else [None]:
            steps = [value] if isinstance(value, str) else value
            if isinstance(steps, list) and steps and all(isinstance(step, str) for step in steps):
                if any(step.strip() for step in steps):
                    found[tuple(steps)] = None
            else:
                counts[MALFORMED] += 1
    return tuple(one for one in found if not any(one == other[: len(one)] and one != other for other in found))


def _label(path: Path, part: PathPart) -> str:
    if part == "full":
        return STEP.join(_apart(step, STEP) for step in path)
    return path[-1 if part == "leaf" else 0]


def _apart(text: str, sign: str) -> str:
    """A sign that parts steps or labels, standing within one, gets a backslash, so that no two labels read alike."""
    return text.replace(sign, f" \\{sign.strip()} ")


def _item(where: str, task: dict[str, Any], key: str | None) -> str:
    value = task.get("id") if key is None else task["data"].get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        if key is None:
            raise UserError(where, "has no number", "name the key of the data that tells items apart with --item-key")
        raise UserError(where, f"its data has no text or number under {key!r}", did_you_mean(key, task["data"]))
    return str(value)


def _numbers(tasks: Iterable[Task]) -> dict[str, int]:
    """The server's number of each account whose entries give its address somewhere, by lower-case address."""
    reader = Accounts(None, None)
    seen = (reader.who(entry.get("completed_by")) for _, task in tasks for entry in task["annotations"])
    return {who.email: who.number for who in seen if who.email and who.number is not None}


def _author(value: Any, numbers: Mapping[str, int]) -> Who:
    """Who annotated; where one file gives the address and another the number as well, it is one account."""
    who = Accounts(None, None).who(value)
    return replace(who, number=numbers.get(who.email)) if who.number is None and who.email else who


def _names(accounts: Sequence[Who], keep_ids: bool) -> dict[int | str, str]:
    """A pseudonym for each account by its key: in the order of the server's numbers, then those known by address."""
    keys = {who.key for who in accounts if who.key is not None}
    order = sorted(keys, key=lambda key: (isinstance(key, str), key))
    names = {key: f"annotator {number}" for number, key in enumerate(order, start=1)}
    return {key: str(key) if keep_ids and isinstance(key, int) else name for key, name in names.items()}
