"""`gainsift generate`: from concepts to patched translations."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import print_json, say
from gainsift.schemas.errors import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gainsift.generation.engines import Engine, Watch
    from gainsift.generation.float32_audit import AuditSummary
    from gainsift.generation.run import Summary
    from gainsift.schemas.study import Study


class DeviceName(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class EngineName(StrEnum):
    local = "local"
    ray = "ray"


class DtypeName(StrEnum):
    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def generate_command(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.")],
    engine: Annotated[
        EngineName, typer.Option(help="local: every device of this machine. ray: a Ray cluster that runs.")
    ] = EngineName.local,
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster (host:port); default: the one that Ray finds.")
    ] = None,
    cpus: Annotated[
        int | None, typer.Option(min=1, help="CPUs of a worker on a Ray cluster without GPUs; default: a node's.")
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="auto: cuda where there is one.")] = DeviceName.auto,
    dtype: Annotated[
        DtypeName, typer.Option(help="auto: float32 on the CPU, else the precision of the weights.")
    ] = DtypeName.auto,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Rows that run together; default: what fits the free memory.")
    ] = None,
    shard_size: Annotated[
        int | None,
        typer.Option(min=1, help="Rows of a file, about; default 20,000. A crash costs one for each device."),
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="Make files of an earlier request anew, delete those of none.")
    ] = False,
    audit_float32: Annotated[
        float | None,
        typer.Option(metavar="P", help="Make a share P again in float32: how often does rounding change outputs?"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and show rows, work, bytes and time.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Checkpoints and words -> patched translations.

    Writes prompts.parquet and translations/: every checkpoint, language pair, setting and layer of study.yaml.

    A run that was stopped goes on where it was; finished files are kept. `gainsift status` tells how far it is.
    """
    from gainsift.generation.checkpoints import require_generation

    require_generation()  # before anything that imports torch
    from gainsift.generation.ready import SHARD_ROWS
    from gainsift.generation.resolution import open_study

    runs_on, shard_rows = engine_of(engine, address, cpus), shard_size or SHARD_ROWS
    opened = open_study(study, write=not dry_run)
    if dry_run:
        from gainsift.cli.dry_run import show_dry_run

        show_dry_run(opened, runs_on, device.value, dtype.value, shard_rows, redo, audit_float32, as_json)
        return
    summary = run_generation(opened, runs_on, device, dtype, batch_size, shard_rows, redo, audit_float32, as_json)
    if as_json:
        print_json(summary.as_dict())
    else:
        show_summary(summary, opened)


def engine_of(name: EngineName, address: str | None, cpus: int | None) -> Engine:
    """The engine by its name. Raises UserError for options that are of another one."""
    from gainsift.generation.local_engine import LocalEngine
    from gainsift.schemas.errors import UserError

    if name is EngineName.ray:
        from gainsift.generation.ray_engine import RayEngine

        return RayEngine(address, cpus)
    for option, value in (("--address", address), ("--cpus", cpus)):
        if value is not None:
            raise UserError(option, "is an option of --engine ray", "add --engine ray, or leave it out")
    return LocalEngine()


def run_generation(
    study: Study,
    engine: Engine,
    device: DeviceName,
    dtype: DtypeName,
    batch_size: int | None,
    shard_rows: int,
    redo: bool,
    audit_share: float | None,
    quiet: bool,
) -> Summary:
    """Generate with a progress bar on stderr (plain lines where stderr is no terminal).

    What libraries print on the way goes to stderr too: stdout is for the result.
    """
    from gainsift.generation.run import generate

    with _watching(quiet) as watch, redirect_stdout(sys.stderr):
        return generate(
            study,
            device=device.value,
            dtype=dtype.value,
            batch_size=batch_size,
            redo=redo,
            watch=watch,
            command=_command(study, dtype, audit_share),
            engine=engine,
            shard_rows=shard_rows,
            audit_share=audit_share,
        )


def _command(study: Study, dtype: DtypeName, audit_share: float | None) -> str:
    """As run records tell it: with what decides the rows, and which."""
    asked = "" if dtype is DtypeName.auto else f" --dtype {dtype.value}"
    return f"gainsift generate {study.folder}{asked}" + (f" --audit-float32 {audit_share:g}" if audit_share else "")


@contextmanager
def _watching(quiet: bool) -> Iterator[Watch]:
    """Rows done, rows a second, time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gainsift.cli.terminal import Console
    from gainsift.generation.engines import Watch

    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:

        def tell(line: str) -> None:
            say(line, err=True)

        yield Watch(warn=tell) if quiet else Watch(say=tell, wait=tell, warn=tell)
        return
    columns = (
        TextColumn("generating"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, speed_estimate_period=120) as progress:
        task = progress.add_task("generate", total=None, rate="")

        def total(rows: int, there: int) -> None:
            progress.reset(task, total=rows - there)  # an audit is a second run with its own rows

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
    say(
        f"{summary.rows} rows in {summary.files} files under {study.translations_folder} "
        f"({summary.rows_written} rows in {summary.files_written} files now, {summary.seconds:.1f} s{rate})"
    )
    say(f"{summary.prompt_pairs} prompt pairs from {summary.concepts} concepts")
    for reason, number in summary.left_out.items():
        say(f"  left out: {number} {reason}")
    if summary.refused:
        say(f"  refused: {summary.refused} units whose prompt cannot be cut at its word (preparation.json)")
    if summary.overlapping:
        say(f"  {summary.overlapping} prompt pairs share a first token under the tokenizer (preparation.json)")
    if summary.float32_audit is not None:
        show_audit(summary.float32_audit, study)


def show_audit(audit: AuditSummary, study: Study) -> None:
    """What a float32 audit found, in a line or two on stdout."""
    share = f" ({100 * audit.text_differs / audit.rows:.2f} %)" if audit.rows else ""
    say(
        f"float32 audit: {audit.rows} outputs made again in float32 ({audit.rows_written} now), the text of "
        f"{audit.text_differs} differs{share}; {study.float32_file}, and the report tells more"
    )
    if audit.exact:
        say(f"  not audited, float32 already: {some_of(audit.exact)}")
