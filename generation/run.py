"""`generate`: from concepts to patched translations, in shards.

A shard's file appears whole or not at all, so a run that was stopped goes on with the first one that is missing.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from gainsift.generation.checkpoints import Device, Dtype, require_generation
from gainsift.generation.engines import Engine, Watch
from gainsift.generation.float32_audit import AuditSummary, plan_audit, run_audit
from gainsift.generation.forecast import check_disk
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.making import clear, make_shards
from gainsift.generation.plan import Plan
from gainsift.generation.ready import SHARD_ROWS, plan_work
from gainsift.generation.writing import writing_alone
from gainsift.schemas.atomic import remove_leftovers
from gainsift.schemas.concepts import PromptPair
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import json_line, parquet_records, refuse_newer, write_jsonl, write_parquet
from gainsift.schemas.fixed_checkpoints import fixed_file
from gainsift.schemas.provenance import now, write_run
from gainsift.schemas.study import CONCEPTS_FORMAT, PROMPTS_FORMAT, Study


@dataclass
class Summary:
    """What a run did. `refused` counts units (prompt pair × language pair × checkpoint) without rows."""

    rows: int = 0
    rows_written: int = 0
    files: int = 0
    files_written: int = 0
    prompt_pairs: int = 0
    concepts: int = 0
    refused: int = 0
    overlapping: int = 0
    seconds: float = 0.0
    left_out: dict[str, int] = field(default_factory=dict)
    float32_audit: AuditSummary | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data; without an audit nothing is said of one."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def generate(
    study: Study,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: int | None = None,
    redo: bool = False,
    watch: Watch | None = None,
    command: str = "gainsift generate",
    engine: Engine | None = None,
    shard_rows: int = SHARD_ROWS,
    audit_share: float | None = None,
) -> Summary:
    """Write concepts.jsonl, prompts.parquet and every missing file under translations/.

    `batch_size` is the number of rows that run together (default: what fits the free memory) and `shard_rows` that of
    a file, about; neither changes the rows. With `redo`, files that answer another request are made anew and files
    that belong to no job are deleted; without, they are refused. Raises UserError, or WorkError for a disk that is too
    small, before anything is written. Where some of the work fails the rest is done, and then the first error is
    raised. With `audit_share` that share is made again in float32, once all outputs stand.
    """
    started, clock, watch = now(), time.monotonic(), watch or Watch()
    require_generation()
    engine = engine or LocalEngine()
    plan, ready = plan_work(study, engine.device(device), dtype, shard_rows, redo)
    audit = None if audit_share is None else plan_audit(plan, ready, dtype, audit_share, shard_rows, redo)
    check_disk([(plan, ready), *([(audit.plan, audit.ready)] if audit else [])], watch.warn)
    with writing_alone(study.translations_folder):
        clear(plan)
        _write_words(plan, started, command)
        if ready and study.config.model.trust_remote_code:
            watch.warn("warning: model.trust_remote_code: Python code that comes with the model is run")
        written = make_shards(plan, ready, dtype, batch_size, engine, watch)
        rows = sum(job.rows for job in plan.jobs) + written.rows
        files = sum(len(job.done) for job in plan.jobs) + written.files
        seconds = round(time.monotonic() - clock, 1)
        summary = _summary(plan, rows, written.rows, files, written.files, seconds)
        if ready or not (study.translations_folder / "run.json").exists():
            _write_record(plan, dtype, batch_size, engine, summary, started, command)
        if written.error is not None:
            raise written.error
        if audit is not None:
            summary.float32_audit = run_audit(audit, batch_size, engine, watch, started, command)
    return summary


def _write_words(plan: Plan, started: str, command: str) -> None:
    """concepts.jsonl and prompts.parquet, unless they stand as they should."""
    study = plan.study
    for name in ("concepts.jsonl", "prompts.parquet", "prompts.run.json"):
        remove_leftovers(study.folder, name)
    spec = study.config.words
    lines = b"".join(json_line(concept, CONCEPTS_FORMAT) for concept in plan.words.concepts)
    changed = False
    if not study.reads_own_concepts and not (
        study.concepts_file.exists() and study.concepts_file.read_bytes() == lines
    ):
        write_jsonl(study.concepts_file, plan.words.concepts, CONCEPTS_FORMAT)
        changed = True
    if not study.prompts_file.exists() or _prompts_before(study) != plan.pairs:
        write_parquet(study.prompts_file, PromptPair, plan.pairs, PROMPTS_FORMAT)
        changed = True
    if changed:
        write_run(
            study.folder / "prompts.run.json", "prompts.parquet and concepts.jsonl", command, started, _inputs(study),
            seeds={"prompts": study.config.prompts.seed}, settings={"words": spec.model_dump(mode="json")},
            counts={"concepts": len(plan.words.concepts), "prompt_pairs": len(plan.pairs), **plan.words.left_out},
        )  # fmt: skip


def _prompts_before(study: Study) -> list[PromptPair] | None:
    refuse_newer(study.prompts_file, PROMPTS_FORMAT)
    try:
        return parquet_records(study.prompts_file, PromptPair, PROMPTS_FORMAT, "gainsift generate")
    except (UserError, ValueError):
        return None


def _inputs(study: Study) -> dict[str, Any]:
    named = {name: study.path(name) for name in study.config.words.files()}
    return {"study.yaml": study.config_file, **named}


def _summary(plan: Plan, rows: int, written: int, files: int, files_written: int, seconds: float) -> Summary:
    refused = overlapping = 0
    for checkpoint in plan.checkpoints():
        path = plan.folder(checkpoint) / "preparation.json"
        if path.exists():
            listed = json.loads(path.read_text("utf-8"))
            refused += len({(row["pair_id"], row["input"], row["output"]) for row in listed["refused"]})
            overlapping = max(overlapping, len(listed["overlapping"]))
    return Summary(
        rows=rows,
        rows_written=written,
        files=files,
        files_written=files_written,
        prompt_pairs=len(plan.pairs),
        concepts=len(plan.words.concepts),
        refused=refused,
        overlapping=overlapping,
        seconds=seconds,
        left_out=plan.words.left_out,
    )


def _write_record(
    plan: Plan,
    dtype: Dtype,
    batch_size: int | None,
    engine: Engine,
    summary: Summary,
    started: str,
    command: str,
) -> None:
    study = plan.study
    files = {**_inputs(study), "concepts.jsonl": study.concepts_file, "prompts.parquet": study.prompts_file}
    files["checkpoints.json"] = fixed_file(study.folder)
    counts = {key: value for key, value in summary.as_dict().items() if isinstance(value, int)}
    write_run(
        study.translations_folder / "run.json", "translations", command, started, files,
        seeds={"prompts": study.config.prompts.seed},
        settings={
            "device": plan.device, **engine.recorded(), "batch_size": batch_size, "seconds": summary.seconds,
            "trust_remote_code": study.config.model.trust_remote_code,
            "checkpoints": {c.name: c.recorded(dtype, plan.device) for c in plan.checkpoints()},
        },
        counts={**counts, **plan.words.left_out},
    )  # fmt: skip
