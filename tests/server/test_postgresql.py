"""`gainsift annotate serve --database`: a PostgreSQL of Debian's, started here with a password of its own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from gainsift.annotation.connection import connect
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.server import token_of
from gainsift.annotation.server_database import Database, check, parse_database
from gainsift.schemas.errors import UserError

SECRET = "wort-mit-Ümlaut-7391"


@dataclass
class PostgreSQL:
    """A cluster of the tests on loopback; user `keeper`, database `labels`."""

    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"postgresql://keeper@{self.host}:{self.port}/labels"


def programs() -> Path:
    """Where Debian keeps initdb and postgres: one folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL is not installed: run `make system`"
    return found[-1]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    """It refuses to run as root, so then it runs as Debian's user `postgres`."""
    home = Path(tempfile.mkdtemp(prefix="gainsift-postgresql-"))
    owner: dict[str, object] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(home, account.pw_uid, account.pw_gid)
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    (home / "password").write_text(SECRET, "utf-8")
    (home / "password").chmod(0o644)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    make = ["-D", "data", "-U", "keeper", "-A", "scram-sha-256", "--pwfile", "password", "-E", "UTF8", "--locale", "C"]
    subprocess.run([programs() / "initdb", *make, "--no-sync"], cwd=home, check=True, capture_output=True, **owner)
    serve = ["-D", "data", "-F", "-h", "127.0.0.1", "-p", str(port), "-k", str(home)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen([programs() / "postgres", *serve], cwd=home, stdout=log, stderr=log, **owner)
    try:
        await_start(port, process, home / "log")
        with psycopg.connect(link(port, "postgres"), autocommit=True) as connection:
            connection.execute("create database labels")
        yield PostgreSQL(port)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        shutil.rmtree(home)


def link(port: int, database: str) -> str:
    return f"host=127.0.0.1 port={port} user=keeper password={SECRET} dbname={database}"


def await_start(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while True:
        assert process.poll() is None, log.read_text()
        try:
            psycopg.connect(link(port, "postgres")).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)


@pytest.mark.system
def test_a_study_on_postgresql_from_its_first_start(postgresql, serve, empty_study, log_in, monkeypatch) -> None:
    study = empty_study("ann")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    served = serve(study, "--database", postgresql.url, "--no-push")
    assert f"(data: {postgresql.url})" in served.output
    shown = served.passwords()
    assert set(shown) == {"lead", "ann"}
    who = log_in(served.url, "ann@annotators.example", shown["ann"]).get("/api/current-user/whoami").json()
    assert who["first_name"] == "ann"
    assert token_of(study) == connect(study).token
    with Api(connect(study)) as api:
        made = api.once("POST", "/api/projects", {"title": "kept in PostgreSQL"})
    with psycopg.connect(link(postgresql.port, "labels")) as connection:
        rows = connection.execute("select username, is_superuser from htx_user order by id").fetchall()
        assert rows == [("lead", True), ("ann", False)]
        assert connection.execute("select title from project").fetchall() == [("kept in PostgreSQL",)]
    state = json.loads((study.server_folder / "server.json").read_text())
    expected = {"kind": "postgresql", "host": "127.0.0.1", "port": postgresql.port, "name": "labels", "user": "keeper"}
    assert state["database"] == expected
    assert SECRET.encode() not in Path(f"/proc/{state['pid']}/cmdline").read_bytes()

    monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(UserError, match="PGPASSWORD is not set"):
        connect(study)
    assert served.end() == 0
    assert not (study.server_folder / "label_studio.sqlite3").exists()

    again = serve(study, "--no-push", env={"PGPASSWORD": SECRET})  # the study knows its database
    assert again.passwords() == {}
    log_in(again.url, "ann@annotators.example", shown["ann"])
    monkeypatch.setenv("PGPASSWORD", SECRET)
    with Api(connect(study)) as api:
        assert api.get(f"/api/projects/{made['id']}")["title"] == "kept in PostgreSQL"
    assert again.end() == 0

    for one in (served, again):
        assert SECRET not in one.output + one.errors.read_text()
    for file in study.folder.rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes(), file


@pytest.mark.system
def test_a_wrong_password_and_a_missing_database_are_one_line(postgresql, serve, empty_study) -> None:
    study = empty_study("ann")
    refused = serve(study, "--database", postgresql.url, env={"PGPASSWORD": "falsch-4711"})
    assert refused.process.wait(300) == 2
    line = refused.errors.read_text().splitlines()[-1]
    assert line.startswith(f"error: {postgresql.url}: ")
    assert "password authentication failed" in line
    assert "falsch-4711" not in refused.errors.read_text()
    absent = serve(study, "--database", postgresql.url.replace("/labels", "/absent"), env={"PGPASSWORD": SECRET})
    assert absent.process.wait(300) == 2
    assert 'database "absent" does not exist' in absent.errors.read_text().splitlines()[-1]
    assert not (study.server_folder / "database.json").exists()  # nothing has been settled


def test_no_postgresql_there_is_one_line() -> None:
    with pytest.raises(UserError, match="is PostgreSQL running") as caught:
        check(Database(kind="postgresql", host="127.0.0.1", port=1, name="n", user="u"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:geheim@h/n", "postgresql://u:@h/n", "mysql://u@h/n", "postgresql://h/n", "postgresql://u@h",
     "postgresql://u@h/n?password=geheim", "postgresql://u@h:geheim/n", "sqlite:///geheim", "", "postgresql://u@h/a/b"],
)  # fmt: skip
def test_an_address_with_a_password_or_without_a_part_is_refused_unrepeated(url) -> None:
    with pytest.raises(UserError, match=r"^--database: ") as caught:
        parse_database(url)
    assert "geheim" not in str(caught.value)


def test_an_address_is_taken_apart() -> None:
    found = parse_database("postgresql://some%40one@db.example.org/a%20b")
    assert found == Database(kind="postgresql", host="db.example.org", port=5432, name="a b", user="some@one")


def test_sqlite_stays_sqlite(serve, prepared_study) -> None:
    served = serve(prepared_study, "--database", "postgresql://u@127.0.0.1:1/n")
    assert served.process.wait(300) == 2
    line = served.errors.read_text().splitlines()[-1]
    assert line.startswith("error: --database: this study's server keeps its data in SQLite")
