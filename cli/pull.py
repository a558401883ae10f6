"""`gainsift annotate pull`: judgements from Label Studio, once or again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.homecoming import show, show_refused
from gainsift.cli.push import Url, bar
from gainsift.cli.terminal import Console, print_json, say

if TYPE_CHECKING:
    from gainsift.annotation.connection import Connection
    from gainsift.annotation.homecoming import Imported
    from gainsift.schemas.study import Study


def pull(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    url: Url = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl+C.")] = False,
    every: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How often --watch looks.")] = 60,
    strict: Annotated[bool, typer.Option("--strict", help="Append nothing if anything is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Label Studio -> judgements.

    Appends to annotations.jsonl every judgement that is new or changed; a deleted one is taken back by a line of its
    own. Running it twice adds nothing. What does not pass the checks is listed with task and annotator.
    """
    from gainsift.annotation.connection import connect
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    connection = connect(opened, url)
    if watch:
        _watch(opened, connection, url, every, strict, as_json)
        return
    with bar("pull") as progress:
        found = _once(opened, connection, strict, as_json, progress)
    show(found, "Pull", as_json)
    if not as_json:
        for note in connection.notes:
            Console(highlight=False, markup=False, soft_wrap=True).print(f"note: {note}")


def _once(
    study: Study,
    connection: Connection,
    strict: bool,
    as_json: bool,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    from gainsift.annotation.findings import Refused
    from gainsift.annotation.pull import pull as fetch
    from gainsift.annotation.recording import record_import
    from gainsift.schemas.provenance import now

    started = now()
    try:
        found = fetch(study, connection, strict=strict, progress=progress)
    except Refused as refusal:
        show_refused(refusal.findings, as_json)
        raise
    record_import(study, f"gainsift annotate pull {study.folder}", started, found)
    return found


def _watch(study: Study, connection: Connection, url: str | None, seconds: int, strict: bool, as_json: bool) -> None:
    """Pull every so many seconds; a line for each time that brought something. Ends with Ctrl+C alone."""
    from gainsift.annotation.connection import connect
    from gainsift.annotation.one_at_a_time import Busy
    from gainsift.annotation.patience import Away
    from gainsift.schemas.errors import GainsiftError

    away = False
    try:
        while True:
            try:
                if away and url is None:  # our own server may have come back on another port
                    connection = connect(study)
                found, away = _once(study, connection, strict, as_json), False
                if found.appended.added or found.appended.changed:
                    _tell(found, as_json)
            except Busy:
                away = False  # a push is at work: the next look will do
            except Away:
                away = True  # patience has told of it already
            except GainsiftError:
                if not away:
                    raise
            time.sleep(seconds)
    except KeyboardInterrupt:
        return


def _tell(found: Imported, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found), indent=None)
    else:
        new = found.appended
        line = f"{datetime.now():%H:%M:%S} {new.added:,} added, {new.changed:,} superseded"
        if found.findings:
            line += f", {len(found.findings):,} to look into (`gainsift annotate pull` lists them)"
        say(line)
    sys.stdout.flush()
