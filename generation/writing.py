"""Writing into a study's folder: one run at a time, and in one line what prevents it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gainsift.schemas.errors import WorkError, unwritable


@contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """While it lasts no other `generate` writes there. Raises WorkError if one does, or if nobody can.

    What goes wrong inside in writing becomes a WorkError too: the disk may be full, the folder read-only.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        with suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkError(
                    str(folder), "another gainsift generate is writing there", "wait for it, or end it"
                ) from None
        yield
    except BrokenPipeError:  # who reads what we print went away
        raise
    except OSError as error:
        raise unwritable(Path(error.filename or folder), error) from None
    finally:
        os.close(descriptor)
