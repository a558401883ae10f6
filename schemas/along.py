"""Contrasts along a series: from each of its conditions to the next, and the whole way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def along(conditions: Sequence[T]) -> list[tuple[T, T, bool]]:
    """(from, to, whether it is one of several steps): consecutive ones, then the whole way if that is another pair."""
    several = len(conditions) > 2
    steps = [(a, b, several) for a, b in pairwise(conditions)]
    return [*steps, (conditions[0], conditions[-1], False)] if several else steps


def contrast_name(series: str, a: str, b: str) -> str:
    """`unpatched: c1 to c2`; `c1 to c2` in a series without a name. Random numbers are drawn by it: it stays."""
    return f"{series}: {a} to {b}".removeprefix(": ")
