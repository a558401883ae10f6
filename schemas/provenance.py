"""run.json: how a product came about, so that any number can be made again."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gainsift.schemas.files import write_json
from gainsift.schemas.record import Record

PACKAGES = (
    "gainsift", "torch", "transformers", "tokenizers", "huggingface_hub", "numpy", "pandas", "pyarrow", "scipy",
    "scikit-learn", "statsmodels", "matplotlib", "label-studio-sdk",
)  # fmt: skip


class Run(Record):
    """What was asked, with what, from what. `inputs` are file names relative to the study, by SHA-256."""

    format: Literal["run/1"] = Field(default="run/1", description="Kind and version of the file.")
    product: str = Field(description="What was made.")
    command: str = Field(description="The command that made it, as it was typed.")
    started: str = Field(description="ISO 8601, UTC.", json_schema_extra={"unit": "ISO 8601"})
    finished: str = Field(description="ISO 8601, UTC.", json_schema_extra={"unit": "ISO 8601"})
    versions: dict[str, str] = Field(description="Versions of Python and of packages.")
    commit: str | None = Field(description="git commit of the code, if it runs from a checkout.")
    dirty: bool | None = Field(description="Whether that checkout had uncommitted changes.")
    seeds: dict[str, int] = Field(description="Every seed by its use.")
    inputs: dict[str, str] = Field(description="SHA-256 of each file that was read.")
    settings: dict[str, Any] = Field(default_factory=dict, description="What else decides the result.")
    counts: dict[str, int] = Field(default_factory=dict, description="How many rows, tasks and the like were made.")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_run(
    path: Path,
    product: str,
    command: str,
    started: str,
    inputs: dict[str, Path],
    seeds: dict[str, int] | None = None,
    settings: dict[str, Any] | None = None,
    counts: dict[str, int] | None = None,
) -> Run:
    """Write and return the run record of a product; every input that exists is hashed."""
    commit, dirty = _git_state()
    run = Run(
        product=product,
        command=command,
        started=started,
        finished=now(),
        versions={"python": platform.python_version(), **_versions()},
        commit=commit,
        dirty=dirty,
        seeds=seeds or {},
        inputs={name: file_hash(file) for name, file in sorted(inputs.items()) if file.is_file()},
        settings=settings or {},
        counts=counts or {},
    )
    write_json(path, run)
    return run


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git_state() -> tuple[str | None, bool | None]:
    """Commit and dirty flag of the checkout that holds this code; (None, None) for an installed wheel."""
    here = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *arguments], capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top = git("rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != here:
        return None, None
    status = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "HEAD"), None if status is None else bool(status)
