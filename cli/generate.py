"""`gainsift generate`: from concepts to patched translations."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gainsift.generation.plan import Plan
    from gainsift.generation.run import Summary, Watch
    from gainsift.schemas.study import Study


class DeviceName(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class DtypeName(StrEnum):
    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def generate_command(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.")],
    device: Annotated[DeviceName, typer.Option(help="auto: cuda where there is one.")] = DeviceName.auto,
    dtype: Annotated[
        DtypeName, typer.Option(help="auto: float32 on the CPU, else the precision of the weights.")
    ] = DtypeName.auto,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Rows that run together; lower it when memory is short.")
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Make files of an earlier request anew, delete those of none.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and show what is to do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Checkpoints and words -> patched translations.

    Writes prompts.parquet and translations/: every checkpoint, language pair, setting and layer of study.yaml.

    A run that was stopped goes on where it was; finished files are kept.
    """
    from gainsift.generation.checkpoints import require_generation
    from gainsift.generation.resolution import open_study

    require_generation()
    opened = open_study(study, write=not dry_run)
    if dry_run:
        _show_plan(opened, device, dtype, redo, as_json)
        return
    summary = run_generation(opened, device, dtype, batch_size, redo, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(summary.as_dict(), ensure_ascii=False, indent=2))
    else:
        show_summary(summary, opened)


def run_generation(
    study: Study,
    device: str = "auto",
    dtype: str = "auto",
    batch_size: int | None = None,
    redo: bool = False,
    quiet: bool = False,
    command: str | None = None,
) -> Summary:
    """Generate with a progress bar on stderr (plain lines where stderr is no terminal)."""
    from gainsift.generation.run import generate

    with _watching(quiet) as watch:
        return generate(
            study,
            device=DeviceName(device).value,
            dtype=DtypeName(dtype).value,
            batch_size=batch_size,
            redo=redo,
            watch=watch,
            command=command or f"gainsift generate {study.folder}",
        )


@contextmanager
def _watching(quiet: bool) -> Iterator[Watch]:
    """Rows done, rows a second, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gainsift.generation.run import Watch

    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:

        def tell(line: str) -> None:
            print(line, file=sys.stderr, flush=True)

        yield Watch(warn=tell) if quiet else Watch(say=tell, wait=tell, warn=tell)
        return
    columns = (
        TextColumn("generating"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, speed_estimate_period=120) as progress:
        task = progress.add_task("generate", total=None, rate="")

        def total(rows: int, there: int) -> None:
            progress.update(task, total=rows - there)

        def advance(rows: int) -> None:
            progress.advance(task, rows)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:.0f}/s" if speed else "")

        def wait(line: str) -> None:
            progress.update(task, rate=line)

        yield Watch(total=total, advance=advance, wait=wait, warn=progress.console.print)


def show_summary(summary: Summary, study: Study) -> None:
    """What a run did, in a few lines on stdout."""
    rate = (
        f", {summary.rows_written / summary.seconds:.0f} rows a second"
        if summary.rows_written and summary.seconds
        else ""
    )
    typer.echo(
        f"{summary.rows} rows in {summary.files} files under {study.translations_folder} "
        f"({summary.rows_written} rows in {summary.files_written} files now, {summary.seconds:.1f} s{rate})"
    )
    typer.echo(f"{summary.prompt_pairs} prompt pairs from {summary.concepts} concepts")
    for reason, number in summary.left_out.items():
        typer.echo(f"  left out: {number} {reason}")
    if summary.refused:
        typer.echo(f"  refused: {summary.refused} units whose prompt cannot be cut at its word (preparation.json)")
    if summary.overlapping:
        typer.echo(f"  {summary.overlapping} prompt pairs share a first token under the tokenizer (preparation.json)")


def _show_plan(study: Study, device: str, dtype: str, redo: bool, as_json: bool) -> None:
    """The jobs of a dry run: a table, or JSON."""
    from gainsift.generation.checkpoints import resolve_device
    from gainsift.generation.plan import make_plan
    from gainsift.generation.run import prepare

    plan = make_plan(study, resolve_device(DeviceName(device).value), DtypeName(dtype).value)
    if not redo:
        plan.refuse_stale()
    rows = {job.path: one.rows(job) for one in prepare(plan) for job in one.jobs}
    jobs = [
        {
            "checkpoint": job.checkpoint.name,
            "input": job.pair[0],
            "output": job.pair[1],
            "rows": rows.get(job.path, job.rows),
            "state": job.state,
        }
        for job in plan.jobs
    ]
    if as_json:
        typer.echo(json.dumps({"device": plan.device, "prompt_pairs": len(plan.pairs), "jobs": jobs}, indent=2))
    else:
        _print_jobs(plan, jobs)


def _print_jobs(plan: Plan, jobs: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("checkpoint", "input", "output", "rows", "state", title=f"{len(plan.pairs)} prompt pairs")
    for job in jobs:
        table.add_row(*(str(value) for value in job.values()))
    Console(highlight=False, markup=False).print(table)
