"""docs/architecture.md: its examples run as they stand there, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
SECTIONS = {part.splitlines()[0]: part for part in re.split(r"^## ", PAGE, flags=re.M)[1:]}
EXAMPLES = [name for name in SECTIONS if name.startswith("Where to add")]


def blocks(section: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S)


def test_each_of_the_four_is_shown_by_an_example() -> None:
    subjects = {name.removeprefix("Where to add a ") for name in EXAMPLES}
    assert subjects == {"category", "family of models", "statistic", "figure"}
    assert all(blocks(SECTIONS[name]) for name in EXAMPLES)
    assert all("assert " in block for name in EXAMPLES for block in blocks(SECTIONS[name]))


def test_the_examples_run_in_the_order_of_the_page() -> None:
    names: dict[str, Any] = {"__name__": "architecture"}
    for block in blocks(PAGE):
        line = PAGE[: PAGE.index(block)].count("\n")
        exec(compile("\n" * line + block, "docs/architecture.md", "exec"), names)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`((?:schemas|generation|annotation|analysis|cli)/[a-z_.0-9]+)`", PAGE)))
)
def test_a_module_that_the_page_names_is_there(name: str) -> None:
    assert (ROOT / name).is_file() or (ROOT / f"{name}.py").is_file()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", re.sub(r"^```.*?^```$", "", PAGE, flags=re.M | re.S)):
        assert (ROOT / "docs" / target).exists(), target
