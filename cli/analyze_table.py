"""`gainsift analyze --table`: the analysis of anyone's tidy table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from gainsift.schemas.config import AnalysisSpec


def analyze_table(
    table: Path,
    taxonomy: Path | None,
    out: Path | None,
    contrasts: Sequence[str],
    asked: Mapping[str, Any],
    command: str,
    as_json: bool,
) -> None:
    """Read, analyse, write the report into `out`, print every contrast. Raises UserError.

    `asked`: the values of AnalysisSpec that options name, None where they do not; `command`: as it was called.
    """
    from gainsift.analysis.tidy_analysis import analyse_table
    from gainsift.analysis.tidy_report import write_tidy_report
    from gainsift.analysis.tidy_table import read_tidy_table
    from gainsift.cli.analyze import show
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now
    from gainsift.schemas.taxonomy import load_taxonomy

    started = now()
    if out is None:
        raise UserError("--table", "it needs --out", "name the folder of the report: --out DIR")
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}", "expected a folder, found a file", "name another")
    spec = _spec({key: value for key, value in asked.items() if value is not None})
    known = load_taxonomy(taxonomy)
    with Console(stderr=True).status("reading") as status:

        def progress(step: str) -> None:
            status.update(step)

        results = analyse_table(read_tidy_table(table, known), known, contrasts, spec, progress)
        inputs = {table.name: table} | ({taxonomy.name: taxonomy} if taxonomy else {})
        page = write_tidy_report(results, inputs, out, command, started, progress)
    if as_json:
        typer.echo((out / "summary.json").read_text("utf-8"), nl=False)
    else:
        show(results)
        typer.echo(f"report: {page}")


def _spec(asked: Mapping[str, Any]) -> AnalysisSpec:
    """Raises UserError that names the option and what it may be."""
    from pydantic import ValidationError

    from gainsift.schemas.config import AnalysisSpec
    from gainsift.schemas.errors import UserError

    try:
        return AnalysisSpec.model_validate(asked)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        raise UserError(
            f"--{name}", f"{wrong['msg']}, found {asked[name]!r}", "`gainsift analyze --help` shows the choices"
        ) from None
