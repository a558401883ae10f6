"""Commands in processes of their own, quickly: forked from one that has imported everything, and watched from inside.

A command is what `gainsift` is on the command line, in a process that may be killed. What a kill or a folder that
becomes read-only is to meet, a change of a file, is counted by an audit hook in that process: it knows of every file
that Python opens for writing, renames or removes, before it happens.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

PRELOADED = [
    "gainsift.cli.main", "gainsift.cli.generate", "gainsift.generation.run", "transformers.models.llama",
    "gainsift.annotation.push", "gainsift.annotation.pull", "gainsift.annotation.adjudication",
    "gainsift.annotation.prelabel", "gainsift.annotation.export", "gainsift.annotation.label_studio_export",
    "gainsift.analysis.report", "gainsift.analysis.results", "gainsift.analysis.tidy_export",
    "gainsift.analysis.release", "matplotlib.backends.backend_pdf",
]  # fmt: skip
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LONGEST = 400.0
"""Seconds that a command has: a server that stays away is waited for two minutes."""
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class Aim:
    """What a command does to itself before its change number `at` of a file in `folder`: die, or lose the right to."""

    act: str
    folder: str
    at: int


@dataclass(frozen=True)
class Order:
    """A command line after `gainsift`. `hub`: address and cache of a hub; `workers`: processes that generate."""

    arguments: tuple[str, ...]
    aim: Aim | None = None
    hub: tuple[str, str] | None = None
    workers: int = 1
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a command ended. `status` is negative for a signal; `changes`: changes of files that were counted."""

    status: int
    out: str
    err: str
    seconds: float
    changes: int = 0


class Command:
    """A command that has been started."""

    def __init__(self, order: Order, log: Path, fresh: bool = False) -> None:
        """`log`: beginning of the names of its output files. `fresh`: a whole new Python, for what is preloaded."""
        self._log, self._began = log, time.monotonic()
        self._forked: Any = None
        self._fresh: subprocess.Popen[bytes] | None = None
        if fresh:
            line = [sys.executable, "-c", "from gainsift.cli.main import main; main()", *order.arguments]
            with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
                self._fresh = subprocess.Popen(line, stdout=out, stderr=err, env={**os.environ, **order.environment})
        else:
            self._forked = _CONTEXT.Process(target=_obey, args=(order, str(log)))
            self._forked.start()

    @property
    def pid(self) -> int:
        return int((self._fresh or self._forked).pid)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        if self._fresh is None:
            self._forked.join(seconds)
            return self._forked.exitcode is not None
        try:
            self._fresh.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """As `kill -9` does it, unless it has ended."""
        (self._fresh or self._forked).kill()

    def ended(self, longest: float = LONGEST) -> Ended:
        """Wait for its end; one that takes too long is killed, which is a finding: its status is -14."""
        hangs = not self.wait(longest)
        if hangs:
            self.kill()
            self.wait(10)
        status = self._fresh.returncode if self._fresh else self._forked.exitcode
        out, err, counted = (self._said(kind) for kind in ("out", "err", "changes"))
        seconds = time.monotonic() - self._began
        return Ended(-signal.SIGALRM if hangs else status, out, err, seconds, int(counted or 0))

    def _said(self, kind: str) -> str:
        """What it wrote; nothing if it was killed before it could."""
        file = Path(f"{self._log}.{kind}")
        return file.read_text("utf-8", "replace") if file.exists() else ""


def run(order: Order, log: Path, fresh: bool = False) -> Ended:
    """A command to its end, undisturbed."""
    return Command(order, log, fresh).ended()


# --- in the process of a command -------------------------------------------------------------------------


def _obey(order: Order, log: str) -> None:
    for number, kind in ((1, "out"), (2, "err")):
        target = os.open(f"{log}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(target, number)
        os.close(target)
    os.environ.update(order.environment)
    if order.hub:
        _use_hub(*order.hub)
    if order.workers > 1:
        _use_workers(order.workers)
    from gainsift.cli.main import main

    counted = _aim(order.aim) if order.aim else None
    sys.argv = ["gainsift", *order.arguments]
    try:
        main()
    finally:
        if counted:
            Path(f"{log}.changes").write_text(str(counted[0]), "ascii")


def _use_hub(address: str, cache: str) -> None:
    """What HF_ENDPOINT and HF_HUB_CACHE say when huggingface_hub is imported, which here has been long ago."""
    from huggingface_hub import constants

    files = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
    constants.HUGGINGFACE_CO_URL_TEMPLATE = files
    constants.ENDPOINT, constants.HF_HUB_CACHE = address, cache
    os.environ.update({"HF_ENDPOINT": address, "HF_HUB_CACHE": cache})


def _use_workers(number: int) -> None:
    """As on a machine with so many GPUs, but on its CPU."""
    from gainsift.cli import generate
    from gainsift.generation.local_engine import LocalEngine

    generate.engine_of = lambda *_: LocalEngine(["cpu"] * number)


def _aim(aim: Aim) -> list[int]:
    """Count the changes of files below a folder, and act before one of them. The number so far is the one entry."""
    counted, acts = [0], {"count": lambda: None, "die": _die, "freeze": lambda: _freeze(aim.folder)}
    act: Callable[[], Any] = acts[aim.act]
    done = [False]

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if not (event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & WRITES)):
            return
        if not isinstance(given[0], (str, os.PathLike)) or not str(given[0]).startswith(aim.folder) or done[0]:
            return
        counted[0] += 1
        if counted[0] >= aim.at:
            done[0] = True  # what the act itself opens does not count
            act()

    sys.addaudithook(hook)
    return counted


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


READ_ONLY, REMOUNT, BIND = 1, 32, 4096
"""MS_RDONLY, MS_REMOUNT, MS_BIND of mount(2)."""


def _freeze(folder: str) -> None:
    """Put a read-only view of a folder over it. Files that are open for writing stay so, as on a real disk."""
    libc, place = ctypes.CDLL(None, use_errno=True), os.fsencode(folder)
    for source, flags in ((place, BIND), (None, READ_ONLY | REMOUNT | BIND)):
        if libc.mount(source, place, None, flags, None):
            raise OSError(ctypes.get_errno(), "mount")
