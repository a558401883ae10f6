"""Two annotators disagree on a real Label Studio; the lead settles it there; the verdict comes home."""

from __future__ import annotations

from gainsift.annotation.adjudication import adjudicate
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push


def test_a_disagreement_is_settled_on_the_server(label_studio, api, study_of, item, look, person) -> None:
    answers = ["Bank", "Ufer", "Gestade"]
    study = study_of({name: [item(answer, intended="bank.river") for answer in answers] for name in ("ann", "ben")})
    push(study, label_studio)
    tasks = look(api, study).tasks
    labels = {("ann", "Bank"): "correct", ("ben", "Bank"): "unrelated", ("ann", "Ufer"): "correct",
              ("ben", "Ufer"): "correct", ("ann", "Gestade"): "related"}  # fmt: skip
    ids = {(line.annotator, line.item.answer): tasks[line.uid][0]["id"] for line in study.assignments()}
    for (name, answer), label in labels.items():
        person(name).judge(ids[name, answer], label)
    pull(study, label_studio)
    assert adjudicate(study).new == 1

    # the lead's project alone is filled, and holds this item alone
    (made,) = push(study, label_studio, adjudications_only=True).projects
    assert (made.annotator, made.title, made.sent) == ("lead", "disagreements · English → German", 1)
    assert push(study, label_studio, adjudications_only=True).sent == 0
    (lead,) = [line for line in study.assignments() if line.role == "adjudication"]
    (there,) = look(api, study).tasks[lead.uid]
    assert there["data"]["competing"].count("<li>") == 2
    for name in ("ann", "ben"):
        assert name not in there["data"]["competing"]

    choice = {"to_name": "answer", "type": "choices"}
    verdict = [
        {"id": "a", "from_name": "label", "value": {"choices": ["other_sense"]}, **choice},
        {"id": "b", "from_name": "sense", "value": {"choices": ["bank.money"]}, **choice},
        {"id": "c", "from_name": "disagreement", "value": {"choices": ["error"]}, **choice},
    ]
    answer = person("lead").send(
        "POST", f"/api/tasks/{there['id']}/annotations/", {"result": verdict, "lead_time": 9.0}
    )
    found = pull(study, label_studio)
    assert (found.appended.added, found.findings) == (1, [])
    lines = [line for line in study.annotations() if line.item.answer == "Bank"]
    assert {(line.source, line.annotator, line.label) for line in lines} == {
        ("human", "ann", "correct"),
        ("human", "ben", "unrelated"),
        ("adjudicated", "lead", "other_sense"),
    }
    (line,) = [line for line in lines if line.source == "adjudicated"]
    assert (line.sense, line.disagreement, line.lead_time) == ("bank.money", "error", 9.0)
    assert adjudicate(study).settled == 1
    # settled: it is not asked again, here or elsewhere
    assert sum(one.sent for one in push(study, label_studio).projects) == 0

    # an annotator who settles it in the lead's place is seen
    correct = {**verdict[0], "value": {"choices": ["correct"]}}
    person("ann").send("PATCH", f"/api/annotations/{answer['id']}/", {"result": [correct]})
    (finding, other) = sorted(pull(study, label_studio).findings, key=lambda one: one.kind)
    assert (finding.kind, finding.task) == ("changed_by_other", lead.uid)
    assert finding.text.startswith("made by lead, last changed by ann; ")
    assert other.kind == "no_disagreement"
