"""Real Label Studio servers on copies of a data folder that is prepared once and kept in pytest's cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pytest

from gainsift.annotation import accounts, server, server_process
from gainsift.annotation.accounts import DOMAIN, LEAD, Account

NAMES = (LEAD, "ann", "ben", "cat")
ACCOUNTS = [Account(name, f"{name}@{DOMAIN}", name == LEAD) for name in NAMES]
PASSWORDS = "test_passwords.json"


@dataclass(frozen=True)
class Login:
    """What a person types to get in."""

    name: str
    email: str
    password: str


@dataclass
class LabelStudio:
    """A server of the tests: data folder, url, the lead's token, and the log-ins of lead, ann, ben and cat."""

    folder: Path
    port: int
    accounts: dict[str, Login]
    started: list[server.Server] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.started[-1].url

    @property
    def token(self) -> str:
        return self.started[-1].token

    @property
    def pid(self) -> int:
        return self.started[-1].pid

    def start(self) -> None:
        self.started.append(server.start(self.folder, ACCOUNTS, self.port))

    def kill(self) -> None:
        """As `kill -9` does it: nothing is cleaned up by the server."""
        os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self.started[-1].stop()

    def restart(self) -> None:
        """After kill or stop: on the same folder and port."""
        self.start()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def prepared_folder(request: pytest.FixtureRequest) -> Path:
    """A data folder with the four accounts; made once for each version of Label Studio and of our accounts."""
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (accounts, server, server_process))
    key = f"label-studio-{metadata.version('label-studio')}-{hashlib.sha256(code).hexdigest()[:12]}"
    cache = request.config.cache
    assert cache is not None
    place = cache.mkdir("gainsift")
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of the tests may be preparing it
        if not (place / key).is_dir():
            for old in place.glob("label-studio-*"):
                shutil.rmtree(old)
            building = place / "building"
            shutil.rmtree(building, ignore_errors=True)
            with server.start(building, ACCOUNTS, free_port()) as made:
                (building / PASSWORDS).write_text(json.dumps(made.passwords))
            building.rename(place / key)
    return place / key


def copy_of(prepared: Path, folder: Path, port: int) -> LabelStudio:
    """A server on `folder`: a copy of the prepared one, unless the folder is there already. Started."""
    if not folder.exists():
        shutil.copytree(prepared, folder)
    passwords = json.loads((folder / PASSWORDS).read_text())
    logins = {account.name: Login(account.name, account.email, passwords[account.name]) for account in ACCOUNTS}
    made = LabelStudio(folder, port, logins)
    made.start()
    return made


@pytest.fixture(scope="session")
def label_studio(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """One server for the whole session; tests make projects of their own."""
    made = copy_of(prepared_folder, tmp_path_factory.mktemp("server") / "label-studio", free_port())
    yield made
    made.stop()


@pytest.fixture
def new_label_studio(prepared_folder: Path, tmp_path: Path) -> Iterator[Callable[..., LabelStudio]]:
    """new_label_studio(folder=..., port=...): a further server, to be killed and restarted; stopped at the end.

    `folder` is a data folder: a copy of the prepared one is put there unless it exists. For the server of a study,
    which `connect(study)` finds, give `study.server_folder`.
    """
    made: list[LabelStudio] = []

    def start(folder: Path | None = None, port: int | None = None) -> LabelStudio:
        made.append(copy_of(prepared_folder, folder or tmp_path / f"label-studio-{len(made)}", port or free_port()))
        return made[-1]

    yield start
    for one in made:
        one.stop()
