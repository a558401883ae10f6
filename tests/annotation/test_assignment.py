"""Who is asked what: overlap, calibration, and what stays when the study, the people or the rounds change."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from gainsift.annotation.assignment import assign, tasks_of, write_assignments
from gainsift.annotation.judgements import machine_line
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.schemas.files import append_jsonl
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import ANNOTATION_FORMAT, Study
from gainsift.schemas.validity import validity

FIRST, LAST = "secretmodel-step100", "secretmodel-step200"
READERS = [
    {"name": "ann"},
    {"name": "ben", "languages": ["en", "de"]},
    {"name": "eva", "languages": ["en", "de", "fr"]},
    {"name": "ida", "languages": ["en", "fr"]},
]


@pytest.fixture
def words(row):
    """words(n, languages=..., checkpoint=...) -> n rows of different answers."""

    def build(count, start=0, **options):
        answers = [f"w{number}" for number in range(start, start + count)]
        found = [row(answer, **options) for answer in answers]
        return [one.model_copy(update={"row_id": f"{one.row_id}-{one.answer}"}) for one in found]

    return build


def planned_again(study: Study, **changes) -> Study:
    """Plan and write, under a changed `annotation` section."""
    spec = study.config.annotation.model_copy(update=changes)
    study = Study(study.folder, study.config.model_copy(update={"annotation": spec}))
    write_plan(study, make_plan(study), "test", "2026-01-01T00:00:00+00:00")
    return study


def judge(study: Study, tasks: list[Assignment], label: str = "correct") -> None:
    """People judge tasks, today and under today's taxonomy."""
    lexicon = Lexicon(study.concepts.values())
    lines = []
    for task in tasks:
        made = machine_line(study.id, task.item, task.uid, task.annotator, "auto", label, None, study.taxonomy, lexicon)
        of_task = {
            "source": "human",
            "judgement_id": f"j-{task.uid}",
            **task.model_dump(include={"role", "round", "repeat"}),
        }
        lines.append(made.model_copy(update=of_task))
    append_jsonl(study.annotations_file, lines, ANNOTATION_FORMAT)


def active(study: Study) -> list[Assignment]:
    return [line for line in study.assignments() if not line.retired]


def askers(study: Study) -> dict[str, set[str]]:
    """item id -> who has its task."""
    found: dict[str, set[str]] = {}
    for line in active(study):
        found.setdefault(line.item.item_id, set()).add(line.annotator)
    return found


# --- overlap -------------------------------------------------------------------------------------------------


def test_every_item_has_as_many_readers_as_asked_and_no_others(words, planned) -> None:
    rows = [*words(40), *words(30, languages=("en", "fr"))]
    study = planned(rows, annotators=READERS, annotation={"overlap": 2})
    reads = {"en-de": {"ann", "ben", "eva"}, "en-fr": {"ann", "eva", "ida"}}
    pairs = {item.item_id: f"{item.input_language}-{item.output_language}" for item in study.items()}
    asked = askers(study)
    assert asked.keys() == pairs.keys()
    assert all(len(names) == 2 and names <= reads[pairs[item]] for item, names in asked.items())
    # 140 tasks of four people, 35 each: ben and ida can have up to 40 and 30
    loads = Counter(line.annotator for line in active(study))
    assert sorted(loads.values())[0] >= 30
    assert max(loads.values()) <= 37
    summary = make_plan(study).summary
    assert (summary.judgements, summary.by_role) == (140, {"main": 140})
    assert {load.annotator: load.items for load in summary.loads} == loads


def test_the_smallest_number_that_two_share_is_counted_over_those_who_share_a_language_pair(words, planned) -> None:
    rows = [*words(20), *words(20, languages=("en", "fr"))]
    study = planned(rows, annotators=READERS, annotation={"overlap": 2})
    asked = askers(study)
    able = [pair for pair in combinations(["ann", "ben", "eva", "ida"], 2) if pair != ("ben", "ida")]
    summary = make_plan(study).summary
    assert summary.least_shared == min(sum(set(pair) <= names for names in asked.values()) for pair in able)
    assert any("too few for a kappa" in note for note in summary.notes)


def test_too_few_readers_are_all_asked_and_noted(words, study_of) -> None:
    study = study_of([*words(3), *words(2, languages=("de", "en"))], annotation={"overlap": 3})
    plan = make_plan(study)
    assert len(plan.assignments) == 10
    notes = [note for note in plan.summary.notes if "instead of" in note]
    assert notes == [
        "2 items de-en are judged by 2 instead of 3: no more annotators read both languages",
        "3 items en-de are judged by 2 instead of 3: no more annotators read both languages",
    ]


def test_nothing_depends_on_the_order_of_items_or_annotators(words, study_of) -> None:
    extra = {"overlap": 2, "calibration": 3, "repeats": 0.3, "controls": 2}
    study = study_of([*words(30), *words(20, languages=("en", "fr"))], annotators=READERS, annotation=extra)
    plan = make_plan(study)
    spec = study.config.annotation
    turned = spec.model_copy(update={"annotators": spec.annotators[::-1]})
    other = Study(study.folder, study.config.model_copy(update={"annotation": turned}))
    assert assign(other, plan.items[::-1], [], population=plan.items[::-1]) == plan.assignments
    reseeded = Study(study.folder, study.config.model_copy(update={"annotation": spec.model_copy(update={"seed": 7})}))
    assert make_plan(reseeded).assignments != plan.assignments


