"""Disagreements become tasks of the lead: which items, which readings, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from gainsift.annotation.assignment import place, write_assignments
from gainsift.annotation.current import Reading, current_judgements, reading, settled
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.campaign import ADJUDICATOR
from gainsift.schemas.rows import Annotation, Assignment, Item
from gainsift.schemas.study import Study


@dataclass(frozen=True)
class Adjudication:
    """Items by what becomes of them: `asked` are open tasks of the lead, of which `new` are new.

    `compared` were judged by two annotators or more, `differ` of them in label or sense. `settled` have a verdict
    that holds; `agreed` had a task that nobody has answered, and no longer differ: it is retired. `unplanned` differ
    but are no longer in the plan.
    """

    compared: int
    differ: int
    settled: int
    asked: int
    new: int
    agreed: int
    unplanned: int


def adjudicate(study: Study, dry_run: bool = False) -> Adjudication:
    """Bring the adjudication tasks in assignments.jsonl up to date with the judgements.

    Raises UserError if another command is at work on the study.
    """
    with one_at_a_time(study, "adjudicate"):
        assignments = study.assignments()
        lines = study.annotations()
        tasks, found = _tasks(study, assignments, lines)
        if not dry_run and tasks != [line for line in assignments if line.role == "adjudication"]:
            others = [line for line in assignments if line.role != "adjudication"]
            write_assignments(study, [*others, *tasks])
    return found


def adjudications_of(assignments: Iterable[Assignment]) -> dict[tuple[str, str], list[Assignment]]:
    """The open adjudication tasks in order, by (lead, language pair)."""
    lists: dict[tuple[str, str], list[Assignment]] = {}
    for line in sorted(assignments, key=lambda line: (line.batch, line.order, line.uid)):
        if line.role == "adjudication" and not line.retired:
            lists.setdefault((line.annotator, line.batch), []).append(line)
    return lists


def readings(votes: Mapping[str, Annotation]) -> list[Reading]:
    """The distinct readings of an item, sorted."""
    return sorted({reading(line) for line in votes.values()}, key=lambda one: (one[0], one[1] or ""))


def _tasks(
    study: Study, assignments: Sequence[Assignment], lines: Sequence[Annotation]
) -> tuple[list[Assignment], Adjudication]:
    """Every adjudication task there is to be, earlier ones first, and the figures."""
    votes = {key: found for key, found in current_judgements(study, lines).items() if len(found) > 1}
    differing = {key: found for key, of_item in votes.items() if len(found := readings(of_item)) > 1}
    decided = settled(study, lines)
    judged = {line.task_uid for line in lines if line.source == "adjudicated" and line.status == "judged"}
    planned = {item.content_key: item for item in study.items()}
    known = {line.uid: line for line in assignments if line.role == "adjudication"}
    wanted = {
        task.uid: task
        for key, competing in sorted(differing.items())
        if key in planned and key not in decided
        for task in [_task(study, planned[key], competing, judged)]
    }
    # what nobody has settled and nobody disagrees about any more is retired, and what was asked on an earlier page
    kept = [
        wanted.get(uid)
        or line.model_copy(
            update={"retired": uid not in judged or line.item.taxonomy_version != study.taxonomy.version}
        )
        for uid, line in known.items()
    ]
    new = [task for uid, task in wanted.items() if uid not in known]
    return [*kept, *new], Adjudication(
        compared=len(votes),
        differ=len(differing),
        settled=len(differing.keys() & decided),
        asked=len(wanted),
        new=len(new),
        agreed=sum(line.retired and not known[line.uid].retired for line in kept),
        unplanned=len(differing.keys() - planned.keys() - decided),
    )


def _task(study: Study, item: Item, competing: list[Reading], judged: set[str]) -> Assignment:
    """The lead's task for an item. Where an earlier verdict no longer holds, the next round asks anew."""
    number = 0
    while (uid := task_uid(study.id, item.item_id, ADJUDICATOR, number)) in judged:
        number += 1
    seed = study.config.annotation.seed
    return Assignment(
        uid=uid,
        item=item,
        annotator=ADJUDICATOR,
        round=number,
        role="adjudication",
        order=place(seed, ADJUDICATOR, item.item_id),
        competing=Random(f"{seed}|competing|{item.content_key}").sample(competing, len(competing)),
    )
