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
    labels: dict[str, list[str]] = {}
    for line in study.annotations():
        if line.source == "simulated" and line.status == "judged" and line.label not in ("unsure", "bad_item"):
            labels.setdefault(line.item_id, []).append(str(line.label))
    item_of = {row["row_id"]: row["item_id"] for row in study.links().to_pylist()}
    last = {item_of.get(row["row_id"]) for row in study.translations().to_pylist()
            if (row["checkpoint"], row["setting"], row["prompt"]) == ("step-01500", "unpatched", "source")}  # fmt: skip

    def counted(test: Callable[[Any], bool]) -> str:
        return f"{sum(map(test, items)):,} of {len(items):,} items match"

    def copied(item: Any) -> bool:
        said = Counter(labels.get(item.item_id, []))
        return said["plain_copy"] > max([n for label, n in said.items() if label != "plain_copy"], default=0)

    page.get_by_label("Languages", exact=True).select_option("es → it")
    spanish = counted(lambda one: one.input_language == "es")
    assert page.get_by_role("status").inner_text().startswith(spanish)
    page.get_by_role("button", name="Clear all").click()
    page.get_by_label("Annotators", exact=True).select_option("disagreed")
    expect(page.get_by_role("status")).to_contain_text(counted(lambda one: len({*labels.get(one.item_id, [])}) > 1))
    page.get_by_role("button", name="Clear all").click()
    page.get_by_label("Verdict", exact=True).select_option("Copy, no word")
    expect(page.get_by_role("status")).to_contain_text(counted(copied))
    page.get_by_label("Occurs in", exact=True).select_option("step-01500, unpatched")
    both = counted(lambda one: copied(one) and one.item_id in last)
    expect(page.get_by_role("status")).to_contain_text(both)
    page.get_by_role("button", name="Clear all").click()
    page.get_by_label("Search in word").fill("ramo")
    found = counted(lambda one: any("ramo" in text.casefold() for text in texts(study, one)))
    expect(page.get_by_role("status")).to_contain_text(found)


def texts(study: Study, item: Any) -> list[str]:
    concept = study.concepts[item.intended_concept]
    return [item.shown_word, item.answer, concept.gloss, *concept.reference.get(item.output_language, [])]
