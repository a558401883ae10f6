"""Planned tasks into a real Label Studio: each once, in order, whatever went wrong before."""

from __future__ import annotations

import json
import threading
import time

import pytest

from gainsift.annotation.in_flight import InFlight
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.one_at_a_time import Busy, one_at_a_time
from gainsift.annotation.patience import Away, Patience
from gainsift.annotation.projects import ProjectKey
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push
from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.errors import UserError, WorkError


def numbers(pushed) -> list[tuple[int, int, int, int]]:
    return [(one.there, one.sent, one.at_home, one.removed) for one in pushed.projects]


def test_pushed_twice_each_task_is_there_once_and_in_order(label_studio, api, study_of, item, look) -> None:
    items = [item(f"Hund{number}") for number in range(7)]
    study = study_of({"ann": items, "ben": items[::-1]})
    first = push(study, label_studio)
    assert [(one.annotator, one.made, one.sent) for one in first.projects] == [("ann", "new", 7), ("ben", "new", 7)]
    second = push(study, label_studio)
    assert [one.made for one in second.projects] == ["as it was", "as it was"]
    assert numbers(second) == [(7, 0, 0, 0)] * 2
    seen = look(api, study)
    for name in ("ann", "ben"):
        assert seen.order(name) == [line.uid for line in study.assignments() if line.annotator == name]
    answers = {line.uid: line.item.answer for line in study.assignments()}
    assert [answers[uid] for uid in seen.order("ann")] == [answers[uid] for uid in seen.order("ben")][::-1]


def test_the_label_stream_follows_the_order(label_studio, api, study_of, item, look, person) -> None:
    study = study_of({"ann": [item(f"Hund{number}") for number in (3, 1, 2)]})
    push(study, label_studio)
    project = look(api, study).projects["ann en-de"]
    ann, seen = person("ann"), []
    for _ in range(3):
        shown = ann.send("POST", "/api/dm/actions", {"selectedItems": {"all": True, "excluded": []}},
                         id="next_task", project=project, interaction="timer")  # fmt: skip
        seen.append(shown["data"]["answer_html"])
        ann.judge(shown["id"], "correct")
    assert [html.split("Hund")[1][0] for html in seen] == ["3", "1", "2"]


def test_settings_of_a_project(label_studio, api, study_of, item, look) -> None:
    study = study_of({"ann": [item("Hund"), item("chien", out="fr")]})
    made = push(study, label_studio)
    assert [one.title for one in made.projects] == ["ann · English → German", "ann · English → French"]
    project = api.get(f"/api/projects/{look(api, study).projects['ann en-de']}/")
    assert project["maximum_annotations"] == 1
    assert project["sampling"] == "Sequential sampling"
    assert project["show_skip_button"] is True
    assert project["enable_empty_annotation"] is False
    assert project["show_collab_predictions"] is False
    assert project["show_instruction"] is True
    assert "How to decide" in project["expert_instruction"]


def test_nothing_on_the_server_names_the_study_or_its_models(
    label_studio, api, study_of, item, look, person, secrets
) -> None:
    study = study_of({"ann": [item("Hund"), item("Bank", intended="bank.river")]})
    push(study, label_studio)
    seen = look(api, study)
    project = seen.projects["ann en-de"]
    person("ann").judge(next(iter(seen.tasks.values()))[0]["id"], "correct")
    export = api.get(f"/api/projects/{project}/export", exportType="JSON", download_all_tasks="true")
    tasks = api.get("/api/tasks/", project=project, page_size=10, fields="all")
    settings = api.get(f"/api/projects/{project}/")
    text = json.dumps([export, tasks, settings]).casefold()
    assert "hund" in text
    # the page's own words: a person of the study may be said to have *seen* something
    for part in ("expert_instruction", "label_config", "parsed_label_config"):
        settings.pop(part)
    data = json.dumps([[task["data"] for task in export], settings["title"], settings["description"]]).casefold()
    assert [word for word in secrets if word in data] == []
    assert [word for word in ("secretmodel", "step100", "my-secret-study") if word in text] == []


