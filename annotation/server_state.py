"""What a data folder says about its server: who holds it, where the server answers, which database it has."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from gainsift.annotation.server_database import Database, check
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_json
from gainsift.schemas.record import Record

HOST = "127.0.0.1"
STATE, LOCK, DATABASE = "server.json", "server.lock", "database.json"


class State(Record):
    """server.json: where a running server of a study is. Neither token nor password."""

    format: Literal["server/1"] = Field(default="server/1", description="Kind and version of the file.")
    url: str = Field(description="Its address.")
    pid: int = Field(description="Its process.")
    database: Database = Field(description="Where its database is.")


def hold(folder: Path) -> int:
    """Hold the folder for one server. The server's process inherits it: it is free only when both have ended."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    for pause in (0.1, 0.2, 0.4, 0.0):  # another command may be looking at this very moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
            continue
        (folder / STATE).unlink(missing_ok=True)  # left by a server that was killed
        return lock
    os.close(lock)
    state = running(folder)
    at = f"at {state.url} (process {state.pid})" if state else "but is not ready: it is just starting or stopping"
    raise UserError(str(folder), f"a server of this study runs already, {at}", "use it, or stop it first")


def running(folder: Path) -> State | None:
    """The running server of a folder, if there is one that is ready. A stale server.json is not believed."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        pass
    finally:
        os.close(lock)
    try:
        return State.model_validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError):
        return None


def settle(folder: Path, asked: Database | None) -> Database:
    """The database of a data folder: the one of its first start (`remember`) ever after, and it lets us in."""
    file = folder / DATABASE
    settled = asked or Database()
    if file.exists():
        try:
            settled = Database.model_validate_json(file.read_bytes())
        except ValidationError:
            raise UserError(str(file), "is damaged", "remove it and give --database as at the first start") from None
        if asked not in (None, settled):
            remedy = f"start without --database, or pull what is there and move {folder} away"
            raise UserError("--database", f"this study's server keeps its data in {settled}", remedy)
    check(settled)
    return settled


def remember(folder: Path, state: State) -> None:
    """Write down where the server is that now runs, and which database this folder has from now on."""
    write_json(folder / DATABASE, state.database)
    write_json(folder / STATE, state)


def check_port(port: int) -> None:
    """Raise UserError if the port cannot be had; it names the next free one."""
    if (problem := _taken(port)) is None:
        return
    free = next((number for number in range(max(port, 1023) + 1, 65536) if _taken(number) is None), None)
    raise UserError(f"--port {port}", problem, f"port {free} is free: --port {free}" if free else "")


def _taken(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port left lately is free
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except PermissionError:
            return "only the administrator of this machine may use that port"
        except OSError:
            return "another program uses that port"
    return None
