"""Second looks, control items and shown pre-labels: what measures the annotators, and must not show."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest
from label_studio_sdk.label_interface import LabelInterface

from gainsift.annotation.assignment import tasks_of
from gainsift.annotation.controls import IDEAS, Controls, page_of
from gainsift.annotation.export import export
from gainsift.annotation.hidden_tasks import filled_in
from gainsift.annotation.label_config import label_config
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.prelabel import PreLabel, prelabel
from gainsift.annotation.shown import senses_of
from gainsift.annotation.tasks import Pages, task
from gainsift.generation.lexicon import embedded_concepts
from gainsift.schemas.study import Study

STARTED = "2026-01-01T00:00:00+00:00"
WORDS = ["Hund", "dog", "Haus", "Katze", "chien", "xqz"]
"""Answers to `dog` into German: right, a copy, the other concept, wrong in four ways."""


@pytest.fixture
def many(row):
    """`count` rows of different answers, of which the lexicon can tell five of six."""

    def build(count, **options):
        answers = [f"{WORDS[n % len(WORDS)]}{'.' * (n // len(WORDS) + 1)}" for n in range(count)]
        found = [row(answer, **options) for answer in answers]
        return [one.model_copy(update={"row_id": f"{one.row_id}{number}"}) for number, one in enumerate(found)]

    return build


def lists(study):
    return tasks_of(study.assignments())


def changed(study, **changes):
    spec = study.config.annotation.model_copy(update=changes)
    return Study(study.folder, study.config.model_copy(update={"annotation": spec}))


# --- second looks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("count", [7, 60])
def test_repeats_are_a_share_of_the_main_tasks_half_a_list_later(share, count, many, planned) -> None:
    study = planned(many(count), annotation={"repeats": share})
    for tasks in lists(study).values():
        place = {(one.item.item_id, one.repeat): number for number, one in enumerate(tasks)}
        again = [one for one in tasks if one.role == "repeat"]
        # half of an odd list is rounded down: three of seven can come again
        assert len(again) == min(round(share * count), count // 2)
        assert {one.repeat for one in again} <= {1}
        for one in again:
            first, second = place[one.item.item_id, 0], place[one.item.item_id, 1]
            assert second - first >= len(tasks) / 2
            assert first < len(tasks) / 2
    uids = [one.uid for tasks in lists(study).values() for one in tasks]
    assert len(set(uids)) == len(uids)


def test_a_repeat_shows_the_same_page(many, planned) -> None:
    study = planned(many(40), annotation={"repeats": 0.25, "calibration": 3, "controls": 2})
    pages = Pages(study)
    tasks = lists(study)["ann", "en-de"]
    first = {one.item.item_id: task(pages, one) for one in tasks if one.role == "main"}
    again = {one.item.item_id: task(pages, one) for one in tasks if one.role == "repeat"}
    assert len(again) == 9  # a quarter of 37
    for item, made in again.items():
        assert made["data"].pop("uid") != first[item]["data"].pop("uid")
        assert json.dumps(made) == json.dumps(first[item])


def test_the_annotators_repeats_are_their_own(many, planned) -> None:
    study = planned(many(80), annotation={"repeats": 0.1})
    ann, ben = ({one.item.item_id for one in lists(study)[name, "en-de"] if one.repeat} for name in ("ann", "ben"))
    assert len(ann) == len(ben) == 8
    assert ann != ben


def test_shares_add_up_over_language_pairs(many, planned) -> None:
    """A tenth of 14 and of 16 main tasks: 3 of 30 in all, 1 and 2 of them by language pair."""
    study = planned([*many(14), *many(16, languages=("en", "fr"))], annotation={"repeats": 0.1})
    repeats = {key: sum(one.repeat for one in tasks) for key, tasks in lists(study).items() if key[0] == "ann"}
    assert repeats == {("ann", "en-de"): 1, ("ann", "en-fr"): 2}
    assert make_plan(study).summary.by_role == {"main": 60, "repeat": 6}


# --- controls ------------------------------------------------------------------------------------------------


def test_controls_are_made_up_sure_and_spread(many, planned) -> None:
    rows = [*many(60), *many(30, languages=("en", "fr"))]
    study = planned(rows, annotation={"controls": 9}, annotators=["ann", {"name": "ben", "languages": ["en", "de"]}])
    lexicon = Lexicon(study.concepts.values())
    real = {page_of(item) for item in study.items()}
    for name, pairs in (("ann", {"en-de": 6, "en-fr": 3}), ("ben", {"en-de": 9})):
        mine = [one for (who, _), tasks in lists(study).items() if who == name for one in tasks]
        controls = [one for one in mine if one.role == "control"]
        assert Counter(one.batch for one in controls) == pairs
        assert len({page_of(one.item) for one in controls}) == 9
        labels = Counter(one.expected for one in controls)
        assert len(labels) >= 5
        assert max(labels.values()) <= 3
        for one in controls:
            assert page_of(one.item) not in real
            assert prelabel(one.item, lexicon) == PreLabel(one.expected, one.expected_sense)
        others = [one.order for one in mine if one.role == "main"]
        assert min(others) < sorted(one.order for one in controls)[4] < max(others)
    by_name = [{one.item.item_id for one in study.assignments() if (one.annotator, one.role) == (name, "control")}
               for name in ("ann", "ben")]  # fmt: skip
    assert by_name[0] != by_name[1]


def test_a_control_has_nothing_of_its_own_on_the_page(many, planned) -> None:
    study = planned(many(40), annotation={"controls": 8})
    export(study, "test", STARTED)
    tasks = json.loads((study.tasks_folder / "ann.en-de.json").read_text("utf-8"))
    assert len(tasks) == 48
    assert len({frozenset(made["data"]) for made in tasks}) == 1
    assert {frozenset(made) for made in tasks} == {frozenset({"data"})}
    text = (study.tasks_folder / "ann.en-de.json").read_text("utf-8")
    assert not any(f'"{word}"' in text for word in ("control", "repeat", "role", "expected", "order"))


def test_more_controls_than_the_lexicon_has_are_noted(many, study_of) -> None:
    plan = make_plan(study_of(many(12), annotators=["ann"], annotation={"controls": 1000}))
    made = plan.summary.by_role["control"]
    assert 30 < made < 1000
    assert plan.summary.notes == [f"annotator 'ann' gets {made} control items instead of 1000: the lexicon has no more"]


def test_a_control_that_became_an_output_is_replaced(many, row, planned, study_of) -> None:
    study = planned(many(20), annotators=["ann"], annotation={"controls": 3})
    first, *rest = [one for one in study.assignments() if one.role == "control"]
    item = first.item
    output = row(item.answer, pair=(item.intended_concept, item.other_concept), checkpoint="secretmodel-step200")
    study_of([*many(20), output], annotators=["ann"], annotation={"controls": 3})
    after = {one.uid: one for one in make_plan(study).assignments}
    # the same annotator and item are the same task: it is judged as an output now
    assert (after[first.uid].role, after[first.uid].expected, after[first.uid].retired) == ("main", None, False)
    assert all(after[one.uid] == one for one in rest)
    assert sum(one.role == "control" and not one.retired for one in after.values()) == 3


@pytest.mark.parametrize("pair", [("en", "de"), ("de", "en"), ("en", "fr"), ("es", "it"), ("fr", "es")])
def test_controls_of_the_embedded_lexicon_have_one_answer(pair, row, planned) -> None:
    """By the lexicon: what is `correct` is no form of anything else, a sense is the only one with that form, ..."""
    concepts = embedded_concepts(["en", "de", "fr", "es", "it"])
    study = planned([row("Hund")])
    study.__dict__["concepts"] = {concept.id: concept for concept in concepts}
    lexicon = Lexicon(concepts)
    controls = Controls(study, lexicon, [])
    into, out = pair
    taken, labels = set(), Counter()
    for number in range(70):
        made = controls.make(into, out, number, Random(number), taken)
        assert made is not None
        taken.add(page_of(made.item))
        labels[made.label] += 1
        intended, other = (lexicon.concepts[name] for name in (made.item.intended_concept, made.item.other_concept))
        answer, meanings = made.item.answer, lexicon.meanings(out, made.item.answer)
        if made.label == "correct":
            assert meanings == {intended.id}
            assert answer in intended.reference[out]
        elif made.label == "other_concept":
            assert meanings == {other.id}
        elif made.label == "other_sense":
            carriers = [sense.id for sense in senses_of(intended, other) if sense.has(out, answer)]
            assert carriers == [made.sense]
            assert next(s for s in intended.senses if s.id == made.sense).has(into, made.item.shown_word)
        elif made.label == "homograph_copy":
            assert answer == made.item.shown_word
            assert meanings - {intended.id}
        elif made.label == "wrong_form":
            assert not meanings
            assert any(sorted(answer) == sorted(form) and answer != form for form in intended.reference[out])
        elif made.label == "wrong_language":
            assert not meanings
            assert any(lexicon.meanings(code, answer) for code in lexicon.languages if code not in pair)
        else:
            assert (made.label, answer) == ("empty", "")
    assert len(taken) == 70
    assert labels == dict.fromkeys(IDEAS, 10)


def test_only_labels_of_the_taxonomy_are_expected(many, planned, study_of) -> None:
    study = planned(many(20), annotators=["ann"])
    kept = [category for category in study.taxonomy.categories if category.id not in ("other_sense", "empty")]
    study.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"categories": kept})
    smaller = changed(study, controls=10)
    smaller.__dict__["taxonomy"] = study.taxonomy
    labels = {one.expected for one in make_plan(smaller).assignments if one.role == "control"}
    assert labels == set(IDEAS) - {"other_sense", "empty"}


# --- shown pre-labels ----------------------------------------------------------------------------------------


@pytest.fixture
def prefilled(many, planned):
    extra = {"prelabels": "shown", "audit": 0.3, "repeats": 0.2, "controls": 30, "calibration": 5}
    return planned([*many(300), *many(2, pair=("bank.river", "house"))], annotation=extra)


def test_labels_are_shown_on_all_but_the_audit(prefilled) -> None:
    lexicon = Lexicon(prefilled.concepts.values())
    looks = [one for one in prefilled.assignments() if one.role in ("main", "calibration")]
    for one in looks:
        found = prelabel(one.item, lexicon)
        assert (one.prelabel, one.prelabel_sense) == ((found.label, found.sense) if found else (None, None))
        assert one.prelabel is not None or not one.prelabel_shown
    known = [one for one in looks if one.prelabel]
    assert 0 < len(known) < len(looks)
    shown = sum(one.prelabel_shown for one in known)
    # a binomial share of 0.7, within four standard deviations
    assert abs(shown - 0.7 * len(known)) < 4 * (len(known) * 0.3 * 0.7) ** 0.5
    by_item = Counter(one.item.item_id for one in known if one.prelabel_shown)
    assert set(by_item.values()) == {1, 2}  # each task by itself, not each item


def test_a_prediction_is_what_label_studio_takes_and_nothing_for_the_bare(prefilled) -> None:
    pages = Pages(prefilled)
    interface = LabelInterface(label_config(prefilled.taxonomy))
    seen = Counter()
    for one in prefilled.assignments():
        made = task(pages, one)
        assert ("predictions" in made) == one.prelabel_shown
        if not one.prelabel_shown:
            continue
        (prediction,) = made["predictions"]
        assert interface.validate_prediction(prediction, return_errors=True) == []
        assert prediction["model_version"] == "prelabel"
        values = {part["from_name"]: part["value"] for part in prediction["result"]}
        expected = {"label": {"choices": [one.prelabel]}}
        if one.prelabel_sense:
            expected["sense"] = {"choices": [one.prelabel_sense]}
            assert one.prelabel_sense in {choice["alias"] for choice in made["data"]["senses"]}
        assert values == expected
        assert len({part["id"] for part in prediction["result"]}) == len(prediction["result"])
        seen[one.prelabel] += 1
    assert seen["correct"] > 20
    wrong = {"model_version": "prelabel", "score": 1.0, "result": [
        {"id": "x", "from_name": "label", "to_name": "answer", "type": "choices", "value": {"choices": ["no_label"]}}
    ]}  # fmt: skip
    assert interface.validate_prediction(wrong, return_errors=True)  # it does look


def test_repeats_are_bare_and_prefer_bare_firsts(prefilled) -> None:
    repeats = [one for one in prefilled.assignments() if one.role == "repeat"]
    assert repeats
    assert not any(one.prelabel or one.prelabel_shown for one in repeats)
    first = {(one.annotator, one.item.item_id): one for one in prefilled.assignments() if one.role == "main"}
    assert not any(first[one.annotator, one.item.item_id].prelabel_shown for one in repeats)
    # of any task, four in ten would have been shown
    assert sum(one.prelabel_shown for one in first.values()) > 0.4 * len(first)


def test_controls_are_filled_in_as_often_and_always_wrongly(prefilled) -> None:
    controls = [one for one in prefilled.assignments() if one.role == "control"]
    assert len(controls) == 60
    assert all(one.prelabel not in (None, one.expected) for one in controls)
    shown = sum(one.prelabel_shown for one in controls)
    assert abs(shown - 0.7 * 60) < 4 * (60 * 0.3 * 0.7) ** 0.5
    assert 0 < shown < 60


def test_nothing_is_filled_in_unless_asked_for(prefilled) -> None:
    for mode in ("off", "accept_reference"):
        plan = make_plan(changed(prefilled, prelabels=mode, round=1, audit=1.0))
        fresh = [one for one in plan.assignments if not one.retired]
        assert fresh
        assert not any(one.prelabel or one.prelabel_shown for one in fresh)
        assert not filled_in(changed(prefilled, prelabels=mode).config.annotation, "0" * 32)


def test_what_was_given_out_keeps_its_form(prefilled) -> None:
    """A page that is open in front of somebody does not change because study.yaml does."""
    before = prefilled.assignments()
    for changes in ({"prelabels": "off"}, {"audit": 0.9}, {"seed": 7}):
        plan = make_plan(changed(prefilled, **changes))
        assert plan.assignments[: len(before)] == before


def test_the_export_has_predictions_and_no_hidden_word(prefilled) -> None:
    export(prefilled, "test", STARTED)
    made = json.loads((prefilled.tasks_folder / "ann.en-de.json").read_text("utf-8"))
    expected = [one.prelabel_shown for one in lists(prefilled)["ann", "en-de"]]
    assert ["predictions" in one for one in made] == expected
    assert {frozenset(one["data"]) for one in made} == {frozenset(made[0]["data"])}


def test_the_plan_is_written_whole(prefilled) -> None:
    plan = make_plan(prefilled)
    write_plan(prefilled, plan, "test", STARTED)
    assert prefilled.assignments() == plan.assignments
    record = json.loads((prefilled.folder / "assignments.run.json").read_text("utf-8"))
    assert record["counts"] == plan.summary.by_role
    assert record["settings"]["annotation"]["prelabels"] == "shown"
