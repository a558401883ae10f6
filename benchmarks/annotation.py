"""How long push and pull take against the number of tasks, beside the server's own import and export.

    python benchmarks/annotation.py [STUDY] [--tasks 500 2000 8000] [--repeats 3] [--json]

Starts a Label Studio of its own in a temporary folder and stops it again. STUDY: a study with translations, such as
demo/study, of which is told how many judgements are saved by judging equal answers once.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from label_studio_sdk import LabelStudio
from machine import machine
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gainsift.annotation.accounts import accounts
from gainsift.annotation.assignment import write_assignments
from gainsift.annotation.filling import BATCH
from gainsift.annotation.label_config import label_config
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.plan import make_plan
from gainsift.annotation.projects import ProjectKey, ensure_project, find_projects
from gainsift.annotation.pull import pull
from gainsift.annotation.push import push
from gainsift.annotation.server import Server, start
from gainsift.annotation.server_tasks import in_parts
from gainsift.annotation.snapshots import take_snapshot
from gainsift.annotation.tasks import Pages, task, task_uid
from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import CONCEPTS_FORMAT, ITEMS_FORMAT, Study

AGAINST_SDK = 0.5
"""Least share of the bare import's rate that is asked of push, for the largest number of tasks."""
KEY = ProjectKey("ann", "en-de")
CONCEPTS = [
    Concept(
        id="bank.river",
        gloss="edge of a river",
        reference={"en": ["bank"], "de": ["Ufer"]},
        senses=[Sense(id="bank.money", gloss="house that keeps money", forms={"en": ["bank"], "de": ["Bank"]})],
    ),
    Concept(id="house", gloss="building to live in", reference={"en": ["house"], "de": ["Haus"]}),
]


@dataclass(frozen=True)
class Timing:
    """Seconds for so many tasks, one judgement each; medians over the repeats.

    `sdk_import`: the SDK's import_tasks of the same tasks in the same batches. `server_export`: the server's export
    of the project alone. `again`: with nothing to do.
    """

    tasks: int
    push: float
    push_again: float
    sdk_import: float
    pull: float
    pull_again: float
    server_export: float

    @property
    def against_sdk(self) -> float:
        """Rate of push, as a share of the SDK's bare rate."""
        return self.sdk_import / self.push


@dataclass(frozen=True)
class Saved:
    """Judgements that a study needs, and would need if each output were judged by itself."""

    study: str
    judgements: int
    without_merging: int
    saved: int


