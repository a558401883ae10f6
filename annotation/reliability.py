"""How far an annotator can be relied on so far: with the others, with themself, and on items with a known answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gainsift.annotation.current import Votes, reading
from gainsift.schemas.rows import Annotation, Assignment, Role

LEAST_ITEMS = 2
"""Below so many common items neither percent nor kappa is given."""


@dataclass(frozen=True)
class Share:
    """`of` were looked at, `right` of them agreed."""

    right: int
    of: int

    @property
    def percent(self) -> float | None:
        return 100 * self.right / self.of if self.of else None


@dataclass(frozen=True)
class Agreement:
    """Labels of one annotator beside those of another, or of all others, on the `items` that they have in common.

    `same` of `pairs` pairs of labels are equal. Cohen's kappa is that of all these pairs, the others taken as one
    person. None below LEAST_ITEMS; kappa also where only one label was given.
    """

    items: int
    pairs: int
    same: int
    percent: float | None
    kappa: float | None


def with_others(votes: Votes, name: str, role: Role) -> Agreement:
    """An annotator beside everybody else, over items of a role (main or calibration)."""
    found = [
        [(str(of_item[name].label), str(line.label)) for other, line in of_item.items() if other != name]
        for of_item in votes.values()
        if name in of_item and of_item[name].role == role
    ]
    return _agreement([pairs for pairs in found if pairs])


def of_pairs(votes: Votes, names: Iterable[str], role: Role) -> dict[tuple[str, str], Agreement]:
    """Every two annotators who have items of a role in common."""
    found = {}
    for one, other in combinations(sorted(names), 2):
        both = [of_item for of_item in votes.values() if one in of_item and other in of_item]
        labels = [[(str(v[one].label), str(v[other].label))] for v in both if v[one].role == role]
        if labels:
            found[one, other] = _agreement(labels)
    return found


def _agreement(of_items: Sequence[Sequence[tuple[str, str]]]) -> Agreement:
    """Agreement of pairs of labels, listed by item."""
    from sklearn.metrics import cohen_kappa_score

    pairs = [pair for of_item in of_items for pair in of_item]
    same = sum(a == b for a, b in pairs)
    if len(of_items) < LEAST_ITEMS:
        return Agreement(len(of_items), len(pairs), same, None, None)
    labels = {label for pair in pairs for label in pair}
    kappa = float(cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs])) if len(labels) > 1 else math.nan
    percent = 100 * same / len(pairs)
    return Agreement(len(of_items), len(pairs), same, percent, kappa if math.isfinite(kappa) else None)


def disputed(votes: Votes, name: str) -> int:
    """Items that somebody reads otherwise than this annotator."""
    return sum(
        any(reading(line) != reading(of_item[name]) for line in of_item.values())
        for of_item in votes.values()
        if name in of_item
    )


def controls(lines: Iterable[Annotation], assignments: Mapping[str, Assignment]) -> Share:
    """Judgements of control items that are right: the label, and the sense where one is expected."""
    found = []
    for line in lines:
        task = assignments.get(line.task_uid)
        if line.role == "control" and task is not None and task.expected is not None:
            sense = task.expected_sense is None or line.sense == task.expected_sense
            found.append(line.label == task.expected and sense)
    return Share(sum(found), len(found))


def with_oneself(lines: Sequence[Annotation]) -> Share:
    """Second looks of one annotator that say the same as the first look of that item in that round."""
    first = {(line.content_key, line.round): line for line in lines if line.role in ("main", "calibration")}
    second = {(line.content_key, line.round): line for line in lines if line.role == "repeat"}
    both = [(first[key], line) for key, line in second.items() if key in first]
    return Share(sum(reading(one) == reading(other) for one, other in both), len(both))
