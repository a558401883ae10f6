"""Jobs of a simulation side by side: each has a generator of its own, so that their order changes nothing."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")
CORES = 2


def side_by_side(jobs: Sequence[Callable[[], list[T]]], cores: int = CORES) -> list[T]:
    """What all jobs return, in their order; a progress bar on a terminal. Each process computes with one thread."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    console = Console(stderr=True)
    with ProcessPoolExecutor(cores) as pool, Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("simulating", total=len(jobs))
        waiting = [pool.submit(job) for job in jobs]
        for one in waiting:
            one.add_done_callback(lambda _: progress.advance(task))
        return [found for one in waiting for found in one.result()]


def minutes() -> float:
    """Minutes of the processor that this process and those that it has waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(one.ru_utime + one.ru_stime for one in used) / 60, 1)
