"""`gainsift lock`: fix what will be asked before anybody knows the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.terminal import print_json, say


def lock(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    late: Annotated[bool, typer.Option("--late", help="Lock although people have judged; the report says so.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only list what was changed since; exit status 1 if anything was.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Freeze the plan of the analysis before the first judgement.

    Contrasts, layers, checkpoints, languages, which outputs are judged, right answers of each concept, kinds and
    buckets of the categories, the success rule and the whole analysis section (seeds, tests, verdict rule) go into
    lock.json with a hash. The report lists every later deviation.
    """
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.lock import deviations, lock_file, read_lock
    from gainsift.schemas.lock import lock as freeze
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    if check and late:
        raise UserError("--check", "it locks nothing, so --late says nothing", "give one of the two")
    made = read_lock(opened) if check else freeze(opened, late)
    found = deviations(opened)
    if as_json:
        told = {"locked": made.locked, "late": made.late, "hash": made.hash, "deviations": found}
        print_json(told)
    else:
        say(f"{lock_file(opened)}: locked {made.locked}, hash {made.hash[:16]}")
        for sentence in found or ["nothing deviates"] * check:
            say(sentence)
    if check and found:
        raise typer.Exit(1)
