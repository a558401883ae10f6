"""The text of a file that somebody names, or one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from gainsift.schemas.errors import UserError


def given_text(path: Path, remedy: str) -> str:
    """UTF-8, with or without a mark. Raises UserError; `remedy` says what to name instead."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(str(path), "no such file", remedy) from None
    except OSError as error:
        raise UserError(str(path), f"cannot be read ({error.strerror})", remedy) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}", f"not UTF-8 at byte {error.start}", "save the file as UTF-8") from None
