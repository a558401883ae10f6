"""What a run would do: rows, token-forwards, bytes and time by checkpoint. Estimates; no weights are loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gainsift.generation.checkpoints import Dtype
from gainsift.generation.disk import free_space, size_word
from gainsift.generation.engines import Engine
from gainsift.generation.plan import Plan
from gainsift.generation.ready import Ready
from gainsift.generation.work_estimate import (
    Size,
    Work,
    bank_bytes,
    bytes_to_write,
    size_of,
    utilisation,
    work_of,
)
from gainsift.schemas.errors import WorkError

UNSURE = 2
"""Files take as much as is estimated within this factor."""
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class CheckpointForecast:
    """What is there of a checkpoint and what is to do. `seconds` are those of one worker."""

    name: str
    files_done: int
    rows_done: int
    files: int = 0
    rows: int = 0
    prompts: int = 0
    token_forwards: int = 0
    token_forwards_at_most: int = 0
    disk_bytes: int = 0
    weight_bytes: int = 0
    source_vector_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """All checkpoints; `seconds` of `workers` that share them."""

    checkpoints: list[CheckpointForecast]
    workers: int
    seconds: float

    def total(self, name: str) -> Any:
        return sum(getattr(one, name) for one in self.checkpoints)


def check_disk(works: Sequence[tuple[Plan, Sequence[Ready]]], warn: Callable[[str], None]) -> None:
    """Compare what the missing files of a study will take with what its disk has free; `warn` hears if that is tight.

    Raises WorkError if it cannot be enough.
    """
    folder = works[0][0].study.folder
    needed = sum(bytes_to_write(ready) for _, ready in works)
    free = free_space(folder) + sum(path.stat().st_size for plan, _ in works for path in plan.unwanted())
    figures = f"the files to write take about {size_word(needed)}, {size_word(free)} are free"
    if needed > UNSURE * free:
        raise WorkError(str(folder), figures, "make room, or keep the study on a larger disk")
    if UNSURE * needed > free:
        warn(f"warning: {folder}: {figures}: the disk may become full")


def forecast(plan: Plan, ready: list[Ready], engine: Engine, dtype: Dtype) -> Forecast:
    """What the shards of `ready` will cost on `engine`."""
    by_name = {one.checkpoint.name: one for one in ready}
    sizes: dict[str, Size] = {}
    speeds: dict[str, float] = {}
    found = []
    for checkpoint in plan.checkpoints():
        jobs = plan.jobs_of(checkpoint)
        done = sum(len(job.done) for job in jobs), sum(job.rows for job in jobs)
        one = by_name.get(checkpoint.name)
        if one is None:
            found.append(CheckpointForecast(checkpoint.name, *done))
            continue
        config = checkpoint.load_config()
        key = str({**config.to_dict(), "_name_or_path": ""})  # of one shape, wherever they lie
        if key not in sizes:
            sizes[key] = size_of(config, checkpoint.trust_code)
        precision = checkpoint.dtype(dtype, plan.device)
        if precision not in speeds:
            speeds[precision] = engine.speed(precision) * utilisation(plan.device, precision)
        found.append(_of(plan, one, done, sizes[key], BYTES[precision], speeds[precision]))
    workers = max(1, min(engine.workers(), sum(len(one.shards) for one in ready)))
    return Forecast(found, workers, sum(one.seconds for one in found) / workers)


def _of(plan: Plan, one: Ready, done: tuple[int, int], size: Size, item: int, speed: float) -> CheckpointForecast:
    work: Work = work_of(one, one.shards, size.layers)
    return CheckpointForecast(
        one.checkpoint.name,
        *done,
        files=len(one.shards),
        rows=work.rows,
        prompts=work.prompts,
        token_forwards=round(work.forwards),
        token_forwards_at_most=round(work.at_most),
        disk_bytes=bytes_to_write([one]),
        weight_bytes=size.weights * item,
        source_vector_bytes=bank_bytes(one, size, item),
        seconds=size.flops(work) / speed,
    )
