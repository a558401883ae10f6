"""Files that appear whole or not at all, whatever happens to the process that writes them."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gainsift.schemas.errors import UserError

FOLDER = ".making"
"""How the name of a hidden folder ends."""


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole at `path` when the block ends, and not at all when it raises.

    What a killed process left of an earlier attempt is removed. An OSError names the file that was to be.
    """
    make_folder(path.parent)
    with naming(path):
        _remove_abandoned(path)
        descriptor, temporary = _temporary(path)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            os.fchmod(descriptor, 0o644)
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make it, with those that it is to be in, if it is not there. Raises UserError if a file is in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(str(folder), "expected a folder, found a file", "name another") from None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What fails on an open file does not say which it was: let the error say it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def _temporary(path: Path) -> tuple[int, Path]:
    """A new hidden file beside `path`, locked as long as it is open: by that others see that it is being written."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # it was taken for an abandoned one before it was locked


def _remove_abandoned(path: Path) -> None:
    """Delete what killed processes left of a file: nobody has it locked."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(FileNotFoundError, PermissionError), left.open("rb") as file:
            if _lock(file.fileno()):
                left.unlink()


@contextmanager
def hidden_folder(beside: Path) -> Iterator[Path]:
    """A new hidden folder beside a path, for what is to be moved there; it is gone when the block ends."""
    make_folder(beside.parent)
    while True:
        with tempfile.TemporaryDirectory(prefix=f".{beside.name}.", suffix=FOLDER, dir=beside.parent) as place:
            descriptor = os.open(place, os.O_RDONLY)
            try:
                if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
                    yield Path(place)
                    return
            finally:
                os.close(descriptor)


def remove_hidden_folders(beside: Path) -> None:
    """Delete the hidden folders that killed processes left beside a path: nobody has them locked."""
    for left in beside.parent.glob(f".{glob.escape(beside.name)}.*{FOLDER}"):
        with suppress(FileNotFoundError, PermissionError):
            descriptor = os.open(left, os.O_RDONLY)
            try:
                if _lock(descriptor):
                    shutil.rmtree(left)
            finally:
                os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Whether it could be locked; None on a file system without locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def remove_leftovers(folder: Path, name: str = "*") -> None:
    """Delete what a killed process left of files (of that name) in a folder: only where nobody else is writing them."""
    for path in folder.glob(f".{name}.*.tmp"):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
