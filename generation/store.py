"""Checkpoints brought here one ahead of use: while one is computed the next one is downloaded; used ones may go."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO

from gainsift.generation.checkpoints import PICKLES, Checkpoint
from gainsift.generation.disk import size_word
from gainsift.generation.hub import Progress, weight_files, whole_weights
from gainsift.generation.hub_errors import NoConnection
from gainsift.schemas.errors import GainsiftError, UserError, some_of

TELL_EVERY = 10.0
"""Seconds between two lines about a download that is waited for."""


class CheckpointStore:
    """Gives each checkpoint's whole folder for the time of its use.

    `order` holds the checkpoints that will be asked for, in that order. With `evict` a hub revision that gainsift
    downloaded is taken out of the cache after its use, unless another process uses it; local folders and revisions
    that were in the cache before stay. A store may be used again after an error: downloads go on where they were.
    """

    def __init__(
        self, order: Sequence[Checkpoint], evict: bool = False, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self._order, self._evict, self._say = list(order), evict, say
        self._running: dict[str, _Download] = {}

    def __enter__(self) -> CheckpointStore:
        return self

    def __exit__(self, *_: object) -> None:
        for download in self._running.values():
            download.call_off()
        self._running.clear()

    @contextmanager
    def local(self, checkpoint: Checkpoint) -> Iterator[Path]:
        """The folder with the whole checkpoint, downloaded if need be; meanwhile the next one is on its way.

        Raises UserError or WorkError.
        """
        download = self._start(checkpoint)
        try:
            if download is not None:
                download.wait(self._say)
            checkpoint.check()
            self._start_next(checkpoint)
            yield checkpoint.folder
        except NoConnection as error:
            raise told_what_is_here(error, self._order) from None
        finally:
            self._running.pop(checkpoint.name, None)
            if download is not None:
                download.call_off()
        if download is not None and self._evict and download.ours:
            self._take_away(checkpoint)

    def _start(self, checkpoint: Checkpoint) -> _Download | None:
        if not checkpoint.remote:
            return None
        if checkpoint.name not in self._running:
            self._running[checkpoint.name] = _Download(checkpoint)
        return self._running[checkpoint.name]

    def _start_next(self, checkpoint: Checkpoint) -> None:
        names = [one.name for one in self._order]
        after = names.index(checkpoint.name) + 1 if checkpoint.name in names else len(names)
        following = next((one for one in self._order[after:] if one.remote), None)
        if following is not None:
            self._start(following)

    def _take_away(self, checkpoint: Checkpoint) -> None:
        with _lock_file(checkpoint).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another process uses it: that one takes it away
                return
            freed = checkpoint.hub.delete(checkpoint.spec.repo, checkpoint.spec.commit)
            _mark_of_ours(checkpoint).unlink(missing_ok=True)
        self._say(f"{checkpoint.name}: taken out of the cache, {size_word(freed)} freed")


class Ahead:
    """The checkpoint that other processes will need next, brought here by this one: one at a time.

    Who needs it before it is here waits for the same files: huggingface_hub locks them. What goes wrong is told by
    those processes, which meet it again.
    """

    def __init__(self) -> None:
        self._download: _Download | None = None

    def fetch(self, coming: Checkpoint | None) -> None:
        """See that `coming` is on its way or here, if none is on its way. One that was here is left to its users."""
        now = self._download
        if now is not None and (now.running or (coming and coming.name == now.checkpoint.name)):
            return
        self.stop()
        if coming is not None and coming.remote:
            self._download = _Download(coming)

    def stop(self) -> None:
        if self._download is not None:
            self._download.call_off()
            self._download = None


class _Download:
    """One checkpoint on its way, in a thread of its own. While it lives, no other process evicts the revision."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint, self.progress = checkpoint, Progress()
        self.error: BaseException | None = None
        self.ours = False
        self._lock = _hold(checkpoint)
        self._thread = Thread(target=self._run, name=f"download {checkpoint.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._fetch()
        except BaseException as error:  # it is raised again where the checkpoint is waited for
            self.error = error

    def _fetch(self) -> None:
        checkpoint, spec, hub = self.checkpoint, self.checkpoint.spec, self.checkpoint.hub
        self.ours = _is_ours(checkpoint)
        checkpoint.fetch_description()
        if is_here(checkpoint):
            return
        files = hub.files(checkpoint.where, spec.repo, spec.commit)
        names = weight_files(files)
        if not names:
            raise UserError(checkpoint.where, "no *.safetensors weights at this revision", PICKLES)
        self.progress.total = sum(files[name] for name in names)
        hub.need_room(checkpoint.where, spec.repo, spec.commit, [files[name] for name in names])
        hub.fetch(checkpoint.where, spec.repo, spec.commit, names, self.progress)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self, say: Callable[[str], None]) -> None:
        """Until it is here. Raises what went wrong."""
        self._thread.join(0.5)
        while self.running:
            done, total = self.progress.done, self.progress.total
            so_far = f", {size_word(done)} of {size_word(total)}" if total else ""
            say(f"{self.checkpoint.name}: downloading{so_far}")
            self._thread.join(TELL_EVERY)
        if self.error is not None:
            raise self.error

    def call_off(self) -> None:
        """End the download; whole files stay, and the next one goes on from there."""
        self.progress.stop.set()
        self._thread.join(10)
        if self._lock is not None:
            self._lock.close()


def _lock_file(checkpoint: Checkpoint) -> Path:
    """Beside the cache's own locks, where no scan of the cache takes it for a repository."""
    spec = checkpoint.spec
    name = f"{spec.repo.replace('/', '--')}@{spec.commit}.lock"
    return checkpoint.hub.cache_folder / ".locks" / "gainsift" / name


def _mark_of_ours(checkpoint: Checkpoint) -> Path:
    """A file that says that gainsift downloaded the revision; it outlives a crash."""
    return _lock_file(checkpoint).with_suffix(".ours")


def _is_ours(checkpoint: Checkpoint) -> bool:
    """Whether gainsift downloaded the revision, or is about to, which it then notes. Never in a cache for reading."""
    mark = _mark_of_ours(checkpoint)
    with suppress(OSError):
        if not is_here(checkpoint):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
    return mark.exists()


def _hold(checkpoint: Checkpoint) -> IO[bytes] | None:
    """A shared lock on the revision, until the file is closed; none in a cache for reading, where nobody evicts."""
    path = _lock_file(checkpoint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        return None
    return file


def bring_description(checkpoint: Checkpoint, all_of_them: Sequence[Checkpoint]) -> None:
    """Configuration and tokenizer of a checkpoint, not its weights (a GGUF file is all three).

    Without the hub the error names what is here.
    """
    try:
        if checkpoint.remote and checkpoint.spec.gguf_file:
            _is_ours(checkpoint)
        checkpoint.fetch_description()
    except NoConnection as error:
        raise told_what_is_here(error, all_of_them) from None


def told_what_is_here(error: NoConnection, checkpoints: Sequence[Checkpoint]) -> GainsiftError:
    """The error, and which of the checkpoints can be used without the hub."""
    here = [one.name for one in checkpoints if not one.remote or is_here(one)]
    held = f"here without it: {some_of(here, 8)}" if here else "none of the checkpoints is here"
    return NoConnection(error.where, error.problem, f"{error.remedy}; {held}")


def is_here(checkpoint: Checkpoint) -> bool:
    """Whether a hub checkpoint's weights lie whole in the cache."""
    gguf = checkpoint.spec.gguf_file
    return (checkpoint.folder / gguf).is_file() if gguf else whole_weights(checkpoint.folder)
