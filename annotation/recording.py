"""The run record beside annotations.jsonl: what was done to it last, by what, from what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gainsift.annotation.homecoming import Imported
from gainsift.annotation.judgements import Appended
from gainsift.schemas.provenance import write_run
from gainsift.schemas.study import Study


def record_import(
    study: Study, command: str, started: str, found: Imported, inputs: Mapping[str, Path] | None = None
) -> None:
    """After judgements came home; `inputs`: the exports that they came from."""
    _record(
        study,
        command,
        started,
        {"assignments.jsonl": study.assignments_file, **(inputs or {})},
        {**asdict(found.appended), "withdrawn": found.withdrawn, "findings": len(found.findings)},
    )


def record_machine(study: Study, command: str, started: str, appended: Appended, simulated: bool) -> None:
    """After labels that no person gave were stored: automatic or simulated ones."""
    counts = {**asdict(appended), **({"simulated": 1} if simulated else {})}
    seeds = {"annotation": study.config.annotation.seed}
    _record(study, command, started, {"items.parquet": study.items_file}, counts, seeds)


def _record(
    study: Study,
    command: str,
    started: str,
    inputs: Mapping[str, Path],
    counts: dict[str, int],
    seeds: dict[str, int] | None = None,
) -> None:
    write_run(
        study.annotations_file.with_suffix(".run.json"),
        study.annotations_file.name,
        command,
        started,
        {"study.yaml": study.config_file, **inputs},
        seeds=seeds,
        settings={"taxonomy": study.taxonomy.version},
        counts=counts,
    )