def make_study(folder: Path, number: int) -> Study:
    """One annotator with so many tasks."""
    folder.mkdir()
    config = {
        "name": "benchmark",
        "id": f"{time.time_ns():x}",
        "model": {"name": "none", "checkpoints": [{"name": "none", "path": "none"}]},
        "trained_languages": ["en", "de"],
        "language_pairs": [["en", "de"]],
        "annotation": {"annotators": [{"name": KEY.annotator}]},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
    study = Study.open(folder)
    items = [
        Item.of(study.taxonomy.version, "en", "de", "bank.river", "house", "bank", f"Ufer {place}", True, "none")
        for place in range(number)
    ]
    write_jsonl(study.concepts_file, CONCEPTS, CONCEPTS_FORMAT)
    write_parquet(study.items_file, Item, items, ITEMS_FORMAT)
    write_assignments(study, [
        Assignment(uid=task_uid(study.id, item.item_id, KEY.annotator), item=item, annotator=KEY.annotator, order=place)
        for place, item in enumerate(items)
    ])  # fmt: skip
    return study


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(server: Server, folder: Path, number: int) -> Timing:
    """One repeat, on projects of its own."""
    study = make_study(folder, number)
    pages = Pages(study)
    tasks = [task(pages, line) for line in study.assignments()]
    client = LabelStudio(base_url=server.url, api_key=server.token)
    bare = client.projects.create(title="bare", label_config=label_config(study.taxonomy)).id

    def sdk_import() -> None:
        for part in in_parts(tasks, BATCH):
            client.projects.import_tasks(id=bare, request=list(part))

    of_sdk = seconds(sdk_import)
    pushed = seconds(lambda: push(study, server))
    pushed_again = seconds(lambda: push(study, server))
    with Api(server) as api:
        _judge_all(api, study, tasks)
        (project,) = find_projects(api, study, [KEY])[KEY]
        pulled = seconds(lambda: pull(study, server))
        pulled_again = seconds(lambda: pull(study, server))
        exported = seconds(lambda: take_snapshot(api, study, project))
        for done in (bare, project):
            api.once("DELETE", f"/api/projects/{done}/")
    if len(study.annotations()) != number:
        raise SystemExit(f"{len(study.annotations())} of {number} judgements came home")
    return Timing(number, pushed, pushed_again, of_sdk, pulled, pulled_again, exported)


def _judge_all(api: Api, study: Study, tasks: list[dict[str, Any]]) -> None:
    """Put the same tasks there anew, each with a judgement: one by one would take a quarter of a second each."""
    (project,) = find_projects(api, study, [KEY])[KEY]
    api.once("DELETE", f"/api/projects/{project}/")
    project = ensure_project(api, study, KEY, []).id
    (annotator,) = (one for one in accounts(study) if one.name == KEY.annotator)
    choice = {"from_name": "label", "to_name": "answer", "type": "choices", "value": {"choices": ["correct"]}}
    made = {"result": [{"id": "label", **choice}], "completed_by": {"email": annotator.email}, "lead_time": 4.0}
    for part in in_parts(tasks, BATCH):
        api.once("POST", f"/api/projects/{project}/import", [{**one, "annotations": [made]} for one in part])


def saved_by_merging(folder: Path) -> Saved:
    summary = make_plan(Study.open(folder)).summary
    return Saved(str(folder), summary.judgements, summary.judgements_without_merging, summary.saved_by_merging)


def median(timings: list[Timing]) -> Timing:
    names = [name for name in asdict(timings[0]) if name != "tasks"]
    return Timing(
        timings[0].tasks, **{name: statistics.median(getattr(one, name) for one in timings) for name in names}
    )


def show(timings: list[Timing], saved: Saved | None) -> None:
    console = Console(highlight=False)
    columns = ("tasks", "push", "again", "SDK import", "push / SDK rate", "pull", "again", "export", "ms a task")
    grid = Table(*columns, title="seconds, medians", title_justify="left", box=None)
    for one in timings:
        times = [f"{value:.2f}" for value in (one.push, one.push_again, one.sdk_import)]
        home = [f"{value:.2f}" for value in (one.pull, one.pull_again, one.server_export)]
        each = f"{1000 * one.push / one.tasks:.2f} push, {1000 * one.pull / one.tasks:.2f} pull"
        grid.add_row(f"{one.tasks:,}", *times, f"{one.against_sdk:.0%}", *home, each)
    console.print(grid)
    if saved:
        share = saved.saved / saved.without_merging if saved.without_merging else 0.0
        text = f"{saved.judgements:,} judgements instead of {saved.without_merging:,}: judging equal answers once saves"
        console.print(f"{saved.study}: {text} {saved.saved:,} ({share:.0%})", soft_wrap=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("study", nargs="?", type=Path, help="a study with translations")
    parser.add_argument("--tasks", type=int, nargs="+", default=[500, 2000, 8000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    on = machine("label-studio", "label-studio-sdk")
    saved = saved_by_merging(asked.study) if asked.study else None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "studies").mkdir()
        people = accounts(make_study(folder / "first", 1))
        with (
            start(folder / "server", people, port) as server,
            Progress(console=console, disable=not console.is_terminal) as progress,
        ):
            timings = []
            for number in progress.track(asked.tasks, description="tasks"):
                repeats = [
                    measure(server, folder / "studies" / f"{number}-{repeat}", number)
                    for repeat in range(asked.repeats)
                ]
                timings.append(median(repeats))
    if asked.json:
        rows = [{**asdict(one), "against_sdk": one.against_sdk} for one in timings]
        found = {
            "machine": on,
            "target": AGAINST_SDK,
            "repeats": asked.repeats,
            "timings": rows,
            "saved": asdict(saved) if saved else None,
        }
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        show(timings, saved)


if __name__ == "__main__":
    main()
