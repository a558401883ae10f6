"""Who logs in: the lead and one account for each annotator, under pseudonyms; addresses from a private map."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from gainsift.schemas.campaign import ADJUDICATOR
from gainsift.schemas.config import problems
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.plain_yaml import load_yaml
from gainsift.schemas.record import Record
from gainsift.schemas.study import Study

LEAD = ADJUDICATOR
DOMAIN = "annotators.example"
"""Reserved for examples (RFC 2606): nothing sent there can arrive anywhere."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""For passwords: no letter that looks like another, or like a digit."""

# the log-in form of Label Studio lowers what is typed, so an address with a capital could never log in
Email = Annotated[
    str, StringConstraints(to_lower=True, max_length=254, pattern=r"^[^@\s\"'<>,;]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$")
]


class Person(Record):
    """Who is behind a pseudonym. The name is for the lead's eyes only: no server is told it."""

    name: str = Field(default="", description="Real name, for the lead's eyes.")
    email: Email = Field(description="Address of the account at Label Studio.")


@dataclass(frozen=True)
class Account:
    """One log-in: the pseudonym, the address to type, and whether it runs the server."""

    name: str
    email: str
    admin: bool

    @property
    def email_is_private(self) -> bool:
        """Whether the address is a person's own, from the private map."""
        return not self.email.endswith(f"@{DOMAIN}")


def private_map(study: Study) -> Path:
    return study.private_folder / "annotators.yaml"


def accounts(study: Study) -> list[Account]:
    """The lead's account, then the annotators' in the order of study.yaml. Raises UserError naming file and key."""
    people = _people(study)
    names = [LEAD, *(person.name for person in study.config.annotation.annotators)]
    for name in people:
        if name not in names:
            file = str(private_map(study))
            raise UserError(file, f"{name!r} is no annotator of study.yaml", did_you_mean(name, names))
    made = [
        Account(name, people[name].email if name in people else f"{name.lower()}@{DOMAIN}", name == LEAD)
        for name in names
    ]
    owners: dict[str, str] = {}
    for account in made:
        first = owners.setdefault(account.email, account.name)
        if first != account.name:
            where, problem = str(private_map(study)), f"{first!r} and {account.name!r} have the same address"
            raise UserError(where, problem, "an account is known by its address: give each its own")
    return made


def _people(study: Study) -> dict[str, Person]:
    """The private map, pseudonym -> person; empty if there is none. Its values are in no error message."""
    file = private_map(study)
    if not file.exists():
        return {}
    try:
        return TypeAdapter(dict[str, Person]).validate_python(load_yaml(file) or {})
    except ValidationError as error:
        remedy = "write `PSEUDONYM: {name: ..., email: ...}`"
        raise UserError(str(file), problems(error), remedy) from None


def new_password() -> str:
    """Three groups of four letters or digits, about 59 bits: fit to be read out and typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def keep_private(study: Study) -> None:
    """Keep the server's data and the private map out of version control, by a .gitignore in the study."""
    file = study.folder / ".gitignore"
    wanted = [f"/{folder.name}/" for folder in (study.server_folder, study.private_folder)]
    try:
        text = file.read_text("utf-8", "replace") if file.exists() else ""
        missing = [line for line in wanted if line not in text.splitlines()]
        if missing:
            start = "" if not text or text.endswith("\n") else "\n"
            with file.open("a", encoding="utf-8") as out:
                out.write(start + "".join(f"{line}\n" for line in missing))
    except OSError as error:
        raise UserError(str(file), f"cannot be written ({error.strerror})", "the study must be writable") from None
