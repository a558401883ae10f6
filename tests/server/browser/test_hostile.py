"""Outputs that try to be something other than text are text on the page, and come home as they were."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gainsift.annotation.pull import pull
from gainsift.annotation.tasks import Pages
from gainsift.schemas.rows import item_answer

pytestmark = pytest.mark.system
PLAIN = "Quelle"
"""Stands before and after the hostile answers; the page around it is what the page around them must be."""
LOOK = """() => {
  const panel = document.querySelector('.lsf-main-view__annotation'), box = panel.querySelector('.gs-answer');
  const mark = tag => box.contains(tag) && tag.className ? '.' + tag.className : '';
  const name = tag => tag.tagName.toLowerCase() + mark(tag);
  const inside = [...box.querySelectorAll('*')];
  return {
    text: box.textContent,
    inside: [...new Set(inside.map(name))].sort(),
    attributes: [...new Set(inside.flatMap(tag => tag.getAttributeNames()))].sort(),
    around: [...panel.querySelectorAll('.gs-page, .gs-page *')].filter(tag => !box.contains(tag)).map(name),
    active: [...document.querySelectorAll('script,iframe,object,embed,form,link,img,meta,base')].map(name).sort(),
    seen: box.checkVisibility({visibilityProperty: true, opacityProperty: true}),
    words: panel.innerText.replace(box.innerText, ''),
    chosen: panel.querySelectorAll('input:checked').length,
    fired: Boolean(window.gainsift_fired),
    address: location.pathname,
  };
}"""


def read_back(shown: str) -> str:
    """The answer from the characters on the page: what an annotator can tell from the signs, done by hand."""
    if shown == "∅ no answer":
        return ""
    text = re.sub(
        "⟨U[+]([0-9A-F]{4,6})⟩|␣|◌", lambda sign: chr(int(sign[1], 16)) if sign[1] else " " * (sign[0] == "␣"), shown
    )
    return text


@dataclass
class Seen:
    """How the page was for each answer, before anybody touched it, and what happened meanwhile."""

    looks: dict[str, dict[str, Any]]
    events: list[str]
    hosts: set[str]


@pytest.fixture(scope="module")
def study(study_of: Any, item: Any, hostile: dict[str, str]) -> Any:
    items = [item(answer) for answer in [PLAIN, *dict.fromkeys(map(item_answer, hostile.values())), PLAIN + "n"]]
    return study_of({"ben": items})


@pytest.fixture(scope="module")
def seen(study: Any, desk_of: Any) -> Seen:
    """Every page looked at and judged, one after another, in one session."""
    desk = desk_of(study, "ben")
    looks = {}
    for line in sorted(study.assignments(), key=lambda line: line.order):
        looks[line.item.answer] = desk.page.evaluate(LOOK)
        desk.keys("1")
        desk.go_on("Control+Enter")
    events = list(desk.events)
    return Seen(looks, events, desk.close().hosts)


def test_a_hostile_output_is_text_and_changes_nothing(hostile_output: str, seen: Seen) -> None:
    answer = item_answer(hostile_output)
    look, plain = seen.looks[answer], seen.looks[PLAIN]
    assert read_back(look["text"]) == answer
    assert set(look["inside"]) <= {"bdi", "span.gs-mark"}
    assert set(look["attributes"]) <= {"dir", "class"}
    assert look["seen"]
    assert not look["fired"]
    for part in ("around", "active", "words", "address"):
        assert look[part] == plain[part], part
    assert look["chosen"] == 0


def test_the_last_page_is_as_the_first(seen: Seen) -> None:
    first, last = seen.looks[PLAIN], seen.looks[PLAIN + "n"]
    assert {key: value for key, value in first.items() if key != "text"} == {
        key: value for key, value in last.items() if key != "text"
    }


def test_nothing_opened_and_nothing_was_asked_of_another_host(seen: Seen) -> None:
    assert seen.events == []
    assert seen.hosts == {"127.0.0.1"}


def test_everything_is_exported_as_it_went(seen: Seen, study: Any, label_studio: Any) -> None:
    pages = Pages(study)
    sent = {line.uid: {"uid": line.uid, **pages.data(line.item)} for line in study.assignments()}
    with httpx.Client(base_url=label_studio.url, headers={"Authorization": f"Token {label_studio.token}"}) as api:
        projects = api.get("/api/projects/", params={"page_size": 1000}).json()["results"]
        found: dict[str, Any] = {}
        for project in projects:
            address = f"/api/projects/{project['id']}/export?exportType=JSON"
            found |= {task["data"].get("uid"): task["data"] for task in api.get(address, timeout=300).json()}
    assert {uid: found.get(uid) for uid in sent} == sent


def test_every_judgement_comes_home_with_its_answer(seen: Seen, study: Any, label_studio: Any) -> None:
    pull(study, label_studio)
    lines = study.annotations()
    assert {line.item.answer for line in lines} == set(seen.looks)
    assert len(lines) == len(seen.looks)
    assert {(line.status, line.label) for line in lines} == {("judged", "correct")}
