"""The shape of a Label Studio export (format JSON), and its values as this study keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gainsift.annotation.label_config import LABEL, SENSE
from gainsift.schemas.errors import UserError


def read_tasks(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place for messages, task) for each task of an export."""
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
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise UserError(where, "has no data", "export in the format JSON (not JSON-MIN or CSV)")
        if not isinstance(task.get("annotations"), list):
            raise UserError(where, "has no annotations", "export in the format JSON (not JSON-MIN, not an import file)")
        yield where, task


def entries(where: str, task: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """(annotation or draft, whether it is a draft). Some exports list drafts by number only."""
    for entry in task["annotations"]:
        if not isinstance(entry, dict):
            raise UserError(where, "an annotation is no object", "export the project again")
        yield entry, False
    drafts = task.get("drafts") or []
    if not isinstance(drafts, list):
        raise UserError(where, "its drafts are no list", "export the project again")
    for draft in drafts:
        yield draft if isinstance(draft, dict) else {"id": draft}, True


def one_value(where: str, name: str, value: Any) -> str:
    """The one choice, or the text; a text field may hold several lines."""
    key = "choices" if name in (LABEL, SENSE) else "text"
    parts = value.get(key) if isinstance(value, dict) else None
    if isinstance(parts, str):
        parts = [parts]
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise UserError(where, f"{name} has no {key}", "export the project again")
    if key == "choices" and len(parts) != 1:
        raise UserError(where, f"{name} has {len(parts)} choices instead of one", "correct it in Label Studio")
    return "\n".join(parts)


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
