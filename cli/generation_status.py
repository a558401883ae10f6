"""`gainsift status`: how far the outputs of a study are, what is missing, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import print_json, say

if TYPE_CHECKING:
    from gainsift.generation.standing import AuditStanding, Missing, Standing

SHOWN = 12


def generation_status(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    everything: Annotated[bool, typer.Option("--all", help="List every missing part, however many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """How far `gainsift generate` is, by checkpoint; what is missing, and why.

    Of the judgements: `gainsift annotate status`.
    """
    from gainsift.generation.checkpoints import require_generation
    from gainsift.generation.resolution import open_study
    from gainsift.generation.standing import standing

    require_generation()
    found = standing(open_study(study, write=False))
    if as_json:
        print_json(found.as_dict())
    else:
        show(found, everything)


def show(found: Standing, everything: bool) -> None:
    """Print the table of checkpoints, then what is missing; what failed comes first."""
    from rich.table import Table
    from rich.text import Text

    from gainsift.cli.terminal import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for head in ("checkpoint", "files", "rows", "done", "failed"):
        table.add_column(head, justify="left" if head == "checkpoint" else "right")
    for one in found.checkpoints:
        failed = sum(missing.failed for missing in one.missing)
        share = int(100 * one.share)  # never 100 % before all is there
        table.add_row(Text(one.name), f"{one.files:,}", f"{one.rows:,}", f"{share} %", f"{failed:,}" if failed else "")
    console.print(table)
    missing = sorted((part for one in found.checkpoints for part in one.missing), key=lambda part: not part.failed)
    if missing:
        console.print()
    for part in missing if everything else missing[:SHOWN]:
        console.print(line_of(part))
    if not everything and len(missing) > SHOWN:
        console.print(f"… and {len(missing) - SHOWN:,} more: --all")
    for name in found.other_files[:SHOWN]:
        console.print(f"{name}: of another request, or of nothing that study.yaml names")
    if len(found.other_files) > SHOWN:
        console.print(f"… and {len(found.other_files) - SHOWN:,} more such files")
    if not missing and not found.other_files:
        console.print("All outputs are there.")
    if found.float32_audit is not None:
        show_audit(found.float32_audit)


def show_audit(audit: AuditStanding) -> None:
    """Print how far the float32 audit is, and why it is not further."""
    left = audit.rows - audit.compared
    state = "compared" if left == 0 else f"{audit.compared:,} of them compared: run it again to end it"
    say(f"float32 audit: {audit.rows:,} outputs made again, {state}")
    for line in audit.failures[:SHOWN]:
        say(line)


def line_of(part: Missing) -> str:
    """One missing part: where, which prompt pairs, and why."""
    where = f"{part.checkpoint} {part.input}-{part.output}, prompt pairs {part.first}–{part.last}"
    return f"{where}: {part.reason}" + (f" ({part.since})" if part.since else "")
