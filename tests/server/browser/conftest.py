"""An annotator at a real Label Studio in a real Chromium, and a record of all that the browser sent and received."""

from __future__ import annotations

import io
import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from gainsift.annotation.push import push
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.files import write_jsonl
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, CONCEPTS_FORMAT, Study

SCREEN = {"width": 1366, "height": 768}
PATIENCE = 120_000
"""Milliseconds to wait for anything: a page takes 1 to 3 seconds on an idle machine."""
CONCEPTS = [
    Concept(
        id="spring.coil",
        gloss="coil of metal that jumps back",
        reference={"en": ["spring"], "de": ["Feder"], "fr": ["ressort"], "ar": ["نابض"], "he": ["קפיץ"]},
        accepted={"de": ["Sprungfeder"], "ar": ["زنبرك"]},
        senses=[
            Sense(id="spring.season", gloss="season after winter", forms={"en": ["spring"], "de": ["Frühling"]}),
            Sense(id="spring.water", gloss="place where water comes out of the ground",
                  forms={"en": ["spring"], "de": ["Quelle"], "ar": ["نبع", "ينبوع"]}),
            Sense(id="feather", gloss="one of the light things that cover a bird", forms={"de": ["Feder"]}),
        ],
    ),
    Concept(
        id="sheet.paper",
        gloss="single thin piece of paper",
        reference={"en": ["sheet"], "de": ["Blatt"], "fr": ["feuille"], "ar": ["ورقة"], "he": ["גיליון"]},
        accepted={"de": ["Bogen"]},
        senses=[
            Sense(id="sheet.bed", gloss="thin cloth on a mattress", forms={"en": ["sheet"], "de": ["Laken"]}),
            Sense(id="leaf", gloss="flat green part of a tree or flower", forms={"de": ["Blatt"], "fr": ["feuille"]}),
            Sense(id="bow", gloss="bent wood and string that shoots arrows", forms={"de": ["Bogen"]}),
        ],
    ),
]  # fmt: skip


def item(answer: str, languages: tuple[str, str] = ("en", "de"), closed: bool = True) -> Item:
    return Item.of("1", *languages, "spring.coil", "sheet.paper", "spring", answer, closed, "none")


@pytest.fixture(scope="session", name="item")
def _item() -> Callable[..., Item]:
    """item(answer, languages=("en", "de"), closed=True): about spring and sheet."""
    return item


@pytest.fixture(scope="module")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """study_of({"ann": items}): a study whose plan gives these items to the annotator, in this order."""

    def build(lists: dict[str, list[Item]]) -> Study:
        folder = tmp_path_factory.mktemp("study")
        config = {
            "name": "my-secret-study",
            "id": uuid.uuid4().hex,
            "model": {
                "name": "Secretmodel-7B",
                "checkpoints": [{"name": f"secretmodel-{step}", "path": "x"} for step in ("step100", "step200")],
            },
            "trained_languages": ["en", "de", "fr", "ar", "he"],
            "language_pairs": [["en", "de"], ["en", "ar"], ["en", "he"]],
            "annotation": {"annotators": [{"name": name} for name in ("ann", "ben", "cat")]},
        }
        (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
        write_jsonl(folder / "concepts.jsonl", CONCEPTS, CONCEPTS_FORMAT)
        study = Study.open(folder)
        assignments = [
            Assignment(uid=task_uid(study.id, one.item_id, person), item=one, annotator=person, order=place)
            for person, items in lists.items()
            for place, one in enumerate(items)
        ]
        write_jsonl(study.assignments_file, assignments, ASSIGNMENT_FORMAT)
        return study

    return build


@dataclass
class Wire:
    """What went over the network, from the browser's own record of it (a HAR file, bodies and all)."""

    entries: list[dict[str, Any]]

    @property
    def hosts(self) -> set[str]:
        return {str(urlsplit(entry["request"]["url"]).hostname) for entry in self.entries}

    @property
    def urls(self) -> list[str]:
        return [entry["request"]["url"] for entry in self.entries]

    def text(self, entry: dict[str, Any]) -> str:
        """All of one request and its answer: addresses, headers, cookies, bodies, frames of a socket."""
        return json.dumps(entry, ensure_ascii=False)

    def answers(self, part: str) -> list[Any]:
        """The JSON bodies of the answers from addresses with `part` in them."""
        found = [
            entry["response"]["content"].get("text", "") for entry in self.entries if part in entry["request"]["url"]
        ]
        return [json.loads(text) for text in found if text]


@dataclass
class Desk:
    """One annotator at work. Everything is done with keys; what is read is read inside the labelling panel."""

    name: str
    context: BrowserContext
    page: Page
    har: Path
    events: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note what should never happen: dialogs, windows, sockets, faults of scripts."""
        self.context.on("page", lambda page: self.events.append(f"window {page.url}"))
        self.page.on("websocket", lambda socket: self.events.append(f"websocket {socket.url}"))
        self.page.on("pageerror", lambda error: self.events.append(f"fault {error}"))
        self.page.on("download", lambda download: self.events.append(f"download {download.url}"))

        def refuse(dialog: Any) -> None:
            self.events.append(f"dialog {dialog.message}")
            dialog.dismiss()

        self.page.on("dialog", refuse)

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def to_text(self) -> None:
        """Alt+C, Tab. Playwright's own Alt+C is no access key for the browser, so the key event is made by hand."""
        session = self.context.new_cdp_session(self.page)
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "modifiers": 1, "key": "c", "code": "KeyC", "windowsVirtualKeyCode": 67}
            session.send("Input.dispatchKeyEvent", {**event, "unmodifiedText": "c"})
        session.detach()
        self.keys("Tab")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    @property
    def panel(self) -> str:
        """The visible text of the labelling panel."""
        return self.page.locator(PANEL).inner_text()

    @property
    def answer(self) -> str:
        """The characters in the answer's box, as they are in the page."""
        return self.page.locator(f"{PANEL} .gs-answer").text_content() or ""

    def chosen(self) -> list[str]:
        """The texts of the chosen labels and senses, with their keys."""
        return self.page.locator(f"{PANEL} .lsf-choice:has(input:checked)").all_inner_texts()

    def wait_for(self, script: str, value: Any = None) -> None:
        self.page.wait_for_function(script, arg=value, timeout=PATIENCE)

    def go_on(self, *keys: str) -> None:
        """Submit or skip with `keys`, and wait for the next task, or for the end of the list."""
        number = self.page.locator(TASK_NUMBER).inner_text()
        self.keys(*keys)
        self.wait_for(
            f"before => {{ const at = document.querySelector('{TASK_NUMBER}');"
            f" return at ? at.innerText !== before && document.querySelector('{PANEL} .gs-answer')"
            " : /No more|no more|All done|completed/.test(document.body.innerText) }",
            number,
        )

    def close(self) -> Wire:
        """Leave, and read what went over the network."""
        self.context.close()
        return Wire(json.loads(self.har.read_text("utf-8"))["log"]["entries"])


