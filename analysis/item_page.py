"""The list of items as the page holds it: what each row shows, and what it can be filtered by, as numbers.

Texts that recur are held once. A filter is a list of numbered values; a row holds, for each filter, the numbers that
it has, and an option the numbers that it lets through. templates/items.js does the rest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gainsift.analysis.item_list import AFTER, BEFORE, LEFT_OUT, VOTING, ListedItem
from gainsift.analysis.shares import KINDS
from gainsift.analysis.wording import answered
from gainsift.schemas.taxonomy import Taxonomy
from gainsift.schemas.visible_text import visible

PLACES = 2
"""Conditions that a row names; of the others it tells the number."""
UNDECIDED = {"tie": "undecided: a tie", "missing": "undecided: cannot be judged", "unjudged": "undecided: not judged"}


@dataclass(frozen=True)
class Head:
    head: str
    look: str = ""


COLUMNS = (
    Head("Languages"), Head("Word"), Head("Answer", "answer"), Head("Word list"), Head("Meaning"), Head("Verdict"),
    Head("Kind"), Head("Votes", "votes"), Head("Outputs", "n"), Head("Where"),
)  # fmt: skip
SEARCHED, NUMERIC = (1, 2, 3, 4), 8


@dataclass(frozen=True)
class Filter:
    """One select: its options, in groups, each with the numbers that it lets through."""

    name: str
    groups: Sequence[tuple[str, Sequence[tuple[str, Sequence[int]]]]]


@dataclass(frozen=True)
class ItemsOnPage:
    """`data` goes to the script as JSON: `texts`, and `rows` of (cells, numbers for each filter)."""

    count: int
    columns: Sequence[Head]
    filters: Sequence[Filter]
    data: dict[str, Any]


def items_on_page(listed: Sequence[ListedItem], taxonomy: Taxonomy) -> ItemsOnPage:
    """The list with its filters: languages, verdict, kind, where it occurs, and whether annotators disagreed."""
    labels = {category.id: category.label for category in taxonomy.categories}
    languages = list(dict.fromkeys(one.languages for one in listed))
    verdicts = [*taxonomy.ids, *UNDECIDED]
    conditions = list(dict.fromkeys(name for one in listed for name in one.conditions))
    contrasts = list(dict.fromkeys(name for one in listed for name, _ in one.sides))
    places = [*conditions, *((name, side) for name in contrasts for side in (BEFORE, AFTER))]
    known: list[Sequence[Hashable]] = [languages, verdicts, KINDS, places, VOTING]
    numbers = [{value: number for number, value in enumerate(values)} for values in known]
    texts: dict[str, int] = {}
    rows: list[tuple[list[int], list[list[int]]]] = []
    for one in listed:
        own: list[Sequence[Hashable]] = [
            [one.languages], _verdicts(one), one.kinds, [*one.conditions, *one.sides], [one.voting]
        ]  # fmt: skip
        codes = [[of[value] for value in values] for of, values in zip(numbers, own, strict=True)]
        cells = [texts.setdefault(cell, len(texts)) if isinstance(cell, str) else cell
                 for cell in _cells(one, labels)]  # fmt: skip
        rows.append((cells, codes))
    used = [{code for _, codes in rows for code in codes[place]} for place in range(len(numbers))]
    first = len(conditions)
    where = [
        ("Contrasts", [(name, [first + 2 * n, first + 2 * n + 1]) for n, name in enumerate(contrasts)]),
        ("One side of a contrast", [(f"{name}, {side}", [first + 2 * n + m]) for n, name in enumerate(contrasts)
                                    for m, side in enumerate((BEFORE, AFTER))]),
        ("Conditions", [(name, [n]) for n, name in enumerate(conditions)]),
    ]  # fmt: skip
    told = {**labels, **UNDECIDED}
    filters = [
        Filter("Languages", _plainly(languages, used[0])),
        Filter("Verdict", _plainly([told[name] for name in verdicts], used[1])),
        Filter("Kind", _plainly([_kind(kind) for kind in KINDS], used[2])),
        Filter("Occurs in", [group for group in where if group[1]]),
        Filter("Annotators", _plainly(VOTING, used[4])),
    ]
    data = {"texts": [visible(text) for text in texts], "rows": rows, "searched": SEARCHED, "numeric": NUMERIC}
    return ItemsOnPage(len(listed), COLUMNS, filters, data)


def _plainly(names: Iterable[str], used: set[int]) -> list[tuple[str, list[tuple[str, Sequence[int]]]]]:
    """Options without groups, those alone that some row has."""
    return [("", [(name, [number]) for number, name in enumerate(names) if number in used])]


def _verdicts(one: ListedItem) -> list[str]:
    return [label for label, _ in one.verdicts] or [one.undecided]


def _kind(kind: str) -> str:
    return kind.replace("_", " ")


def _cells(one: ListedItem, labels: dict[str, str]) -> list[str | int]:
    verdict = ", ".join(
        labels[label] + (f" {100 * share:.0f} %" if share != 1 else "") for label, share in one.verdicts
    )
    verdict = verdict or UNDECIDED[one.undecided]
    verdict += (" (adjudicated)" if one.adjudicated else "") + (f"; {LEFT_OUT[one.left_out]}" if one.left_out else "")
    further = len(one.conditions) - PLACES
    return [
        one.languages,
        one.word,
        answered(one.answer, one.closed),
        ", ".join(one.reference),
        one.gloss,
        verdict,
        ", ".join(_kind(kind) for kind in one.kinds),
        _votes(one, labels),
        one.outputs,
        "; ".join(one.conditions[:PLACES]) + (f"; and {further} more" if further > 0 else ""),
    ]


def _votes(one: ListedItem, labels: dict[str, str]) -> str:
    """`Wrong form: a1, a3; Not a word: a2`, the label with most votes first."""
    said: dict[str, list[str]] = {}
    for who, label in one.votes:
        said.setdefault(label, []).append(who)
    ranked = sorted(said.items(), key=lambda vote: -len(vote[1]))
    return "; ".join(f"{labels[label]}: {', '.join(who)}" for label, who in ranked)
