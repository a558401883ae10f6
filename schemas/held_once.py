"""Rows that say the same hold it once, so that half a million judgements fit into memory."""

from __future__ import annotations

from typing import TypeVar

from gainsift.schemas.record import Record

R = TypeVar("R", bound=Record)
MOST = 200_000
"""A field with more different texts than that is about its own row, and is left alone."""


class HeldOnce:
    """Call it with row after row: the same row comes back, with texts, lists of texts and records of the rows before.

    Records in them must be hashable, as those without lists are.

    Rows are equal to what they were. Which of their fields were given is forgotten, for that takes as much room as
    their values: do not ask for `model_fields_set` of them.
    """

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str] | None] = {}
        self._lists: dict[tuple[str, ...], list[str]] = {}
        self._records: dict[Record, Record] = {}
        self._given: dict[type[Record], set[str]] = {}

    def __call__(self, row: R) -> R:
        values = row.__dict__
        for name, value in values.items():
            if type(value) is str:
                values[name] = self._text(name, value)
            elif type(value) is list and all(type(one) is str for one in value) and len(self._lists) < MOST:
                values[name] = self._lists.setdefault(tuple(value), value)
            elif isinstance(value, Record):
                values[name] = self._records.get(value) or self._records.setdefault(value, self(value))
        kind = type(row)
        object.__setattr__(row, "__pydantic_fields_set__", self._given.setdefault(kind, set(kind.model_fields)))
        return row

    def _text(self, name: str, value: str) -> str:
        known = self._texts.setdefault(name, {})
        if known is None:
            return value
        if len(known) == MOST:
            self._texts[name] = None
        return known.setdefault(value, value)
