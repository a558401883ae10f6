"""The two ways in which a command may end badly, each one line: where, what was expected, what to do next."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from gainsift.schemas.visible_text import visible

LONGEST = 1500
"""Letters of a message; what it quotes may be a whole file."""


class GainsiftError(Exception):
    """Base of the errors that a person can act on.

    `where` is a file (with line or key) or a command-line option; `problem` says what was expected and what
    was found; `remedy` says what to do next.
    """

    exit_code = 1

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        self.where, self.problem, self.remedy = where, problem, remedy
        super().__init__(_one_line(self.line()))

    def line(self) -> str:
        return f"{self.where}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")


def _one_line(text: str) -> str:
    """The text without line breaks and what a terminal would obey; a long one loses its middle, not its remedy."""
    end = text[-LONGEST // 3 :] if len(text) > LONGEST else ""
    start = text[: LONGEST - len(end)] + ("…" if end else "")
    return visible(" ".join((start + end).split()))


class UserError(GainsiftError):
    """The input or the request is at fault: exit status 2."""

    exit_code = 2


class WorkError(GainsiftError):
    """The request was right, the work failed: exit status 1."""

    exit_code = 1


FULL = (errno.ENOSPC, errno.EDQUOT)
OF_THE_DISK = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
"""What a disk or its rights may prevent at any moment, to nobody's fault."""


def unwritable(path: Path, error: OSError) -> WorkError:
    """That a file cannot be written, and what to do about it."""
    remedy = "make room, and run again: what is finished stays"
    if error.errno not in FULL:
        remedy = "see that you may write there, and run again: what is finished stays"
    if path.suffix == ".tmp":  # say the file that it was to become
        path = path.with_name(path.name.removeprefix(".").rsplit(".", 2)[0])
    return WorkError(str(path), f"cannot be written: {error.strerror or error}", remedy)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the nearest known word, else the list of known words."""
    names = [str(name) for name in known]
    return near(word, names).strip() or "known: " + ", ".join(names)


def some_of(names: Iterable[str], most: int = 6) -> str:
    """The first `most` names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def near(word: str, known: Iterable[str]) -> str:
    """`did you mean X? ` for the nearest known word, with the space before what follows, or nothing."""
    found = get_close_matches(word, [str(name) for name in known], n=1)
    return f"did you mean {found[0]}? " if found else ""