PANEL = ".lsf-main-view__annotation"
TASK_NUMBER = ".lsf-current-task__task-id"


@pytest.fixture(scope="module")
def sit_down(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """sit_down(url, name, email, password, project): logs in at the keyboard and opens the project's list."""
    desks: list[Desk] = []

    def open_desk(url: str, name: str, email: str, password: str, project: int) -> Desk:
        har = tmp_path_factory.mktemp("wire") / "traffic.har"
        context = chromium.new_context(viewport=SCREEN, record_har_path=har, record_har_content="embed")
        context.set_default_timeout(PATIENCE)
        desk = Desk(name, context, context.new_page(), har)
        desks.append(desk)
        desk.watch()
        desk.page.goto(f"{url}/user/login/")
        desk.page.focus("input[name=email]")
        desk.type(email)
        desk.keys("Tab")
        desk.type(password)
        desk.keys("Enter")
        desk.page.wait_for_url(lambda url: "login" not in url)
        desk.page.goto(f"{url}/projects/{project}/data?labeling=1")
        desk.page.wait_for_selector(f"{PANEL} .gs-answer")
        desk.page.wait_for_selector(INSTRUCTION)
        desk.keys("Escape")
        desk.page.wait_for_selector(INSTRUCTION, state="detached")
        return desk

    yield open_desk
    for desk in desks:
        desk.context.close()


@pytest.fixture(scope="module")
def desk_of(sit_down: Any, label_studio: Any) -> Callable[..., Desk]:
    """desk_of(study, "ann", project=0): pushes the study and sits down at one of the annotator's projects."""

    def open_desk(study: Study, name: str, project: int = 0) -> Desk:
        pushed = [one for one in push(study, label_studio).projects if one.annotator == name]
        login = label_studio.accounts[name]
        found: Desk = sit_down(label_studio.url, name, login.email, login.password, pushed[project].project)
        return found

    return open_desk


@pytest.fixture(scope="session")
def picture() -> Callable[[Desk, str], None]:
    """picture(desk, name): a screenshot into the folder that GAINSIFT_PICTURES names; without it, nothing.

    `GAINSIFT_PICTURES=docs pytest -m system tests/server/browser` makes the pictures of docs/ anew.
    """
    folder = os.environ.get("GAINSIFT_PICTURES")

    def take(desk: Desk, name: str) -> None:
        if folder:
            shot = Image.open(io.BytesIO(desk.page.screenshot()))
            shot.convert("RGB").quantize(64).save(Path(folder) / f"{name}.png", optimize=True)

    return take


INSTRUCTION = "[class*=modal-ls__content]"
