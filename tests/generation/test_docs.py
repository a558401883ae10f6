"""docs/checkpoints.md names keys, families and policies that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gainsift.generation.checkpoint_families import FAMILIES, in_training_order
from gainsift.generation.schedules import METHODS, choose
from gainsift.schemas.model import ModelSpec

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "checkpoints.md").read_text("utf-8")
SECTIONS = [yaml.safe_load(block)["model"] for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.S)]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section["name"])
def test_each_section_of_study_yaml_is_one(section: dict[str, object]) -> None:
    model = ModelSpec.model_validate(section)
    for family in model.families:
        found, _ = in_training_order([family.example, "anneal/ckpt_20"], family)
        assert [(one.phase, one.step) for one in found] == [(1, 1000), (2, 1020)]
        assert choose("published", found, family.schedule) == [0, 1]


def test_the_tables_hold_every_family_and_policy() -> None:
    rows = {row[0]: row for row in re.findall(r"^\| `([a-z0-9-]+)[^|]*\|(.*)$", DOCS, re.M)}
    assert {family.name for family in FAMILIES} | set(METHODS) | {"published", "explicit"} == set(rows)
    for family in FAMILIES:
        assert f"`{family.example}`" in rows[family.name][1]
        every = re.findall(
            r"\d+", re.sub(r"\d+/1,|dense-early:", "", family.schedule)
        )  # 20/2,5: to 20 every 2nd, then 5th
        told = rows[family.name][1].split("|")[1]
        assert all(re.search(rf"\b{number}(nd|th)?\b", told) for number in every)
        assert ("all" in told) == (family.schedule == "all" or "/1," in family.schedule)


def test_policies_of_the_table_can_be_parsed() -> None:
    found, _ = in_training_order([f"step{n * 1000}" for n in range(1, 31)], FAMILIES[-1])
    for policy in re.findall(r"^\| `((?:every|log|dense-early|explicit):[^`]+)`", DOCS, re.M):
        assert choose(policy, found, "all")


def test_keys_of_the_model_section_are_told() -> None:
    for key in ModelSpec.model_fields:
        assert re.search(rf"\b{key}\b", DOCS), key
