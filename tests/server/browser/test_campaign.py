"""A whole campaign by its commands: serve, three people at the keyboard, pull, adjudicate, pull, analyze.

Eight outputs (four prompt pairs at two checkpoints) make six items, so eighteen judgements instead of twenty-four.
Ben differs from Ann and Cat on one of them, which the lead settles. What the report must say is worked out by hand.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.annotation.accounts import DOMAIN
from gainsift.annotation.adjudication_page import question_keys
from gainsift.annotation.pull import pull
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import ASSIGNMENT_FORMAT, CONCEPTS_FORMAT, TRANSLATIONS_FORMAT, Study

pytestmark = pytest.mark.system
CHECKPOINTS = ("secretmodel-100", "secretmodel-200")
PEOPLE = ("ann", "ben", "cat")


def concept(name: str, gloss: str, de: str, *senses: Sense, lookalikes: tuple[Sense, ...] = ()) -> Concept:
    return Concept(
        id=name, gloss=gloss, reference={"en": [name], "de": [de]}, senses=list(senses), lookalikes=list(lookalikes)
    )


CONCEPTS = [
    concept("dog", "animal that barks", "Hund"),
    concept("house", "building to live in", "Haus"),
    concept("tree", "tall plant with a trunk", "Baum"),
    concept("bread", "food baked from flour", "Brot"),
    concept("bank", "edge of a river", "Ufer",
            Sense(id="bank.money", gloss="house that keeps money", forms={"en": ["bank"], "de": ["Bank"]})),
    concept("window", "opening with glass", "Fenster"),
    concept("gift", "thing given to someone", "Geschenk",
            lookalikes=(Sense(id="de.gift", gloss="poison", forms={"de": ["Gift"]}),)),
    concept("moon", "body that circles the earth", "Mond"),
]  # fmt: skip
ANSWERS = {
    ("dog", "house"): ("Hund", "Hund"),
    ("tree", "bread"): ("tree", "Baum"),
    ("bank", "window"): ("Bank", "Ufer"),
    ("gift", "moon"): ("Gift", "Gift"),
}
"""What the two checkpoints say: one pair right at both, one no longer copied, one with the listed sense at last."""
CAREFUL = {
    "Hund": ["1"], "tree": ["4"], "Baum": ["1"], "Bank": ["2", "a"], "Ufer": ["1"], "Gift": ["3"],
}  # fmt: skip
BEN = {**CAREFUL, "Gift": ["4"]}
"""Ben takes Gift for no word of German; this is what the lead has to settle."""


def output(pair: tuple[str, str], checkpoint: str, answer: str) -> Translation:
    step, pair_id = CHECKPOINTS.index(checkpoint), "+".join(pair)
    return Translation(
        row_id=Translation.make_id(checkpoint, "unpatched", "source", "en", "de", pair_id, None),
        checkpoint=checkpoint, step=100 * (1 + step), tokens=0, setting="unpatched", prompt="source",
        input_language="en", output_language="de", pair_id=pair_id, layer=None, intended_concept=pair[0],
        other_concept=pair[1], shown_word=pair[0], answer=answer, raw=answer + '"', closed=True,
        p_source=0.5, p_target=0.2, source_mass=[0.1, 0.5], target_mass=[0.1, 0.2],
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The study's folder, as `gainsift generate` would leave it."""
    place = tmp_path / "study"
    place.mkdir()
    config = {
        "name": "my-secret-study",
        "id": "c0ffee00c0ffee00",
        "model": {"name": "Secretmodel-7B", "checkpoints": [{"name": name, "path": name} for name in CHECKPOINTS]},
        "trained_languages": ["en", "de"],
        "language_pairs": [["en", "de"]],
        "annotation": {
            "annotators": [{"name": name} for name in PEOPLE],
            "rows": {"settings": ["unpatched"]},
        },
        "contrasts": [{"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}}],
        "analysis": {"bootstrap": 200},
    }
    (place / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    write_jsonl(place / "concepts.jsonl", CONCEPTS, CONCEPTS_FORMAT)
    rows = [
        output(pair, name, text)
        for pair, texts in ANSWERS.items()
        for name, text in zip(CHECKPOINTS, texts, strict=True)
    ]
    write_parquet(place / "translations" / "part.parquet", Translation, rows, TRANSLATIONS_FORMAT)
    return place


@pytest.fixture(name="gainsift")
def output_of_gainsift(gainsift: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., str]:
    """The command as a person types it; its output."""

    def run(*arguments: str) -> str:
        done = gainsift(*arguments, timeout=900)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def label(desk: Any, keys: dict[str, list[str]], items: int) -> None:
    """Judge every item of the list by keyboard."""
    for _ in range(items):
        assert desk.chosen() == []
        desk.keys(*keys[desk.answer])
        desk.go_on("Control+Enter")
    assert desk.events == []


def test_from_serve_to_the_report(
    folder: Path,
    prepared_folder: Path,
    passwords: dict[str, str],
    serve: Any,
    sit_down: Any,
    gainsift: Callable[..., str],
) -> None:
    plan = json.loads(gainsift("annotate", "plan", str(folder), "--json"))
    assert (plan["items"], plan["judgements"], plan["saved_by_merging"]) == (6, 18, 6)

    study = Study.open(folder)
    shutil.copytree(prepared_folder, study.server_folder)  # as an earlier start left it
    served = serve(study)
    pushed = json.loads(gainsift("annotate", "push", str(folder), "--json"))
    assert pushed["sent"] == 0  # serve has sent everything
    assert [(one["annotator"], one["there"]) for one in pushed["projects"]] == [(name, 6) for name in PEOPLE]
    for one in pushed["projects"]:
        name = one["annotator"]
        desk = sit_down(served.url, name, f"{name}@{DOMAIN}", passwords[name], one["project"])
        label(desk, BEN if name == "ben" else CAREFUL, 6)

    assert json.loads(gainsift("annotate", "pull", str(folder), "--json"))["appended"]["added"] == 18
    assert json.loads(gainsift("annotate", "pull", str(folder), "--json"))["appended"]["added"] == 0
    status = json.loads(gainsift("annotate", "status", str(folder), "--json"))
    assert {one["name"]: one["disputed"] for one in status["people"]} == dict.fromkeys(PEOPLE, 1)

    asked = json.loads(gainsift("annotate", "adjudicate", str(folder), "--json"))
    assert (asked["differ"], asked["new"]) == (1, 1)
    (project,) = [one["project"] for one in asked["push"]["projects"]]
    lead = sit_down(served.url, "lead", f"lead@{DOMAIN}", passwords["lead"], project)
    assert lead.answer == "Gift"
    lead.keys("3", question_keys(study.taxonomy)[0])
    lead.go_on("Control+Enter")
    assert json.loads(gainsift("annotate", "pull", str(folder), "--json"))["appended"]["added"] == 1
    assert served.end() == 0

    lines = study.annotations()
    assert len(lines) == 19
    assert {(line.annotator, line.item.answer): line.label for line in lines if line.source == "human"} == {
        (name, answer): {"1": "correct", "2": "other_sense", "3": "homograph_copy", "4": "plain_copy"}[keys[0]]
        for name in PEOPLE
        for answer, keys in (BEN if name == "ben" else CAREFUL).items()
    }
    assert {line.sense for line in lines if line.label == "other_sense"} == {"bank.money"}
    (verdict,) = [line for line in lines if line.source == "adjudicated"]
    assert (verdict.item.answer, verdict.label, verdict.disagreement) == ("Gift", "homograph_copy", "variation")

    gainsift("analyze", str(folder))
    table = json.loads((folder / "report" / "tables" / "split.json").read_text("utf-8"))
    points = {row["part"]: row["flow"]["point"] for row in table["rows"] if row["flow"]}
    # of four units, tree goes from a plain copy and bank from another sense to the listed word; s and h move alike
    assert points["apparent"] == pytest.approx(2 / 4)
    assert points["human"] == pytest.approx(2 / 4)
    assert points["plain_copying"] == pytest.approx(1 / 4)
    assert points["sense_selection"] == pytest.approx(1 / 4)
    for part in ("ability", "homograph_copying", "granularity", "undeserved", "missed", "undecided"):
        assert points[part] == pytest.approx(0)


def test_a_shown_prelabel_is_filled_in_and_the_bare_page_is_empty(
    study_of: Any, item: Any, desk_of: Any, label_studio: Any
) -> None:
    """One key submits what is filled in; both tasks come home with the label that was shown or withheld."""
    study = study_of({"cat": [item("Feder"), item("Frühling"), item("Sprungfeder")]})
    text = study.config_file.read_text("utf-8")
    study.config_file.write_text(text.replace("annotation:\n", "annotation:\n  prelabels: shown\n"), "utf-8")
    labels = {"Feder": ("correct", None, True), "Frühling": ("other_sense", "spring.season", True),
              "Sprungfeder": ("correct", None, False)}  # fmt: skip
    planned = []
    for line in study.assignments():
        label, sense, shown = labels[line.item.answer]
        more = {"prelabel": label, "prelabel_sense": sense, "prelabel_shown": shown}
        planned.append(line.model_copy(update=more))
    write_jsonl(study.assignments_file, planned, ASSIGNMENT_FORMAT)
    study = Study.open(study.folder)

    desk = desk_of(study, "cat")
    filled = []
    for _ in range(3):
        if labels[desk.answer][2]:
            desk.wait_for("() => document.querySelectorAll('.lsf-choice input:checked').length > 0")
        filled.append((desk.answer, len(desk.chosen())))
        if not labels[desk.answer][2]:
            desk.keys("1")
        desk.go_on("Control+Enter")
    assert filled == [("Feder", 1), ("Frühling", 2), ("Sprungfeder", 0)]
    pull(study, label_studio)
    found = {
        line.item.answer: (line.status, line.label, line.sense, line.prelabel, line.prelabel_shown)
        for line in study.annotations()
    }
    assert found == {answer: ("judged", label, sense, label, shown) for answer, (label, sense, shown) in labels.items()}
