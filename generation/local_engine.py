"""The engine of this machine: one device in this process, several with a process for each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Thread

from gainsift.generation.checkpoints import Device, resolve_device
from gainsift.generation.engines import Watch, gave_up
from gainsift.generation.schedule import Schedule
from gainsift.generation.shards import Shard
from gainsift.generation.store import TELL_EVERY, Ahead
from gainsift.generation.work_estimate import product_speed
from gainsift.generation.worker import Made, Outcome, Request, Worker

PATIENCE = 10.0
"""Seconds that a worker has to end by itself."""


class LocalEngine:
    """Every device that is visible here; `devices` names them (`cpu`, `cuda:1`) where that is not what is wanted."""

    def __init__(self, devices: Sequence[str] = ()) -> None:
        self.devices = list(devices)

    def device(self, asked: Device) -> str:
        import torch

        found = resolve_device(asked)
        if not self.devices:
            self.devices = [f"cuda:{n}" for n in range(torch.cuda.device_count())] if found == "cuda" else ["cpu"]
        return found

    def workers(self) -> int:
        return len(self.devices)

    def speed(self, dtype: str) -> float:
        return product_speed(self.devices[0], dtype)

    def outcomes(self, request: Request, schedule: Schedule, watch: Watch) -> Iterator[Outcome]:
        if len(self.devices) == 1:
            return self._here(request, schedule, watch)
        return _Pool(request.to_send(), self.devices, watch).outcomes(schedule)

    def recorded(self) -> dict[str, object]:
        return {"engine": "local", "devices": self.devices}

    def _here(self, request: Request, schedule: Schedule, watch: Watch) -> Iterator[Outcome]:
        (device,) = self.devices
        with Worker(request, device, request.checkpoints, say=watch.wait) as worker:
            while (shard := schedule.take(device)) is not None:
                progress = _Progress(watch)
                try:
                    outcome = worker.make(shard, _calling_off(progress.advance))
                except _CalledOff as stop:
                    raise stop.error from None
                schedule.finished(device)
                progress.settle(outcome)
                yield outcome


class _CalledOff(BaseException):
    """Who watches raised an error: that ends the run, it is no failure of the shard."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _calling_off(advance: Callable[[int], None]) -> Callable[[int], None]:
    def tell(rows: int) -> None:
        try:
            advance(rows)
        except Exception as error:
            raise _CalledOff(error) from None

    return tell


class _Progress:
    """Rows of one shard as they are told; those of a shard that failed are taken back."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._told = watch, 0

    def advance(self, rows: int) -> None:
        self._told += rows
        self._watch.advance(rows)

    def settle(self, outcome: Outcome | None) -> None:
        rows = len(outcome.rows) if isinstance(outcome, Made) else 0
        if rows != self._told:
            self._watch.advance(rows - self._told)
            self._told = rows


@dataclass(eq=False)
class _Process:
    """A worker in a process of its own, and the shard that it is at."""

    name: str
    device: str
    process: SpawnProcess
    pipe: Connection
    shard: Shard | None = None
    progress: _Progress | None = None


class _Pool:
    """A process for each device. One that dies gives its shard back, and another takes its place.

    Once one of them computes, the checkpoint that will be begun next is downloaded here.
    """

    def __init__(self, request: Request, devices: Sequence[str], watch: Watch) -> None:
        self._request, self._watch = request, watch
        self._context = get_context("spawn")
        self._started = 0
        self._ahead = Ahead()
        self._threads = max(1, (os.cpu_count() or 1) // len(devices))
        self._workers = [self._start(device) for device in devices]

    def _start(self, device: str) -> _Process:
        ours, theirs = self._context.Pipe()
        self._started += 1
        name = f"worker {self._started} on {device}"
        arguments = (theirs, self._request, device, self._threads)
        process = self._context.Process(target=_serve, args=arguments, name=name, daemon=True)
        process.start()
        theirs.close()
        return _Process(name, device, process, ours)

    def outcomes(self, schedule: Schedule) -> Iterator[Outcome]:
        try:
            while True:
                for worker in [one for one in self._workers if one.shard is None]:
                    self._give(worker, schedule)
                busy = [worker for worker in self._workers if worker.shard is not None]
                if not busy:
                    return
                for pipe in connection.wait([worker.pipe for worker in busy], TELL_EVERY):
                    worker = next(one for one in busy if one.pipe is pipe)
                    outcome = self._hear(worker, schedule)
                    if outcome is not None:
                        yield outcome
        finally:
            self._end()

    def _give(self, worker: _Process, schedule: Schedule) -> None:
        shard = schedule.take(worker.name)
        if shard is not None:
            worker.shard, worker.progress = shard, _Progress(self._watch)
            with suppress(OSError):  # it died: that is heard next
                worker.pipe.send(shard)

    def _hear(self, worker: _Process, schedule: Schedule) -> Outcome | None:
        assert worker.progress is not None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            return self._bury(worker, schedule)
        if isinstance(message, int):
            self._ahead.fetch(schedule.coming())
            worker.progress.advance(message)
            return None
        if isinstance(message, str):
            self._watch.wait(message)
            return None
        schedule.finished(worker.name)
        worker.progress.settle(message)
        worker.shard = None
        outcome: Outcome = message
        return outcome

    def _bury(self, worker: _Process, schedule: Schedule) -> Outcome | None:
        assert worker.shard is not None
        assert worker.progress is not None
        shard = worker.shard
        worker.progress.settle(None)
        worker.process.join(PATIENCE)
        self._watch.warn(f"{worker.name} ended (status {worker.process.exitcode}); {shard.name} is made anew")
        self._workers.remove(worker)
        worker.pipe.close()
        hopeless = schedule.lost(worker.name)
        if schedule.left:
            self._workers.append(self._start(worker.device))
        return gave_up(hopeless) if hopeless else None

    def _end(self) -> None:
        self._ahead.stop()
        for worker in self._workers:
            worker.pipe.close()
            if worker.shard is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _serve(pipe: Connection, request: Request, device: str, threads: int) -> None:
    """The life of a worker process. It ends with the pipe, and at once if who started it is gone."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that hands out work
    Thread(target=_end_with_parent, daemon=True).start()
    if device == "cpu":
        torch.set_num_threads(threads)
    else:
        torch.cuda.set_device(device)
    with Worker(request, device, say=pipe.send) as worker, suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(worker.make(pipe.recv(), pipe.send))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
