"""`gainsift analyze`: from judgements to tables, figures and report.html."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from gainsift.analysis.results import Results
    from gainsift.schemas.study import Study


def analyze(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
) -> None:
    """Judgements -> agreement, shares, the split of each gain.

    Writes tables, figures and report.html to STUDY/report.
    """
    from gainsift.analysis.report import write_report
    from gainsift.analysis.results import analyse
    from gainsift.schemas.provenance import now
    from gainsift.schemas.study import Study

    started = now()
    opened = Study.open(study)
    console = Console(stderr=True)
    with console.status("reading") as status:

        def progress(step: str) -> None:
            status.update(step)

        results = analyse(opened, progress)
        page = write_report(opened, results, f"gainsift analyze {study}", started, progress)
    if as_json:
        typer.echo((opened.report_folder / "summary.json").read_text("utf-8"), nl=False)
    else:
        show(opened, results)
        typer.echo(f"report: {page}")


def show(study: Study, results: Results) -> None:
    """Print the summary: one sentence and one table for each contrast, then agreement and what was left out."""
    from rich.table import Table as RichTable
    from rich.text import Text

    from gainsift.analysis.results import warnings
    from gainsift.analysis.summary import agreement_sentence, contrast_sentence
    from gainsift.analysis.tables import display, reasons
    from gainsift.analysis.wording import visible

    console = Console(highlight=False)
    mark = " (simulated annotators)" if results.simulated else ""
    table = results.tables["split"]
    shown = [column for column in table.columns if column.key in ("name", "flow", "share", "of_gain")]
    for result in results.contrasts:
        title = Text(visible(result.contrast.name + mark))
        grid = RichTable(title=title, title_justify="left", box=None, pad_edge=False)
        for column in shown:  # a narrow terminal may wrap the names, never cut the figures
            text = column.kind == "text"
            grid.add_column(column.head, justify="left" if text else "right", no_wrap=not text)
        for row in table.rows:
            if row["contrast"] == result.contrast.name:
                grid.add_row(*(Text(visible(display(column, row[column.key]))) for column in shown))
        console.print(grid)
        for note in reasons([row for row in table.rows if row["contrast"] == result.contrast.name]):
            console.print(Text(visible(note), style="dim"))
        console.print(Text(contrast_sentence(study, result) + "\n"))
    console.print(Text(agreement_sentence(results)))
    for note in warnings(study):
        console.print(Text(note))
    if results.left_out:
        console.print("Left out or set aside:")
    for what, count in sorted(results.left_out.items()):
        console.print(Text(f"{count:6,}  {what}"))
