"""Simulated annotators: a stand-in for people in demonstrations and tests, never to be mistaken for them.

For each item a hidden label is fixed: the pre-label, or, where the lexicon cannot tell, a draw from UNKNOWN that
all annotators share. Each annotator then misreads it with their own error rate, drawn from ERROR_RATE, and replaces
it according to CONFUSION; now and then they skip the task or cannot tell. Every draw depends on the study's
seed, the annotator's name and the task alone, so adding items or people leaves the others as they were. Pre-labels on
the page sway nobody here: simulated judgements show no anchoring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from gainsift.annotation.assignment import tasks_of
from gainsift.annotation.judgements import Appended, append_new, machine_line
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.prelabel import PreLabel, prelabel
from gainsift.annotation.shown import senses_of
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Annotation, Assignment, Item
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import NOT_LISTED, SENSE_LABEL

WARNING = "These judgements are SIMULATED: no person has read an answer."
UNKNOWN: dict[str, float] = {"non_word": 0.6, "wrong_form": 0.2, "unrelated": 0.1, "related": 0.05, "hypernym": 0.05}
ERROR_RATE = (0.03, 0.12)
SKIP_RATE = 0.01
UNSURE_RATE = 0.02
WRONG_SENSE_RATE = 0.05
CONFUSION: dict[str, dict[str, float]] = {
    "correct": {"related": 0.4, "hyponym": 0.2, "wrong_form": 0.2, "other_sense": 0.2},
    "other_sense": {"unrelated": 0.4, "related": 0.3, "correct": 0.3},
    "homograph_copy": {"plain_copy": 0.7, "wrong_language": 0.2, "unrelated": 0.1},
    "plain_copy": {"homograph_copy": 0.5, "wrong_language": 0.5},
    "other_concept": {"unrelated": 0.8, "related": 0.2},
    "hypernym": {"related": 0.7, "correct": 0.3},
    "hyponym": {"related": 0.6, "correct": 0.4},
    "related": {"unrelated": 0.5, "hypernym": 0.3, "hyponym": 0.2},
    "wrong_form": {"correct": 0.5, "non_word": 0.5},
    "wrong_language": {"plain_copy": 0.3, "unrelated": 0.4, "non_word": 0.3},
    "non_word": {"wrong_form": 0.5, "wrong_language": 0.3, "cut_off": 0.2},
    "unrelated": {"related": 0.5, "non_word": 0.3, "wrong_language": 0.2},
    "cut_off": {"non_word": 0.8, "wrong_form": 0.2},
    "empty": {"cut_off": 1.0},
}
"""What a label is mistaken for, and how often among mistakes."""


@dataclass(frozen=True)
class Simulated:
    """Judgements by annotator and by label (`skipped` among them)."""

    annotators: dict[str, int]
    counts: dict[str, int]
    error_rates: dict[str, float]
    appended: Appended
    warning: str = WARNING


def simulate(study: Study) -> Simulated:
    """Judge every task of every annotator of study.yaml but adjudications; stored with source `simulated`.

    The hidden label of a control item is its known answer.

    Refuses a study in which a person has judged: made-up judgements do not belong beside theirs.
    """
    with one_at_a_time(study, "simulate"):
        return _simulate(study)


def _simulate(study: Study) -> Simulated:
    known = study.last_lines()
    people = sum(line.source == "human" for line in known.values())
    if people:
        raise UserError(
            str(study.annotations_file), f"holds {people} judgements of people", "simulate in a copy without them"
        )
    items, assignments = study.items(), study.assignments()
    if not assignments:
        raise UserError(str(study.assignments_file), "no task", f"run `gainsift annotate plan {study.folder}` first")
    lexicon = Lexicon(study.concepts.values())
    seed = study.config.annotation.seed
    hidden = {item.item_id: _hidden(study, item, lexicon) for item in items}
    mine: dict[str, list[Assignment]] = {}
    for (name, _), tasks in tasks_of(assignments).items():
        mine.setdefault(name, []).extend(tasks)
    lines: list[Annotation] = []
    rates = {}
    for person in study.config.annotation.annotators:
        rates[person.name] = error_rate(seed, person.name)
        for task in mine.get(person.name, []):
            about = PreLabel(task.expected, task.expected_sense) if task.expected else hidden[task.item.item_id]
            lines.append(_line(study, task, judge(task, about, study, lexicon), lexicon))
    return Simulated(
        dict(Counter(line.annotator for line in lines)),
        dict(Counter(line.label or "skipped" for line in lines).most_common()),
        rates,
        append_new(study, lines, known),
    )


def error_rate(seed: int, annotator: str) -> float:
    """The annotator's own rate of misreading, between the bounds of ERROR_RATE."""
    return Random(f"{seed}|{annotator}|rate").uniform(*ERROR_RATE)


def _hidden(study: Study, item: Item, lexicon: Lexicon) -> PreLabel:
    found = prelabel(item, lexicon)
    if found and found.label in study.taxonomy.ids:
        return found
    generator = Random(f"{study.config.annotation.seed}|hidden|{item.item_id}")
    return PreLabel(_pick(UNKNOWN, study.taxonomy.ids, generator) or study.taxonomy.ids[0])


def _line(study: Study, task: Assignment, found: PreLabel | None, lexicon: Lexicon) -> Annotation:
    """What was found for a task, as a judgement of it; a skip if that is None."""
    label, sense = (found.label, found.sense) if found else (None, None)
    line = machine_line(
        study.id, task.item, task.uid, task.annotator, "simulated", label, sense, study.taxonomy, lexicon
    )
    of_task = task.model_dump(include={"role", "round", "repeat", "prelabel", "prelabel_shown"})
    return line.model_copy(update=of_task if found else {**of_task, "status": "skipped"})


def judge(task: Assignment, hidden: PreLabel, study: Study, lexicon: Lexicon) -> PreLabel | None:
    """What the annotator makes of a task whose hidden label is `hidden`; None if they skip it.

    A second look, or a later round, is judged anew: the same person errs in other places.
    """
    seed, known, item, annotator = study.config.annotation.seed, study.taxonomy.ids, task.item, task.annotator
    again = f"|{task.round}|{task.repeat}" if task.round or task.repeat else ""
    generator = Random(f"{seed}|{annotator}|{item.item_id}{again}")
    chance = generator.random()
    if chance < SKIP_RATE:
        return None
    if chance < SKIP_RATE + UNSURE_RATE and "unsure" in known:
        return PreLabel("unsure")
    label, sense = hidden.label, hidden.sense
    if generator.random() < error_rate(seed, annotator):
        label = _pick(CONFUSION.get(label, {}), known, generator) or label
    if label != SENSE_LABEL:
        return PreLabel(label)
    others = [s.id for s in senses_of(lexicon.concepts[item.intended_concept], lexicon.concepts[item.other_concept])]
    if sense is None or generator.random() < WRONG_SENSE_RATE:
        sense = generator.choice([*(other for other in others if other != sense), NOT_LISTED])
    return PreLabel(label, sense)


def _pick(weights: Mapping[str, float], known: list[str], generator: Random) -> str | None:
    """A label by weight, among those that the taxonomy has."""
    labels = [label for label in weights if label in known]
    return generator.choices(labels, [weights[label] for label in labels])[0] if labels else None
