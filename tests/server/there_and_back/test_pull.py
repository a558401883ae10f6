"""Judgements come home from a real Label Studio: every one once, under pseudonyms, whatever happened there."""

from __future__ import annotations

import json

import pytest

from gainsift.annotation.findings import Refused
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push
from gainsift.annotation.snapshots import snapshot_title, take_snapshot
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.rows import Annotation
from gainsift.schemas.study import Study


def by_answer(study: Study) -> dict[str, Annotation]:
    """The lines in force by the answer that they judge."""
    return {line.item.answer: line for line in study.annotations()}


@pytest.fixture
def pushed(label_studio, api, study_of, item, look):
    """pushed({"ann": ["Hund", ...]}) -> (study, task ids by answer for each annotator)."""

    def build(lists: dict[str, list[str]], **annotation):
        study = study_of(
            {name: [item(answer, intended="bank.river") for answer in answers] for name, answers in lists.items()},
            **annotation,
        )
        push(study, label_studio)
        tasks = look(api, study).tasks
        ids: dict[str, dict[str, int]] = {}
        for line in study.assignments():
            ids.setdefault(line.annotator, {})[line.item.answer] = tasks[line.uid][0]["id"]
        return study, ids

    return build


def test_every_kind_of_answer_comes_home_once(label_studio, pushed, person) -> None:
    study, ids = pushed({"ann": ["Ufer", "Bank", "Sitzbank", "skip", "draft", "open"], "ben": ["Ufer"]})
    ann, ben = person("ann"), person("ben")
    ann.judge(ids["ann"]["Ufer"], "correct", comment="good\n\u202eword")
    ann.judge(ids["ann"]["Bank"], "other_sense", sense="bank.money")
    ann.judge(ids["ann"]["Sitzbank"], "other_sense", sense="not_listed", sense_text="a seat 💺")
    ann.judge(ids["ann"]["skip"], None, was_cancelled=True)
    ann.send("POST", f"/api/tasks/{ids['ann']['draft']}/drafts", {"result": [], "lead_time": 1.0})
    ben.judge(ids["ben"]["Ufer"], "unsure")

    found = pull(study, label_studio)
    assert found.lines == {"judged": 4, "skipped": 1, "draft": 1}
    assert (found.tasks, found.untouched, found.appended.added, found.findings) == (7, 1, 6, [])
    lines = {(line.annotator, line.item.answer): line for line in study.annotations()}
    assert (lines["ann", "Ufer"].label, lines["ann", "Ufer"].comment) == ("correct", "good\n\u202eword")
    assert lines["ann", "Ufer"].lead_time == 4.5
    assert (lines["ann", "Bank"].label, lines["ann", "Bank"].sense) == ("other_sense", "bank.money")
    assert lines["ann", "Sitzbank"].sense_text == "a seat 💺"
    assert (lines["ann", "skip"].status, lines["ann", "draft"].status) == ("skipped", "draft")
    assert lines["ben", "Ufer"].label == "unsure"

    before = study.annotations_file.read_bytes()
    again = pull(study, label_studio)
    assert (again.appended.added, again.appended.changed) == (0, 0)
    assert study.annotations_file.read_bytes() == before


def test_a_changed_judgement_supersedes_and_a_deleted_one_is_withdrawn(label_studio, pushed, person) -> None:
    study, ids = pushed({"ann": ["one", "two", "three"]})
    ann = person("ann")
    made = {answer: ann.judge(task, "correct")["id"] for answer, task in ids["ann"].items()}
    pull(study, label_studio)
    ann.send("PATCH", f"/api/annotations/{made['one']}/", {"result": [
        {"id": "label", "from_name": "label", "to_name": "answer", "type": "choices", "value": {"choices": ["unsure"]}}
    ]})  # fmt: skip
    ann.send("DELETE", f"/api/annotations/{made['two']}/")
    found = pull(study, label_studio)
    assert (found.appended.added, found.appended.changed, found.withdrawn) == (0, 2, 1)
    assert {answer: line.label for answer, line in by_answer(study).items()} == {"one": "unsure", "three": "correct"}
    assert len(study.annotations_file.read_text().splitlines()) == 5  # three, and two that follow; none rewritten
    assert pull(study, label_studio).appended.changed == 0


