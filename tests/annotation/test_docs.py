"""docs/annotation.md tells leads of every command of a campaign, and keys that are there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.main import get_command

from gainsift.annotation.accounts import Person
from gainsift.annotation.connection import TOKEN_VARIABLE
from gainsift.annotation.export import ADJUDICATION_FILE
from gainsift.cli.annotate import app as annotate
from gainsift.schemas.campaign import AnnotationSpec

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "annotation.md").read_text("utf-8")
CAMPAIGN, PRIVATE = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.S))
SUBCOMMANDS = get_command(annotate).commands.values()


def test_the_section_of_study_yaml_is_one() -> None:
    spec = AnnotationSpec.model_validate(CAMPAIGN["annotation"])
    assert (spec.overlap, spec.calibration, spec.rows.strata) == (2, 20, ["outcome"])


def test_the_private_map_is_one() -> None:
    assert Person.model_validate(PRIVATE["a1"]).name


def test_every_subcommand_of_a_campaign_is_told() -> None:
    told = set(re.findall(r"gainsift annotate\s+([a-z]+)", DOCS))
    no_part_of_one = {"prelabel", "simulate", "table"}  # for demonstrations, and for any export
    assert told == {command.name for command in SUBCOMMANDS} - no_part_of_one


def test_names_that_are_ours_elsewhere() -> None:
    assert TOKEN_VARIABLE in DOCS
    assert ADJUDICATION_FILE in DOCS
    for target in re.findall(r"\]\(([^)#:]+)\)", DOCS):
        assert (ROOT / "docs" / target).exists(), target
