"""The engine of a Ray cluster that runs already: an actor for each GPU, or for so many CPUs where there are none.

Every node needs gainsift, and the checkpoints: in folders that all nodes see under the same path, or from the hub into
each node's own cache. Rows come back through Ray, so the study's folder need only be where `generate` runs.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gainsift.generation.checkpoints import Device
from gainsift.generation.engines import Watch, gave_up
from gainsift.generation.schedule import Schedule
from gainsift.generation.shards import Shard
from gainsift.generation.store import TELL_EVERY
from gainsift.generation.work_estimate import product_speed
from gainsift.generation.worker import Failed, Made, Outcome, Request, Worker
from gainsift.schemas.errors import UserError, WorkError

FAILED_STARTS = 3
"""So many workers may die before they are ready; then no more are started."""
LOOK_EVERY = 2.0
"""Seconds between two looks at what the cluster has."""


def require_ray() -> Any:
    """The module. Raises UserError with the install line if it is missing."""
    try:
        import ray
    except ImportError:
        raise UserError("--engine ray", "ray is not installed", "run: pip install 'gainsift[ray]'") from None
    return ray


class RayEngine:
    """A cluster at `address` (default: the one that Ray finds); `cpus` are those of a worker where no node has a GPU.

    Workers come and go with the nodes: one that dies gives its shard back.
    """

    def __init__(self, address: str | None = None, cpus: int | None = None) -> None:
        self._ray = require_ray()
        self._address, self._cpus = address or "auto", cpus
        self._device = ""

    def device(self, asked: Device) -> str:
        self._connect()
        gpus = self._ray.cluster_resources().get("GPU", 0)
        if asked == "cuda" and not gpus:
            raise UserError("--device cuda", "no node of the Ray cluster has a GPU", "use --device cpu")
        self._device = "cpu" if asked == "cpu" or not gpus else "cuda"
        if self._device == "cpu" and not self._cpus:  # a worker for each node, where all are alike
            self._cpus = min((int(node.get("CPU", 0)) for node in self._nodes() if node.get("CPU", 0) >= 1), default=1)
        if not self.workers():
            raise UserError("--engine ray", f"no node of the cluster has {self._cpus} CPUs", "lower --cpus")
        return self._device

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        self._knock()
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns at each start
        try:
            self._ray.init(address=self._address, logging_level="ERROR", log_to_driver=False)
        except Exception as error:
            raise self._nobody(" ".join(str(error).split())[:200]) from None

    def _knock(self) -> None:
        """See that somebody listens: Ray itself would ask an address where nobody does for many minutes."""
        host, _, port = self._address.removeprefix("ray://").rpartition(":")
        if not host:
            return
        if not port.isdigit():
            raise UserError(f"--address {self._address}", "expected host:port", "see `ray status`")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise self._nobody(str(error)) from None

    def _nobody(self, line: str) -> UserError:
        return UserError(
            f"--address {self._address}", f"no Ray cluster answers: {line}",
            "start one with `ray start --head`, on this machine or with this machine as a node",
        )  # fmt: skip

    def _nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def workers(self) -> int:
        if self._device == "cuda":
            return sum(int(node.get("GPU", 0)) for node in self._nodes())
        return sum(int(node.get("CPU", 0)) // (self._cpus or 1) for node in self._nodes())

    def speed(self, dtype: str) -> float:
        probe = self._ray.remote(product_speed).options(**self._needs())
        try:
            return float(self._ray.get(probe.remote(self._device, dtype), timeout=120))
        except self._ray.exceptions.RayError as error:
            raise WorkError("--engine ray", f"no worker answers: {_line(error)}", "see `ray status`") from None

    def recorded(self) -> dict[str, object]:
        return {"engine": "ray", "workers": self.workers(), "cpus": self._cpus if self._device == "cpu" else None}

    def _needs(self) -> dict[str, float]:
        return {"num_gpus": 1, "num_cpus": 0} if self._device == "cuda" else {"num_cpus": self._cpus or 1}

    def outcomes(self, request: Request, schedule: Schedule, watch: Watch) -> Iterator[Outcome]:
        run = _Run(self, self._ray, request, watch)
        try:
            yield from run.outcomes(schedule)
        finally:
            run.end()

    def start(self, name: str, request: Any) -> Any:
        """A new actor; it is there once the cluster has room for it."""
        options = {**self._needs(), "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        return self._ray.remote(_Actor).options(**options).remote(request, name, self._device, self._cpus or 1)


class _Actor:
    """A worker on a node of the cluster."""

    def __init__(self, request: Request, name: str, device: str, threads: int) -> None:
        import torch

        if device == "cpu":
            torch.set_num_threads(threads)
        self._worker, self._name = Worker(request, device), name

    def ready(self) -> str:
        return self._name

    def make(self, shard: Shard) -> Outcome:
        return self._worker.make(shard)

    def close(self) -> None:
        self._worker.__exit__(None, None, None)


@dataclass(eq=False)
class _Member:
    """An actor: starting while `ready` is false; `waits` is what it was asked for last."""

    name: str
    actor: Any
    waits: Any
    ready: bool = False
    shard: Shard | None = None


class _Run:
    """The actors of one run. Each has at most one shard, and the next one when that is home."""

    def __init__(self, engine: RayEngine, ray: Any, request: Request, watch: Watch) -> None:
        self._engine, self._ray, self._watch = engine, ray, watch
        self._request = ray.put(request.to_send())
        self._members: list[_Member] = []
        self._started = self._failed_starts = 0
        self._looked = self._told = time.monotonic() - TELL_EVERY
        self._last_error = "no node has room for one"

    def outcomes(self, schedule: Schedule) -> Iterator[Outcome]:
        while schedule.left or any(member.shard for member in self._members):
            self._fill(schedule)
            for member in [one for one in self._members if one.ready and one.waits is None]:
                self._give(member, schedule)
            waiting = {member.waits: member for member in self._members if member.waits is not None}
            if not waiting:
                if schedule.left and self._failed_starts >= FAILED_STARTS:
                    yield from self._none_left(schedule)
                time.sleep(0.1)
                continue
            done, _ = self._ray.wait(list(waiting), num_returns=1, timeout=LOOK_EVERY)
            if not done and not any(member.ready for member in self._members):
                self._tell("waiting for the Ray cluster to have room for a worker")
            for one in done:
                outcome = self._hear(waiting[one], schedule)
                if outcome is not None:
                    yield outcome

    def _fill(self, schedule: Schedule) -> None:
        """As many actors as the cluster has devices, and as there is work for."""
        if time.monotonic() - self._looked < LOOK_EVERY or self._failed_starts >= FAILED_STARTS:
            return
        self._looked = time.monotonic()
        busy = sum(member.shard is not None for member in self._members)
        wanted = min(self._engine.workers(), busy + schedule.left)
        while len(self._members) < wanted:
            self._started += 1
            name = f"worker {self._started}"
            actor = self._engine.start(name, self._request)
            self._members.append(_Member(name, actor, actor.ready.remote()))

    def _give(self, member: _Member, schedule: Schedule) -> None:
        member.shard = schedule.take(member.name)
        if member.shard is not None:
            member.waits = member.actor.make.remote(member.shard)

    def _hear(self, member: _Member, schedule: Schedule) -> Outcome | None:
        answer, member.waits = member.waits, None
        try:
            outcome = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            return self._bury(member, schedule, _line(error))
        if not member.ready:
            member.ready, self._failed_starts = True, 0
            return None
        schedule.finished(member.name)
        member.shard = None
        if isinstance(outcome, Made):
            self._watch.advance(len(outcome.rows))
        made: Outcome = outcome
        return made

    def _bury(self, member: _Member, schedule: Schedule, line: str) -> Outcome | None:
        self._members.remove(member)
        self._looked -= LOOK_EVERY  # another may take its place at once
        self._ray.kill(member.actor)
        self._last_error = line
        if not member.ready:
            self._failed_starts += 1
            self._watch.warn(f"{member.name} could not start: {line}")
            return None
        if member.shard is not None:
            self._watch.warn(f"{member.name} ended; {member.shard.name} is made anew: {line}")
        hopeless = schedule.lost(member.name)
        return gave_up(hopeless) if hopeless else None

    def _none_left(self, schedule: Schedule) -> Iterator[Outcome]:
        while (shard := schedule.take(None)) is not None:
            schedule.finished(None)
            yield Failed(
                shard, "--engine ray", f"no worker could start: {self._last_error}",
                "every node needs the same gainsift, Python and Ray", whole=False,
            )  # fmt: skip

    def _tell(self, line: str) -> None:
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            self._watch.wait(line)

    def end(self) -> None:
        for member in self._members:
            if member.ready and member.shard is None:
                member.waits = member.actor.close.remote()
        closing = [member.waits for member in self._members if member.ready and member.shard is None]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=10)
        for member in self._members:
            self._ray.kill(member.actor)


def _line(error: BaseException) -> str:
    """The last line of what Ray tells, which is where the cause stands."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__
