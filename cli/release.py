"""`gainsift release`: a bundle of the study to publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.steps import steps
from gainsift.cli.terminal import Console, say


def release(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR|FILE.zip", help="A new folder, or a zip file.")],
    comments: Annotated[
        bool, typer.Option("--comments/--no-comments", help="Whether comments and free text of annotators go in.")
    ] = True,
) -> None:
    """A bundle to publish: outputs, items, judgements, datasheet.

    Judgements stand under pseudonyms, with guidelines, taxonomy, prompts, concepts and run records. Nothing private
    goes in: an e-mail address or a name from private/ in any text is refused with a list. The bundle is a study folder.
    """
    from gainsift.analysis.datasheet import undeclared
    from gainsift.analysis.release import Private
    from gainsift.analysis.release import release as bundle
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        with steps() as progress:
            made = bundle(opened, out, comments, progress)
    except Private as refusal:
        for finding in refusal.findings:
            console.print(f"{finding.where}: {finding.what}")
        raise
    for part in undeclared(opened):
        console.print(f"note: no licence is declared for {part}: release.licences.{part} in study.yaml")
    contents = made.contents
    say(
        f"{made.path}: {contents.outputs.total():,} outputs, {len(contents.items):,} items,"
        f" {len(contents.lines):,} lines of judgements; read its README.md before you publish it"
    )
