"""Studies of any size whose tasks go to a real server and come back, and people who answer there."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import yaml

from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.patience import Patience
from gainsift.annotation.projects import find_projects, keys_of
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, CONCEPTS_FORMAT, ITEMS_FORMAT, Study

CONCEPTS = [
    Concept(
        id="dog", gloss="animal that barks", reference={"en": ["dog"], "de": ["Hund"], "fr": ["chien"]},
    ),
    Concept(
        id="bank.river",
        gloss="edge of a river",
        reference={"en": ["bank"], "de": ["Ufer"], "fr": ["rive"]},
        senses=[Sense(id="bank.money", gloss="house that keeps money", forms={"en": ["bank"], "de": ["Bank"]})],
    ),
    Concept(id="house", gloss="building to live in", reference={"en": ["house"], "de": ["Haus"], "fr": ["maison"]}),
]  # fmt: skip
SECRETS = ("secretmodel", "step100", "unpatched", "tgt", "seen", "layer", "checkpoint", "trajectory", "my-secret-study")
"""Words of study.yaml and of the experiment that no annotator may meet."""


def make_item(answer: str, out: str = "de", intended: str = "dog") -> Item:
    return Item.of("1", "en", out, intended, "house", intended.split(".")[0], answer, True, "none")


def write_study(folder: Path, assignments: Iterable[Assignment] = (), **annotation: Any) -> Study:
    """A study folder with the files that push and pull read; `id` and `taxonomy` are keys of study.yaml itself."""
    folder.mkdir(parents=True, exist_ok=True)
    top = {key: annotation.pop(key) for key in ("id", "taxonomy") if key in annotation}
    spec = {"annotators": [{"name": name} for name in ("ann", "ben", "cat")], **annotation}
    config = {
        "name": "my-secret-study",
        "id": uuid.uuid4().hex,  # a study of its own on the shared server
        "model": {"name": "Secretmodel-7B", "checkpoints": [{"name": "secretmodel-step100", "path": "x"}]},
        "trained_languages": ["en", "de", "fr"],
        "language_pairs": [["en", "de"], ["en", "fr"]],
        "annotation": spec,
        **top,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    write_jsonl(folder / "concepts.jsonl", CONCEPTS, CONCEPTS_FORMAT)
    study = Study.open(folder)
    assign(study, assignments)
    return study


def assign(study: Study, assignments: Iterable[Assignment]) -> None:
    """Replace the plan of a study."""
    planned = list(assignments)
    items = {line.item.item_id: line.item for line in planned}
    write_jsonl(study.assignments_file, planned, ASSIGNMENT_FORMAT)
    write_parquet(study.items_file, Item, items.values(), ITEMS_FORMAT)


def assignment(study_id: str, item: Item, annotator: str, order: float = 0.0, **more: Any) -> Assignment:
    uid = task_uid(study_id, item.item_id, annotator, more.get("round", 0), more.get("repeat", 0))
    return Assignment(uid=uid, item=item, annotator=annotator, order=order, **more)


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """study_of({"ann": items, ...}): the items in that order for each annotator."""

    def build(lists: dict[str, list[Item]], name: str = "study", **annotation: Any) -> Study:
        study = write_study(tmp_path / name, **annotation)
        assign(study, [
            assignment(study.id, item, person, order=place)
            for person, items in lists.items()
            for place, item in enumerate(items)
        ])  # fmt: skip
        return study

    return build


def result(
    label: str | None, sense: str | None = None, sense_text: str | None = None, comment: str | None = None
) -> list[dict[str, Any]]:
    """The result of a page as the labelling editor makes it."""
    parts: list[dict[str, Any]] = []
    for name, kind, key, value in (
        ("label", "choices", "choices", label),
        ("sense", "choices", "choices", sense),
        ("sense_text", "textarea", "text", sense_text),
        ("comment", "textarea", "text", comment),
    ):
        if value is not None:
            parts.append({"id": name, "from_name": name, "to_name": "answer", "type": kind, "value": {key: [value]}})
    return parts


@dataclass
class Person:
    """An account at work, through the API as the labelling page uses it."""

    http: httpx.Client

    def send(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        content = None if body is None else json.dumps(body).encode()
        answer = self.http.request(
            method, path, content=content, params=params, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code < 300, answer.text[:500]
        return answer.json() if answer.content else None

    def judge(self, task: int, label: str | None, **more: Any) -> dict[str, Any]:
        fields = {key: more.pop(key) for key in ("sense", "sense_text", "comment") if key in more}
        body = {"result": result(label, **fields), "lead_time": 4.5, **more}
        made: dict[str, Any] = self.send("POST", f"/api/tasks/{task}/annotations/", body)
        return made


@pytest.fixture(scope="session")
def person(label_studio: Any) -> Callable[[str], Person]:
    """person("ann"): logged in to the shared server."""
    return cache(lambda name: log_in(label_studio, name))


def log_in(server: Any, name: str) -> Person:
    """An account of a server, by its log-in form, as a browser does it."""
    login = server.accounts[name]
    http = httpx.Client(base_url=server.url, timeout=300, trust_env=False, follow_redirects=True)
    token = http.get("/user/login/").cookies["csrftoken"]
    form = {"email": login.email, "password": login.password, "csrfmiddlewaretoken": token}
    answer = http.post("/user/login/", data=form, headers={"Referer": server.url})
    assert "/user/login" not in str(answer.url), answer.text[:300]
    http.headers["X-CSRFToken"] = http.cookies["csrftoken"]
    http.headers["Referer"] = server.url
    return Person(http)


@pytest.fixture
def api(label_studio: Any) -> Iterable[Api]:
    with Api(label_studio, Patience(total=60)) as made:
        yield made


@dataclass(frozen=True)
class Seen:
    """What a server holds of a study: tasks by uid, in the order of their ids."""

    tasks: dict[str, list[dict[str, Any]]]
    projects: dict[str, int]

    def order(self, annotator: str, batch: str = "en-de") -> list[str]:
        """The uids in one project."""
        project = self.projects[f"{annotator} {batch}"]
        return [uid for uid, tasks in self.tasks.items() for task in tasks if task["project"] == project]


def look(api: Api, study: Study) -> Seen:
    """Everything, read task by task from the list and not from an export."""
    found = find_projects(api, study, keys_of(study.assignments()))
    tasks: dict[str, list[dict[str, Any]]] = {}
    for ids in found.values():
        assert len(ids) == 1, "two projects with one mark"
        asked = {"fields": "task_only", "include": "id,data,project", "resolve_uri": "false"}
        answer = api.get("/api/tasks/", project=ids[0], page_size=20000, **asked)
        for task in sorted(answer["tasks"], key=lambda task: task["id"]):
            tasks.setdefault(task["data"]["uid"], []).append(task)
    return Seen(tasks, {f"{key.annotator} {key.batch}": ids[0] for key, ids in found.items()})


@pytest.fixture(name="look")
def look_fixture() -> Callable[[Api, Study], Seen]:
    return look


@pytest.fixture
def item() -> Callable[..., Item]:
    return make_item


@pytest.fixture(name="assign")
def assign_fixture() -> Callable[..., None]:
    return assign


@pytest.fixture(name="assignment")
def assignment_fixture() -> Callable[..., Assignment]:
    return assignment


@pytest.fixture
def secrets() -> tuple[str, ...]:
    return SECRETS


@pytest.fixture
def taxonomy(tmp_path: Path) -> Callable[..., str]:
    """taxonomy(label=..., definition=...): the built-in one with another `correct`, as the study's taxonomy.yaml.

    taxonomy(drop="other_sense") leaves that category out.
    """

    def write(drop: str = "", **change: str) -> str:
        data = yaml.safe_load(resources.files("gainsift.schemas").joinpath("taxonomy.yaml").read_text("utf-8"))
        data["categories"] = [category for category in data["categories"] if category["id"] != drop]
        next(category for category in data["categories"] if category["id"] == "correct").update(change)
        for step in data["decision"]:
            step["labels"] = [label for label in step["labels"] if label != drop]
        data["decision"] = [step for step in data["decision"] if step["labels"]]
        (tmp_path / "study").mkdir(exist_ok=True)
        (tmp_path / "study" / "taxonomy.yaml").write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
        return "taxonomy.yaml"

    return write


@dataclass(frozen=True)
class Place:
    """An address and a token."""

    url: str
    token: str


@pytest.fixture
def place() -> type[Place]:
    return Place


@pytest.fixture
def free_address() -> Place:
    """Nobody listens there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Place(f"http://127.0.0.1:{probe.getsockname()[1]}", "0" * 40)


@pytest.fixture
def tools() -> SimpleNamespace:
    """All of the above for tests that build their own study on their own server."""
    return SimpleNamespace(
        write_study=write_study, assign=assign, assignment=assignment, item=make_item, look=look, log_in=log_in
    )


@pytest.fixture(name="result")
def result_fixture() -> Callable[..., list[dict[str, Any]]]:
    return result
