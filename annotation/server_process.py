"""Runs inside the server's own process: brings its database up to date, makes accounts, serves on loopback.

Started by `server.start`, which writes one JSON line (`Order`) to standard input and keeps that pipe open. Standard
output carries one JSON line for each thing done; whatever else is printed goes to standard error, the server's log.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import signal
import sys
import threading
from typing import Any, TextIO, TypedDict

SETTINGS = "label_studio.core.settings.label_studio"
SQLITE_PATIENCE = 60
"""Seconds to wait for another writer. After the usual 5 a click during a large push could end in an error page."""


class AccountOrder(TypedDict):
    """`password` is set when the account is new, or when new passwords are asked for."""

    name: str
    email: str
    admin: bool
    password: str


class Order(TypedDict):
    """What the server is told at its start."""

    port: int
    accounts: list[AccountOrder]
    new_passwords: bool


def main() -> None:
    """Do what the order on standard input says, then serve until SIGTERM or until standard input is closed."""
    news = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    order: Order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _load_django()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0, no_color=True)
    _tell(news, "accounts", make_accounts(order["accounts"], order["new_passwords"]))
    _serve(order["port"], news)


def _end_with_parent() -> None:
    """The pipe closes when the starter ends, also when it is killed: no server stays behind on the port."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(news: TextIO, event: str, what: Any) -> None:
    news.write(json.dumps({event: what}) + "\n")
    news.flush()


def _load_django() -> None:
    """Label Studio's applications are top-level modules of its folder, so the folder must be on the path."""
    spec = importlib.util.find_spec("label_studio")
    assert spec is not None
    assert spec.submodule_search_locations
    sys.path.insert(0, spec.submodule_search_locations[0])
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django
    from django.db import connections

    django.setup()
    default = connections.settings["default"]
    if default["ENGINE"].endswith("sqlite3"):
        default["OPTIONS"]["timeout"] = SQLITE_PATIENCE


def _serve(port: int, news: TextIO) -> None:
    """Django's own server, as `label-studio start` runs it, but on this very port or not at all."""
    from django.conf import settings
    from django.core.management import call_command
    from django.core.management.commands.runserver import Command

    class Loopback(Command):  # type: ignore[misc]
        def on_bind(self, server_port: int) -> None:
            logging.getLogger("django.server").setLevel(logging.WARNING)  # not a line for every request
            _tell(news, "listening", server_port)

    settings.INTERNAL_PORT = str(port)
    call_command(Loopback(), f"127.0.0.1:{port}", use_reloader=False, skip_checks=True)


def make_accounts(accounts: list[AccountOrder], new_passwords: bool) -> list[str]:
    """Make what is missing, in one transaction; returns the names whose password was set.

    An account is found by its pseudonym, so that an address may change. All are members of the one organisation;
    only the admin is a superuser.
    """
    from django.contrib.auth import get_user_model
    from django.db import transaction

    users = get_user_model().objects
    told = []
    with transaction.atomic():
        for account in accounts:
            user = users.filter(username=account["name"]).first() or users.filter(email=account["email"]).first()
            if user is None or new_passwords:
                told.append(account["name"])
            if user is None:
                user = users.create_user(account["email"], account["password"])
            elif new_passwords:
                user.set_password(account["password"])
            user.email = account["email"]
            user.username = user.first_name = account["name"]
            user.is_active = True
            user.is_staff = user.is_superuser = account["admin"]
            user.active_organization = _organisation(user)
            user.save()
    return told


def _organisation(user: Any) -> Any:
    """The server's one organisation, with this user in it and with tokens that do not expire allowed."""
    from django.apps import apps

    model = apps.get_model("organizations", "Organization")
    organisation = model.objects.order_by("pk").first() or model.create_organization(user, "Label Studio")
    if not organisation.jwt.legacy_api_tokens_enabled:
        organisation.jwt.legacy_api_tokens_enabled = True
        organisation.jwt.save()
    if not organisation.has_user(user):
        organisation.add_user(user)
    return organisation


if __name__ == "__main__":
    main()
