"""`gainsift demo`: the whole instrument, from untrained weights to the report, in one command."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext, redirect_stdout
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gainsift.cli.terminal import Console, print_json_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gainsift.schemas.model import CheckpointSpec

LAYER = 0
"""The patched layer that the demo judges: in four layers the word is read early, later patches come too late."""
TURN_STEP = 700
"""The checkpoint at which about half of the answers are right; from here on the preferred senses move."""
DRAWN_OF_A_PAIR = 3
"""Trajectories that are drawn for judging, of the four that each prompt pair has in four language pairs."""


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where checkpoints and study go.")] = Path("demo"),
    pairs: Annotated[int, typer.Option(min=8, help="Prompt pairs for each language pair.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report's summary.json instead.")] = False,
) -> None:
    """A whole study on checkpoints trained here.

    Checkpoints and outputs are real; the annotators are SIMULATED.
    """
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        study = _run(folder, pairs)
    if as_json:
        print_json_text((study / "report" / "summary.json").read_text("utf-8"))


def _run(folder: Path, pairs: int) -> Path:
    """Every step as a person would type it; returns the folder of the study."""
    from gainsift.cli import analyze, annotate, generate, lock, plan
    from gainsift.schemas.files import write_text
    from gainsift.schemas.lock import lock_file
    from gainsift.schemas.study import Study

    started = time.monotonic()
    say = Console(highlight=False, markup=False, soft_wrap=True).print
    say("gainsift demo: real checkpoints, trained here; real outputs; SIMULATED annotators")
    study = folder / "study"
    checkpoints = _train(folder / "checkpoints")
    write_text(study / "study.yaml", _study_text(checkpoints, pairs))
    lock_file(Study.open(study)).unlink(missing_ok=True)  # a demo that is made anew has a plan anew
    steps: list[tuple[str, Callable[[], None]]] = [
        (f"gainsift generate {study}", lambda: generate.generate_command(study, redo=True)),
        (f"gainsift annotate plan {study}", lambda: plan.plan(study)),
        (f"gainsift annotate export {study}", lambda: annotate.export(study)),
        (f"gainsift annotate prelabel {study}", lambda: annotate.prelabel(study)),
        (f"gainsift lock {study}", lambda: lock.lock(study)),
        (f"gainsift annotate simulate {study}", lambda: annotate.simulate(study)),
        (f"gainsift analyze {study}", lambda: analyze.analyze_study(study)),
    ]
    for command, run in steps:
        say(f"\n$ {command}", style="bold")
        run()
    say(f"\ndone in {time.monotonic() - started:.0f} s; the annotators of this demo are SIMULATED")
    say(f"read {study / 'report' / 'report.html'}")
    return study


def _train(folder: Path) -> list[CheckpointSpec]:
    from gainsift.generation.demo_series import train_series

    say = Console(stderr=True, highlight=False).print
    columns = (TextColumn("training"), BarColumn(), TextColumn("step {task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=None)

        def advance(done: int, steps: int) -> None:
            if bar.tasks[0].total is None:
                say("no finished checkpoints there: training them, which takes some minutes")
            bar.update(task, completed=done, total=steps)

        return train_series(folder, progress=advance)


def _study_text(checkpoints: list[CheckpointSpec], pairs: int) -> str:
    """study.yaml, with checkpoint folders relative to the study so that the demo can be moved."""
    from gainsift.generation.demo_recipe import SeriesRecipe

    peak = SeriesRecipe().copying_peak
    early, turn = (next(c.name for c in checkpoints if c.step >= step) for step in (peak, TURN_STEP))
    listed = []
    for checkpoint in checkpoints:
        path = Path("..") / "checkpoints" / Path(checkpoint.path).name
        listed.append({**checkpoint.model_dump(exclude_defaults=True), "path": path.as_posix()})
    template = resources.files("gainsift.cli").joinpath("demo_study.yaml").read_text("utf-8")
    rows = "".join(f"\n    - {json.dumps(row)}" for row in listed)
    drawn = DRAWN_OF_A_PAIR * pairs
    return template.format(checkpoints=rows, early=early, turn=turn, pairs=pairs, layer=LAYER, drawn=drawn)
