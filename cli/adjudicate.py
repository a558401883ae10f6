"""`gainsift annotate adjudicate`: disagreements become tasks of the lead."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.push import Url, bar
from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
    from gainsift.annotation.push import Pushed
    from gainsift.schemas.study import Study


def adjudicate(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    url: Url = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the disagreements, change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Disagreements -> tasks of the lead.

    One for each item whose judgements differ in label or sense: the item as it was shown and the readings without
    names. They go to the study's running Label Studio, or to --url; else `export` writes them to files.
    """
    from gainsift.annotation.adjudication import adjudicate as make
    from gainsift.annotation.server_state import running
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    found = make(opened, dry_run)
    reachable = url is not None or running(opened.server_folder) is not None
    pushed = _push(opened, url) if found.asked and reachable and not dry_run else None
    if as_json:
        answer: dict[str, Any] = {**asdict(found), "dry_run": dry_run, "push": pushed.as_dict() if pushed else None}
        print_json(answer)
        return
    rows = [
        ("items judged by two or more", found.compared),
        ("of these differ in label or sense", found.differ),
        ("settled", found.settled),
        ("for the lead to settle", found.asked),
        ("of these new", found.new),
    ]
    grid = Table(title=Text("Disagreements"), title_justify="left", show_header=False, box=None, pad_edge=False)
    grid.add_column()
    grid.add_column(justify="right")
    for name, number in rows:
        grid.add_row(Text(name), f"{number:,}")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(grid)
    for number, text in (
        (found.agreed, "tasks of the lead are retired: their judgements no longer differ"),
        (found.unplanned, "items differ but are no longer planned; they are left"),
    ):
        if number:
            console.print(f"note: {number:,} {text}")
    if dry_run:
        console.print("dry run: nothing was changed")
    elif pushed:
        console.print(f"sent to Label Studio: {pushed.sent:,}; log in as the lead to settle them, then pull")
    elif found.asked:
        console.print(f"no server of this study is running: `gainsift annotate export {study}` writes them to files")


def _push(study: Study, url: str | None) -> Pushed:
    """Send the lead's tasks, and no others."""
    from gainsift.annotation.connection import connect
    from gainsift.annotation.push import push

    with bar("push") as progress:
        return push(study, connect(study, url), adjudications_only=True, progress=progress)
