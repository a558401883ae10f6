"""Writes what Label Studio and the annotators need: the page, the guidelines, one task file a person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gainsift.annotation.guidelines import guidelines_html
from gainsift.annotation.label_config import label_config, lint
from gainsift.annotation.tasks import assignments, task_lines
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import atomic, write_text
from gainsift.schemas.provenance import write_run
from gainsift.schemas.study import Study


@dataclass(frozen=True)
class Exported:
    """The files, and the number of tasks by annotator."""

    config: Path
    guidelines: Path
    tasks: dict[str, int]


def export(study: Study, command: str, started: str) -> Exported:
    """label_config.xml, guidelines.html and tasks/<annotator>.json. Raises UserError, WorkError."""
    items = study.items()
    stale = {item.taxonomy_version for item in items} - {study.taxonomy.version}
    if stale:
        raise UserError(
            str(study.items_file),
            f"planned under taxonomy {sorted(stale)[0]}, the study has {study.taxonomy.version}",
            f"run `gainsift annotate plan {study.folder}` again",
        )
    page = label_config(study.taxonomy)
    faults = lint(page)
    if faults:
        raise WorkError("label_config.xml", faults[0], "mend the taxonomy")
    config, guidelines = study.folder / "label_config.xml", study.folder / "guidelines.html"
    counts = {}
    for person in study.config.annotation.annotators:
        mine = assignments(study, items, person.name)
        with atomic(study.tasks_folder / f"{person.name}.json") as file:
            file.writelines(task_lines(study, mine))
        counts[person.name] = len(mine)
    write_text(config, page)
    write_text(guidelines, guidelines_html(study.taxonomy))

    taxonomy = {"taxonomy": study.path(study.config.taxonomy)} if study.config.taxonomy else {}
    inputs = {"study.yaml": study.config_file, **taxonomy}
    settings = {"taxonomy": study.taxonomy.version}
    for page_file in (config, guidelines):
        write_run(page_file.with_suffix(".run.json"), page_file.name, command, started, inputs, settings=settings)
    write_run(
        study.tasks_folder / "run.json",
        "tasks",
        command,
        started,
        {**inputs, "items.parquet": study.items_file, "concepts.jsonl": study.concepts_file},
        seeds={"order": study.config.annotation.seed},
        settings=settings,
        counts=counts,
    )
    return Exported(config, guidelines, counts)
