"""Commands and options that pages of docs/ tell are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from gainsift.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = {file.stem: file.read_text("utf-8") for file in sorted((ROOT / "docs").glob("*.md"))}
COMMANDS: dict[str, Any] = get_command(app).commands
GROUPS = [name for name, command in COMMANDS.items() if hasattr(command, "commands")]
ABOUT = {
    "annotation": [f"annotate {name}" for name in COMMANDS["annotate"].commands],
    "checkpoints": ["checkpoints", "generate"],
    "power": ["power"],
    "scale": ["generate", "status"],
    "words": ["concepts check"],
}
"""The commands that a page speaks of where it names an option by itself."""
OTHERS = {("annotation", "--help"), ("scale", "--run")}
"""What every command has, and an option of a benchmark."""
CODE = re.compile(r"```.*?```|`[^`]+`", re.S)
TOLD = [
    pytest.param(name, rest, id=f"{page}: {' '.join(name.split())}{rest}")
    for page, text in PAGES.items()
    for code in CODE.findall(text)
    for name, rest in re.findall(rf"(?<!from )gainsift ((?:(?:{'|'.join(GROUPS)})\s+)?[a-z]+)([^`#\n]*)", code)
]
"""Every command that a page tells as code, and what follows it up to the end of the line or of the code."""


def options(name: str) -> set[str]:
    """Those of a command, such as `generate` or `annotate push`."""
    first, *below = name.split()
    command = COMMANDS[first]
    for part in below:
        command = command.commands[part]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize(("name", "rest"), TOLD)
def test_a_command_and_its_options_exist(name: str, rest: str) -> None:
    known = options(name)
    for option in re.findall(r"--[a-z0-9-]+", rest):
        assert option in known


@pytest.mark.parametrize(
    ("page", "option"),
    sorted({(page, option) for page in ABOUT for option in re.findall(r"`(--[a-z0-9-]+)", PAGES[page])} - OTHERS),
)
def test_an_option_that_is_named_by_itself_exists(page: str, option: str) -> None:
    assert any(option in options(name) for name in ABOUT[page])
