"""The parts of docs/ that are made from the code are those that the code makes today."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from bs4 import BeautifulSoup

from gainsift.annotation.guidelines import instruction_html
from gainsift.schemas.languages import LANGUAGES
from gainsift.schemas.taxonomy import Taxonomy, load_taxonomy

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(scope="module")
def generated() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield import_module("generated")
        sys.modules.pop("generated")


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def test_the_pages_are_as_they_are_made(generated: ModuleType) -> None:
    for name, make in generated.PARTS.items():
        page = (DOCS / name).read_text("utf-8")
        assert page.count(generated.BEGIN) == page.count(generated.END) == 1, name
        assert page == generated.with_part(page, make()), f"{name} is stale: run `python docs/generated.py`"


def test_a_change_of_what_a_page_shows_is_noticed(generated: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = load_taxonomy().model_copy(deep=True)
    changed.categories[0].examples.append("intended: one more")
    monkeypatch.setattr(generated, "load_taxonomy", lambda: changed)
    page = (DOCS / "annotators.md").read_text("utf-8")
    again = generated.with_part(page, generated.guidelines())
    assert again != page
    assert again.replace("- intended: one more\n", "") == page


def test_everything_that_is_written_by_hand_stays(generated: ModuleType, tmp_path: Path) -> None:
    for name in generated.PARTS:
        (tmp_path / name).write_text(f"above\n{generated.BEGIN}old\n{generated.END}below\n", "utf-8")
    generated.write(tmp_path)
    for name, make in generated.PARTS.items():
        text = (tmp_path / name).read_text("utf-8")
        assert text.startswith("above\n")
        assert text.endswith("below\n")
        assert make() in text
        assert "old\n" not in text


def test_every_category_has_two_examples_in_two_languages(taxonomy: Taxonomy) -> None:
    names = sorted(language.english for language in LANGUAGES.values())
    into = re.compile(rf"\b(?:into|listed in) ({'|'.join(names)}):")
    seen = set()
    for category in taxonomy.categories:
        languages = [found[1] for example in category.examples if (found := into.search(example))]
        assert len(category.examples) >= 2, category.id
        assert len(set(languages)) >= 2, (category.id, languages)
        seen |= set(languages)
    assert len(seen) >= 4


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_the_page_says_what_the_instruction_in_label_studio_says(generated: ModuleType, taxonomy: Taxonomy) -> None:
    """Word for word: who reads the page has read the project's instruction."""
    page = (DOCS / "annotators.md").read_text("utf-8").partition(generated.BEGIN)[2].partition(generated.END)[0]
    page = re.sub(r"</?kbd>", " ", re.sub(r"^\s*[0-9]+\. ", "", page, flags=re.M))
    instruction = BeautifulSoup(instruction_html(taxonomy), "html.parser")
    assert instruction.style is not None
    instruction.style.decompose()
    assert words(page) == words(instruction.get_text(" "))


@pytest.mark.parametrize("jargon", ["kind", "bucket", "checkpoint", "patch", "layer", "prompt", "token", "gloss"])
def test_the_annotators_page_is_without_jargon(jargon: str, generated: ModuleType) -> None:
    page = (DOCS / "annotators.md").read_text("utf-8").replace("What kind of", "").replace("say what kind", "")
    page = page.replace("A narrower kind", "")
    assert not re.search(rf"\b{jargon}", page, re.I), jargon


def test_links_and_pictures_of_made_pages_exist(generated: ModuleType) -> None:
    for name in generated.PARTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", (DOCS / name).read_text("utf-8")):
            assert (DOCS / target).exists(), f"{name}: {target}"
