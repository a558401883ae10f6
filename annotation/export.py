"""Writes what Label Studio and the annotators need: page, guidelines, a task file for each person and language pair.

tasks/ holds task files alone; their run record is tasks.run.json beside it. It keeps each file's hash, by which the
next export knows a task file of its own: one that no task is in any more is removed if it is still byte for byte what
was written. Any other file there may be somebody's work, so it is left, and named in a note.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gainsift.annotation.adjudication import adjudications_of
from gainsift.annotation.adjudication_page import adjudication_config
from gainsift.annotation.assignment import idle, tasks_of
from gainsift.annotation.guidelines import guidelines_html
from gainsift.annotation.label_config import label_config
from gainsift.annotation.tasks import task_lines
from gainsift.schemas.atomic import atomic
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_text
from gainsift.schemas.provenance import Run, file_hash, write_run
from gainsift.schemas.study import Study

ADJUDICATION_FILE = "label_config.adjudication.xml"
"""The page of the lead's task files, beside label_config.xml for all others."""


@dataclass(frozen=True)
class Exported:
    """The files, the number of tasks by file (`ann.en-de`), and what else there is to say.

    `adjudication_config`: the page of the lead's tasks, None if there are none.
    """

    config: Path
    adjudication_config: Path | None
    guidelines: Path
    tasks: dict[str, int]
    notes: list[str]


def export(study: Study, command: str, started: str) -> Exported:
    """label_config.xml, guidelines.html, tasks/<annotator>.<en-de>.json, a Label Studio project each.

    Disagreements for the lead to settle have files and a page of their own. Raises UserError.
    """
    items = study.items()
    plan_again = f"run `gainsift annotate plan {study.folder}` again"
    stale = {item.taxonomy_version for item in items} - {study.taxonomy.version}
    if stale:
        raise UserError(
            str(study.items_file),
            f"planned under taxonomy {sorted(stale)[0]}, the study has {study.taxonomy.version}",
            plan_again,
        )
    if not study.assignments_file.exists():
        raise UserError(str(study.assignments_file), "no such file", plan_again)
    assignments = study.assignments()
    disagreements = adjudications_of(assignments)
    lists = {**tasks_of(assignments), **disagreements}
    page = label_config(study.taxonomy)
    config, guidelines = study.folder / "label_config.xml", study.folder / "guidelines.html"
    verdicts = study.folder / ADJUDICATION_FILE if disagreements else None
    counts = {}
    for (person, pair), tasks in lists.items():
        name = f"{person}.{pair}"
        with atomic(study.tasks_folder / f"{name}.json") as file:
            file.writelines(task_lines(study, tasks))
        counts[name] = len(tasks)
    notes = [*idle(study), *_clear(study, counts)]
    write_text(config, page)
    write_text(guidelines, guidelines_html(study.taxonomy))
    if verdicts:
        write_text(verdicts, adjudication_config(study.taxonomy))

    taxonomy = {"taxonomy": study.path(study.config.taxonomy)} if study.config.taxonomy else {}
    inputs = {"study.yaml": study.config_file, **taxonomy}
    settings = {"taxonomy": study.taxonomy.version}
    for page_file in (config, guidelines, *([verdicts] if verdicts else [])):
        write_run(page_file.with_suffix(".run.json"), page_file.name, command, started, inputs, settings=settings)
    hashes = {name: file_hash(study.tasks_folder / f"{name}.json") for name in counts}
    write_run(
        _record(study),
        "tasks",
        command,
        started,
        {**inputs, "assignments.jsonl": study.assignments_file, "concepts.jsonl": study.concepts_file},
        seeds={"order": study.config.annotation.seed},
        settings={**settings, "sha256": hashes},
        counts=counts,
    )
    return Exported(config, verdicts, guidelines, counts, notes)


def _record(study: Study) -> Path:
    return study.tasks_folder.with_suffix(".run.json")


def _clear(study: Study, wanted: Collection[str]) -> list[str]:
    """Remove the last export's files of annotators who have left study.yaml; a note for each file not of today's."""
    try:
        written = Run.model_validate_json(_record(study).read_bytes()).settings.get("sha256")
    except (OSError, ValueError):  # no export yet, or a record that cannot be read: then nothing is known as ours
        written = None
    hashes = written if isinstance(written, dict) else {}
    notes = []
    for file in sorted(study.tasks_folder.glob("*.json")):
        if file.stem in wanted or not file.is_file():
            continue
        if hashes.get(file.stem) == file_hash(file):
            file.unlink()
            notes.append(f"removed {file}: the plan has no task for it any more")
        else:
            notes.append(f"{file} is no task file of the plan, nor as the last export wrote it: left as it is")
    return notes
