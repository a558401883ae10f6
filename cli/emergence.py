"""`gainsift emergence`: what the outputs show before anybody has judged one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.steps import steps
from gainsift.cli.terminal import say


def emergence(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the report; STUDY/emergence if absent.")
    ] = None,
) -> None:
    """What the outputs show without people: masses, layers, languages.

    Probability of the source and target concept's words and automatic success, by setting, layer, language pair and
    checkpoint, with bands; tables, figures and emergence.html. `gainsift analyze` has all of it too, beside verdicts.
    """
    from gainsift.analysis.emergence import of_outputs
    from gainsift.analysis.emergence_report import write_emergence
    from gainsift.analysis.precision import precision
    from gainsift.analysis.precision_tables import precision_sentence
    from gainsift.cli.folders import not_a_file
    from gainsift.schemas.provenance import now
    from gainsift.schemas.study import Study
    from gainsift.schemas.visible_text import visible

    started = now()
    opened = Study.open(study)
    folder = out or opened.folder / "emergence"
    not_a_file(folder)
    with steps() as progress:
        noise = precision(opened)
        found = of_outputs(opened, progress)
        page = write_emergence(opened, found, noise, folder, f"gainsift emergence {study}", started, progress)
    for sentence in (*found.sentences, precision_sentence(noise)):
        if sentence:
            say(visible(sentence))
    say(f"report: {page}")
