"""What a benchmark tells docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """`answers`: what was measured, what was asked for, what was found, and whether that keeps it. Then the details.

    Where nothing was asked for, the last is None.
    """

    answers: list[tuple[str, str, str, bool | None]]
    lines: list[str]
