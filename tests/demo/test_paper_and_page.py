"""The demo's tables in a real LaTeX, its report in a real browser. `make system` installs both."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import expect

from gainsift.schemas.study import Study

pytestmark = pytest.mark.demo


@pytest.mark.parametrize("layout", ["one column", "two columns", "two columns, 11 pt Times"])
def test_every_table_fits_the_paper_and_says_what_its_csv_says(
    study: Study, paper: ModuleType, tmp_path: Path, layout: str
) -> None:
    tables = sorted(study.report_folder.glob("tables/*.tex"))
    assert len(tables) > 20
    made = paper.set_in_latex([table.read_text("utf-8") for table in tables], layout, tmp_path)
    assert made.complaints == []
    for table, text in zip(tables, paper.of_each_table(made, len(tables)), strict=True):
        with table.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        data = json.loads(table.with_suffix(".json").read_text("utf-8"))
        assert paper.differences(data, rows, text) == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["report/report.html", "guidelines.html"])
def test_a_page_opens_from_disk_and_fits(study: Study, open_page: Callable[..., Any], name: str, width: int) -> None:
    opened = open_page(study.folder / name, width)
    opened.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert opened.overflow() == 0
    broken = opened.page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length")
    assert broken == 0
    assert opened.asked == []
    assert opened.complaints == []


def test_the_report_says_first_what_was_found(study: Study, open_page: Callable[..., Any]) -> None:
    page = open_page(study.report_folder / "report.html").page
    text = page.inner_text("body")
    assert text.index("The annotators of this report are simulated") < text.index("of apparent gain")
    assert text.index("of apparent gain") < text.index("The split") + 5000
    assert page.locator("img").count() >= 4
    for anchor in page.locator("nav a, .said a").all():
        target = anchor.get_attribute("href") or ""
        assert page.locator(target).count() == 1, target


def test_the_list_of_items_finds_what_the_files_hold(study: Study, open_page: Callable[..., Any]) -> None:
    """Counted from items, links, outputs and judgements one by one, as no part of the analysis does."""
    page = open_page(study.report_folder / "report.html").page
    items = study.items()
    said: dict[str, dict[str, str]] = {}  # item -> annotator -> label; the plan asks nobody twice but for repeats
    for line in study.annotations():
        counts = line.source == "simulated" and line.role in ("main", "calibration") and not line.repeat
        if counts and line.status == "judged" and line.label not in ("unsure", "bad_item"):
            said.setdefault(line.item_id, {})[line.annotator] = str(line.label)
    item_of = {row["row_id"]: row["item_id"] for row in study.links().to_pylist()}
    last = study.config.checkpoint("last").name
    there = {item_of.get(row["row_id"]) for row in study.translations().to_pylist()
             if (row["checkpoint"], row["setting"], row["prompt"]) == (last, "unpatched", "source")}  # fmt: skip

    def copied(item: Any) -> bool:
        votes = Counter(said.get(item.item_id, {}).values())
        return votes["plain_copy"] > max([n for label, n in votes.items() if label != "plain_copy"], default=0)

    def finds(test: Callable[[Any], bool], **chosen: str) -> None:
        for name, option in chosen.items():
            page.get_by_label(name.replace("_", " "), exact=True).select_option(option)
        number = sum(map(test, items))
        assert 0 < number < len(items)
        expect(page.get_by_role("status")).to_contain_text(f"{number:,} of {len(items):,} items match")
        for name in chosen:
            page.get_by_label(name.replace("_", " "), exact=True).select_option("all")

    finds(lambda one: one.input_language == "es", Languages="es → it")
    finds(lambda one: len({*said.get(one.item_id, {}).values()}) > 1, Annotators="disagreed")
    finds(lambda one: len(said.get(one.item_id, {})) == 1, Annotators="one judgement")
    finds(copied, Verdict="Copy, no word")
    finds(lambda one: one.item_id in there, Occurs_in=f"{last}, unpatched")
    finds(lambda one: copied(one) and one.input_language == "de", Verdict="Copy, no word", Languages="de → en")
    page.get_by_label("Search in word").fill("ramo")
    finds(lambda one: any("ramo" in text.casefold() for text in texts(study, one)))


def texts(study: Study, item: Any) -> list[str]:
    concept = study.concepts[item.intended_concept]
    return [item.shown_word, item.answer, concept.gloss, *concept.reference.get(item.output_language, [])]
