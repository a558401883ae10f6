"""The step that a long command is at, shown in the terminal until it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.text import Text

from gainsift.cli.terminal import Console


@contextmanager
def steps(first: str = "reading") -> Iterator[Callable[[str], None]]:
    """Gives a function that is told each step by name; names come from files and are text, never markup."""
    from gainsift.schemas.visible_text import visible

    with Console(stderr=True).status(first) as status:
        yield lambda step: status.update(Text(visible(step)))
