"""The text of a csv file that somebody names, or one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from gainsift.schemas.errors import UserError


def csv_text(path: Path, wanted: str, kinds: str) -> str:
    """The text, UTF-8 with or without a mark. Raises UserError; `wanted` and `kinds` say what to give instead."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(str(path), "no such file", f"give {wanted}") from None
    except OSError as error:
        raise UserError(str(path), f"cannot be read ({error.strerror})", f"give a {kinds} file") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}", f"not UTF-8 at byte {error.start}", "save the file as UTF-8") from None
