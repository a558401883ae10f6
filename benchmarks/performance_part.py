"""What a benchmark tells docs/performance.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """`answers`: what was measured, what was asked for, what was found, and whether that keeps it. Then the details.

    Where nothing was asked for, the last is None.
    """

    answers: list[tuple[str, str, str, bool | None]]
    lines: list[str]


def machine_in_words(of: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in of["versions"].items())
    return (
        f"{of['cores']} cores ({of['architecture']}, {of['memory_gb']} GB, load {of['load']:.1f}),"
        f" Python {of['python']}, {versions}"
    )
