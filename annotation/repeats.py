"""Hidden repeats: some tasks of a list come again half a list later, so that self-agreement can be measured."""

from __future__ import annotations

from collections.abc import Sequence, Set
from math import ceil

from gainsift.annotation.sampling import luck
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.rows import Assignment


def add_repeats(
    study_id: str, tasks: Sequence[Assignment], have: Sequence[Assignment], number: int, seed: int
) -> list[Assignment]:
    """Second looks at tasks of one list (one annotator and language pair), so that there are `number` of them.

    `tasks` are the list without repeats, `have` its repeats of an earlier plan, which stay where they are. Only main
    tasks of the first half come again, those without a shown pre-label first: there both looks are the person's own.
    A repeat never shows a pre-label, or it would measure how steady the lexicon is.

    Between a task and its repeat lies at least half of the list that this makes.
    """
    again = {task.item.item_id for task in have}
    early = sorted(tasks, key=_place)[: len(tasks) // 2]
    able = [task for task in early if task.role == "main" and task.item.item_id not in again]
    able.sort(key=lambda task: (task.prelabel_shown, luck(seed, f"repeat|{task.uid}"), task.uid))
    chosen = {task.uid for task in able[: max(0, number - len(have))]}
    return _later(study_id, sorted([*tasks, *have], key=_place), chosen)


def _place(task: Assignment) -> tuple[float, str]:
    return task.order, task.uid


def _later(study_id: str, base: Sequence[Assignment], chosen: Set[str]) -> list[Assignment]:
    """Put a repeat of each chosen task into `base` (a sorted list of b tasks), m repeats in all.

    The j-th chosen task (from 0), at place i of the base, has its repeat before place p = i - j + ⌈(b + m) / 2⌉. In
    the list of b + m tasks that results, p - i tasks of the base and j earlier repeats are then between the two, at
    least half of the list. As the chosen are in the first half of the base, p ≤ b; should repeats of an earlier plan
    have pushed one of them out of it, its own comes last.
    """
    found: list[Assignment] = []
    half = ceil((len(base) + len(chosen)) / 2)
    for place, task in enumerate(base):
        if task.uid not in chosen:
            continue
        before = min(place - len(found) + half, len(base))
        low = base[before - 1].order
        high = base[before].order if before < len(base) else low + 1 / len(base)
        found.append(
            Assignment(
                uid=task_uid(study_id, task.item.item_id, task.annotator, task.round, repeat=1),
                item=task.item,
                annotator=task.annotator,
                round=task.round,
                repeat=1,
                role="repeat",
                order=low + (high - low) * (len(found) + 1) / (len(chosen) + 1),
            )
        )
    return found