# --- calibration ---------------------------------------------------------------------------------------------


def test_calibration_items_come_first_and_everybody_who_reads_them_gets_them(words, planned) -> None:
    rows = [*words(25), *words(25, languages=("en", "fr"))]
    study = planned(rows, annotators=READERS, annotation={"overlap": 1, "calibration": 4})
    chosen = {line.item.item_id: line.batch for line in active(study) if line.role == "calibration"}
    assert Counter(chosen.values()) == {"en-de": 4, "en-fr": 4}
    asked = askers(study)
    assert all(
        asked[item] == ({"ann", "ben", "eva"} if batch == "en-de" else {"ann", "eva", "ida"})
        for item, batch in chosen.items()
    )
    assert all(len(names) == 1 for item, names in asked.items() if item not in chosen)
    for tasks in tasks_of(study.assignments()).values():
        assert [task.role for task in tasks[:4]] == ["calibration"] * 4
        assert all(task.order < 0 for task in tasks[:4])
        assert all(0 <= task.order < 1 for task in tasks[4:])


def test_calibration_items_stay_when_the_study_grows(words, planned, study_of) -> None:
    options = {"annotation": {"overlap": 1, "calibration": 4}, "annotators": READERS}
    small = planned(words(10), **options)
    before = {line.item.item_id for line in active(small) if line.role == "calibration"}
    grown = study_of(words(300), **options)
    write_plan(grown, make_plan(grown), "test", "2026-01-01T00:00:00+00:00")
    assert {line.item.item_id for line in active(grown) if line.role == "calibration"} == before
    # without a past the lots of 300 items fall otherwise
    grown.assignments_file.unlink()
    afresh = make_plan(grown).assignments
    assert {line.item.item_id for line in afresh if line.role == "calibration"} != before


def test_who_joins_later_gets_the_calibration_items_too(words, planned) -> None:
    study = planned(words(20), annotators=READERS[:2], annotation={"overlap": 1, "calibration": 3})
    person = study.config.annotation.annotators[0].model_copy(update={"name": "new"})
    study = planned_again(study, annotators=[*study.config.annotation.annotators, person])
    roles = Counter(line.role for line in active(study) if line.annotator == "new")
    assert roles["calibration"] == 3


# --- what stays ----------------------------------------------------------------------------------------------


def test_a_second_plan_changes_nothing(words, planned) -> None:
    extra = {"overlap": 2, "calibration": 3, "repeats": 0.2, "controls": 3, "prelabels": "shown"}
    study = planned([*words(40), *words(30, languages=("en", "fr"))], annotators=READERS, annotation=extra)
    before = study.assignments_file.read_bytes()
    judge(study, active(study)[::3])
    assert planned_again(study).assignments_file.read_bytes() == before


def test_checkpoints_added_later_bring_only_their_new_items(words, planned, study_of) -> None:
    options = {"annotators": ["ann", "ben", "eva"], "annotation": {"overlap": 2}}
    study = planned(words(20), **options)
    old = study.assignments()
    judge(study, old[:15])
    grown = study_of([*words(20), *words(20, start=10, checkpoint=LAST)], **options)
    plan = make_plan(grown)
    assert len(plan.items) == 30  # ten of the later checkpoint's answers are known
    assert plan.assignments[: len(old)] == old
    new = plan.assignments[len(old) :]
    assert len(new) == 20
    assert {line.item.answer for line in new} == {f"w{number}" for number in range(20, 30)}
    assert (plan.summary.judgements, plan.summary.done, plan.summary.to_do) == (60, 15, 45)


def test_who_leaves_has_their_open_tasks_given_to_others_and_gets_them_back(words, planned) -> None:
    study = planned(words(30), annotators=["ann", "ben", "eva"], annotation={"overlap": 2})
    people = study.config.annotation.annotators
    bens = [line for line in active(study) if line.annotator == "ben"]
    judge(study, bens[:5])
    fewer = planned_again(study, annotators=[people[0], people[2]])
    known = {line.uid: line for line in fewer.assignments()}
    assert all(known[line.uid].retired for line in bens)
    judged = {line.item.item_id for line in bens[:5]}
    for item, names in askers(fewer).items():
        assert len(names) == (1 if item in judged else 2)
    summary = make_plan(fewer).summary
    assert (summary.judgements, summary.done) == (60, 5)

    # back again: what is still wanted of ben is the task that is known, not a second one
    wider = planned_again(fewer, annotators=people, overlap="all")
    lines = wider.assignments()
    assert len({line.uid for line in lines}) == len(lines) == 90
    assert not any(line.retired for line in lines)
    assert [known[line.uid].model_copy(update={"retired": False}) for line in bens] == [
        line for line in lines if line.annotator == "ben" and line.uid in known
    ]


