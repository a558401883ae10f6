"""`gainsift export`: the whole study as one tidy table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.terminal import Console, say


def export(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the files; STUDY/export if absent.")
    ] = None,
) -> None:
    """The study as one tidy table for R and others.

    A row for each judgement of each output, as tidy.csv and tidy.parquet, with dictionary.csv (every column in words)
    and taxonomy.yaml; outputs.csv and outputs.parquet hold every output, judged or not, with its probability masses.
    Comments and other free text of annotators are not in it. `gainsift analyze --table` reads tidy.csv.
    """
    from gainsift.analysis.tidy_export import write_export
    from gainsift.cli.folders import not_a_file
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    folder = out or opened.folder / "export"
    not_a_file(folder)
    with Console(stderr=True).status("joining outputs and judgements"):
        rows, left_out = write_export(opened, folder, f"gainsift export {study}")
    for what, count in sorted(left_out.items()):
        say(f"{count:6,}  {what}", err=True)
    say(f"{folder / 'tidy.csv'}: {rows:,} rows; dictionary.csv says what the columns mean")
