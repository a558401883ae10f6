"""Which pseudonym an account of the export stands for. Addresses are compared here and never leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STRANGER = "stranger"


@dataclass(frozen=True)
class Who:
    """An account: `name` is its pseudonym, None where the export does not tell.

    `stranger`: it is no account of the study; its name is then the server's number for it, and no pseudonym.
    """

    number: int | None
    email: str | None
    name: str | None
    stranger: bool = False

    @property
    def key(self) -> int | str | None:
        """What tells accounts apart, for comparing only."""
        return self.number if self.number is not None else self.email

    def shown(self) -> str:
        """A way to name it that gives no address away."""
        return self.name or (f"account {self.number}" if self.number is not None else "an account")

    def differs(self, other: Who) -> bool:
        """Whether they are certainly two accounts."""
        if self.number is not None and other.number is not None:
            return self.number != other.number
        return bool(self.email and other.email and self.email != other.email)


class Accounts:
    """`pseudonyms`: by lower-case address, None if they are not known. `users`: address by the server's number."""

    def __init__(self, pseudonyms: Mapping[str, str] | None, users: Mapping[int, str] | None) -> None:
        self.pseudonyms = pseudonyms
        self.users = users or {}

    def who(self, value: Any) -> Who:
        """The account behind `completed_by`, `updated_by` or `user`: a number, an address, or an object with both."""
        fields = value if isinstance(value, dict) else {"id": value, "email": value}
        number, email = fields.get("id"), fields.get("email")
        if isinstance(number, bool) or not isinstance(number, int):
            number = None
        if not isinstance(email, str) or not email:
            email = self.users.get(number) if number is not None else None
        email = email.lower() if email else None
        if self.pseudonyms is None or email is None:
            return Who(number, email, None)
        name = self.pseudonyms.get(email)
        if name is not None:
            return Who(number, email, name)
        return Who(number, email, f"{STRANGER}.{number}" if number is not None else STRANGER, stranger=True)
