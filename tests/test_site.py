"""`make docs`: the site is made without a warning, holds every page, and loads nothing from anywhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md"))


class Loaded(HTMLParser):
    """What a page loads by itself: scripts, styles, pictures, frames."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio"):
            self.addresses.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") not in ("next", "prev", "index", "search", "canonical"):
            self.addresses.append(given.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as the Makefile makes it, elsewhere. A broken link, or a page outside the navigation, is an error."""
    folder = tmp_path_factory.mktemp("site")
    recipe = re.search(r"^docs:.*\n\t\$\(BIN\)/sphinx-build (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert recipe
    words = shlex.split(recipe[1].replace("build/", f"{folder}/"))
    assert {"-W", "--keep-going"} <= set(words)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_every_page_is_there(site: Path) -> None:
    assert len(PAGES) > 10
    for page in PAGES:
        assert (site / page.with_suffix(".html")).is_file(), page


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for file in sorted(site.rglob("*.html")):
        for address in Loaded(file.read_text("utf-8")).addresses:
            assert not re.match(r"(\w+:)?//", address), f"{file.name}: {address}"
    for file in sorted((site / "_static").rglob("*.css")):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", file.read_text("utf-8")), file.name


def test_links_within_a_page_lead_somewhere(site: Path) -> None:
    """Of all pages, to whatever file and heading; those to elsewhere on the net are left out."""
    pages = {file: file.read_text("utf-8") for file in sorted(site.rglob("*.html"))}
    anchors = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in pages.items()}
    for file, text in pages.items():
        for address in re.findall(r'<a[^>]* href="([^"]+)"', text):
            if re.match(r"\w+:", address):
                continue
            path, _, anchor = address.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.exists(), f"{file.name}: {address}"
            if anchor and target in anchors:
                assert anchor in anchors[target], f"{file.name}: {address}"


def test_a_page_of_the_api_says_what_a_function_takes_and_raises(site: Path) -> None:
    text = (site / "api.html").read_text("utf-8")
    assert 'id="gainsift.analysis.split_gain"' in text
    assert "Raises UserError for an unknown" in " ".join(text.split())


@pytest.mark.system
def test_pages_fit_a_telephone_and_a_desk(site: Path, open_page) -> None:
    for name in ("index", "tutorial", "api", "analysis", "notebook"):
        for width in (400, 1280):
            found = open_page(site / f"{name}.html", width)
            assert found.overflow() == 0, f"{name} at {width}"
            assert not found.asked
            assert not found.complaints
