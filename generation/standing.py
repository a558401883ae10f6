"""How far the outputs of a study are: by checkpoint what stands, what is missing, and why."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gainsift.generation.failures import Failure, read_failures
from gainsift.generation.plan import Job, Plan, make_plan
from gainsift.schemas.study import Study

NOT_YET = "not made yet"


@dataclass(frozen=True)
class Missing:
    """Prompt pairs `first` to `last` (by index) of a language pair that have no rows, and why."""

    checkpoint: str
    input: str
    output: str
    first: int
    last: int
    reason: str
    since: str = ""

    @property
    def failed(self) -> bool:
        return self.reason != NOT_YET


@dataclass
class CheckpointStanding:
    """Units are prompt pair × language pair."""

    name: str
    files: int
    rows: int
    units_done: int
    units: int
    missing: list[Missing] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.units_done / self.units if self.units else 1.0


@dataclass(frozen=True)
class AuditStanding:
    """The float32 audit: outputs that were made again, those of them that were compared, and what failed."""

    rows: int
    compared: int
    failures: list[str]


@dataclass(frozen=True)
class Standing:
    checkpoints: list[CheckpointStanding]
    other_files: list[str]
    """Files of an earlier request, and files that belong to nothing that study.yaml names."""
    float32_audit: AuditStanding | None
    """None where none was begun."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def standing(study: Study) -> Standing:
    """Look at what is there. Loads nothing and writes nothing. Raises UserError."""
    plan = make_plan(study, "cpu", "auto", any_precision=True)
    failures = read_failures(study.translations_folder / "failures.json")
    found = []
    for checkpoint in plan.checkpoints():
        jobs = plan.jobs_of(checkpoint)
        one = CheckpointStanding(
            checkpoint.name, sum(len(job.done) for job in jobs), sum(job.rows for job in jobs),
            len(plan.pairs) * len(jobs) - sum(len(part) for job in jobs for part in job.missing),
            len(plan.pairs) * len(jobs),
        )  # fmt: skip
        one.missing += [missing for job in jobs for missing in _missing(plan, job, failures)]
        found.append(one)
    others = [str(path.relative_to(study.translations_folder)) for path in plan.unwanted()]
    return Standing(found, others, _audit(study))


def _audit(study: Study) -> AuditStanding | None:
    if not study.float32_folder.exists() and not study.float32_file.exists():
        return None
    rows = sum(map(_rows, study.float32_folder.glob("**/*.parquet")))
    failures = read_failures(study.float32_folder / "failures.json")
    told = [f"{one.checkpoint} {one.input_language}-{one.output_language}: {one.reason}" for one in failures]
    return AuditStanding(rows, _rows(study.float32_file), told)


def _rows(path: Path) -> int:
    """By the footer alone; none in a file that is not there, or damaged."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowInvalid):
        return 0


def _missing(plan: Plan, job: Job, failures: list[Failure]) -> list[Missing]:
    name = job.checkpoint.name
    listed = []
    for gap in job.missing:
        left = gap.start
        inside = sorted(
            (failure for failure in failures if failure.concerns(name, job.pair, gap)), key=lambda one: one.first
        )
        for failure in inside:
            first, last = max(failure.first, left), min(failure.last, gap.stop - 1)
            if first > left:
                listed.append(Missing(name, *job.pair, left, first - 1, _why_not(plan, job)))
            if last >= first:
                listed.append(Missing(name, *job.pair, first, last, failure.reason, failure.when))
            left = max(left, last + 1)
        if left < gap.stop:
            listed.append(Missing(name, *job.pair, left, gap.stop - 1, _why_not(plan, job)))
    return listed


def _why_not(plan: Plan, job: Job) -> str:
    """Why nobody made a shard where no failure is noted: a folder for reading lets none be noted."""
    for folder in (plan.folder(job.checkpoint), plan.study.translations_folder, plan.study.folder):
        if folder.exists():
            return NOT_YET if os.access(folder, os.W_OK) else f"{folder} cannot be written"
    return NOT_YET
