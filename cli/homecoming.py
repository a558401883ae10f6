"""`gainsift annotate import`, and how the result of an import is shown, whatever way it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
    from gainsift.annotation.findings import Finding
    from gainsift.annotation.homecoming import Imported

SHOWN = 20
"""So many findings are listed on the terminal; all of them with --json."""


def import_(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT...", help="Label Studio exports, format JSON.")],
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing if anything is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Label Studio's exports -> judgements.

    Appends to annotations.jsonl what is new in exports of format JSON. Importing twice adds nothing. What does not
    pass the checks is listed with task and annotator, and kept as such.
    """
    from gainsift.annotation.accounts import accounts, private_map
    from gainsift.annotation.findings import Refused
    from gainsift.annotation.label_studio_export import import_exports
    from gainsift.annotation.recording import record_import
    from gainsift.schemas.provenance import now
    from gainsift.schemas.study import Study

    started, opened = now(), Study.open(study)
    known = {one.email: one.name for one in accounts(opened)} if private_map(opened).exists() else None
    try:
        found = import_exports(opened, exports, accounts=known, strict=strict)
    except Refused as refusal:
        show_refused(refusal.findings, as_json)
        raise
    command = " ".join(["gainsift annotate import", str(study), *map(str, exports)])
    names = [file.name for file in exports]
    inputs = {file.name if names.count(file.name) == 1 else str(file): file for file in exports}
    record_import(opened, command, started, found, inputs)
    show(found, "Import", as_json)


def show(found: Imported, title: str, as_json: bool) -> None:
    """Print what an import found: figures, notes, findings."""
    if as_json:
        print_json(asdict(found))
        return
    new = found.appended
    rows = [
        ("tasks", found.tasks),
        ("not yet opened", found.untouched),
        *sorted(found.lines.items()),
        ("lines added", new.added),
        ("lines that supersede an earlier one", new.changed),
        ("known already", new.unchanged),
        ("older than what is known, left out", new.older),
    ]
    grid = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    grid.add_column()
    grid.add_column(justify="right")
    for name, number in rows:
        grid.add_row(Text(name), f"{number:,}")
    console = Console(highlight=False, markup=False)
    console.print(grid)
    for number, text in (
        (found.withdrawn, "lines withdrawn: the judgement was deleted, or the draft submitted"),
        (found.earlier_rules, "were made under earlier definitions of the labels"),
        (found.unusable_times, "times on the page are no number of seconds; left unknown"),
        (len(found.absent), "judgements are known whose task these exports lack; they stay"),
    ):
        if number:
            console.print(f"note: {number:,} {text}", soft_wrap=True)
    _list(console, found.findings, SHOWN)


def show_refused(findings: Sequence[Finding], as_json: bool) -> None:
    """Print all that a strict import was refused for."""
    if as_json:
        print_json({"refused": True, "findings": [asdict(finding) for finding in findings]})
    else:
        _list(Console(highlight=False, markup=False), findings, len(findings))


def _list(console: Console, findings: Sequence[Finding], most: int) -> None:
    """Each finding in two lines: annotator and where the task lies, for it is there that it is mended; the text."""
    if not findings:
        return
    console.print(f"To look into: {len(findings):,}")
    for finding in findings[:most]:
        about = (finding.annotator, f"task {finding.task}", finding.where)
        console.print(Text(", ".join(part for part in about if part)), soft_wrap=True)
        console.print(Text(f"    {finding.text}"), soft_wrap=True)
    if len(findings) > most:
        console.print(f"and {len(findings) - most:,} more; --json lists them all")
