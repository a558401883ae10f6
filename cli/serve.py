"""`gainsift annotate serve`: the study's own Label Studio, from accounts to tasks, until Ctrl+C."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_json
from gainsift.schemas.errors import GainsiftError

if TYPE_CHECKING:
    from gainsift.annotation.accounts import Account
    from gainsift.annotation.connection import Connection
    from gainsift.annotation.push import Pushed
    from gainsift.annotation.server import Server
    from gainsift.schemas.study import Study


def serve(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8080,
    database: Annotated[
        str | None,
        typer.Option(metavar="postgresql://USER@HOST:PORT/NAME", help="Instead of SQLite; password from PGPASSWORD."),
    ] = None,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Put the planned tasks into the server.")] = True,
    new_passwords: Annotated[bool, typer.Option("--new-passwords", help="Make and show new ones for all.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print address, log-ins and what was pushed as one line of JSON.")
    ] = False,
) -> None:
    """Run Label Studio for the study, on this machine alone.

    Makes an account for the lead and for each annotator, puts the planned tasks in, and shows address and log-ins.
    Runs until Ctrl+C. Its data stay in STUDY/label-studio.
    """
    from gainsift.annotation.accounts import accounts, keep_private
    from gainsift.annotation.server import start
    from gainsift.annotation.server_database import parse_database
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    people = accounts(opened)
    kept_in = parse_database(database) if database is not None else None
    keep_private(opened)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` stays in force
            signal.signal(number, _interrupt)
    with _waiting(opened, port):
        server = start(opened.server_folder, people, port, kept_in, new_passwords)
    try:
        with server:
            if not as_json:
                _greet(server, people)
            made = _push(opened, _connection(server), as_json) if push else None
            if as_json:
                _tell(server, people, made)
            _console(stderr=as_json).print("Ctrl+C stops the server.")
            server.wait()
    except KeyboardInterrupt:
        _console(stderr=as_json).print(f"stopped; everything is kept in {opened.server_folder}")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _console(stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, soft_wrap=True)


def _waiting(study: Study, port: int) -> Any:
    """A spinner on a terminal, one plain line elsewhere."""
    first = not study.server_folder.exists()
    text = f"Label Studio starts on port {port}" + (", the first time takes about a minute" if first else "")
    console = Console(stderr=True)
    if not console.is_terminal:
        _console(stderr=True).print(text)
    return console.status(text)


def _greet(server: Server, people: list[Account]) -> None:
    """Address and log-ins; a password is shown when it is made and never again."""
    console = _console()
    console.print(f"Label Studio runs at {server.url} (data: {server.database})")
    for note in _connection(server).notes:
        console.print(f"note: {note}")
    table = Table("account", "log in with", "password", box=None, pad_edge=False)
    for account in people:
        password = server.passwords.get(account.name, "as before")
        table.add_row(Text(account.name), Text(account.email), Text(password))
    Console(highlight=False, markup=False, width=max(100, console.width)).print(table)
    if server.passwords:
        console.print("Passwords are kept nowhere and shown this once: hand them on now.")
    else:
        console.print("Passwords are as before; --new-passwords makes new ones for all.")


def _tell(server: Server, people: list[Account], made: Pushed | None) -> None:
    """The same for a program, as soon as people may log in; a password that was not made now is null."""
    told = {
        "url": server.url,
        "database": str(server.database),
        "notes": list(_connection(server).notes),
        "accounts": [
            {"account": one.name, "log_in": one.email, "password": server.passwords.get(one.name)} for one in people
        ],
        "push": made.as_dict() if made else None,
    }
    print_json(told, indent=None)
    sys.stdout.flush()


def _connection(server: Server) -> Connection:
    from importlib import metadata

    from gainsift.annotation.connection import Connection, notes_on

    version = metadata.version("label-studio")
    return Connection(server.url, server.token, version, notes_on(server.url, version))


def _push(study: Study, connection: Connection, quiet: bool) -> Pushed | None:
    """Projects and tasks. What goes wrong here does not take the server from people who are at work on it."""
    if not study.assignments_file.exists():
        line = f"no tasks are planned: run `gainsift annotate plan {study.folder}`, then push or serve again"
        _console(stderr=quiet).print(line)
        return None
    from gainsift.annotation.push import push
    from gainsift.cli.push import bar, show

    try:
        with bar("push") as progress:
            made = push(study, connection, progress=progress)
    except GainsiftError as error:
        _console(stderr=True).print(f"error: {error}")
        _console(stderr=True).print(f"the server runs on; when that is mended: gainsift annotate push {study.folder}")
        return None
    if not quiet:
        show(made)
    return made
