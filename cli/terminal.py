"""What the commands print. Text from elsewhere may hold what a terminal obeys: here it is spelled out, always.

Every command prints through this module alone: outputs, words, names of files and answers of servers are not its own.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterable
from typing import Any

import rich.console
import typer
from rich.segment import Segment

from gainsift.schemas.visible_text import visible

_LAYOUT = re.compile(r"([\n\t])")


class Console(rich.console.Console):
    """Rich's console. Its own colours and movements pass; what stands in a text does not command the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._within = threading.local()  # a bar is drawn by a thread of its own

    def render(
        self, renderable: rich.console.RenderableType, options: rich.console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What rich makes of it, spelled out as a whole: a part of it, such as a cell, would be cut to its width."""
        if getattr(self._within, "it", False):
            return super().render(renderable, options)
        self._within.it = True
        try:
            segments = list(super().render(renderable, options))
        finally:
            self._within.it = False
        return [one if one.control else one._replace(text=_shown(one.text)) for one in segments]


def say(text: object = "", err: bool = False, nl: bool = True) -> None:
    """Print a line, or several."""
    typer.echo(_shown(str(text)), err=err, nl=nl)


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print plain data as JSON."""
    print_json_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def print_json_text(text: str) -> None:
    """Print JSON as it is, with escapes for what would not be seen: any reader takes it for the same data."""
    sys.stdout.write("".join(one if one == "\n" or visible(one) == one else json.dumps(one)[1:-1] for one in text))


def print_csv(data: bytes) -> None:
    """Print a csv as it is where a program reads it; on a terminal, what would not be seen is spelled out."""
    if sys.stdout.isatty():
        say(data.decode("utf-8"), nl=False)
    else:
        typer.echo(data, nl=False)


def _shown(text: str) -> str:
    """Text with its lines and tabs as they are, and other unseen signs spelled out."""
    return text if text.isprintable() else "".join(
        part if part in ("\n", "\t") else visible(part) for part in _LAYOUT.split(text)
    )  # fmt: skip
