"""`gainsift annotate plan`: what people will be asked, and what it will cost."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
    from gainsift.annotation.plan_summary import Summary

KINDS = {
    "main": "items",
    "calibration": "calibration items, which everybody judges first",
    "repeat": "second looks, for agreement with oneself",
    "control": "control items with a known answer",
}


def plan(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the figures, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Choose rows, merge equal outputs into items, share them out.

    By study.yaml; writes items.parquet, links.parquet and assignments.jsonl. Running it again keeps what was given
    out and asks for what is missing.
    """
    from gainsift.annotation.one_at_a_time import one_at_a_time
    from gainsift.annotation.plan import make_plan, write_plan
    from gainsift.schemas.provenance import now
    from gainsift.schemas.study import Study

    started, opened = now(), Study.open(study)
    with nullcontext() if dry_run else one_at_a_time(opened, "plan"):
        made = make_plan(opened)
        if not dry_run:
            write_plan(opened, made, f"gainsift annotate plan {study}", started)
    if as_json:
        shown = {**made.summary.as_dict(), "written": not dry_run}
        print_json(shown)
        return
    _show(made.summary)
    if not dry_run:
        _say(f"wrote {opened.items_file}, {opened.links_file} and {opened.assignments_file}")


def _show(s: Summary) -> None:
    from gainsift.schemas.validity import REASONS

    why = {str(reason): text for reason, text in REASONS.items()}
    _print_table(f"Plan (taxonomy {s.taxonomy_version}, seed {s.seed})", [], _figures(s))
    _print_table(
        f"Annotators, at {s.pace_per_hour} judgements an hour",
        ["annotator", "items", "judged", "repeats", "controls", "hours to go"],
        [
            [load.annotator, f"{load.items:,}", f"{load.done:,}", f"{load.repeats:,}", f"{load.controls:,}",
             f"{load.hours:.1f}"]
            for load in s.loads
        ],
    )  # fmt: skip
    if len(s.strata) > 1:
        _print_table(
            "Strata of trajectories",
            ["stratum", "N", "expected", "drawn", "π"],
            [
                [one.name, f"{one.trajectories:,}", f"{one.expected:,.1f}", f"{one.drawn:,}", f"{one.probability:.4g}"]
                for one in s.strata
            ],
        )
    if s.widths:
        _print_table(
            "Human gain to expect, ± (automatic success standing in for people)",
            ["contrast", "units", "clusters", "interval", "half width"],
            [
                [one.contrast, f"{one.units:,}", f"{one.clusters:,}", f"{one.confidence:.0%}",
                 f"± {one.half_width:.3f}" if one.half_width is not None else f"– ({one.reason})"]
                for one in s.widths
            ],
        )  # fmt: skip
    for source, reasons in s.earlier.items():
        for reason, number in reasons.items():
            _say(f"earlier judgements, {source}: {number:,} {reason} ({why[reason]})")
    for note in s.notes:
        _say(f"note: {note}")


def _figures(s: Summary) -> list[list[str]]:
    merged = f"{s.saved_by_merging / s.judgements_without_merging:.0%}" if s.judgements_without_merging else "–"
    chance = f", π = {s.strata[0].probability:.4g}" if len(s.strata) == 1 else ""
    rows = [
        ["rows in the population", f"{s.population_rows:,}"],
        ["trajectories drawn", f"{s.drawn_trajectories:,} of {s.trajectories:,}{chance}"],
        ["rows drawn", f"{s.drawn_rows:,}"],
        ["items (distinct answers)", f"{s.items:,}"],
    ]
    if s.items_not_asked:
        rows.append(["items that equal a reference form and are not asked about", f"{s.items_not_asked:,}"])
    rows.append(["judgements needed", f"{s.judgements:,}"])
    if set(s.by_role) - {"main"}:
        rows += [[f"  {KINDS[role]}", f"{s.by_role[role]:,}"] for role in KINDS if role in s.by_role]
    rows += [
        ["saved by judging equal answers once", f"{s.saved_by_merging:,} ({merged})"],
        ["already made and valid", f"{s.done:,}"],
        ["still to make", f"{s.to_do:,}"],
        ["hours, all annotators", f"{s.hours:.1f}"],
    ]
    if s.least_shared is not None:
        rows.append(["items that any two annotators share, at least", f"{s.least_shared:,}"])
    return rows


def _print_table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """The first column is names, the others are figures."""
    table = Table(show_header=bool(heads), box=None, pad_edge=False)
    for number in range(len(rows[0])):
        table.add_column(heads[number] if heads else "", justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, markup=False)
    console.print(Text(title, style="italic"))
    console.print(table)
    console.print()


def _say(line: str) -> None:
    Console(highlight=False, markup=False, soft_wrap=True).print(line)
