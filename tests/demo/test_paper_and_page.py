"""The demo's tables in a real LaTeX, its report in a real browser. `make system` installs both."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gainsift.schemas.study import Study

pytestmark = pytest.mark.demo
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # fmt: skip


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "no Chromium; run `make system`"
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def opened(browser: Browser, path: Path, width: int) -> tuple[Page, list[str], list[str]]:
    """The page, what it asked of others, and what it complained about."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_load_state("load")
    return page, [url for url in asked if not url.startswith(("file:", "data:"))], complaints


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["report/report.html", "guidelines.html"])
def test_a_page_opens_from_disk_and_fits(study: Study, browser: Browser, name: str, width: int) -> None:
    page, asked, complaints = opened(browser, study.folder / name, width)
    assert asked == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    broken = page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth === 0).length")
    assert broken == 0
    page.close()


def test_the_report_says_first_what_was_found(study: Study, browser: Browser) -> None:
    page, _, _ = opened(browser, study.report_folder / "report.html", 1280)
    text = page.inner_text("body")
    assert text.index("The annotators of this report are simulated") < text.index("of apparent gain")
    assert text.index("of apparent gain") < text.index("The split") + 5000
    assert page.locator("img").count() >= 4
    for anchor in page.locator("nav a").all():
        target = anchor.get_attribute("href") or ""
        assert page.locator(target).count() == 1, target
    page.close()
