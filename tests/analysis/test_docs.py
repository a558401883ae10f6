"""docs/analysis.md tells keys, modules and tables that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gainsift.schemas.config import StudyConfig

ROOT = Path(__file__).resolve().parents[2]
ANALYSIS = (ROOT / "docs" / "analysis.md").read_text("utf-8")
SOURCES = {path.stem: path.read_text("utf-8") for path in (ROOT / "analysis").glob("*.py")}
NAMES = [
    name for part in re.findall(r"^Tables? ([^.:]*)[.:]", ANALYSIS, re.M) for name in re.findall("`([a-z_]+)`", part)
]


@pytest.mark.parametrize("key", sorted(set(re.findall(r"`((?:analysis|annotation)\.[a-z_.]+)`", ANALYSIS))))
def test_a_key_of_study_yaml_exists(key: str) -> None:
    section = StudyConfig
    for part in key.split("."):
        assert part in section.model_fields, key
        section = section.model_fields[part].annotation


@pytest.mark.parametrize("modules", re.findall(r"\[(`[a-z_`, ]+`)\]", ANALYSIS))
def test_a_module_exists_and_says_where_its_formula_is_from(modules: str) -> None:
    for name in re.findall(r"`([a-z_]+)`", modules):
        assert len(SOURCES[name].split('"""')[1]) > 50


@pytest.mark.parametrize("name", [name for name in NAMES if name != "contrasts_along"])
def test_a_table_exists(name: str) -> None:
    """As the name that some module gives to a table; tests/demo asks the reverse of a whole report."""
    assert any(f'"{name}"' in source for source in SOURCES.values())


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", ANALYSIS):
        assert (ROOT / "docs" / target).exists(), target
