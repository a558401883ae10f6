"""`gainsift analyze`: from judgements to tables, figures and report.html."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.steps import steps
from gainsift.cli.terminal import print_json_text, say


def analyze(
    context: typer.Context,
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
    given = {name: value for name, value in context.params.items() if value not in (None, [], ()) and name != "as_json"}
    if table is not None and study is None:
        from gainsift.cli.analyze_table import analyze_table

        return analyze_table(given, as_json)
    if study is None or len(given) > 1:
        from gainsift.schemas.errors import UserError

        what = "expected either a study folder, or --table with --out"
        raise UserError("gainsift analyze", what, "`gainsift analyze --help` shows both ways")
    analyze_study(study, as_json)


def analyze_study(study: Path, as_json: bool = False) -> None:
    """Analyse a study, write its report, print every contrast. Raises UserError."""
    from gainsift.analysis.report import write_report
    from gainsift.analysis.results import analyse
    from gainsift.schemas.lock import deviations
    from gainsift.schemas.provenance import now
    from gainsift.schemas.study import Study

    started = now()
    opened = Study.open(study)
    with steps() as progress:
        results = analyse(opened, progress)
        changes = deviations(opened)
        page = write_report(opened, results, f"gainsift analyze {study}", started, progress, changes)
    if as_json:
        print_json_text((opened.report_folder / "summary.json").read_text("utf-8"))
    else:
        from gainsift.analysis.precision_tables import precision_sentence
        from gainsift.analysis.summary import anchoring_sentence, audit_sentence
        from gainsift.cli.analyze_output import show

        further = [anchoring_sentence(results), audit_sentence(results), precision_sentence(results.precision)]
        show(results, further, changes)
        say(f"report: {page}")
