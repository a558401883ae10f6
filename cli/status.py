"""`gainsift annotate status`: how far the judging has come, and whom to talk to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
    from gainsift.annotation.progress import Status


def status(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """How far the judging has come.

    For each annotator: what is done and left, pace, control items, second looks, agreement with the others. Warns of
    answers that are too fast or always the same. Of what has come home: pull or import first.
    """
    from gainsift.annotation.progress import as_dict
    from gainsift.annotation.progress import status as look
    from gainsift.annotation.status_page import status_html
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.files import write_text
    from gainsift.schemas.provenance import now, write_run
    from gainsift.schemas.study import Study

    started, opened = now(), Study.open(study)
    if not opened.assignments_file.exists():
        raise UserError(str(opened.assignments_file), "no tasks are planned", f"run `gainsift annotate plan {study}`")
    found = look(opened)
    if html is not None:
        write_text(html, status_html(found, opened.config.name))
        inputs = {
            "study.yaml": opened.config_file,
            "assignments.jsonl": opened.assignments_file,
            "annotations.jsonl": opened.annotations_file,
        }
        command = f"gainsift annotate status {study} --html {html}"
        write_run(html.with_suffix(".run.json"), html.name, command, started, inputs)
    if as_json:
        print_json(as_dict(found))
    else:
        show(found)
        if html is not None:
            _console().print(f"wrote {html}")


def show(found: Status) -> None:
    """Print the tables, then the warnings."""
    from gainsift.annotation.progress import Work
    from gainsift.annotation.status_page import (
        PACE,
        PROGRESS,
        RELIABILITY,
        agreement_cells,
        pace_cells,
        reliability_cells,
        work_cells,
    )

    console, people = _console(), found.people
    if found.simulated:
        console.print("These judgements are SIMULATED: no person has read an answer.")
    rows = [work_cells(person.name, person.total) for person in people]
    _grid("Progress", PROGRESS, [*rows, work_cells("all", found.total)])
    if len(found.by_role) > 1:
        _grid("By kind of task", ("role", *PROGRESS[1:]), [work_cells(*one) for one in found.by_role.items()])
    _grid("Pace", PACE, [pace_cells(person) for person in people])
    _grid("Reliability", RELIABILITY, [reliability_cells(person) for person in people])
    calibrated = [person for person in people if "calibration" in person.work]
    if calibrated:
        rows = [
            [one.name, f"{one.work.get('calibration', Work()).done:,}", *agreement_cells(one.calibration)]
            for one in calibrated
        ]
        _grid("Calibration round", ("annotator", "done", "agree", "kappa", "items"), rows)
    console.print(
        f"items judged by two or more: {found.compared:,}, disputed: {found.differ:,}, settled by the lead: "
        f"{found.settled:,}"
    )
    if found.lead.left:
        console.print(f"for the lead to settle: {found.lead.left:,}")
    for text, number in found.problems.items():
        console.print(f"did not pass the checks: {number:,} × {text}")
    for alarm in found.alarms:
        console.print(f"warning: {alarm.text}")


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)


def _grid(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    grid = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for head in heads:
        grid.add_column(head, justify="left" if head == heads[0] else "right", overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    console = Console(highlight=False, markup=False)
    console.print(grid)
    console.print()
