"""Where a server keeps its data: SQLite in its folder, or PostgreSQL. No password is kept here."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field

from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.record import Record

SQLITE_FILE = "label_studio.sqlite3"
OPTION = "--database"
FORM = "postgresql://USER@HOST:PORT/NAME"


class Database(Record):
    """PostgreSQL's password comes from PGPASSWORD or ~/.pgpass, as with PostgreSQL's own programs."""

    kind: Literal["sqlite", "postgresql"] = Field(default="sqlite", description="Which program.")
    host: str = Field(default="", description="PostgreSQL's machine.")
    port: int = Field(default=5432, description="PostgreSQL's port.")
    name: str = Field(default="", description="Name of the database.")
    user: str = Field(default="", description="Who logs in.")

    def __str__(self) -> str:
        if self.kind == "sqlite":
            return "SQLite"
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"


def parse_database(text: str) -> Database:
    """`postgresql://USER@HOST:PORT/NAME` as a database. Raises UserError; a password in it is refused."""
    try:
        parts = urlsplit(text)
        port = parts.port or 5432
    except ValueError:  # its message would repeat the text, which may hold a password
        raise UserError(OPTION, "is no address", f"write {FORM}") from None
    if parts.password is not None:
        raise UserError(
            OPTION,
            "holds a password, which every user of this machine could read there",
            f"write {FORM} and put the password into PGPASSWORD or ~/.pgpass",
        )
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgresql", "postgres") or not parts.username or not parts.hostname or not name:
        raise UserError(OPTION, "expected an address of PostgreSQL with user, host and name", f"write {FORM}")
    if parts.query or parts.fragment or "/" in name:
        raise UserError(OPTION, "has more than user, host, port and name", "set PGSSLMODE and the like instead")
    return Database(kind="postgresql", host=parts.hostname, port=port, name=name, user=unquote(parts.username))


def environment(database: Database, outer: Mapping[str, str]) -> dict[str, str]:
    """Label Studio's variables for a database. PostgreSQL's own (PG…) are handed on from the outer environment."""
    if database.kind == "sqlite":
        return {"LABEL_STUDIO_DJANGO_DB": "sqlite"}
    return {
        "LABEL_STUDIO_DJANGO_DB": "default",
        "LABEL_STUDIO_POSTGRE_HOST": database.host,
        "LABEL_STUDIO_POSTGRE_PORT": str(database.port),
        "LABEL_STUDIO_POSTGRE_NAME": database.name,
        "LABEL_STUDIO_POSTGRE_USER": database.user,
        "LABEL_STUDIO_POSTGRE_PASSWORD": "",  # empty: the driver then looks at PGPASSWORD and ~/.pgpass
        **{name: value for name, value in outer.items() if name.startswith("PG")},
    }


def check(database: Database) -> None:
    """Raise UserError if PostgreSQL does not let us in: in a second, rather than in the server's log."""
    if database.kind == "postgresql":
        query(Path(), database, "select 1")


def token(folder: Path, database: Database, username: str) -> str | None:
    """The API token of an account; None before the account is there."""
    if database.kind == "sqlite" and not (folder / SQLITE_FILE).is_file():
        return None
    mark = "?" if database.kind == "sqlite" else "%s"
    rows = query(
        folder,
        database,
        "select t.key from authtoken_token t join htx_user u on u.id = t.user_id "
        f"where u.username = {mark} and u.is_superuser",
        username,
    )
    return str(rows[0][0]) if rows else None


def query(folder: Path, database: Database, statement: str, *values: str) -> list[tuple[Any, ...]]:
    """The rows of a reading statement. Raises UserError (PostgreSQL not reachable), WorkError (SQLite damaged)."""
    if database.kind == "sqlite":
        file = folder / SQLITE_FILE
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise WorkError(str(file), f"cannot be read ({error})", "start the server again") from None
    try:
        import psycopg
    except ImportError:
        raise UserError(OPTION, "needs the PostgreSQL driver", "pip install 'gainsift[server]'") from None
    try:
        with psycopg.connect(
            host=database.host, port=database.port, dbname=database.name, user=database.user, connect_timeout=15
        ) as link:
            return link.execute(statement.encode(), values).fetchall()
    except psycopg.Error as error:
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        where = (os.environ.get("PGPASSWORD") and "PGPASSWORD is set") or "PGPASSWORD is not set"
        raise UserError(
            str(database), last[0], f"is PostgreSQL running, is the database there, is the password right? {where}"
        ) from None
