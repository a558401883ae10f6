"""The study's own Label Studio: started on loopback with its own data folder, no questions, no outside request."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gainsift.annotation.accounts import LEAD, Account, new_password
from gainsift.annotation.server_database import Database, environment, token
from gainsift.annotation.server_process import Order
from gainsift.annotation.server_state import HOST, STATE, State, check_port, hold, remember, running, settle
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.study import Study

PORT = 8080
LOG = "server.log"
PATIENCE = 30.0
"""Seconds that a server has for ending by itself."""
HEALTH_TIME = 180.0
"""Seconds from the open port to the first answer; a machine under load needs more than the usual one."""
KEPT = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ")
"""All of the environment that the server sees: it also reads names as common as HOST, PORT, DEBUG and CI."""


@dataclass
class Server:
    """A running server. `passwords` are those set at this start, by pseudonym; they are kept nowhere else."""

    folder: Path
    url: str
    pid: int
    database: Database
    passwords: dict[str, str] = field(repr=False)
    process: subprocess.Popen[str] = field(repr=False)
    lock: int = field(repr=False)

    @property
    def token(self) -> str:
        """The lead's API token, read from the server's own database."""
        found = token(self.folder, self.database, LEAD)
        if found is None:
            raise WorkError(str(self.folder), f"the server has no account {LEAD!r}", "start the server again")
        return found

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> None:
        """Return never, but raise WorkError when the server ends by itself."""
        status = self.process.wait()
        raise WorkError(str(self.folder / LOG), f"Label Studio ended (status {status}): {last_words(self.folder)}")

    def stop(self) -> None:
        """End the server, by force only after a patient wait. Twice does no harm."""
        try:
            _end(self.process)
        finally:
            if self.lock >= 0:
                (self.folder / STATE).unlink(missing_ok=True)
                os.close(self.lock)
                self.lock = -1


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.terminate()
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.poll() is None:  # a second Ctrl+C: no more patience
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def start(
    folder: Path,
    accounts: Iterable[Account],
    port: int = PORT,
    database: Database | None = None,
    new_passwords: bool = False,
) -> Server:
    """Start Label Studio and wait until it answers; its first start on a folder takes the better part of a minute.

    `database`: None takes the one of the last start, and SQLite at the first. Raises UserError if Label Studio is not
    installed, a server on this folder runs, the port is taken or the database is another one than before; WorkError
    if the server ends early.
    """
    if importlib.util.find_spec("label_studio") is None:
        raise UserError("gainsift annotate serve", "Label Studio is not installed", "pip install 'gainsift[server]'")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        problem = f"cannot be the server's data folder ({error.strerror})"
        raise UserError(str(folder), problem, "make it a folder of your own") from None
    lock = hold(folder)
    try:
        check_port(port)
        settled = settle(folder, database)
        orders = {account: new_password() for account in accounts}
        process = _launch(folder, port, settled, lock)
    except BaseException:
        os.close(lock)
        raise
    url = f"http://{HOST}:{port}"
    server = Server(folder, url, process.pid, settled, {}, process, lock)
    try:
        told = _begin(server, port, orders, new_passwords)
        server.passwords |= {account.name: word for account, word in orders.items() if account.name in told}
        _await_answer(server)
        remember(folder, State(url=url, pid=process.pid, database=settled))
    except BaseException:
        server.stop()
        raise
    return server


def own_server(study: Study) -> tuple[str, str]:
    """Address of the running server of a study, and the lead's token for it. Raises UserError if none runs."""
    state = running(study.server_folder)
    found = token(study.server_folder, state.database, LEAD) if state else None
    if state is None or found is None:
        remedy = f"start it with `gainsift annotate serve {study.folder}`, or name another server with --url"
        raise UserError(str(study.folder), "no server of this study is running", remedy)
    return state.url, found


def token_of(study: Study) -> str:
    """The lead's token for the running server of a study. Raises UserError if none runs."""
    return own_server(study)[1]


def _launch(folder: Path, port: int, database: Database, lock: int) -> subprocess.Popen[str]:
    """The server's process, in a session of its own so that Ctrl+C reaches us alone."""
    log = folder / LOG
    if log.exists():
        log.replace(folder / f"{LOG}.1")
    with open(log, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gainsift.annotation.server_process"],
            cwd=folder,
            env=_environment(folder, port, database),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            pass_fds=(lock,),
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )


def _environment(folder: Path, port: int, database: Database) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("LC_")}
    return {
        **kept,
        **environment(database, os.environ),
        "PYTHONUTF8": "1",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder.resolve()),
        "LABEL_STUDIO_HOST": f"http://{HOST}:{port}",
        "LABEL_STUDIO_ALLOWED_HOSTS": f"{HOST},localhost",  # no other name leads here, against DNS rebinding
        "LABEL_STUDIO_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port},http://localhost:{port}",
        "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_SENTRY_DSN": "",  # unset would mean Label Studio's own
        "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOG_LEVEL": "WARNING",
    }


def _begin(server: Server, port: int, orders: dict[Account, str], new_passwords: bool) -> list[str]:
    """Give the order, wait until the port is open; returns the pseudonyms whose password was set.

    An open port of our own process is proof that the answers on it are ours.
    """
    order: Order = {
        "port": port,
        "new_passwords": new_passwords,
        "accounts": [
            {"name": account.name, "email": account.email, "admin": account.admin, "password": word}
            for account, word in orders.items()
        ],
    }
    stdin, stdout = server.process.stdin, server.process.stdout
    assert stdin is not None
    assert stdout is not None
    told: list[str] = []
    try:
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        for line in stdout:
            news: dict[str, Any] = json.loads(line)
            told = news.get("accounts", told)
            if "listening" in news:
                return told
    except BrokenPipeError:  # it died before it could read
        told = []
    server.wait()
    raise AssertionError("wait raises")


def _await_answer(server: Server) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy is not asked about loopback
    end = time.monotonic() + HEALTH_TIME
    problem = ""
    while time.monotonic() < end:
        if server.process.poll() is not None:
            server.wait()
        try:
            with opener.open(f"{server.url}/health", timeout=60) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError) as error:
            problem = f" ({error})"
        time.sleep(0.2)
    raise WorkError(
        server.url, f"Label Studio did not get healthy in {HEALTH_TIME:.0f} s{problem}", last_words(server.folder)
    )


def last_words(folder: Path) -> str:
    """The line of the server's log that matters: the last one that is not indented, as a traceback ends."""
    try:
        text = (folder / LOG).read_bytes()[-20_000:].decode("utf-8", "replace")
    except OSError:
        return "it left no log"
    lines = [line for line in text.splitlines() if line.strip()]
    plain = [line for line in lines if not line[0].isspace()]
    return (plain or lines or ["it left no word in its log"])[-1].strip()[:500]