def test_a_smaller_overlap_takes_back_open_tasks_alone(words, planned) -> None:
    study = planned(words(12), annotators=["ann", "ben", "eva"], annotation={"overlap": 3})
    judge(study, [line for line in active(study) if line.annotator in ("ann", "ben")][:20])
    judged = {line.task_uid for line in study.annotations()}
    study = planned_again(study, overlap=1)
    by_item: dict[str, list[Assignment]] = {}
    for line in active(study):
        by_item.setdefault(line.item.item_id, []).append(line)
    for lines in by_item.values():
        ready = [line for line in lines if line.uid in judged]
        assert len(lines) == max(1, len(ready))
    assert judged <= {line.uid for line in active(study)}


def test_items_that_left_the_plan_are_retired_and_come_back(words, planned, study_of) -> None:
    rows = words(10)
    study = planned(rows)
    before = study.assignments()
    study_of(rows[:6])
    fewer = planned_again(study)
    gone = {row.answer for row in rows[6:]}
    assert {line.item.answer for line in fewer.assignments() if line.retired} == gone
    study_of(rows)
    assert planned_again(fewer).assignments() == before


def test_a_judgement_under_an_earlier_taxonomy_counts_as_long_as_it_holds(words, planned) -> None:
    study = planned(words(6), annotators=["ann", "ben"], annotation={"overlap": 1})
    judge(study, active(study)[:4])
    newer = Study(study.folder, study.config)
    newer.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"version": "2"})
    plan = make_plan(newer)
    open_ = [line for line in plan.assignments if not line.retired]
    judged = {line.content_key for line in study.annotations()}
    assert {line.item.content_key for line in open_} == {item.content_key for item in plan.items} - judged
    assert (plan.summary.judgements, plan.summary.done, plan.summary.to_do) == (6, 4, 2)

    # another definition of their label: none of the four holds, all six are asked
    redefined = [
        category.model_copy(update={"definition": "other"}) if category.id == "correct" else category
        for category in study.taxonomy.categories
    ]
    newer.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"version": "2", "categories": redefined})
    again = make_plan(newer)
    assert (again.summary.done, again.summary.to_do) == (0, 6)
    assert again.summary.earlier == {"human": {"label_redefined": 4}}


def test_a_later_round_asks_everything_anew(words, planned) -> None:
    study = planned(words(8), annotation={"calibration": 2, "repeats": 0.5, "controls": 1})
    judge(study, active(study))
    before = {line.uid for line in study.assignments()}
    study = planned_again(study, round=1)
    lines = study.assignments()
    assert {line.uid for line in lines if line.retired} == before
    assert {(line.round, line.retired) for line in lines} == {(0, True), (1, False)}
    assert make_plan(study).summary.done == 0
    # judged in the later round counts in the earlier one
    judge(study, active(study))
    assert make_plan(planned_again(study, round=0)).summary.to_do == 0


@pytest.mark.parametrize("change", [{"role": "control"}, {"role": "repeat", "repeat": 1}, {"source": "simulated"},
                                    {"status": "skipped", "label": None}, {"status": "withdrawn"}])  # fmt: skip
def test_only_peoples_first_looks_count_towards_the_overlap(change, words, planned) -> None:
    study = planned(words(3), annotators=["ann", "ben"], annotation={"overlap": 1})
    judge(study, active(study))
    lines = [line.model_copy(update=change) for line in study.annotations()]
    append_jsonl(study.annotations_file, lines, ANNOTATION_FORMAT)
    plan = make_plan(study)
    assert (plan.summary.judgements, plan.summary.done) == (3, 0)


def test_adjudications_are_left_alone(words, planned) -> None:
    study = planned(words(5))
    (line, *_) = study.assignments()
    verdict = Assignment(uid="0" * 32, item=line.item, annotator="lead", role="adjudication", round=3,
                         competing=[("correct", None), ("related", None)])  # fmt: skip
    finished = verdict.model_copy(update={"uid": "1" * 32, "retired": True})
    write_assignments(study, [verdict, *study.assignments(), finished])
    study = planned_again(study, overlap=1, controls=1)
    lines = study.assignments()
    assert (lines[0], lines[11]) == (verdict, finished)
    assert not any(task.role == "adjudication" for tasks in tasks_of(lines).values() for task in tasks)


def test_validity_is_the_same_looked_at_once_or_one_by_one(words, planned) -> None:
    """The plan remembers what it found for judgements that look alike; a slow recount says the same."""
    study = planned(words(6))
    judge(study, active(study)[:4])
    judge(study, active(study)[4:8], "related")
    lines = study.annotations()
    changes = [{"label_fingerprint": "0" * 16}, {"concept_fingerprints": ["0", "1"]}, {"label": "gone"}]
    changed = [line.model_copy(update=change) for line, change in zip(lines, changes, strict=False)]
    append_jsonl(study.annotations_file, changed, ANNOTATION_FORMAT)
    slow = Counter(validity(line, study.taxonomy, study.concepts) for line in study.annotations())
    assert slow == {"valid": 5, "label_redefined": 1, "concept_changed": 1, "label_gone": 1}
    assert make_plan(study).summary.earlier == {"human": dict(slow)}
