"""A command as a process of its own, on so many cores and within so much memory: what it took."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

EVERY = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of the processor, and the peak of resident memory in bytes.

    The peak is the operating system's high-water mark of each process of the tree, summed over those that live at the
    same time, as read every EVERY seconds. `status` is the exit status; negative where a signal ended the command, as
    one does over the limit.
    """

    seconds: float
    cpu: float
    peak: int
    status: int
    output: str
    errors: str


def measured(command: Sequence[str], cores: int, limit: int, **environment: str) -> Measured:
    """Run a command on `cores` cores; it is killed as soon as it holds more than `limit` bytes. Linux alone."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        mine = sorted(os.sched_getaffinity(0))[:cores]
        began, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            command, stdout=out, stderr=errors, env={**os.environ, **environment}, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, mine),
        )  # fmt: skip
        while True:
            peak = max(peak, held(process.pid))
            if peak > limit:
                os.killpg(process.pid, signal.SIGKILL)
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(EVERY)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        return Measured(seconds, used.ru_utime + used.ru_stime, peak, process.returncode, out.read(), errors.read())


def held(pid: int) -> int:
    """The most that a process and its children, as they are now, have held so far; 0 for one that has ended.

    A child that is not yet another program than its parent shares its memory (vfork), and is not counted again.
    """
    lines, program = _read(f"/proc/{pid}/status").splitlines(), _read(f"/proc/{pid}/cmdline")
    own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    lists = [_read(name) for name in glob(f"/proc/{pid}/task/*/children")]
    children = [int(child) for one in lists for child in one.split()]
    return own + sum(held(child) for child in children if _read(f"/proc/{child}/cmdline") not in ("", program))


def _read(name: str) -> str:
    """A file about a process; nothing once that has ended."""
    try:
        return Path(name).read_text("utf-8", "replace")
    except OSError:
        return ""