def test_a_new_plan_adds_and_retires(label_studio, api, study_of, item, look, person, assign, assignment) -> None:
    study = study_of({"ann": [item(name) for name in ("judged", "skipped", "draft", "open", "stays")]})
    push(study, label_studio)
    before = {line.item.answer: look(api, study).tasks[line.uid][0]["id"] for line in study.assignments()}
    ann = person("ann")
    ann.judge(before["judged"], "correct")
    ann.judge(before["skipped"], None, was_cancelled=True)
    ann.send("POST", f"/api/tasks/{before['draft']}/drafts", {"result": [], "lead_time": 1.0})
    planned = [line.model_copy(update={"retired": line.item.answer != "stays"}) for line in study.assignments()]
    assign(study, [*planned, assignment(study.id, item("new"), "ann", order=0.5)])
    made = push(study, label_studio)
    (project,) = made.projects
    assert (project.sent, project.removed, project.kept) == (1, 1, 3)
    answers = {line.uid: line.item.answer for line in study.assignments()}
    there = [answers[uid] for uid in look(api, study).order("ann")]
    assert there == ["judged", "skipped", "draft", "stays", "new"]


def test_calibration_first_then_the_rest(label_studio, api, study_of, item, look, assign, assignment) -> None:
    study = study_of({})
    assign(study, [
        assignment(study.id, item("first"), "ann", order=0.0, role="calibration"),
        assignment(study.id, item("later"), "ann", order=1.0),
        assignment(study.id, item("later"), "ben", order=1.0),
    ])  # fmt: skip
    assert push(study, label_studio, calibration_only=True).sent == 1
    assert push(study, label_studio, calibration_only=True).sent == 0
    assert push(study, label_studio).sent == 2
    assert [len(tasks) for tasks in look(api, study).tasks.values()] == [1, 1, 1]


def test_calibration_only_without_a_calibration_round_is_refused(label_studio, study_of, item) -> None:
    with pytest.raises(UserError, match=r"annotation\.calibration"):
        push(study_of({"ann": [item("Hund")]}), label_studio, calibration_only=True)


def test_what_is_judged_at_home_is_not_asked_on_another_server(label_studio, api, study_of, item, look, person) -> None:
    study = study_of({"ann": [item("judged"), item("skipped"), item("open")]})
    push(study, label_studio)
    uids = {line.item.answer: line.uid for line in study.assignments()}
    seen = look(api, study)
    person("ann").judge(seen.tasks[uids["judged"]][0]["id"], "correct")
    person("ann").judge(seen.tasks[uids["skipped"]][0]["id"], None, was_cancelled=True)
    pull(study, label_studio)
    api.once("DELETE", f"/api/projects/{seen.projects['ann en-de']}/")
    assert numbers(push(study, label_studio)) == [(0, 2, 1, 0)]
    assert look(api, study).order("ann") == [uids["skipped"], uids["open"]]


def test_a_dry_run_changes_nothing(label_studio, api, study_of, item, look, assign) -> None:
    study = study_of({"ann": [item("one"), item("two")]})
    dry = push(study, label_studio, dry_run=True)
    assert (dry.sent, dry.projects[0].made, dry.projects[0].project) == (2, "to be made", None)
    assert look(api, study).projects == {}
    push(study, label_studio)
    assign(study, [line.model_copy(update={"retired": True}) for line in study.assignments()])
    assert numbers(push(study, label_studio, dry_run=True)) == [(0, 0, 0, 2)]
    assert len(look(api, study).tasks) == 2


