"""Shards are handed to an engine and written as they come back; what cannot be made is noted, and the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.generation.checkpoints import Dtype
from gainsift.generation.engines import Engine, Watch
from gainsift.generation.failures import Failures
from gainsift.generation.plan import Plan
from gainsift.generation.ready import Ready
from gainsift.generation.schedule import Schedule
from gainsift.generation.shards import Shard, write_shard
from gainsift.generation.worker import Failed, Request
from gainsift.schemas.atomic import remove_leftovers
from gainsift.schemas.errors import GainsiftError, unwritable
from gainsift.schemas.files import write_json


@dataclass(frozen=True)
class Written:
    """Rows and files that were written, and the first error if some were not."""

    rows: int
    files: int
    error: GainsiftError | None


def clear(plan: Plan) -> None:
    """Take away what no reader may mix with new files, and what a killed run left half-written."""
    for path in plan.unwanted():
        path.unlink(missing_ok=True)
    for folder in (plan.root, *map(plan.folder, plan.checkpoints())):
        remove_leftovers(folder)


def make_shards(
    plan: Plan, ready: Sequence[Ready], dtype: Dtype, batch_size: int | None, engine: Engine, watch: Watch
) -> Written:
    """Have every shard of `ready` made, and write it under the plan's root."""
    there = sum(job.rows for job in plan.jobs)
    watch.total(there + sum(one.rows(shard) for one in ready for shard in one.shards), there)
    request = _request(plan, ready, dtype, batch_size)
    failures = Failures(plan.root)
    failures.begin(shard for one in ready for shard in one.shards)
    rows = files = 0
    schedule = Schedule([shard for one in ready for shard in _begin(plan, one, failures)])
    for outcome in engine.outcomes(request, schedule, watch):
        shard = outcome.shard
        if isinstance(outcome, Failed):
            gone = schedule.give_up(shard.checkpoint.name) if outcome.whole else []
            for one in (shard, *gone):
                failures.add(one, outcome.error())
            watch.warn(f"not made: {shard.name}: {outcome.error()}")
            continue
        try:
            write_shard(shard, outcome.rows, plan.study.config.languages())
        except OSError as error:
            failures.add(shard, unwritable(shard.path, error))
            watch.warn(f"not made: {shard.name}: {unwritable(shard.path, error)}")
            continue
        failures.made(shard)
        rows, files = rows + len(outcome.rows), files + 1
        watch.say(f"{shard.name}: {len(outcome.rows)} rows")
    return Written(rows, files, failures.error())


def _request(plan: Plan, ready: Sequence[Ready], dtype: Dtype, batch_size: int | None) -> Request:
    return Request(
        config=plan.study.config,
        pairs=plan.pairs,
        concepts=plan.concepts,
        checkpoints=[one.checkpoint for one in ready],
        layers={one.checkpoint.name: one.layers for one in ready},
        dtype=dtype,
        batch_size=batch_size,
        preparations={one.checkpoint.tokenizer_fingerprint: one.preparation for one in ready},
    )


def _begin(plan: Plan, one: Ready, failures: Failures) -> list[Shard]:
    """Say which prompts of a checkpoint were refused. Returns its shards, none where nothing can be written."""
    path = plan.folder(one.checkpoint) / "preparation.json"
    preparation = one.preparation
    told = {
        "format": "preparation/1", "checkpoint": one.checkpoint.name, "tokenizer": one.checkpoint.tokenizer_fingerprint,
        "refused": preparation.refusals(), "overlapping": preparation.overlapping,
    }  # fmt: skip
    try:
        write_json(path, told)
    except OSError as error:
        for shard in one.shards:
            failures.add(shard, unwritable(path, error))
        return []
    return one.shards
