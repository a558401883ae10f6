"""`gainsift analyze`: from judgements to tables, figures and report.html."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from gainsift.analysis.findings import Findings


def analyze(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="The study folder.", show_default=False)
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of a study: a tidy table (csv, Parquet) with the columns unit, cluster, condition, annotator,"
            " label; optional success, weight, order.",
        ),
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(metavar="T.yaml", help="With --table: the categories; else the built-in ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="With --table: the folder of the report.")] = None,
    contrast: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'A -> B'",
            help="With --table: two conditions to compare, also as 'NAME: A -> B', several times if wanted; else all"
            " consecutive ones of each series, and the first and the last.",
        ),
    ] = None,
    boot: Annotated[
        int | None, typer.Option(min=1, help="With --table: bootstrap resamples of clusters, else 1000.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="With --table: seed of the resamples, else 12345.")] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="KIND", help="With --table: studentised (else), bca or percentile.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(metavar="P", help="With --table: level of the intervals, else 0.95.")
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="With --table: adjudicated (else), majority, dawid-skene or soft."),
    ] = None,
    correction: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="With --table: for many tests, holm (else), fdr_bh or max_t."),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="WHICH", help="With --table: which tests are corrected together, each (else) or all."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of tables.")] = False,
) -> None:
    """Judgements -> agreement, shares, the split of each gain.

    Writes tables, figures and report.html to STUDY/report, or to DIR for a tidy table.
    """
    asked = {"bootstrap": boot, "seed": seed, "interval": interval, "confidence": confidence, "verdict": verdict,
             "correction": correction, "family": family}  # fmt: skip
    if table is not None and study is None:
        from gainsift.cli.analyze_table import analyze_table

        options: dict[str, object] = {"table": table, "taxonomy": taxonomy, "out": out, "boot": boot, "seed": seed,
                                      "interval": interval, "confidence": confidence, "verdict": verdict,
                                      "correction": correction, "family": family}  # fmt: skip
        told = [(name, value) for name, value in options.items() if value is not None]
        told += [("contrast", one) for one in contrast or []]
        command = shlex.join(
            ["gainsift", "analyze", *(part for name, value in told for part in (f"--{name}", str(value)))]
        )
        return analyze_table(table, taxonomy, out, contrast or [], asked, command, as_json)
    if study is None or [one for one in (table, taxonomy, out, contrast, *asked.values()) if one is not None]:
        from gainsift.schemas.errors import UserError

        what = "expected either a study folder, or --table with --out"
        raise UserError("gainsift analyze", what, "`gainsift analyze --help` shows both ways")
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
        from gainsift.analysis.summary import anchoring_sentence, audit_sentence
        from gainsift.schemas.lock import deviations

        show(results, [anchoring_sentence(results), audit_sentence(results)], deviations(opened))
        typer.echo(f"report: {page}")


def show(results: Findings, further: Sequence[str] = (), remarks: Sequence[str] = ()) -> None:
    """Print the summary: one sentence and one table for each contrast, then agreement and what was left out.

    `further` stands beside agreement, `remarks` before the warnings.
    """
    from rich.table import Table as RichTable
    from rich.text import Text

    from gainsift.analysis.findings import warnings
    from gainsift.analysis.sensitivity_tables import sensitivity_sentence
    from gainsift.analysis.summary import agreement_sentence, contrast_sentence
    from gainsift.analysis.tables import display, reasons
    from gainsift.analysis.wording import visible

    console = Console(highlight=False)
    mark = results.mark
    table = results.tables["split"]
    shown = [column for column in table.columns if column.key in ("name", "flow", "share", "of_gain")]
    for result in results.contrasts:
        if result.step:  # the chain in the report shows them together
            continue
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
        console.print(Text(contrast_sentence(results.design, result) + "\n"))
    if not results.contrasts:
        console.print("No series has two conditions, and no contrast is named: nothing to split.")
    for sentence in (agreement_sentence(results), *further):
        if sentence:
            console.print(Text(sentence))
    for result in results.contrasts:
        if told := sensitivity_sentence(results.sensitivity, result.contrast.name):
            console.print(Text(visible(told)))
    for note in [*remarks, *warnings(results.design.spec)]:
        console.print(Text(visible(note)))
    if results.left_out:
        console.print("Left out or set aside:")
    for what, count in sorted(results.left_out.items()):
        console.print(Text(f"{count:6,}  {what}"))