def test_a_task_that_shows_an_older_gloss_is_sent_anew_unless_touched(
    label_studio, api, study_of, item, look, person
) -> None:
    study = study_of({"ann": [item("judged"), item("open")]})
    push(study, label_studio)
    uids = {line.item.answer: line.uid for line in study.assignments()}
    person("ann").judge(look(api, study).tasks[uids["judged"]][0]["id"], "correct")
    text = study.concepts_file.read_text("utf-8")
    study.concepts_file.write_text(text.replace("animal that barks", "four-legged friend"), "utf-8")
    again = type(study).open(study.folder)
    assert [(one.sent, one.removed, one.kept) for one in push(again, label_studio).projects] == [(1, 1, 1)]
    tasks = look(api, study).tasks
    assert "barks" in json.dumps(tasks[uids["judged"]][0]["data"])
    assert "four-legged" in json.dumps(tasks[uids["open"]][0]["data"])
    assert [len(tasks[uid]) for uid in uids.values()] == [1, 1]


def test_doubles_go_and_the_judged_one_stays(label_studio, api, study_of, item, look, person) -> None:
    study = study_of({"ann": [item("one"), item("two"), item("three")]})
    push(study, label_studio)
    project, pages = look(api, study).projects["ann en-de"], Pages(study)
    api.once("POST", f"/api/projects/{project}/import", [task(pages, line) for line in study.assignments()[:2]])
    doubled = look(api, study).tasks
    first, second = (line.uid for line in study.assignments()[:2])
    assert [len(doubled[uid]) for uid in (first, second)] == [2, 2]
    person("ann").judge(doubled[first][1]["id"], "correct")
    assert push(study, label_studio).projects[0].removed == 2
    left = look(api, study).tasks
    assert [[task["id"] for task in left[uid]] for uid in (first, second)] == [
        [doubled[first][1]["id"]], [doubled[second][0]["id"]],
    ]  # fmt: skip


def test_a_batch_that_is_still_arriving_is_waited_for(label_studio, api, study_of, item, look) -> None:
    """As after a kill in mid request: the note of the batch lies there, and the server is not done with it."""
    study = study_of({"ann": [item(f"Hund{number}") for number in range(20)]})
    push(study, label_studio)
    project = look(api, study).projects["ann en-de"]
    late = study_of({"ann": [item(f"Hund{number}") for number in range(40)]}, id=study.config.id)
    new = late.assignments()[20:]
    InFlight(late).send(project, [line.uid for line in new])
    tasks = [task(Pages(late), line) for line in new]

    def arrive() -> None:
        time.sleep(1.5)
        with Api(label_studio) as other:
            other.once("POST", f"/api/projects/{project}/import", tasks)

    thread = threading.Thread(target=arrive)
    thread.start()
    pushed = push(late, label_studio)
    thread.join()
    assert numbers(pushed) == [(40, 0, 0, 0)]
    assert {len(tasks) for tasks in look(api, late).tasks.values()} == {1}
    assert not InFlight(late).file.exists()


@pytest.mark.parametrize("reached", [True, False], ids=["reached the server", "did not"])
def test_an_import_without_an_answer_is_not_sent_blindly(
    label_studio, api, study_of, item, look, monkeypatch, reached
) -> None:
    study = study_of({"ann": [item(f"Hund{number}") for number in range(5)]})
    real, failures, said = Api.once, [], []

    def lossy(self, method, path, body=None, **params):
        if path.endswith("/import") and not failures:
            failures.append(path)
            if reached:
                real(self, method, path, body, **params)
            raise Away(self.url, "no answer (ReadError)")
        return real(self, method, path, body, **params)

    monkeypatch.setattr(Api, "once", lossy)
    push(study, label_studio, patience=Patience(total=60, first=0.1, say=said.append))
    assert len(failures) == 1
    assert len(said) == 1
    assert [len(tasks) for tasks in look(api, study).tasks.values()] == [1] * 5


