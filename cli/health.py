"""Whether what is installed, the machine and the server fit together: all that `gainsift doctor` finds."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from gainsift.annotation.connection import TOKEN_VARIABLE, checked_url, connect, given_token, reached, release_of
from gainsift.annotation.server_state import running
from gainsift.cli.installation import BASE, Part, different, installed, known_good, known_good_file, parts
from gainsift.cli.machine import Devices, Place, devices, places
from gainsift.generation.disk import size_word
from gainsift.schemas.errors import GainsiftError
from gainsift.schemas.study import Study

LITTLE, TOO_LITTLE = 2e9, 1e8
"""Bytes free on a disk: below the one a note, below the other a problem."""
PATIENCE = 10.0
"""Seconds for a server's first answer."""


@dataclass(frozen=True)
class Server:
    """A Label Studio that was asked: its release if it answers, and whether it takes the token."""

    url: str
    release: str | None
    token: str
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass
class Health:
    """What was found. `notes` are worth knowing, `problems` have to be mended."""

    parts: list[Part]
    different: dict[str, tuple[str, str]]
    devices: Devices
    places: list[Place]
    server: Server | None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        good = known_good()
        return {
            "gainsift": metadata.version("gainsift"),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "parts": [
                {
                    "name": part.name,
                    "complete": part.complete,
                    "command": None if part.complete and not part.unfit else part.command,
                    "packages": [
                        {**asdict(one), "fits": one.fits, "known_good": good.get(one.name.lower())}
                        for one in part.packages
                    ],
                }
                for part in self.parts
            ],
            "known_good": str(known_good_file()),
            "different": [
                {"name": name, "installed": here, "known_good": known} for name, (here, known) in self.different.items()
            ],
            "devices": asdict(self.devices),
            "disk": [{**asdict(place), "folder": str(place.folder)} for place in self.places],
            "label_studio": asdict(self.server) if self.server else None,
            "notes": self.notes,
            "problems": self.problems,
        }


def examine(study: Study | None, url: str | None) -> Health:
    """Look at everything once. A server is asked if a study has one that runs, or if its address is given.

    Raises UserError for an address that is none.
    """
    address = None if url is None else checked_url(url)
    have = installed("torch") is not None, installed("huggingface_hub") is not None
    server = _server(study, address)
    found = Health(parts(), different(), devices(have[0]), places(study.folder if study else None, have[1]), server)
    for part in found.parts:
        _judge_part(part, found)
    if found.devices.problem:
        found.problems.append(found.devices.problem)
    for place in found.places:
        _judge_place(place, found)
    if study and server is None:
        found.notes.append(f"no server of this study is running: `gainsift annotate serve {study.folder}` starts it")
    if server:
        found.notes += server.notes
        found.problems += [server.problem] if server.problem else []
    return found


def _judge_part(part: Part, found: Health) -> None:
    for one in part.unfit:
        found.problems.append(f"{one.name} {one.installed} is here, {one.required} is needed; run: {part.command}")
    if not part.packages:
        found.notes.append(
            f"the installed gainsift is older than this code and has no part `{part.name}`: install again"
        )
    elif part.missing and part.name == BASE:
        found.problems.append(f"{', '.join(part.missing)} must be there; run: {part.command}")
    elif part.missing:
        found.notes.append(f"for `{part.name}` run: {part.command}")


def _judge_place(place: Place, found: Health) -> None:
    where = f"{place.folder} ({place.use})"
    if not place.writable:
        found.problems.append(f"{where}: cannot be written to; name another folder, or ask who owns it")
    if place.free_bytes < LITTLE:
        list_of = found.problems if place.free_bytes < TOO_LITTLE else found.notes
        list_of.append(f"{where}: only {size_word(place.free_bytes)} are free; make room")


def _server(study: Study | None, url: str | None) -> Server | None:
    """The server at `url`, else the study's own if it runs. No token is asked for, shown, or kept."""
    state = running(study.server_folder) if study and url is None else None
    where = url or (state.url if state else None)
    if where is None:
        return None
    release = None
    try:
        release = release_of(where, PATIENCE)
        if study and state:
            connection = connect(study)
        elif token := given_token():
            connection = reached(where, token, release)
        else:
            return Server(where, release, f"not tried: {TOKEN_VARIABLE} holds none")
    except GainsiftError as error:
        return Server(where, release, "refused" if release else "not tried", problem=str(error))
    return Server(where, release, "taken", connection.notes)
