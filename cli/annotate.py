"""`gainsift annotate`: plan, export, import, prelabel, simulate."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gainsift.cli import homecoming, pull, push, serve

if TYPE_CHECKING:
    from gainsift.annotation.plan import Plan
    from gainsift.schemas.study import Study

app = typer.Typer(
    name="annotate",
    help="Translations -> items -> people -> judgements.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def _open(folder: Path) -> Study:
    from gainsift.schemas.study import Study

    return Study.open(folder)


def _say(line: str) -> None:
    Console(highlight=False, markup=False, soft_wrap=True).print(line)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    Console(highlight=False, markup=False).print(table)


@app.command()
def plan(
    study: StudyFolder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the figures, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Choose rows, merge equal outputs into items.

    By study.yaml; writes items.parquet and links.parquet.
    """
    from gainsift.annotation.plan import make_plan, write_plan
    from gainsift.schemas.provenance import now

    started, opened = now(), _open(study)
    made = make_plan(opened)
    if not dry_run:
        write_plan(opened, made, f"gainsift annotate plan {study}", started)
    if as_json:
        _print_json({**made.summary.as_dict(), "written": not dry_run})
        return
    _print_plan(made)
    if not dry_run:
        _say(f"wrote {opened.items_file} and {opened.links_file}")


def _print_plan(made: Plan) -> None:
    from gainsift.schemas.validity import REASONS

    s = made.summary
    merged = f"{s.saved_by_merging / s.judgements_without_merging:.0%}" if s.judgements_without_merging else "–"
    _table(
        f"Plan (taxonomy {s.taxonomy_version}, seed {s.seed})",
        [
            ("rows in the population", f"{s.population_rows:,}"),
            (
                "trajectories drawn",
                f"{s.drawn_trajectories:,} of {s.trajectories:,}, π = {s.trajectory_probability:.4g}",
            ),
            ("rows drawn", f"{s.drawn_rows:,}"),
            ("items (distinct answers)", f"{s.items:,}"),
            ("judgements needed", f"{s.judgements:,}"),
            ("saved by judging equal answers once", f"{s.saved_by_merging:,} ({merged})"),
            ("already made and valid", f"{s.done:,}"),
            ("still to make", f"{s.to_do:,}"),
            (f"hours at {s.pace_per_hour} an hour, all annotators", f"{s.hours:.1f}"),
            *(
                (f"  {load.annotator}: {load.items:,} items, {load.done:,} done", f"{load.hours:.1f}")
                for load in s.loads
            ),
        ],
    )
    for source, reasons in s.earlier.items():
        for reason, number in reasons.items():
            _say(f"earlier judgements, {source}: {number:,} {reason} ({REASONS[reason]})")  # type: ignore[index]
    for note in s.notes:
        _say(f"note: {note}")


@app.command()
def export(study: StudyFolder) -> None:
    """Items -> files for Label Studio.

    Writes label_config.xml, guidelines.html and tasks/<annotator>.json.

    Task files of annotators who have left study.yaml are removed if nobody has changed them.
    """
    from gainsift.annotation.export import export as write
    from gainsift.schemas.provenance import now

    started = now()
    made = write(_open(study), f"gainsift annotate export {study}", started)
    for name, number in made.tasks.items():
        _say(f"wrote {study / 'tasks' / name}.json: {number:,} tasks")
    _say(f"wrote {made.config} (paste it into each project's labelling interface)")
    _say(f"wrote {made.guidelines} (for the annotators)")
    for note in made.notes:
        _say(f"note: {note}")


app.command()(serve.serve)
app.command()(push.push)
app.command()(pull.pull)


app.command(name="import")(homecoming.import_)


@app.command()
def prelabel(study: StudyFolder, as_json: AsJson = False) -> None:
    """Label items from the lexicon alone.

    Where it can tell; stored as source `auto`, which never counts as a judgement.
    """
    from gainsift.annotation.automatic import store_prelabels
    from gainsift.schemas.provenance import now

    started, opened = now(), _open(study)
    found = store_prelabels(opened)
    _record(opened, f"gainsift annotate prelabel {study}", started, asdict(found.appended))
    if as_json:
        _print_json(asdict(found))
        return
    _table("Automatic pre-labels", [(label, f"{number:,}") for label, number in found.counts.items()])
    _say(f"{found.appended.added:,} added, {found.appended.changed:,} superseded, {found.appended.unchanged:,} known")


@app.command()
def simulate(study: StudyFolder, as_json: AsJson = False) -> None:
    """Make up judgements for demonstrations.

    From pre-labels with documented noise; stored as source `simulated`, and called so wherever they show.
    """
    from gainsift.annotation.simulated import simulate as make
    from gainsift.schemas.provenance import now

    started, opened = now(), _open(study)
    found = make(opened)
    _record(opened, f"gainsift annotate simulate {study}", started, {**asdict(found.appended), "simulated": 1})
    if as_json:
        _print_json({"simulated": True, **asdict(found)})
        return
    _table("SIMULATED judgements", [(label, f"{number:,}") for label, number in found.counts.items()])
    for name, number in found.annotators.items():
        _say(f"simulated annotator {name}: {number:,} tasks, misreads {found.error_rates[name]:.1%}")
    _say(f"{found.appended.added:,} added, {found.appended.changed:,} superseded, {found.appended.unchanged:,} known")
    _say(found.warning)


def _record(
    study: Study, command: str, started: str, counts: dict[str, int], inputs: dict[str, Path] | None = None
) -> None:
    from gainsift.schemas.provenance import write_run

    write_run(
        study.annotations_file.with_suffix(".run.json"),
        study.annotations_file.name,
        command,
        started,
        {"study.yaml": study.config_file, "items.parquet": study.items_file, **(inputs or {})},
        seeds={"annotation": study.config.annotation.seed},
        settings={"taxonomy": study.taxonomy.version},
        counts=counts,
    )