def test_a_project_whose_making_got_no_answer_is_not_made_twice(
    label_studio, api, study_of, item, look, monkeypatch
) -> None:
    study = study_of({"ann": [item("Hund")]})
    real, failures = Api.once, []

    def lossy(self, method, path, body=None, **params):
        answer = real(self, method, path, body, **params)
        if (method, path) == ("POST", "/api/projects/") and not failures:
            failures.append(path)
            raise Away(self.url, "no answer (ReadError)")
        return answer

    monkeypatch.setattr(Api, "once", lossy)
    push(study, label_studio, patience=Patience(total=60, first=0.1, say=failures.append))
    assert len(look(api, study).projects) == 1  # look refuses two of one mark


def test_an_empty_second_project_of_a_killed_run_is_cleared_away(label_studio, api, study_of, item, look) -> None:
    study = study_of({"ann": [item("Hund")]})
    push(study, label_studio)
    kept = look(api, study).projects["ann en-de"]
    mark = ProjectKey("ann", "en-de").mark(study)
    api.once("POST", "/api/projects/", {"title": "left over", "description": mark})
    push(study, label_studio)
    assert look(api, study).projects == {"ann en-de": kept}


def test_a_changed_page_reaches_the_project(label_studio, api, study_of, item, look, person, taxonomy) -> None:
    study = study_of({"ann": [item("one"), item("two")]}, taxonomy=taxonomy())
    push(study, label_studio)
    project = look(api, study).projects["ann en-de"]
    person("ann").judge(next(iter(look(api, study).tasks.values()))[0]["id"], "correct")
    for change in ({"label": "Right"}, {"definition": "Means what was asked, in so many words."}):
        taxonomy(**change)
        changed = push(type(study).open(study.folder), label_studio)
        assert changed.projects[0].made == "changed"
        settings = api.get(f"/api/projects/{project}/")
        (text,) = change.values()
        assert text in settings["label_config"]
        assert text in settings["expert_instruction"]
    assert push(type(study).open(study.folder), label_studio).projects[0].made == "as it was"


def test_a_page_without_a_question_in_use_is_refused_in_one_line(
    label_studio, api, study_of, item, look, person, taxonomy
) -> None:
    study = study_of({"ann": [item("one", intended="bank.river")]}, taxonomy=taxonomy())
    push(study, label_studio)
    number = next(iter(look(api, study).tasks.values()))[0]["id"]
    person("ann").judge(number, "other_sense", sense="bank.money")
    taxonomy(drop="other_sense")
    with pytest.raises(WorkError, match=r"refuses the new labelling page .*ann · English → German") as refused:
        push(type(study).open(study.folder), label_studio)
    assert "\n" not in str(refused.value)


def test_one_command_at_a_time(label_studio, study_of, item) -> None:
    study = study_of({"ann": [item("Hund")]})
    with one_at_a_time(study, "pull"), pytest.raises(Busy, match=r"pull \(process \d+\) is at work"):
        push(study, label_studio)
    assert push(study, label_studio).sent == 1


def test_a_server_that_is_away_is_waited_for_and_told_of_once(study_of, item, free_address) -> None:
    said: list[str] = []
    pauses: list[float] = []
    patience = Patience(total=4.0, first=0.5, longest=2.0, say=said.append, sleep=pauses.append)
    with pytest.raises(Away, match="no answer"):
        push(study_of({"ann": [item("Hund")]}), free_address, patience=patience)
    assert len(said) == 1
    assert sum(pauses) == pytest.approx(4.0)
    assert all(0.25 <= pause <= 2.0 for pause in pauses[:-1])


def test_a_refused_token_is_no_reason_to_wait(label_studio, study_of, item, place) -> None:
    wrong = place(label_studio.url, "0" * 40)
    with pytest.raises(UserError, match="token") as refused:
        push(study_of({"ann": [item("Hund")]}), wrong, patience=Patience(say=pytest.fail))
    assert "0" * 40 not in str(refused.value)


