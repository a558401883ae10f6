"""What may go wrong on the way to the hub, each in one line.

No text of the server or of the library is passed on: it may hold addresses, headers or a token.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from gainsift.generation.disk import size_word
from gainsift.schemas.errors import GainsiftError, UserError, WorkError

LOG_IN = "log in with `hf auth login` (or set HF_TOKEN)"

LIST = "`gainsift checkpoints`"


class Stopped(Exception):
    """A download was called off from our side."""


class NoConnection(WorkError):
    """The hub cannot be reached; what lies in the cache can still be used."""


class Gone(WorkError):
    """The hub answers, and has no such revision (any more)."""


class Passing(WorkError):
    """A failure that another try may mend: a connection that was cut, a busy server."""


@contextmanager
def in_one_line(where: str, endpoint: str) -> Iterator[None]:
    """Turns every error of huggingface_hub and of the connection into a GainsiftError about `where`."""
    try:
        yield
    except (GainsiftError, Stopped):
        raise
    except Exception as error:
        raise explained(error, where, endpoint) from None


def explained(error: BaseException, where: str, endpoint: str) -> GainsiftError:
    """The error as a line: where, what, what to do next."""
    from huggingface_hub import errors

    if isinstance(error, errors.HfHubHTTPError):
        return _answered(error, where, endpoint)
    if isinstance(error, errors.HFValidationError):
        return UserError(where, "is not the name of a hub repository", "write owner/name")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return NoConnection(where, "HF_HUB_OFFLINE is set, so the hub is not asked", "unset it")
    if isinstance(error, errors.LocalEntryNotFoundError):
        cause = error.__cause__
        return explained(cause, where, endpoint) if cause is not None else _unreachable(where, endpoint)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(where)
    if isinstance(error, PermissionError):
        return WorkError(where, "the cache of huggingface_hub cannot be written", "mend it, or set HF_HOME to another")
    if _of_the_connection(error):
        name = type(error).__name__
        if name in ("ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"):
            return _unreachable(where, endpoint)
        return Passing(where, f"the connection to {endpoint} broke off ({name})", "run the command again: it goes on")
    if isinstance(error, OSError) and "onsistency check" in str(error):
        return Passing(where, "a downloaded file has not the size that the hub names", "run the command again")
    return WorkError(where, f"cannot be fetched ({type(error).__name__})", "run again; --debug shows more")


def disk_full(where: str, needs: int = 0, free: int = 0, folder: str = "") -> WorkError:
    """No room for a checkpoint, noticed before or during the download."""
    figures = f" ({size_word(needs)} are needed, {size_word(free)} free in {folder})" if needs else ""
    return WorkError(
        where, f"the disk is full{figures}",
        "make room, set HF_HOME to a larger disk, or set model.evict: true",
    )  # fmt: skip


def _of_the_connection(error: BaseException) -> bool:
    """httpx, or httpx2: which one huggingface_hub speaks through depends on its version."""
    return any(kind.__module__.split(".")[0] in ("httpx", "httpx2") for kind in type(error).__mro__)


def _unreachable(where: str, endpoint: str) -> NoConnection:
    return NoConnection(where, f"no connection to {endpoint}", "check the network, HF_ENDPOINT and proxies")


def _answered(error: BaseException, where: str, endpoint: str) -> GainsiftError:
    from huggingface_hub import errors

    status = int(getattr(getattr(error, "response", None), "status_code", 0))
    if isinstance(error, errors.RevisionNotFoundError):
        return Gone(where, "the hub has no such revision", f"see what there is with {LIST}; --update takes it")
    if isinstance(error, errors.GatedRepoError):
        return UserError(where, "the repository is gated", f"ask for access at {endpoint}, then {LOG_IN}")
    if status in (401, 403):
        return UserError(where, "no such repository, or no access to it", f"check the name; if it is private, {LOG_IN}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return UserError(where, "no such repository on the hub", f"check the name; if it is private, {LOG_IN}")
    if isinstance(error, errors.EntryNotFoundError):
        return Gone(where, "a file that the hub lists cannot be fetched", "run the command again")
    if status in (408, 429) or status >= 500:
        return Passing(where, f"{endpoint} answers with status {status}", "run the command again later: it goes on")
    return WorkError(where, f"{endpoint} answers with status {status}", "check HF_ENDPOINT")
