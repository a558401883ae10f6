"""The hub of models, through huggingface_hub: revisions, files, downloads into its cache, and their removal."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from gainsift.generation.disk import free_space
from gainsift.generation.hub_errors import Passing, Stopped, disk_full, in_one_line
from gainsift.schemas.errors import UserError, WorkError

INDEX = "model.safetensors.index.json"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
ALL_TOKENIZER_FILES = (
    *TOKENIZER_FILES, "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
)  # fmt: skip
SMALL_FILES = ("config.json", "generation_config.json", INDEX, *ALL_TOKENIZER_FILES)
TRIES, PAUSE = 3, 2.0
MARGIN = 64 * 2**20
"""Bytes that stay free beside a download."""


def require_hub() -> None:
    """Raises UserError with the install line if huggingface_hub is missing."""
    try:
        import huggingface_hub  # noqa: F401
    except ImportError:
        raise UserError(
            "hub repositories", "huggingface_hub is not installed", "run: pip install 'gainsift[generation]'"
        ) from None


@dataclass
class Progress:
    """What a download has done so far; `stop` calls it off."""

    stop: Event = field(default_factory=Event)
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Hub:
    """One hub and one cache. Without arguments those of huggingface_hub: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE."""

    endpoint: str = ""
    cache: Path | None = None

    @property
    def url(self) -> str:
        from huggingface_hub import constants

        return self.endpoint or str(constants.ENDPOINT)

    @property
    def address(self) -> str:
        """Where the hub is, for people: without any name and password in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")

    @property
    def cache_folder(self) -> Path:
        from huggingface_hub import constants

        return Path(self.cache or constants.HF_HUB_CACHE).expanduser().resolve()

    def folder(self, repo: str, commit: str) -> Path:
        """Where a revision lies in the cache, whether it is there or not."""
        return self.cache_folder / f"models--{repo.replace('/', '--')}" / "snapshots" / commit

    def refs(self, repo: str) -> dict[str, str]:
        """Commits by revision name: tags, and branches, which win where a tag has the same name."""
        with in_one_line(repo, self.address):
            refs = self._api().list_repo_refs(repo)
        named = {ref.name: ref.target_commit for ref in (*refs.tags, *refs.branches)}
        return {name: _commit(commit, repo) for name, commit in named.items() if name.isprintable()}

    def commit(self, repo: str, revision: str) -> str:
        """The commit that a revision is now."""
        with in_one_line(f"{repo}@{revision}", self.address):
            return _commit(self._api().repo_info(repo, revision=revision).sha, f"{repo}@{revision}")

    def files(self, where: str, repo: str, commit: str) -> dict[str, int]:
        """Sizes in bytes of the files at the top of a revision."""
        with in_one_line(where, self.address):
            entries = list(self._api().list_repo_tree(repo, revision=commit))
        return {entry.path: int(entry.size) for entry in entries if hasattr(entry, "size")}

    def fetch(self, where: str, repo: str, commit: str, names: Iterable[str], progress: Progress | None = None) -> Path:
        """Bring files (names or patterns) of a revision into the cache, each whole; returns their folder.

        A download that breaks off goes on where it was, a few times. `where` names the checkpoint in errors.
        """
        from huggingface_hub import snapshot_download

        quiet()
        patterns = list(names)
        for attempt in range(TRIES):
            try:
                with in_one_line(where, self.address):
                    return Path(
                        snapshot_download(
                            repo, revision=commit, allow_patterns=patterns, cache_dir=self.cache_folder,
                            endpoint=self.url, tqdm_class=_counting(progress or Progress()),
                        )
                    )  # fmt: skip
            except Passing:
                if attempt == TRIES - 1:
                    raise
                time.sleep(PAUSE)
        raise AssertionError("unreachable")

    def need_room(self, where: str, repo: str, commit: str, sizes: Iterable[int]) -> None:
        """Raises WorkError if the disk cannot hold files of these sizes beside what is there of them."""
        partial = self.folder(repo, commit).parents[1] / "blobs"
        there = sum(path.stat().st_size for path in partial.glob("*.incomplete"))
        needs, free = sum(sizes) - there, free_space(self.cache_folder)
        if needs + MARGIN > free:
            raise disk_full(where, needs, free, str(self.cache_folder))

    def cached_commits(self, repo: str) -> set[str]:
        """Commits of which the cache holds whole weights."""
        snapshots = self.folder(repo, "0").parent
        return {path.name for path in snapshots.glob("*") if whole_weights(path)}

    def delete(self, repo: str, commit: str) -> int:
        """Take a revision out of the cache, files that other revisions share excepted. Returns the bytes freed."""
        from huggingface_hub import scan_cache_dir

        quiet()
        known = scan_cache_dir(self.cache_folder)
        revisions = [revision for one in known.repos if one.repo_id == repo for revision in one.revisions]
        if commit not in {revision.commit_hash for revision in revisions}:
            return 0
        plan = known.delete_revisions(commit)
        plan.execute()
        return int(plan.expected_freed_size)

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        quiet()
        return HfApi(endpoint=self.url)


def _commit(told: str | None, where: str) -> str:
    """What the hub calls a commit, which becomes a part of paths. Raises WorkError if it is none."""
    if not re.fullmatch(r"[0-9a-f]{40}", told or ""):
        raise WorkError(where, "the hub names no commit for it", "check HF_ENDPOINT")
    return str(told)


def quiet() -> None:
    """No bars and no warnings of the library: what it would say, we say in one line."""
    from huggingface_hub.utils import disable_progress_bars
    from huggingface_hub.utils.logging import set_verbosity

    set_verbosity(logging.CRITICAL)
    disable_progress_bars()


def _counting(progress: Progress) -> type:
    """A progress bar that nobody sees: it counts bytes, and ends the download when it is called off."""
    from huggingface_hub.utils import tqdm

    class Counting(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._bytes = kwargs.get("unit") == "B" and not str(kwargs.get("name")).endswith(".transfer")
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if progress.stop.is_set():
                raise Stopped
            if self._bytes:
                progress.done += int(n or 0)

    return Counting


def weight_files(files: dict[str, int]) -> list[str]:
    """The safetensors files of a transformers model among the files of a revision.

    Some repositories hold the weights a second time under another name; `model*.safetensors` is what is loaded.
    """
    found = sorted(name for name in files if fnmatch(name, "*.safetensors"))
    return [name for name in found if fnmatch(name, "model*.safetensors")] or found


def whole_weights(folder: Path) -> bool:
    """Whether a folder holds all weight files that its index names, or one file where there is no index."""
    index = folder / INDEX
    if not index.is_file():
        return any(path.is_file() for path in folder.glob("*.safetensors"))
    try:
        named = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError):
        return False
    return all(os.path.isfile(folder / name) for name in named)
