"""`gainsift annotate`: plan, export, import, prelabel, simulate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gainsift.cli import adjudicate, homecoming, plan, pull, push, serve, status, table
from gainsift.cli.terminal import Console, print_json

if TYPE_CHECKING:
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


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    Console(highlight=False, markup=False).print(table)


app.command()(plan.plan)


@app.command()
def export(study: StudyFolder) -> None:
    """Items -> files for Label Studio.

    Writes label_config.xml, guidelines.html and tasks/<annotator>.<en-de>.json, each for a project of its own.

    Task files of an earlier plan that have no task any more are removed if nobody has changed them.
    """
    from gainsift.annotation.export import export as write
    from gainsift.schemas.provenance import now

    started = now()
    made = write(_open(study), f"gainsift annotate export {study}", started)
    for name, number in made.tasks.items():
        _say(f"wrote {study / 'tasks' / name}.json: {number:,} tasks")
    _say(f"wrote {made.config} (paste it into each project's labelling interface)")
    if made.adjudication_config:
        _say(f"wrote {made.adjudication_config} (for the projects of lead.*.json, instead of the other)")
    _say(f"wrote {made.guidelines} (for the annotators)")
    for note in made.notes:
        _say(f"note: {note}")


app.command()(serve.serve)
app.command()(push.push)
app.command()(pull.pull)
app.command()(status.status)


app.command(name="import")(homecoming.import_)
app.command()(adjudicate.adjudicate)
app.command()(table.table)


@app.command()
def prelabel(study: StudyFolder, as_json: AsJson = False) -> None:
    """Label items from the lexicon alone.

    Where it can tell; stored as source `auto`, which never counts as a judgement.
    """
    from gainsift.annotation.automatic import store_prelabels
    from gainsift.annotation.recording import record_machine
    from gainsift.schemas.provenance import now

    started, opened = now(), _open(study)
    found = store_prelabels(opened)
    record_machine(opened, f"gainsift annotate prelabel {study}", started, found.appended, simulated=False)
    if as_json:
        print_json(asdict(found))
        return
    _table("Automatic pre-labels", [(label, f"{number:,}") for label, number in found.counts.items()])
    _say(f"{found.appended.added:,} added, {found.appended.changed:,} superseded, {found.appended.unchanged:,} known")


@app.command()
def simulate(study: StudyFolder, as_json: AsJson = False) -> None:
    """Make up judgements for demonstrations.

    From pre-labels with documented noise; stored as source `simulated`, and called so wherever they show.
    """
    from gainsift.annotation.recording import record_machine
    from gainsift.annotation.simulated import simulate as make
    from gainsift.schemas.provenance import now

    started, opened = now(), _open(study)
    found = make(opened)
    record_machine(opened, f"gainsift annotate simulate {study}", started, found.appended, simulated=True)
    if as_json:
        print_json({"simulated": True, **asdict(found)})
        return
    _table("SIMULATED judgements", [(label, f"{number:,}") for label, number in found.counts.items()])
    for name, number in found.annotators.items():
        _say(f"simulated annotator {name}: {number:,} tasks, misreads {found.error_rates[name]:.1%}")
    _say(f"{found.appended.added:,} added, {found.appended.changed:,} superseded, {found.appended.unchanged:,} known")
    _say(found.warning)
