"""Keeps two commands apart that change a study's tasks or judgements.

Each reads what is known and writes what is new: two at once would write the same judgement twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

LOCK = ".server-work.lock"


class Busy(UserError):
    """Another command holds the study."""


@contextmanager
def one_at_a_time(study: Study, command: str) -> Iterator[None]:
    """Hold the study for `command` (such as `push`) until the block ends or the process does.

    Raises Busy, naming the command that holds it.
    """
    file = study.folder / LOCK
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    ours = False
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another command"
            problem = f"{holder} is at work on this study"
            raise Busy(str(study.folder), problem, "wait until it has ended, or stop it") from None
        if not _is_there(file, descriptor):  # its holder ended, and took it away, between our two calls
            raise Busy(str(study.folder), "another command was just ending its work on this study", "try again")
        ours = True
        with suppress(OSError):  # on a full disk the name is missing, the lock holds
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{command} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        if ours:
            with suppress(OSError):  # what the folder prevents now has been told; an empty lock is in nobody's way
                file.unlink()
        os.close(descriptor)


def _is_there(file: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except FileNotFoundError:
        return False
