"""Reader of the long table of judgements: a csv with the columns item, annotator, label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gainsift.analysis.distances import PATH_SEPARATOR, SET_SEPARATOR, label_path, label_set
from gainsift.analysis.levels import Level
from gainsift.schemas.csv_records import csv_records
from gainsift.schemas.errors import UserError, did_you_mean

COLUMNS = ("item", "annotator", "label")
REMEDY = "give a csv with the columns item,annotator,label"
NO = ("", "0", "no", "false")
"""What stands in the column of repeats where a judgement is none."""


@dataclass(frozen=True)
class Further:
    """Names of further columns that are to be read: `weight` says how much an item counts (at its condition),
    `condition` where it occurs, `repeat` which judgements are hidden repeats (all but NO)."""

    weight: str | None = None
    condition: str | None = None
    repeat: str | None = None

    def named(self) -> list[str]:
        return [name for name in (self.weight, self.condition, self.repeat) if name is not None]


@dataclass(frozen=True)
class LongTable:
    """`labels` is item -> annotator -> label; `skipped` counts rows without a usable label and exact repetitions.

    `gaps` counts the former by what stands there ("": nothing), repeats left out.

    An item that has rows but no label is kept with no votes, so that it is counted. `occurs` is condition -> item ->
    weight, one condition "" where none was asked for; `repeats` is item -> annotator -> labels, in the file's order.
    """

    labels: dict[str, dict[str, str]]
    skipped: int
    occurs: dict[str, dict[str, float]]
    repeats: dict[str, dict[str, list[str]]]
    gaps: Counter[str]

    @property
    def asked(self) -> int:
        """Judgements and gaps together."""
        return sum(map(len, self.labels.values())) + self.gaps.total()

    @property
    def weights(self) -> dict[str, float]:
        """What each item counts over all conditions."""
        total: dict[str, float] = {}
        for items in self.occurs.values():
            for item, weight in items.items():
                total[item] = total.get(item, 0.0) + weight
        return total


def read_long_table(
    path: Path,
    level: Level = "nominal",
    further: Further | None = None,
    missing: Collection[str] = (),
    known: Collection[str] | None = None,
) -> LongTable:
    """Read and check a file. Columns that were not asked for are ignored; no label, and those of `missing`, are gaps.

    Two different labels of one annotator for one item are an error: which of them counts is not ours to choose; so
    are two weights of one item at one condition. Labels must be what `level` says: numbers are read as numbers, sets
    have no order (`a|b` is `b|a`); and among `known` if that is given. Raises UserError with file and line.
    """
    further, spelled = further or Further(), SPELLINGS.get(level, _as_it_stands)
    table = LongTable({}, 0, {}, {}, Counter())
    lines: dict[tuple[str, str], int] = {}
    places: set[tuple[str, str, str]] = set()
    skipped = 0
    for line, (item, annotator, label, *rest) in _rows(path, [*COLUMNS, *further.named()]):
        where = f"{path}:{line}"
        extra = dict(zip(further.named(), rest, strict=True))
        gap = label if label in missing else ""
        if label and known is not None and label not in known:
            raise UserError(where, f"unknown label {label!r}", did_you_mean(label, known))
        label = spelled(label, where) if label and not gap else ""
        if further.repeat and extra[further.repeat].casefold() not in NO:
            table.repeats.setdefault(item, {}).setdefault(annotator, []).extend([label] if label else [])
            skipped += not label
            continue
        votes = table.labels.setdefault(item, {})
        condition = _occurs(table.occurs, item, extra, further, where)
        if not label:
            skipped += 1
            table.gaps[gap] += 1
            continue
        if votes.setdefault(annotator, label) != label:
            raise UserError(
                where,
                f"annotator {annotator!r} labels item {item!r} {label!r} here"
                f" and {votes[annotator]!r} on line {lines[item, annotator]}",
                "keep one row for each item and annotator",
            )
        lines.setdefault((item, annotator), line)
        skipped += (item, annotator, condition) in places
        places.add((item, annotator, condition))
    return replace(table, skipped=skipped)


def _occurs(known: dict[str, dict[str, float]], item: str, extra: dict[str, str], further: Further, where: str) -> str:
    """Note the condition and weight of an item; returns the condition."""
    condition = extra[further.condition] if further.condition else ""
    if further.condition and not condition:
        raise UserError(where, f"no {further.condition}", "say at which condition the item occurs")
    weight = _weight(extra[further.weight], further.weight, where) if further.weight else 1.0
    before = known.setdefault(condition, {}).setdefault(item, weight)
    if before != weight:
        raise UserError(
            where,
            f"item {item!r} has the {further.weight} {weight:g} here and {before:g} further up",
            "give an item one weight" + (" at each condition" if further.condition else ""),
        )
    return condition


def _weight(text: str, name: str, where: str) -> float:
    try:
        weight = float(text)
        if not 0 <= weight < float("inf"):
            raise ValueError
    except ValueError:
        raise UserError(where, f"{name} {text!r} is not a finite number of 0 or more", "mend that row") from None
    return weight


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Line and fields, in the order of `columns`, of every row that is not blank."""
    records = csv_records(path, REMEDY)
    _, header = next(records, (0, []))
    if not header:
        raise UserError(str(path), "the file is empty", REMEDY)
    places = _places(path, header, columns)
    rows = [(line, [fields[place].strip() for place in places]) for line, fields in records]
    for line, cells in rows:
        for name, cell in zip(COLUMNS[:2], cells, strict=False):
            if not cell:
                raise UserError(f"{path}:{line}", f"no {name}", "mend or remove that row")
    if not rows:
        raise UserError(str(path), "no rows beneath the header", "give one row for each judgement")
    return rows


