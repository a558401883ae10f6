"""`gainsift trace`: what is behind a number of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.terminal import print_json


def trace(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    cell: Annotated[
        str | None,
        typer.Argument(
            metavar="[CELL]",
            help="The address of a number, such as split/training/human/flow (point at it in report.html), or the"
            " beginning of one, which lists those below it; without it the tables are listed.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option("--show", metavar="N", min=0, help="Terms that are printed.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything that enters as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write every judgement of every output that enters.")
    ] = None,
) -> None:
    """A number of the report -> the outputs and judgements behind it.

    Tells how the number is made and of what, and makes it again from what it lists. Exit status 1 if that is not the
    number in the report, as after new judgements: analyze again.
    """
    from gainsift.analysis.report_cells import Cell, find_cells, read_table, table_names
    from gainsift.analysis.trace import trace as walk
    from gainsift.analysis.trace_files import trace_csv, trace_json
    from gainsift.analysis.trace_known import Known
    from gainsift.cli.steps import steps
    from gainsift.cli.trace_output import show, show_cells, show_tables
    from gainsift.schemas.errors import UserError, WorkError
    from gainsift.schemas.files import write_text
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    found = None if cell is None else find_cells(opened, cell)
    if csv is not None and not isinstance(found, Cell):
        raise UserError(f"--csv {csv}", "it needs the address of one number", f"`gainsift trace {study}` lists them")
    if found is None:
        return show_tables([read_table(opened, name) for name in table_names(opened)], as_json)
    if isinstance(found, list):
        return show_cells(found, as_json)
    with steps("reading outputs and judgements"):
        traced = walk(Known(opened), found)
    if csv is not None:
        try:
            write_text(csv, trace_csv(traced))
        except OSError as error:
            raise UserError(f"--csv {csv}", f"no file can be written ({error.strerror})", "name another") from None
    if as_json:
        print_json(trace_json(traced))
    else:
        show(traced, most, csv)
    if traced.agrees is False:
        changed = f"{', '.join(traced.changed)} changed since" if traced.changed else "no input changed since"
        raise WorkError(
            found.address, f"the report says {traced.cell.value}, its terms give {traced.entering.again}; {changed}",
            f"run `gainsift analyze {study}` again" if traced.changed else "this is a defect of gainsift: report it",
        )  # fmt: skip