def test_a_refused_import_is_no_reason_to_wait(label_studio, api, study_of, item, look) -> None:
    study = study_of({"ann": [item("Hund")]})
    push(study, label_studio)
    project = look(api, study).projects["ann en-de"]
    with Api(label_studio, Patience(say=pytest.fail)) as strict, pytest.raises(WorkError, match="status 400"):
        strict.repeatedly("POST", f"/api/projects/{project}/import", ["no task"])


def test_a_personal_access_token_is_refreshed(label_studio, personal_token, place) -> None:
    """What newer servers give their users: it is shown once, and stands for tokens that live five minutes."""
    with Api(place(label_studio.url, personal_token)) as by_token:
        assert by_token.once("GET", "/api/current-user/whoami")["username"] == "lead"
        by_token._http.auth.access = api_token_of_another_day(personal_token)
        assert by_token.once("GET", "/api/current-user/whoami")["username"] == "lead"
    with Api(place(label_studio.url, personal_token[:-4] + "aaaa")) as forged, pytest.raises(UserError, match="token"):
        forged.once("GET", "/api/current-user/whoami")


def api_token_of_another_day(personal: str) -> str:
    """Of the right form, and not valid."""
    head, body, _ = personal.split(".")
    return f"{head}.{body}.{'0' * 43}"


def test_prelabels_are_shown_where_they_are_to_be(label_studio, api, study_of, item, look, assign) -> None:
    study = study_of({"ann": [item("shown"), item("bare")]}, prelabels="shown")
    first, second = study.assignments()
    given = {"prelabel": "correct"}
    assign(study, [first.model_copy(update={**given, "prelabel_shown": True}), second.model_copy(update=given)])
    push(study, label_studio)
    project = look(api, study).projects["ann en-de"]
    assert api.get(f"/api/projects/{project}/")["show_collab_predictions"] is True
    tasks = api.get("/api/tasks/", project=project, page_size=10, fields="all")["tasks"]
    shown = {task["data"]["uid"]: [one["result"][0]["value"] for one in task["predictions"]] for task in tasks}
    assert shown == {first.uid: [{"choices": ["correct"]}], second.uid: []}
    assert push(study, label_studio).projects[0].made == "as it was"


def test_disagreements_go_to_a_project_of_the_leads_and_verdicts_come_home(
    label_studio, api, study_of, item, look, assign, assignment, person
) -> None:
    study = study_of({"ann": [item("Hund")]})
    competing = [("correct", None), ("unrelated", None)]
    verdict = assignment(study.id, item("Hund"), "lead", role="adjudication", competing=competing)
    assign(study, [*study.assignments(), verdict])
    assert {one.title for one in push(study, label_studio).projects} == {
        "ann · English → German", "disagreements · English → German",
    }  # fmt: skip
    (there,) = look(api, study).tasks[verdict.uid]
    said = {"from_name": "disagreement", "to_name": "answer", "type": "choices", "value": {"choices": ["variation"]}}
    label = {"from_name": "label", "to_name": "answer", "type": "choices", "value": {"choices": ["correct"]}}
    result = [{"id": "l", **label}, {"id": "d", **said}]
    person("lead").send("POST", f"/api/tasks/{there['id']}/annotations/", {"result": result, "lead_time": 1.0})
    pull(study, label_studio)
    (line,) = study.annotations()
    assert (line.source, line.annotator, line.label, line.disagreement) == (
        "adjudicated", "lead", "correct", "variation",
    )  # fmt: skip


def test_a_damaged_note_of_a_batch_is_no_obstacle(label_studio, api, study_of, item, look) -> None:
    study = study_of({"ann": [item("one")]})
    push(study, label_studio)
    more = study_of({"ann": [item("one"), item("two")]}, id=study.config.id)
    InFlight(more).file.write_text('{"project": 1, "uid', "utf-8")
    assert numbers(push(more, label_studio, patience=Patience(sleep=lambda seconds: None))) == [(1, 1, 0, 0)]
    assert not InFlight(more).file.exists()
