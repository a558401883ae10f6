"""Label Studio exports become judgements: nothing lost, nothing twice, nothing half-written."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gainsift.annotation.assignment import tasks_of
from gainsift.annotation.export import export
from gainsift.annotation.label_studio_export import import_exports
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.shown import answer_html
from gainsift.annotation.tasks import task_lines
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import Item
from gainsift.schemas.study import ITEMS_FORMAT, Study
from gainsift.schemas.validity import validity

STARTED = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def ready(row, planned):
    """A study of three answers with its tasks exported, and the data of ann's tasks by answer."""
    rows = [
        row("Bank", pair=("bank.river", "house")),
        row("Hund"),
        row("xyz", checkpoint="secretmodel-step200"),
    ]
    study = planned(rows)
    export(study, "test", STARTED)
    return study, tasks_by_answer(study, "ann")


def tasks_by_answer(study, person):
    by_html = {}
    for task in json.loads((study.tasks_folder / f"{person}.en-de.json").read_text("utf-8")):
        by_html[task["data"]["answer_html"]] = task["data"]
    return {item.answer: by_html[answer_html(item.answer)] for item in study.items()}


def write(study, tasks, name="export.json"):
    path = study.folder / name
    path.write_text(json.dumps(tasks), "utf-8")
    return path


def lines(study):
    if not study.annotations_file.exists():
        return []
    return [json.loads(line) for line in study.annotations_file.read_text("utf-8").splitlines()]


# --- what comes in -------------------------------------------------------------------------------------------


def test_a_judgement_carries_everything(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    file = write(study, [ls_task(tasks["Bank"], 11, ls_annotation(5, "other_sense", "bank.money", comment="seen"))])
    found = import_exports(study, [file])
    assert (found.tasks, found.untouched, found.lines) == (1, 0, {"judged": 1})
    assert found.appended.added == 1
    (line,) = study.annotations()
    (bank,) = [item for item in study.items() if item.answer == "Bank"]
    assert line.item == bank
    assert (line.item_id, line.content_key) == (bank.item_id, bank.content_key)
    assert (line.annotator, line.source, line.status) == ("ann", "human", "judged")
    assert (line.label, line.sense, line.comment) == ("other_sense", "bank.money", "seen")
    assert line.judgement_id == "00000000-0000-4000-8000-000000000005"
    assert (line.lead_time, line.updated_at) == (4.25, "2026-02-01T11:00:00.000000Z")
    assert line.study == study.id
    assert line.concept_fingerprints == [study.concepts[c].fingerprint() for c in ("bank.river", "house")]
    assert validity(line, study.taxonomy, study.concepts) == "valid"


def test_names_and_addresses_are_not_stored(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    import_exports(study, [write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    text = study.annotations_file.read_text("utf-8")
    assert "example.org" not in text
    assert "Real" not in text


def test_importing_twice_adds_nothing(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    file = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])
    import_exports(study, [file])
    before = study.annotations_file.read_bytes()
    again = import_exports(study, [file, file])
    assert (again.appended.added, again.appended.changed, again.appended.unchanged) == (0, 0, 2)
    assert study.annotations_file.read_bytes() == before


def test_a_changed_judgement_is_another_line_and_stands(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    old = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))], "old.json")
    changed = ls_annotation(1, "related", updated="2026-02-02T09:00:00.000000Z")
    new = write(study, [ls_task(tasks["Hund"], 1, changed)], "new.json")
    import_exports(study, [old])
    assert import_exports(study, [new]).appended.changed == 1
    assert [line["label"] for line in lines(study)] == ["correct", "related"]
    assert [line.label for line in study.annotations()] == ["related"]
    # the older export does not undo it
    again = import_exports(study, [old])
    assert (again.appended.older, again.appended.changed) == (1, 0)
    assert [line.label for line in study.annotations()] == ["related"]


def test_both_in_one_command_end_with_the_newer(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    old = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))], "old.json")
    changed = ls_annotation(1, "related", updated="2026-02-02T09:00:00.000000Z")
    new = write(study, [ls_task(tasks["Hund"], 1, changed)], "new.json")
    import_exports(study, [new, old])
    assert [line.label for line in study.annotations()] == ["related"]


