"""Who judges what: every item in front of as many annotators as the study asks for, in an order of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from gainsift.annotation.tasks import task_uid
from gainsift.schemas.campaign import Annotator
from gainsift.schemas.files import write_jsonl
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, Study


def reads(annotator: Annotator, given: str, out: str) -> bool:
    """Whether the annotator reads both languages of an item; no languages listed means all."""
    return not annotator.languages or {given, out} <= set(annotator.languages)


def place(seed: int, annotator: str, item_id: str) -> float:
    """Where an item stands in an annotator's list: a number in [0, 1) that does not depend on other items."""
    digest = hashlib.sha256(f"{seed}|order|{annotator}|{item_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def assign(study: Study, items: Iterable[Item], earlier: Sequence[Assignment]) -> list[Assignment]:
    """The tasks of the planned items. Earlier ones stay as they are; those no longer wanted are retired."""
    spec = study.config.annotation
    wanted = {
        task_uid(study.id, item.item_id, person.name, spec.round): Assignment(
            uid=task_uid(study.id, item.item_id, person.name, spec.round),
            item=item,
            annotator=person.name,
            round=spec.round,
            order=place(spec.seed, person.name, item.item_id),
        )
        for person in spec.annotators
        for item in items
        if reads(person, item.input_language, item.output_language)
    }
    kept = [
        line.model_copy(update={"retired": line.role != "adjudication" and line.uid not in wanted}) for line in earlier
    ]
    known = {line.uid for line in kept}
    return kept + [line for uid, line in wanted.items() if uid not in known]


def write_assignments(study: Study, assignments: Iterable[Assignment]) -> None:
    """assignments.jsonl, whole or not at all."""
    write_jsonl(study.assignments_file, assignments, ASSIGNMENT_FORMAT)


def tasks_of(assignments: Iterable[Assignment]) -> dict[tuple[str, str], list[Assignment]]:
    """The tasks to be done, by (annotator, language pair) and in order; retired ones and adjudications left out."""
    lists: dict[tuple[str, str], list[Assignment]] = {}
    for line in assignments:
        if not line.retired and line.role != "adjudication":
            lists.setdefault((line.annotator, line.batch), []).append(line)
    return {key: sorted(lists[key], key=lambda line: (line.order, line.uid)) for key in sorted(lists)}
