"""How commands reach a Label Studio: the study's own that runs, or another by its address, and always with a token."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from gainsift.annotation.accounts import accounts, private_map
from gainsift.annotation.label_studio_api import Api, as_label_studio_answers
from gainsift.annotation.server import own_server
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.study import Study

TOKEN_VARIABLE = "GAINSIFT_LABEL_STUDIO_TOKEN"
TESTED = "1.23"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 60.0
"""Seconds for the first answer."""


@dataclass(frozen=True)
class Connection:
    """A Label Studio that answers and takes the token. `notes` are for the person: a version not tested, and such."""

    url: str
    token: str = field(repr=False)
    version: str
    notes: tuple[str, ...] = ()


def connect(study: Study, url: str | None = None) -> Connection:
    """The running server of the study, or the one at `url`; both are asked who we are before this returns.

    The token of our own server is read from its database; that of another comes from GAINSIFT_LABEL_STUDIO_TOKEN or
    is typed. Raises UserError (no server runs, no Label Studio there, wrong token), WorkError (no answer).
    """
    where, token = own_server(study) if url is None else (checked_url(url), "")
    version = release_of(where)
    return reached(where, token or _asked_token(where), version)


def reached(url: str, token: str, version: str) -> Connection:
    """The server of that release, once it has taken the token. Raises UserError (wrong token), WorkError."""
    found = Connection(url, token, version, notes_on(url, version))
    with Api(found) as api:
        api.once("GET", "/api/current-user/whoami")
    return found


def checked_url(url: str) -> str:
    """The address without a slash at its end. Raises UserError; an address that holds a log-in is refused."""
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018  raises ValueError if it is no number
    except ValueError:
        raise UserError("--url", "is no address", "write http://HOST:PORT") from None
    if "@" in parts.netloc:
        problem = "holds a log-in, which every user of this machine could read there"
        raise UserError("--url", problem, f"write the address alone; the token goes into {TOKEN_VARIABLE}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UserError("--url", "expected the address of a Label Studio", "write http://HOST:PORT or https://HOST")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def missing_accounts(study: Study, connection: Connection) -> list[str]:
    """One text for each annotator of study.yaml without an account on the server: pseudonym and address.

    Of an address in the private map only the file is named. Our own server has all accounts: it makes them.
    """
    with Api(connection) as api, as_label_studio_answers(connection.url, "the list of accounts"):
        there = {str(user["email"]).lower() for user in api.get("/api/users/")}
    missing = []
    for account in accounts(study):
        if not account.admin and account.email not in there:
            known = f"address in {private_map(study).name}" if account.email_is_private else account.email
            missing.append(f"{account.name} ({known})")
    return missing


def release_of(url: str, timeout: float = TIMEOUT) -> str:
    """The release that the Label Studio at `url` tells. It is asked before it is shown a token.

    Raises UserError (no Label Studio there), WorkError (no answer).
    """
    try:
        with httpx.Client(timeout=timeout, follow_redirects=True, trust_env=not _is_local(url)) as client:
            answer = client.get(f"{url}/api/version")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WorkError(
            url, f"no answer ({type(error).__name__})", "is the server running, is the address right?"
        ) from None
    if _origin(str(answer.url)) != _origin(url):
        raise UserError("--url", f"{url} leads to {_origin(str(answer.url))}", "name that address")
    try:
        release = answer.json()["release"]
    except (ValueError, KeyError, TypeError):
        problem = f"something answers at {url} (status {answer.status_code}), but no Label Studio"
        raise UserError("--url", problem, "name the address under which its log-in page opens") from None
    return str(release)


def given_token() -> str:
    """That of GAINSIFT_LABEL_STUDIO_TOKEN, or nothing. Raises UserError if it cannot be one."""
    return _plausible(os.environ.get(TOKEN_VARIABLE, "").strip())


def _asked_token(url: str) -> str:
    text = given_token()
    if not text and sys.stdin.isatty():
        text = _plausible(getpass.getpass(f"Access token for {url} (not shown): ").strip())
    if not text:
        raise UserError("--url", "no access token", f"put it into {TOKEN_VARIABLE}, or type it when asked")
    return text


def _plausible(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise UserError(TOKEN_VARIABLE, "is no access token", "copy it again from Label Studio: Account & Settings")
    return text


def notes_on(url: str, version: str) -> tuple[str, ...]:
    """What the person should know about a server: a version not tested, an open way to it."""
    notes = []
    if not f"{version}.".startswith(f"{TESTED}."):
        notes.append(f"Label Studio {version} at {url}: gainsift is tested with {TESTED}")
    if url.startswith("http:") and not _is_local(url):
        notes.append(f"{url} is not encrypted: the access token can be read on its way")
    return tuple(notes)


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