def test_skipped_drafts_and_empty_results_are_counted_not_lost(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    draft = {"id": 77, "user": "real.name@example.org", "result": ls_annotation(3, "correct")["result"],
             "lead_time": 1.5, "created_at": "2026-02-01T10:00:00Z", "updated_at": "2026-02-01T10:00:01Z",
             "task": 3, "annotation": None}  # fmt: skip
    file = write(
        study,
        [
            ls_task(tasks["Bank"], 1, ls_annotation(1, None, comment="no idea", was_cancelled=True)),
            ls_task(tasks["Hund"], 2, ls_annotation(2, None)),
            ls_task(tasks["xyz"], 3, drafts=[draft, 78]),
        ],
    )
    found = import_exports(study, [file])
    assert found.lines == {"skipped": 1, "empty": 1, "draft": 2}
    stored = {line["status"]: line for line in lines(study)}
    assert len(lines(study)) == 4
    assert stored["skipped"]["comment"] == "no idea"
    assert all(line["label"] is None for line in lines(study))
    assert import_exports(study, [file]).appended.added == 0


def test_a_submitted_draft_is_withdrawn_once(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    draft = {"id": 77, "result": ls_annotation(3, "related")["result"], "annotation": None}
    import_exports(study, [write(study, [ls_task(tasks["xyz"], 3, drafts=[draft])], "one.json")])
    file = write(study, [ls_task(tasks["xyz"], 3, ls_annotation(3, "non_word"))], "two.json")
    assert import_exports(study, [file]).withdrawn == 1
    assert [(line.status, line.label) for line in study.annotations()] == [("judged", "non_word")]
    size = len(lines(study))
    assert import_exports(study, [file, study.folder / "one.json"]).appended.added == 0
    assert len(lines(study)) == size


def test_tasks_that_nobody_opened_are_counted(ready, ls_task) -> None:
    study, tasks = ready
    found = import_exports(study, [write(study, [ls_task(tasks["Hund"], 1)])])
    assert (found.tasks, found.untouched, found.lines) == (1, 1, {})
    assert not study.annotations_file.exists()


def test_senses(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    file = write(
        study,
        [
            ls_task(tasks["Bank"], 1, ls_annotation(1, "other_sense", "not_listed", "a bench")),
            ls_task(tasks["Hund"], 2, ls_annotation(2, "other_sense")),
            # the page drops the choice of a part that was closed again; an export might not
            ls_task(tasks["xyz"], 3, ls_annotation(3, "non_word", "bank.money")),
        ],
    )
    import_exports(study, [file])
    stored = {line.item.answer: line for line in study.annotations()}
    assert (stored["Bank"].sense, stored["Bank"].sense_text) == ("not_listed", "a bench")
    assert stored["Hund"].sense is None
    assert stored["xyz"].sense is None


def test_each_file_is_one_annotators(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    other = tasks_by_answer(study, "ben")
    files = [
        write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))], "ann.json"),
        write(study, [ls_task(other["Hund"], 1, ls_annotation(9, "related"))], "ben.json"),
    ]
    import_exports(study, files)
    assert {(line.annotator, line.label) for line in study.annotations()} == {("ann", "correct"), ("ben", "related")}