def test_a_task_that_vanished_leaves_its_judgement_and_is_told(label_studio, api, pushed, person) -> None:
    study, ids = pushed({"ann": ["one", "two"]})
    ann = person("ann")
    for task in ids["ann"].values():
        ann.judge(task, "correct")
    pull(study, label_studio)
    api.once("DELETE", f"/api/tasks/{ids['ann']['one']}/")
    ann.judge(ids["ann"]["two"], "unsure")  # something newer, so that the server is known to be no older one
    found = pull(study, label_studio)
    uid = next(line.uid for line in study.assignments() if line.item.answer == "one")
    assert [finding.task for finding in found.absent] == [uid]
    assert by_answer(study)["one"].label == "correct"


def test_forged_and_foreign_accounts_are_told(label_studio, pushed, person) -> None:
    study, ids = pushed({"ann": ["forged", "by ben", "plain"]}, annotators=[{"name": "ann"}, {"name": "ben"}])
    numbers = {user["username"]: user["id"] for user in person("lead").send("GET", "/api/users/")}
    person("cat").judge(ids["ann"]["forged"], "correct", completed_by=numbers["ann"])
    person("ben").judge(ids["ann"]["by ben"], "correct")
    person("cat").judge(ids["ann"]["plain"], "correct")  # cat has an account, but is no annotator of this study
    found = pull(study, label_studio)
    uids = {line.uid: line.item.answer for line in study.assignments()}
    kinds = {(uids[finding.task], finding.kind) for finding in found.findings}
    assert {("forged", "changed_by_other"), ("by ben", "other_account"), ("plain", "stranger")} <= kinds
    assert len(study.annotations_file.read_text().splitlines()) == 3
    with pytest.raises(Refused):
        pull(study, label_studio, strict=True)


def test_strict_appends_nothing(label_studio, pushed, person) -> None:
    study, ids = pushed({"ann": ["right", "wrong"]})
    person("ann").judge(ids["ann"]["right"], "correct")
    person("ann").judge(ids["ann"]["wrong"], "no_such_label")
    with pytest.raises(Refused, match="no_such_label"):
        pull(study, label_studio, strict=True)
    assert not study.annotations_file.exists()
    found = pull(study, label_studio)
    assert found.lines == {"judged": 1, "invalid": 1}


def test_no_address_comes_home(label_studio, pushed, person) -> None:
    study, ids = pushed({"ann": ["one"], "ben": ["one"]})
    for name in ("ann", "ben"):
        person(name).judge(ids[name]["one"], "correct")
    pull(study, label_studio)
    for file in study.folder.rglob("*"):
        if file.is_file():
            assert b"@" not in file.read_bytes(), file


def test_snapshots_of_killed_runs_are_cleared_away(label_studio, api, pushed) -> None:
    study, ids = pushed({"ann": ["one"]})
    project = api.get(f"/api/tasks/{ids['ann']['one']}/")["project"]
    path = f"/api/projects/{project}/exports/"
    api.once("POST", path, {"title": snapshot_title(study)})
    api.once("POST", path, {"title": "somebody else's"})
    pull(study, label_studio)
    assert [one["title"] for one in api.get(path)] == ["somebody else's"]


def test_half_an_emoji_keeps_only_its_own_task_away(label_studio, api, pushed, person) -> None:
    answers = [f"answer {number}" for number in range(9)]
    study, ids = pushed({"ann": answers, "ben": ["other"]})
    ann = person("ann")
    for answer, task in ids["ann"].items():
        if answer != "answer 5":
            ann.judge(task, "correct", comment="🙂")
    ann.send("POST", f"/api/tasks/{ids['ann']['answer 3']}/drafts", {"result": [], "lead_time": 1.0})
    body = {"result": [{"id": "c", "from_name": "comment", "to_name": "answer", "type": "textarea",
                        "value": {"text": ["\ud83d"]}}]}  # fmt: skip
    path = f"/api/tasks/{ids['ann']['answer 5']}/annotations/"
    answer = ann.http.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 500  # kept by the server all the same
    person("ben").judge(ids["ben"]["other"], "unsure")
    with pytest.raises(WorkError, match=f"task {ids['ann']['answer 5']} of project"):
        pull(study, label_studio)
    lines = [line for line in study.annotations() if line.status == "judged"]
    assert {line.item.answer for line in lines} == {*answers, "other"} - {"answer 5"}
    assert {line.comment for line in lines} == {"🙂", ""}
    assert [line.item.answer for line in study.annotations() if line.status == "draft"] == ["answer 3"]
    project = api.get(f"/api/tasks/{ids['ann']['answer 3']}/")["project"]
    assert take_snapshot(api, study, project).unreadable == [ids["ann"]["answer 5"]]


def test_without_projects_the_error_says_what_to_do(label_studio, study_of, item) -> None:
    study = study_of({"ann": [item("Hund")]})
    with pytest.raises(UserError, match="annotate push"):
        pull(study, label_studio)
