"""Tasks among the others that measure the annotators: control items with a known answer, and second looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from random import Random

from gainsift.annotation.controls import Control, Controls, page_of
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.repeats import add_repeats
from gainsift.annotation.sampling import luck
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.campaign import AnnotationSpec
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import Study

CORRECT = "correct"
FALSE_ALARMS = ("unrelated", "wrong_form", "related")
"""What a right answer may be called wrongly, the first that the taxonomy has."""


def filled_in(spec: AnnotationSpec, uid: str) -> bool:
    """Whether a task's automatic label, if it has one, is shown: all but a random part `audit`, where labels are."""
    return spec.prelabels == "shown" and luck(spec.seed, f"bare|{uid}") >= spec.audit


def with_hidden(
    study: Study,
    looks: Sequence[Assignment],
    current: Sequence[Assignment],
    done: Collection[str],
    population: Sequence[Item],
) -> list[Assignment]:
    """`looks` (the main and calibration tasks) with controls and repeats. `current` are the round's earlier tasks.

    Those of an earlier plan stay as they are, as far as study.yaml still wants so many; judged ones stay in any case.
    """
    spec = study.config.annotation
    lists: dict[str, dict[str, list[Assignment]]] = {}
    for task in looks:
        lists.setdefault(task.annotator, {}).setdefault(task.batch, []).append(task)
    makes = any(line.role == "control" for line in current) or spec.controls
    controls = Controls(study, Lexicon(study.concepts.values()), population) if makes else None
    found: list[Assignment] = []
    for annotator in sorted(lists):
        own = [line for line in current if line.annotator == annotator]
        if controls is not None:
            for task in _controls(study, controls, annotator, lists[annotator], own, done):
                lists[annotator].setdefault(task.batch, []).append(task)
        numbers = _repeats(lists[annotator], spec.repeats)
        for batch, tasks in lists[annotator].items():
            there = {task.item.item_id for task in tasks if task.role == "main"}
            before = [
                line for line in own if line.role == "repeat" and line.batch == batch and line.item.item_id in there
            ]
            have = _kept(before, numbers[batch], done, spec.seed)
            found += [*tasks, *have, *add_repeats(study.id, tasks, have, numbers[batch], spec.seed)]
    return found


def _kept(lines: Sequence[Assignment], number: int, done: Collection[str], seed: int) -> list[Assignment]:
    """The first `number` of an earlier plan's tasks of one kind, judged ones before others and all of them."""
    ranked = sorted(lines, key=lambda line: (line.uid not in done, line.retired, luck(seed, f"kept|{line.uid}")))
    number = max(number, sum(line.uid in done for line in lines))
    return [line.model_copy(update={"retired": False}) for line in ranked[:number]]


def _repeats(batches: Mapping[str, Sequence[Assignment]], share: float) -> dict[str, int]:
    """How many repeats each language pair of an annotator gets: together, the share of all main tasks."""
    numbers: dict[str, int] = {}
    main = 0
    for batch in sorted(batches):
        before = round(main * share)
        main += sum(task.role == "main" for task in batches[batch])
        numbers[batch] = round(main * share) - before
    return numbers


def _controls(
    study: Study,
    controls: Controls,
    annotator: str,
    batches: Mapping[str, Sequence[Assignment]],
    own: Sequence[Assignment],
    done: Collection[str],
) -> list[Assignment]:
    """An annotator's control tasks, over the language pairs in proportion to their tasks."""
    spec = study.config.annotation
    earlier = [line for line in own if line.role == "control"]
    usable = [line for line in earlier if controls.holds(_control(line)) and line.batch in batches]
    have = _kept(usable, spec.controls, done, spec.seed)
    numbers = _in_proportion({batch: len(tasks) for batch, tasks in batches.items()}, spec.controls)
    numbers.subtract(line.batch for line in have)
    taken = {page_of(line.item) for line in earlier}
    first = int(luck(spec.seed, f"control|{annotator}") * len(controls.labels))
    made: list[Assignment] = []
    while len(have) + len(made) < spec.controls:
        batch = min(numbers, key=lambda name: (-numbers[name], name))
        into, out = batch.split("-")
        number = len(taken)
        generator = Random(f"{spec.seed}|control|{annotator}|{batch}|{spec.round}|{number}")
        control = controls.make(into, out, first + number, generator, taken)
        if control is None:
            del numbers[batch]
            if not numbers:
                break
            continue
        numbers[batch] -= 1
        taken.add(page_of(control.item))
        made.append(_task(study, annotator, control))
    return [*have, *made]


def _control(line: Assignment) -> Control:
    return Control(line.item, line.expected or "", line.expected_sense)


def _in_proportion(sizes: Mapping[str, int], total: int) -> Counter[str]:
    """`total` shared out in proportion to the sizes, by largest remainders."""
    exact = {name: total * size / sum(sizes.values()) for name, size in sizes.items()}
    numbers = Counter({name: int(share) for name, share in exact.items()})
    left = total - numbers.total()
    for name in sorted(exact, key=lambda name: (numbers[name] - exact[name], name))[:left]:
        numbers[name] += 1
    return numbers


def _task(study: Study, annotator: str, control: Control) -> Assignment:
    """A control's task, placed at random.

    Where pre-labels are shown, controls are filled in as often as other items that the lexicon knows, so that a bare
    page is no sign of one; and always with a WRONG label. A right one would be passed by whoever submits each page
    unread, and measure nothing; a wrong one is passed only by reading the answer and correcting the form, which is
    just what is asked of people where labels are filled in.
    """
    spec, taxonomy = study.config.annotation, study.taxonomy
    uid = task_uid(study.id, control.item.item_id, annotator, spec.round)
    others = FALSE_ALARMS if control.label == CORRECT else (CORRECT,)
    wrong = next((label for label in others if label in taxonomy.ids), None) if spec.prelabels == "shown" else None
    return Assignment(
        uid=uid,
        item=control.item,
        annotator=annotator,
        round=spec.round,
        role="control",
        order=luck(spec.seed, f"order|{annotator}|{control.item.item_id}"),
        expected=control.label,
        expected_sense=control.sense,
        prelabel=wrong,
        prelabel_shown=wrong is not None and filled_in(spec, uid),
    )
