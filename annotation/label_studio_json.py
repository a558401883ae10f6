"""The shape of a Label Studio export (format JSON): its tasks, entries, times."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gainsift.schemas.errors import UserError

Task = tuple[str, dict[str, Any]]
"""Place for messages, and the task."""


def read_tasks(file: Path) -> Iterator[Task]:
    """The tasks of an export. Raises UserError naming file and line or task."""
    try:
        tasks = json.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise UserError(str(file), "no such file", "export the project in the format JSON") from None
    except OSError as error:
        raise UserError(str(file), f"cannot be read ({error.strerror})", "name an export file") from None
    except json.JSONDecodeError as error:
        remedy = "the file is cut off or damaged: export again"
        raise UserError(f"{file}:{error.lineno}", f"not JSON ({error.msg})", remedy) from None
    except (ValueError, RecursionError) as error:  # no UTF-8, a number of thousands of digits, nested too deep
        raise UserError(str(file), f"not JSON ({type(error).__name__})", "export the project again") from None
    if not isinstance(tasks, list):
        raise UserError(str(file), "expected a list of tasks", "export the project in the format JSON")
    for number, task in enumerate(tasks, start=1):
        name = task.get("id", f"number {number}") if isinstance(task, dict) else f"number {number}"
        where = f"{file}: task {name}"
        check_task(where, task)
        yield where, task


def check_task(where: str, task: Any) -> None:
    """Raise UserError unless it has data, annotations and drafts of the right shape."""
    again = "export the project again"
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        raise UserError(where, "has no data", "export in the format JSON (not JSON-MIN or CSV)")
    if not isinstance(task.get("annotations"), list):
        raise UserError(where, "has no annotations", "export in the format JSON (not JSON-MIN, not an import file)")
    if not all(isinstance(entry, dict) for entry in task["annotations"]):
        raise UserError(where, "an annotation is no object", again)
    if not isinstance(task.get("drafts") or [], list):
        raise UserError(where, "its drafts are no list", again)


def entries(task: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """(annotation or draft, whether it is a draft) of a checked task. Some exports list drafts by number only."""
    for entry in task["annotations"]:
        yield entry, False
    for draft in task.get("drafts") or []:
        yield draft if isinstance(draft, dict) else {"id": draft}, True


def moment(value: Any) -> datetime | None:
    """A time of the export; without a zone it is UTC. None if it is none."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def newest(tasks: Iterable[Task]) -> datetime | None:
    """The newest time in an export: it was made then or later."""
    times = [
        moment(part.get(key))
        for _, task in tasks
        for part in (task, *task["annotations"], *(task.get("drafts") or []))
        if isinstance(part, dict)
        for key in ("created_at", "updated_at")
    ]
    return max((time for time in times if time), default=None)


def text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def seconds(value: Any) -> float | None:
    """A time on the page; None if it is no finite number from 0 up (JSON has integers that no float can hold)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        time = float(value)
    except OverflowError:
        return None
    return time if math.isfinite(time) and time >= 0 else None
