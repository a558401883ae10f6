"""Programs in the place of annotators: they log in to a Label Studio and submit judgements as its page does.

They are no people: the label is what the list of words says of an answer, misread now and then as simulated annotators
misread it. Only an empty study in a folder of a test may get such judgements, for they come home as those of people.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import PreLabel, prelabel
from gainsift.annotation.simulated import judge
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import NOT_LISTED

PAGE = 500


def judge_everything(printed: str, folder: Path) -> int:
    """Every task of every annotator whose log-in `gainsift annotate serve` has printed; how many."""
    study = Study.open(folder)
    address = re.search(r"runs at (http://\S+)", printed)
    assert address, printed
    names = {person.name for person in study.config.annotation.annotators}
    rows = [line.split() for line in printed.splitlines()]
    logins = [row for row in rows if len(row) == 3 and row[0] in names]
    assert len(logins) == len(names), printed
    return sum(_judge(study, address[1], email, password, name) for name, email, password in logins)


def _judge(study: Study, url: str, email: str, password: str, name: str) -> int:
    lexicon = Lexicon(study.concepts.values())
    mine = {task.uid: task for task in study.assignments() if task.annotator == name}
    with httpx.Client(base_url=url, timeout=300, trust_env=False, follow_redirects=True) as http:
        token = http.get("/user/login/").cookies["csrftoken"]
        form = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        http.post("/user/login/", data=form, headers={"Referer": url}).raise_for_status()
        http.headers.update({"X-CSRFToken": http.cookies["csrftoken"], "Referer": url})
        done = 0
        for shown in _tasks(http):
            task = mine.get(shown["data"]["uid"])
            if task is None:
                continue  # another person's project
            found = judge(task, prelabel(task.item, lexicon) or PreLabel("unrelated"), study, lexicon)
            body = {"result": _result(found or PreLabel("unsure")), "lead_time": 6.0}
            http.post(f"/api/tasks/{shown['id']}/annotations/", json=body).raise_for_status()
            done += 1
    assert done == len(mine), f"{name} was shown {done} of {len(mine)} tasks"
    return done


def _tasks(http: httpx.Client) -> list[dict[str, Any]]:
    """Of all projects: in the open edition an account sees every one."""
    found: list[dict[str, Any]] = []
    for project in http.get("/api/projects/", params={"page_size": 100}).raise_for_status().json()["results"]:
        asked = {"project": project["id"], "page_size": PAGE, "fields": "task_only", "include": "id,data,project"}
        found += http.get("/api/tasks/", params=asked).raise_for_status().json()["tasks"]
    return found


def _result(found: PreLabel) -> list[dict[str, Any]]:
    """As the labelling page makes it: the label, its sense, and a text for a sense that is not listed."""
    parts = [("label", "choices", "choices", found.label), ("sense", "choices", "choices", found.sense)]
    if found.sense == NOT_LISTED:
        parts.append(("sense_text", "textarea", "text", "made up by a program"))
    return [
        {"id": name, "from_name": name, "to_name": "answer", "type": kind, "value": {key: [value]}}
        for name, kind, key, value in parts
        if value is not None
    ]
