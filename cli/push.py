"""`gainsift annotate push`: planned tasks into Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
    from gainsift.annotation.push import Pushed

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="ADDRESS", help="Another Label Studio than the study's own; its token is asked for."),
]


def push(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    url: Url = None,
    calibration_only: Annotated[
        bool, typer.Option("--calibration-only", help="Only what all label first; push again for the rest.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Tasks -> Label Studio.

    One project for each annotator and language pair. Each task is there once, however often this runs or is stopped.
    """
    from gainsift.annotation.connection import connect, missing_accounts
    from gainsift.annotation.push import push as send
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    connection = connect(opened, url)
    missing = missing_accounts(opened, connection) if url else []
    with bar("push") as progress:
        made = send(opened, connection, calibration_only=calibration_only, dry_run=dry_run, progress=progress)
    if as_json:
        answer = {**made.as_dict(), "notes": list(connection.notes), "missing_accounts": missing}
        print_json(answer)
        return
    show(made)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for note in connection.notes:
        console.print(f"note: {note}")
    if missing:
        console.print(f"note: these annotators have no account on the server yet: {', '.join(missing)}")


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, on a terminal only; yields what to tell it: done, total."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        shown = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(shown, completed=done, total=total)


def show(made: Pushed) -> None:
    """One line for each project."""
    title = f"Push{' (dry run: nothing was changed)' if made.dry_run else ''}"
    grid = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for name in ("project", "", "there", "to send" if made.dry_run else "sent", "at home", "removed"):
        grid.add_column(name, justify="left" if name in ("project", "") else "right")
    for one in made.projects:
        numbers = (one.there, one.sent, one.at_home, one.removed)
        grid.add_row(Text(one.title), Text(one.made), *(f"{number:,}" for number in numbers))
    console = Console(highlight=False, markup=False)
    console.print(grid)
    if kept := sum(one.kept for one in made.projects):
        text = "tasks should go, but somebody has worked on them; they stay"
        console.print(f"note: {kept:,} {text}", soft_wrap=True)
