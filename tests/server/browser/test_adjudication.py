"""The lead settles a disagreement with the keyboard alone: what the page shows, and what comes home."""

from __future__ import annotations

from typing import Any

import pytest

from gainsift.annotation.adjudication import adjudicate
from gainsift.annotation.adjudication_page import question_keys
from gainsift.annotation.homecoming import take_in
from gainsift.annotation.pull import pull
from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import Item
from gainsift.schemas.study import ITEMS_FORMAT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def study(study_of: Any, item: Any) -> Any:
    """ann and ben read one answer differently; their judgements came home from a file."""
    items = [item("Frühling")]
    study = study_of({"ann": items, "ben": items})
    write_parquet(study.items_file, Item, items, ITEMS_FORMAT)
    answers = {"ann": [("label", "other_sense"), ("sense", "spring.season")], "ben": [("label", "unrelated")]}
    tasks = []
    for number, line in enumerate(study.assignments()):
        result = [{"from_name": name, "value": {"choices": [value]}} for name, value in answers[line.annotator]]
        data = task(Pages(study), line)["data"]
        tasks.append(("file", {"data": data, "annotations": [{"unique_id": f"u{number}", "result": result}]}))
    take_in(study, tasks, complete=False, accounts=None, strict=False)
    assert adjudicate(study).new == 1
    return study


@pytest.fixture(scope="module")
def desk(desk_of: Any, study: Any) -> Any:
    return desk_of(study, "lead")


def test_the_page_shows_the_item_the_readings_and_the_question(desk: Any, picture: Any) -> None:
    picture(desk, "page_adjudication")
    assert desk.answer == "Frühling"
    for text in (
        "The annotators' readings, in random order",
        "And the reading that you did not choose?",
        "Defensible: people may differ here",
        "A slip: it is wrong",
        "coil of metal that jumps back",
    ):
        assert text in desk.panel
    readings = desk.page.locator(".gs-readings li").all_inner_texts()
    assert sorted(readings) == ["Other sense: season after winter (Frühling)", "Unrelated"]
    assert desk.chosen() == []
    for name in ("ann", "ben"):
        assert name not in desk.panel.split()


def test_it_is_settled_with_the_keyboard(desk: Any, study: Any, label_studio: Any) -> None:
    variation, _ = question_keys(study.taxonomy)
    desk.keys("2", "a", variation)
    assert len(desk.chosen()) == 3
    desk.go_on("Control+Enter")
    pull(study, label_studio)
    (line,) = [line for line in study.annotations() if line.source == "adjudicated"]
    assert (line.annotator, line.label, line.sense, line.disagreement) == (
        "lead", "other_sense", "spring.season", "variation",
    )  # fmt: skip
    assert desk.events == []
