"""Real Label Studio servers on copies of a data folder that is prepared once and kept in pytest's cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import httpx
import pytest
import yaml

from gainsift.annotation import accounts, server, server_process
from gainsift.annotation.accounts import DOMAIN, LEAD, Account
from gainsift.schemas.study import Study

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # as a shell has it for what it starts in the background; children would inherit it and never see Ctrl+C
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(scope="session")
def personal_token(label_studio: LabelStudio) -> str:
    """The lead's token of the newer kind. The server hands out one and no second, so the session shares it."""
    headers = {"Authorization": f"Token {label_studio.token}"}
    with httpx.Client(base_url=label_studio.url, headers=headers, trust_env=False, timeout=60) as api:
        allowed = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True}
        api.post("/api/jwt/settings", json=allowed).raise_for_status()
        return str(api.post("/api/token/").raise_for_status().json()["token"])


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


@pytest.fixture
def empty_study(tmp_path: Path) -> Callable[..., Study]:
    """empty_study("ann", "ben", name=...): a study of which there is study.yaml alone."""

    def build(*annotators: str, name: str = "small") -> Study:
        config = {
            "name": name,
            "model": {"name": "Model", "checkpoints": [{"name": "step1", "path": "step1"}]},
            "trained_languages": ["en", "de"],
            "language_pairs": [["en", "de"]],
            "annotation": {"annotators": [{"name": one} for one in annotators or NAMES[1:]]},
        }
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.yaml").write_text(yaml.safe_dump(config), "utf-8")
        return Study.open(tmp_path / name)

    return build


@pytest.fixture
def prepared_study(empty_study: Callable[..., Study], prepared_folder: Path) -> Study:
    """The same with the prepared data folder in it: `serve` starts in seconds, and the passwords are known."""
    study = empty_study()
    shutil.copytree(prepared_folder, study.server_folder)
    return study


@pytest.fixture
def passwords(prepared_folder: Path) -> dict[str, str]:
    """By pseudonym, of the prepared folder and of every copy."""
    found: dict[str, str] = json.loads((prepared_folder / PASSWORDS).read_text())
    return found


@pytest.fixture
def log_in() -> Iterator[Callable[[str, str, str], httpx.Client]]:
    """log_in(url, email, password): a session after the real log-in form; AssertionError if it is refused."""
    clients: list[httpx.Client] = []

    def go(url: str, email: str, password: str) -> httpx.Client:
        client = httpx.Client(base_url=url, trust_env=False, timeout=120)
        clients.append(client)
        client.get("/user/login/").raise_for_status()
        form = {"email": email, "password": password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        answer = client.post("/user/login/", data=form)
        assert answer.status_code == 302, f"log-in refused with status {answer.status_code}"
        return client

    yield go
    for client in clients:
        client.close()


@dataclass
class Served:
    """`gainsift annotate serve` as a process of its own. `output` is what it has printed so far."""

    process: subprocess.Popen[str]
    url: str
    output: str
    errors: Path

    def passwords(self) -> dict[str, str]:
        """By pseudonym, as the table shows them."""
        rows = [line.split() for line in self.output.splitlines()]
        return {row[0]: row[2] for row in rows if len(row) == 3 and "@" in row[1]}

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, read the rest of the output, return the exit status."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.output += self.process.stdout.read()
        return self.process.wait(300)


@pytest.fixture
def serve(tmp_path: Path, gainsift_command: list[str]) -> Iterator[Callable[..., Served]]:
    """serve(study, *options, port=..., env={...}): the command as a person types it, ready to log in."""
    made: list[Served] = []

    @contextmanager
    def limited(process: subprocess.Popen[str]) -> Iterator[None]:
        timer = threading.Timer(600, process.kill)  # rather than wait for ever
        timer.start()
        yield
        timer.cancel()

    def run(study: Study, *options: str, port: int | None = None, env: dict[str, str] | None = None) -> Served:
        port = port or free_port()
        errors = tmp_path / f"serve-{len(made)}.err"
        with errors.open("w") as out:
            process = subprocess.Popen(
                [*gainsift_command, "annotate", "serve", str(study.folder), "--port", str(port), *options],
                stdout=subprocess.PIPE, stderr=out, text=True, env={**os.environ, **(env or {})},
            )  # fmt: skip
        made.append(Served(process, f"http://127.0.0.1:{port}", "", errors))
        assert process.stdout is not None
        with limited(process):
            for line in process.stdout:
                made[-1].output += line
                if line.startswith(("Ctrl+C", "{")):  # the last line, or the one line of --json
                    break
        return made[-1]

    yield run
    for one in made:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)
