"""`gainsift init`: a new study folder with a study.yaml that explains every key."""

from __future__ import annotations

import re
import secrets
import shlex
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.terminal import say
from gainsift.schemas.errors import UserError

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
"""Folder names that can be study names as they are; all-digit ones would be numbers in YAML."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the new study.")],
) -> None:
    """Start a study: a study.yaml that explains every key."""
    from gainsift.schemas.files import write_text

    path = folder / "study.yaml"
    if path.exists():
        raise UserError(str(path), "this study exists already", "choose another folder, or edit that file")
    if folder.exists() and not folder.is_dir():
        raise UserError(str(folder), "expected a folder, found a file", "choose another name")
    text = resources.files("gainsift.cli").joinpath("study_template.yaml").read_text("utf-8")
    text = text.replace('id: "000000000000"', f'id: "{secrets.token_hex(6)}"')
    name = folder.resolve().name
    if NAME.fullmatch(name):
        text = text.replace("name: my-study   ", f"name: {name}   ", 1)
    try:
        write_text(path, text)
    except OSError as error:
        raise UserError(str(folder), f"cannot write there ({error.strerror})", "choose another folder") from None
    say(f"{path} written. Name your checkpoints and words in it, then: gainsift generate {shlex.quote(str(folder))}")
