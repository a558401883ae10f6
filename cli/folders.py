"""Checks of a folder that an option names for what a command writes."""

from __future__ import annotations

from pathlib import Path

from gainsift.schemas.errors import UserError


def not_a_file(folder: Path) -> None:
    """Raises UserError if a file lies where the folder is to be, or one of those that it is to be in."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if there is not None and not there.is_dir():
        found = "a file" if there == folder else f"{there}, a file"
        raise UserError(f"--out {folder}", f"expected a folder, found {found}", "name another")


def make(folder: Path, option: str = "--out") -> None:
    """Make the folder. Raises UserError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{option} {folder}", f"no folder can be made ({error.strerror})", "name another") from None