def _places(path: Path, header: list[str], columns: Sequence[str]) -> list[int]:
    names = [name.strip() for name in header]
    missing = [name for name in columns if name not in names]
    if missing:
        raise UserError(
            f"{path}:1",
            f"missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; found: {', '.join(names)[:200]}",
            f"the first line must name {','.join(columns)}, parted by commas",
        )
    twice = [name for name in columns if names.count(name) > 1]
    if twice:
        raise UserError(f"{path}:1", f"column {twice[0]} stands twice", "keep one of them")
    return [names.index(name) for name in columns]


def _number(label: str, where: str) -> str:
    """The label as one spelling of its number, so that 1 and 1.0 are one value."""
    try:
        value = float(label)
        if value - value != 0:  # infinite or not a number
            raise ValueError
    except ValueError:
        raise UserError(where, f"label {label!r} is not a number", "use --level nominal for names") from None
    if abs(value) > LARGEST:
        raise UserError(where, f"label {label!r} is too large to be squared", f"scale labels to {LARGEST:g} at most")
    return repr(int(value) if value.is_integer() and abs(value) < EXACT else value)  # -0.0 is 0


def _ratio(label: str, where: str) -> str:
    number = _number(label, where)
    if float(number) < 0:
        raise UserError(where, f"label {label!r} is below 0, which no ratio is", "use --level interval")
    return number


def _set(label: str, where: str) -> str:
    """Its labels in order, each once; the empty set is a separator alone."""
    return SET_SEPARATOR.join(sorted(label_set(label))) or SET_SEPARATOR


def _path(label: str, where: str) -> str:
    """Its steps without the spaces around them; the root is a separator alone."""
    return PATH_SEPARATOR.join(label_path(label)) or PATH_SEPARATOR


def _as_it_stands(label: str, where: str) -> str:
    return label


LARGEST = 1e150
"""Numbers above it have no square."""
EXACT = 1e15
"""Whole numbers below it are written as such."""
SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "ordinal": _number, "interval": _number, "ratio": _ratio, "jaccard": _set, "masi": _set, "path": _path,
}  # fmt: skip
"""By level: from a label and its place to the one spelling of what it means."""
