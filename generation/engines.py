"""What an engine is: it runs shards somewhere, and hands back rows or errors as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gainsift.generation.checkpoints import Device
from gainsift.generation.schedule import DEATHS, Schedule
from gainsift.generation.shards import Shard
from gainsift.generation.worker import Failed, Outcome, Request


@dataclass
class Watch:
    """Called as the work goes on: `total(rows, rows already there)`, `advance(rows)`, `say(line)`.

    `wait(line)` tells of something that is waited for, `warn(line)` what must be seen.
    """

    total: Callable[[int, int], None] = lambda rows, there: None
    advance: Callable[[int], None] = lambda rows: None
    say: Callable[[str], None] = lambda line: None
    wait: Callable[[str], None] = lambda line: None
    warn: Callable[[str], None] = lambda line: None


class Engine(Protocol):
    """Runs shards on devices: here, or on a cluster. Only the rows come back; files are written by who asked."""

    def device(self, asked: Device) -> str:
        """`cpu` or `cuda`: what the shards will run on. Raises UserError."""

    def workers(self) -> int:
        """How many devices share the work."""

    def speed(self, dtype: str) -> float:
        """Operations a second of a large matrix product on one of the devices, measured."""

    def outcomes(self, request: Request, schedule: Schedule, watch: Watch) -> Iterator[Outcome]:
        """Each shard of the schedule once, made or failed, in any order."""

    def recorded(self) -> dict[str, object]:
        """What run.json says of it."""


def gave_up(shard: Shard) -> Failed:
    """A shard of which every worker died."""
    return Failed(
        shard, shard.name, f"{DEATHS} workers died while they made it",
        "the system may lack memory: lower --batch-size or --shard-size, and run again", whole=False,
    )  # fmt: skip
