"""What `gainsift generate --dry-run` prints: files, rows, token-forwards, bytes and time, before anything is loaded."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from gainsift.cli.terminal import print_json, say

if TYPE_CHECKING:
    from gainsift.generation.checkpoints import Device, Dtype
    from gainsift.generation.engines import Engine
    from gainsift.generation.forecast import Forecast
    from gainsift.generation.plan import Plan
    from gainsift.generation.ready import Ready
    from gainsift.schemas.study import Study


def show_dry_run(
    study: Study,
    engine: Engine,
    device: Device,
    dtype: Dtype,
    shard_rows: int,
    redo: bool,
    audit_share: float | None,
    as_json: bool,
) -> None:
    """Check everything that a run would check, and print what it would do. Raises UserError, or WorkError if the disk
    is too small."""
    from gainsift.generation.float32_audit import number_drawn, plan_audit
    from gainsift.generation.forecast import check_disk, forecast
    from gainsift.generation.ready import plan_work
    from gainsift.schemas.float32_audit import FLOAT32

    plan, ready = plan_work(study, engine.device(device), dtype, shard_rows, redo)
    audit = None if audit_share is None else plan_audit(plan, ready, dtype, audit_share, shard_rows, redo)
    found = forecast(plan, ready, engine, dtype)
    again = audit and forecast(audit.plan, audit.ready, engine, FLOAT32)
    if as_json:
        told = {
            "device": plan.device,
            **engine.recorded(),
            "prompt_pairs": len(plan.pairs),
            "workers": found.workers,
            **_told(plan, ready, found),
        }
        if audit and again:
            told["float32_audit"] = {"share": audit.share, **_told(audit.plan, audit.ready, again)}
        print_json(told)
    else:
        _print(plan, found)
        if audit and again:
            say("\nThen, for the float32 audit, in float32:\n")
            _print(audit.plan, again, f"{number_drawn(len(plan.pairs), audit.share):,} of ")
    check_disk([(plan, ready), *([(audit.plan, audit.ready)] if audit else [])], partial(say, err=True))


def _told(plan: Plan, ready: list[Ready], found: Forecast) -> dict[str, Any]:
    return {
        "estimated_seconds": round(found.seconds, 1),
        "checkpoints": [asdict(one) for one in found.checkpoints],
        "shards": [*_done(plan), *_todo(ready)],
    }


def _done(plan: Plan) -> list[dict[str, Any]]:
    return [
        _shard(job.checkpoint.name, job.pair, found.part, found.path.name, found.rows, "done")
        for job in plan.jobs
        for found in job.done
    ]


def _todo(ready: list[Ready]) -> list[dict[str, Any]]:
    return [
        _shard(one.checkpoint.name, shard.pair, shard.part, shard.path.name, one.rows(shard), "todo")
        for one in ready
        for shard in one.shards
    ]


def _shard(checkpoint: str, pair: tuple[str, str], part: range, file: str, rows: int, state: str) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint, "input": pair[0], "output": pair[1], "first": part.start, "last": part.stop - 1,
        "file": file, "rows": rows, "state": state,
    }  # fmt: skip


def _print(plan: Plan, found: Forecast, of: str = "") -> None:
    """`of` says how many of the prompt pairs it is about, if not about all."""
    from rich.table import Table

    from gainsift.cli.terminal import Console
    from gainsift.generation.disk import free_space, size_word

    console = Console(highlight=False, markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for head in ("checkpoint", "files", "to do", "rows to do", "token-forwards", "disk", "worker time"):
        table.add_column(head, justify="left" if head == "checkpoint" else "right", no_wrap=True)
    for one in found.checkpoints:
        todo = (
            f"{one.files:,}",
            f"{one.rows:,}",
            f"{one.token_forwards:,}",
            size_word(one.disk_bytes),
            span(one.seconds),
        )
        table.add_row(one.name, f"{one.files_done:,}", *(todo if one.files else ("–",) * 5))
    console.print(table)
    console.print()
    if not found.total("files"):
        console.print(f"Nothing is to do: {found.total('rows_done'):,} rows stand.")
        return
    prompts, most = found.total("prompts"), found.total("token_forwards_at_most")
    memory = max(one.weight_bytes + one.source_vector_bytes for one in found.checkpoints)
    console.print(
        f"{of}{len(plan.pairs):,} prompt pairs; {prompts:,} prompts run once; {found.total('rows'):,} rows to make"
    )
    console.print(
        f"token-forwards: {found.total('token_forwards'):,} if answers are as long as the words asked for, "
        f"{most:,} if none ends by itself"
    )
    console.print(
        f"disk: {size_word(found.total('disk_bytes'))}, {size_word(free_space(plan.study.folder))} are free; weights "
        f"and source vectors of a worker: {size_word(memory)}, batches beside them"
    )
    workers = "1 worker" if found.workers == 1 else f"{found.workers} workers"
    console.print(f"time: about {span(found.seconds)} on {workers} ({plan.device}); an estimate from a test product")


def span(seconds: float) -> str:
    """Seconds for people: 40 s, 12 min, 3.4 h."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