def test_a_judgement_keeps_the_concepts_that_were_shown(ready, ls_task, ls_annotation) -> None:
    """The lexicon changes between export and import: the judgement belongs to the old one."""
    study, tasks = ready
    text = study.concepts_file.read_text("utf-8").replace("animal that barks", "a pet")
    study.concepts_file.write_text(text, "utf-8")
    changed = Study.open(study.folder)
    import_exports(changed, [write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    (line,) = changed.annotations()
    assert validity(line, changed.taxonomy, changed.concepts) == "concept_changed"
    plan = make_plan(changed)
    assert plan.summary.earlier == {"human": {"concept_changed": 1}}
    assert plan.summary.done == 0


def test_a_judgement_under_other_definitions_says_so(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    first = study.taxonomy.categories[0].model_copy(update={"definition": "Something else."})
    changed = Study.open(study.folder)
    changed.__dict__["taxonomy"] = study.taxonomy.model_copy(
        update={"categories": [first, *study.taxonomy.categories[1:]]}
    )
    found = import_exports(changed, [write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    assert found.earlier_rules == 1
    (line,) = changed.annotations()
    assert validity(line, changed.taxonomy, changed.concepts) == "label_redefined"


def test_tasks_of_an_earlier_taxonomy_version_can_still_be_imported(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    newer = Study.open(study.folder)
    newer.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"version": "2"})
    plan = make_plan(newer)
    write_plan(newer, plan, "test", STARTED)
    import_exports(newer, [write(newer, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    (line,) = newer.annotations()
    assert (line.taxonomy_version, line.item.taxonomy_version) == ("1", "1")
    assert line.item_id not in {item.item_id for item in plan.items}
    assert line.content_key in {item.content_key for item in plan.items}
    # its definition is as it was, so the judgement counts for the new plan
    assert (make_plan(newer).summary.done, line.label) == (1, "correct")


def test_the_plan_counts_what_is_done(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    import_exports(study, [write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    summary = make_plan(Study.open(study.folder)).summary
    # three items for two annotators; ann has judged one of hers
    assert (summary.judgements, summary.done, summary.to_do) == (6, 1, 5)
    assert summary.earlier == {"human": {"valid": 1}}


def test_judged_items_that_left_the_plan_can_still_be_imported(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    import_exports(study, [write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])])
    config = study.config_file.read_text("utf-8").replace("settings:", "checkpoints: [last]\n    settings:")
    study.config_file.write_text(config, "utf-8")
    smaller = Study.open(study.folder)
    plan = make_plan(smaller)
    assert [item.answer for item in plan.items] == ["xyz"]
    write_plan(smaller, plan, "test", STARTED)
    changed = ls_annotation(1, "related", updated="2026-03-01T00:00:00Z")
    assert import_exports(smaller, [write(study, [ls_task(tasks["Hund"], 1, changed)])]).appended.changed == 1


# --- what is refused -----------------------------------------------------------------------------------------


def spoil(change):
    """A good export with one task changed by `change(task)`."""

    def make(tasks, ls_task, ls_annotation):
        good = ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))
        bad = json.loads(json.dumps(ls_task(tasks["xyz"], 42, ls_annotation(2, "non_word"))))
        change(bad)
        return [good, bad]

    return make


REFUSED = {
    "annotation is no object": (spoil(lambda t: t.update(annotations=[3])), "an annotation is no object"),
    "an import file": (spoil(lambda t: t.pop("annotations")), "has no annotations; export in the format JSON"),
    "JSON-MIN": (spoil(lambda t: t.pop("data")), "has no data; export in the format JSON"),
    "drafts are no list": (spoil(lambda t: t.update(drafts=5)), "its drafts are no list"),
    "one id twice in a task": (
        spoil(lambda t: t.update(annotations=[t["annotations"][0], {**t["annotations"][0], "result": []}])),
        "has 2 judgements of the unique_id '00000000-0000-4000-8000-000000000002'",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_bad_export_is_one_line_and_writes_nothing(fault, ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    make, message = REFUSED[fault]
    file = write(study, make(tasks, ls_task, ls_annotation))
    with pytest.raises(UserError) as error:
        import_exports(study, [file])
    text = str(error.value)
    assert text.startswith(f"{file}: task 42: "), text
    assert message in text
    assert "\n" not in text
    assert error.value.exit_code == 2
    assert not study.annotations_file.exists()


def test_an_export_of_another_study_alone_is_refused(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    data = {**tasks["Hund"], "study": "feedfeedfeed"}
    file = write(study, [ls_task(data, 1, ls_annotation(1, "correct"))])
    with pytest.raises(UserError, match=rf"none of its 1 tasks belongs to this study \(small, {study.id}\)"):
        import_exports(study, [file])
    assert not study.annotations_file.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"id": 1, "data": {"uid": "', "export.json:1: not JSON"),
        (b"", "not JSON"),
        (b'[\n{"id": 1},\n{"id"', "export.json:3: not JSON"),
        (b"\xff\xfe\x00\x01", "not JSON"),
        (b'{"tasks": []}', "expected a list of tasks"),
        (b"[1]", "task number 1: has no data"),
        (b"[" * 100_000, "not JSON"),
        (b'[{"id": ' + b"9" * 5000 + b"}]", "not JSON"),
    ],
)
def test_files_that_are_no_export(content, message, ready) -> None:
    study, _ = ready
    file = study.folder / "export.json"
    file.write_bytes(content)
    with pytest.raises(UserError) as error:
        import_exports(study, [file])
    assert message in str(error.value)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("together", [True, False])
def test_an_id_that_two_tasks_share_is_refused(together, ready, ls_task, ls_annotation) -> None:
    """A later line of the same id supersedes: the judgement of the other task would vanish without a word."""
    study, tasks = ready
    one = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))], "one.json")
    late = ls_annotation(1, "non_word", updated="2026-03-01T00:00:00Z")
    two = write(study, [ls_task(tasks["xyz"], 42, late)], "two.json")
    place = f"{one}: task 1"
    if not together:
        import_exports(study, [one])
        place = f"task uid {tasks['Hund']['uid']} of ann in {study.annotations_file}"
    before = lines(study)
    with pytest.raises(UserError) as error:
        import_exports(study, [one, two])
    expected = f"{two}: task 42: unique_id '00000000-0000-4000-8000-000000000001' is also that of {place}; "
    assert str(error.value).startswith(expected)
    assert lines(study) == before


@pytest.mark.parametrize(
    ("written", "stored", "unusable"),
    [
        ("4.5", 4.5, 0),
        ("0", 0.0, 0),
        ("7", 7.0, 0),
        ("1e308", 1e308, 0),
        ("null", None, 0),
        ("1" + "0" * 400, None, 1),
        ("-1" + "0" * 400, None, 1),
        ("NaN", None, 1),
        ("Infinity", None, 1),
        ("-Infinity", None, 1),
        ("1e400", None, 1),
        ("-0.5", None, 1),
        ('"12"', None, 1),
        ("true", None, 1),
        ("[3]", None, 1),
        ("{}", None, 1),
    ],
)
def test_times_that_are_no_seconds_are_unknown_and_counted(
    written, stored, unusable, ready, ls_task, ls_annotation
) -> None:
    study, tasks = ready
    file = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))])
    text = file.read_text("utf-8")
    assert text.count('"lead_time": 4.25') == 1
    file.write_text(text.replace('"lead_time": 4.25', f'"lead_time": {written}'), "utf-8")
    found = import_exports(study, [file])
    assert (found.unusable_times, found.appended.added) == (unusable, 1)
    assert [(line.label, line.lead_time) for line in study.annotations()] == [("correct", stored)]


def test_a_missing_file_is_named(ready) -> None:
    study, _ = ready
    with pytest.raises(UserError, match=r"nowhere.json: no such file"):
        import_exports(study, [study.folder / "nowhere.json"])
    with pytest.raises(UserError, match="cannot be read"):
        import_exports(study, [study.folder])


def test_one_bad_file_keeps_the_good_one_out(ready, ls_task, ls_annotation) -> None:
    study, tasks = ready
    good = write(study, [ls_task(tasks["Hund"], 1, ls_annotation(1, "correct"))], "good.json")
    bad = study.folder / "bad.json"
    bad.write_text("[{", "utf-8")
    with pytest.raises(UserError):
        import_exports(study, [good, bad])
    assert not study.annotations_file.exists()


# --- round trip ----------------------------------------------------------------------------------------------

NO_SURROGATES = st.characters(exclude_categories=["Cs"])


@given(
    answers=st.lists(st.text(NO_SURROGATES, max_size=30), min_size=1, max_size=5),
    comments=st.text(NO_SURROGATES, max_size=30),
    data=st.data(),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_comes_back_as_it_went(answers, comments, data, row, study_of, ls_task, ls_annotation) -> None:
    rows = [row(answer).model_copy(update={"row_id": f"r{n}"}) for n, answer in enumerate(answers)]
    study = study_of(rows)
    study.annotations_file.unlink(missing_ok=True)
    plan = make_plan(study)
    write_parquet(study.items_file, Item, plan.items, ITEMS_FORMAT)
    tasks = json.loads(b"".join(task_lines(study, tasks_of(plan.assignments)["ben", "en-de"])))
    labels = {task["data"]["uid"]: data.draw(st.sampled_from(study.taxonomy.ids)) for task in tasks}
    exported = [
        ls_task(task["data"], number, ls_annotation(number, labels[task["data"]["uid"]], comment=comments))
        for number, task in enumerate(tasks)
    ]
    file = write(study, exported)
    import_exports(study, [file])
    stored = study.annotations()
    expected = {unicodedata.normalize("NFC", answer).strip() for answer in answers}
    assert {line.item.answer for line in stored} == expected
    assert {line.task_uid: line.label for line in stored} == labels
    assert {line.comment for line in stored} == {comments}
    assert import_exports(study, [file]).appended.added == 0
    # and every row finds its judgement
    links = plan.links.to_pylist()
    answers_by_item = {line.item_id: line.item.answer for line in stored}
    for link in links:
        answer = answers[int(link["row_id"].removeprefix("r"))]
        assert answers_by_item[link["item_id"]] == unicodedata.normalize("NFC", answer).strip()
