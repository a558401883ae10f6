"""Nothing that an annotator's browser gets tells which model, checkpoint, setting or layer an output came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gainsift.annotation.label_config import DATA_KEYS
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study

pytestmark = pytest.mark.system
SECRETS = ("secretmodel", "step100", "step200", "my-secret-study", "unpatched", "tgt_tgt", "en_en")
"""Names in study.yaml, and of settings, that no answer of the server may hold, whatever it is about."""
SIGNS = re.compile(
    r"patch|checkpoint|layer|\btgt\b|\bseen\b|\bself\b|trajector|\bstep|control|calibrat|expected|prelabel|"
    r"copied_from|item_id|content_key|prompt|adjudicat",
    re.IGNORECASE,
)
"""Words of the experiment and of the campaign that neither the page nor a task may hold."""
ANSWERS = {
    "unpatched": ("Feder", "Bogen"),
    "tgt": ("Feder", "Quelle"),
    "seen": ("Frühling", "Feder"),
    "self": ("spring", "Feder"),
}


def rows() -> list[Translation]:
    """Outputs of two checkpoints, patched and not; some are equal."""
    made = []
    for setting, answers in ANSWERS.items():
        for checkpoint, answer in zip(("secretmodel-step100", "secretmodel-step200"), answers, strict=True):
            layer = None if setting == "unpatched" else 17
            prompt = "source" if setting == "unpatched" else "target"
            key = (checkpoint, setting, prompt, "en", "de", "spring.coil+sheet.paper", layer)
            made.append(Translation(
                row_id=Translation.make_id(*key), checkpoint=checkpoint, step=100, tokens=0, setting=setting,
                prompt=prompt, input_language="en", output_language="de", pair_id=key[5], layer=layer,
                intended_concept="spring.coil", other_concept="sheet.paper", shown_word="spring", answer=answer,
                raw=f'{answer}"', closed=True, p_source=0.5, p_target=0.2, source_mass=[0.5] * 5, target_mass=[0.2] * 5,
            ))  # fmt: skip
    return made


PANEL = ".lsf-main-view__annotation"


@pytest.fixture(scope="module")
def study(study_of: Any) -> Study:
    """A study with outputs, planned as a lead plans it, a repeat among the tasks."""
    folder = study_of({}).folder
    config = yaml.safe_load((folder / "study.yaml").read_text("utf-8"))
    config["annotation"] |= {"rows": {"settings": list(ANSWERS)}, "repeats": 0.5}
    (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    write_parquet(folder / "translations" / "part.parquet", Translation, rows(), TRANSLATIONS_FORMAT)
    study = Study.open(folder)
    write_plan(study, make_plan(study), "gainsift annotate plan", "2026-01-01T00:00:00+00:00")
    return Study.open(folder)


@pytest.fixture(scope="module")
def visit(desk_of: Any, study: Study) -> dict[str, Any]:
    """Every task of ann looked at and labelled, and the list of tasks besides; all of the traffic."""
    desk = desk_of(study, "ann")
    tasks = [line for line in study.assignments() if line.annotator == "ann"]
    found: dict[str, Any] = {"panels": [], "dom": [], "html": [], "tasks": tasks}
    for _ in tasks:
        found["html"].append(desk.page.locator(PANEL).inner_html())
        found["panels"].append(desk.panel)
        found["dom"].append(desk.page.content())
        desk.keys("1")
        desk.go_on("Control+Enter")
    assert {line.role for line in tasks} == {"main", "repeat"}
    desk.page.goto(desk.page.url.split("?")[0])  # an annotator can look at the table of tasks as well
    desk.page.get_by_text(tasks[0].uid[:12]).first.wait_for()
    found["dom"].append(desk.page.content())
    found["events"] = list(desk.events)
    found["wire"] = desk.close()
    return found


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(part)


def test_no_name_of_the_experiment_is_in_anything_that_was_sent(visit: dict[str, Any]) -> None:
    wire = visit["wire"]
    assert len(wire.entries) > 50
    for entry in wire.entries:
        text = wire.text(entry).casefold()
        assert not [secret for secret in SECRETS if secret in text], entry["request"]["url"]
    for page in visit["dom"]:
        assert not [secret for secret in SECRETS if secret in page.casefold()]


def test_no_sign_of_patching_or_of_the_campaign_is_on_the_page(visit: dict[str, Any]) -> None:
    assert all("Intended concept" in panel and "spring" in panel for panel in visit["panels"])
    own = re.compile(r' (class|data-testid)="(?!gs-)[^"]*"')  # the tool's own names for its parts
    for part in (*visit["panels"], *(own.sub("", html) for html in visit["html"])):
        assert SIGNS.findall(part) == []


def test_a_task_holds_what_the_page_shows_and_nothing_else(visit: dict[str, Any]) -> None:
    tasks = {
        found["id"]: found
        for body in visit["wire"].answers("/api/")
        for found in objects(body)
        if isinstance(found.get("data"), dict) and "uid" in found["data"]
    }
    assert {task["data"]["uid"] for task in tasks.values()} == {line.uid for line in visit["tasks"]}
    for task in tasks.values():
        assert set(task["data"]) == DATA_KEYS
        assert SIGNS.findall(json.dumps(task["data"], ensure_ascii=False)) == []
        assert task.get("meta") in (None, {})
        assert task.get("predictions", []) == []


def test_a_second_look_is_like_the_first_one(visit: dict[str, Any]) -> None:
    panels = dict(
        zip((line.uid for line in sorted(visit["tasks"], key=lambda line: line.order)), visit["panels"], strict=True)
    )
    for again in [line for line in visit["tasks"] if line.repeat]:
        (first,) = [line for line in visit["tasks"] if line.item == again.item and not line.repeat]
        assert panels[again.uid] == panels[first.uid]


def test_nothing_is_asked_of_any_other_host(visit: dict[str, Any]) -> None:
    assert visit["wire"].hosts == {"127.0.0.1"}
    assert visit["events"] == []
