"""Ten items labelled by a person with a keyboard and no mouse, and what came home of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gainsift.annotation.pull import pull

pytestmark = pytest.mark.system
ANSWERS = ["Feder", "Frühling", "Quell", "spring", "Blatt", "Springerle", "Metall", "Coil", "", "Fed"]


@pytest.fixture(scope="module")
def study(study_of: Any, item: Any) -> Any:
    return study_of({"ann": [item(answer, closed=answer != "Fed") for answer in ANSWERS]})


@pytest.fixture(scope="module")
def desk(desk_of: Any, study: Any) -> Any:
    return desk_of(study, "ann")


@pytest.fixture(scope="module")
def judged(desk: Any) -> list[str]:
    """Ten items done; the answers as the panel showed them, in the order in which they came."""
    shown = [desk.answer]

    def submit(*keys: str) -> None:
        desk.go_on(*(keys or ("Control+Enter",)))
        shown.append(desk.answer if len(shown) < len(ANSWERS) else "")

    desk.keys("1")
    submit()
    desk.keys("2", "a")  # spring: the season
    submit()
    desk.keys("2", "n")  # a sense that is not listed needs its text
    desk.to_text()
    desk.type("a jump (1, 2 or x)")
    desk.keys("Enter")
    submit()
    desk.keys("3", "4")  # a second label takes the place of the first
    submit()
    desk.keys("5")
    desk.to_text()
    desk.type('"Blatt" <b>is</b> the second one; $answer_html {{x}} 紙 🦊')
    desk.keys("Control+Enter")  # does nothing yet: the keyboard is in the text field
    desk.keys("Enter")
    submit()
    submit("Control+Space")  # skip
    desk.keys("8", "8", "6")  # the same key again takes it back
    submit()
    desk.keys("2", "s", "9")  # another sense at first: its choice goes with it
    submit()
    desk.keys("r")
    submit()
    desk.keys("x")
    desk.to_text()
    desk.type("gloss")
    desk.keys("Enter")
    submit()
    return shown[: len(ANSWERS)]


EXPECTED: list[tuple[str, dict[str, list[str]]] | None] = [
    ("correct", {}),
    ("other_sense", {"sense": ["spring.season"]}),
    ("other_sense", {"sense": ["not_listed"], "sense_text": ["a jump (1, 2 or x)"]}),
    ("plain_copy", {}),
    ("other_concept", {"comment": ['"Blatt" <b>is</b> the second one; $answer_html {{x}} 紙 🦊']}),
    None,
    ("hypernym", {}),
    ("wrong_form", {}),
    ("empty", {}),
    ("bad_item", {"comment": ["gloss"]}),
]
"""By hand from the keys above: label, and what else the page holds; None where the task was skipped."""


def test_the_items_come_in_the_planned_order(judged: list[str]) -> None:
    assert judged == [answer or "∅ no answer" for answer in ANSWERS]


def test_what_the_server_holds_is_what_was_typed(desk: Any, judged: Any, study: Any, label_studio: Any) -> None:
    with httpx.Client(base_url=label_studio.url, headers={"Authorization": f"Token {label_studio.token}"}) as api:
        number = int(desk.page.url.split("/projects/")[1].split("/")[0])
        tasks = api.get(f"/api/projects/{number}/export?exportType=JSON&download_all_tasks=true", timeout=120).json()
    found = []
    for task in sorted(tasks, key=lambda task: task["id"]):
        (annotation,) = task["annotations"]
        values = {
            part["from_name"]: part["value"].get("choices") or part["value"]["text"] for part in annotation["result"]
        }
        assert annotation["completed_by"] == tasks[0]["annotations"][0]["completed_by"]
        assert annotation["lead_time"] > 0
        assert all(part["origin"] == "manual" for part in annotation["result"])
        if annotation["was_cancelled"]:
            assert values == {}
            found.append(None)
        else:
            (label,) = values.pop("label")
            found.append((label, values))
    assert found == EXPECTED


def test_the_judgements_come_home_as_they_were_made(judged: Any, study: Any, label_studio: Any) -> None:
    pull(study, label_studio)
    lines = {line.item.answer: line for line in study.annotations()}
    assert len(lines) == len(study.annotations()) == len(ANSWERS)
    for answer, expected in zip(ANSWERS, EXPECTED, strict=True):
        line = lines[answer]
        assert line.annotator == "ann"
        if expected is None:
            assert (line.status, line.label) == ("skipped", None)
            continue
        label, more = expected
        assert (line.status, line.label) == ("judged", label)
        assert [line.sense] == more.get("sense", [None])
        assert [line.sense_text] == more.get("sense_text", [""])
        assert [line.comment] == more.get("comment", [""])


def test_nothing_unusual_happened(desk: Any, judged: Any) -> None:
    assert desk.events == []
