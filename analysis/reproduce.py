"""How a study was made, step by step, from the run records that lie beside its products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from gainsift.schemas.provenance import Run
from gainsift.schemas.study import Study


@dataclass(frozen=True)
class Step:
    """One command, with what it made and by which code. `commit` is empty for an installed package."""

    command: str
    started: str
    version: str
    commit: str
    dirty: bool
    made: list[str] = field(default_factory=list)
    seeds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """The steps in order of time; `unread` are records that do not open: what they tell of is missing here."""

    steps: Sequence[Step]
    unread: Sequence[str]

    @property
    def commands(self) -> list[str]:
        """Each command once, where it was first run."""
        return list(dict.fromkeys(step.command for step in self.steps))


def history(study: Study, last: Run) -> History:
    """The steps behind a report, then `last`."""
    runs, unread = [], []
    for file in study.run_records():
        run = read_run(file)
        if run is None:
            unread.append(file.relative_to(study.folder).as_posix())
        else:
            runs.append(run)
    return history_of([*sorted(runs, key=lambda one: one.started), last], unread)


def history_of(runs: Sequence[Run], unread: Sequence[str] = ()) -> History:
    """The steps of some runs, in their order: one for each command and code, whatever number of products it made."""
    steps: dict[tuple[str, str, str], Step] = {}
    for run in runs:
        version, commit = run.versions.get("gainsift", ""), run.commit or ""
        step = steps.setdefault(
            (run.command, version, commit), Step(run.command, run.started, version, commit, bool(run.dirty))
        )
        if run.product not in step.made:
            step.made.append(run.product)
        step.seeds.update(run.seeds)
    return History(list(steps.values()), unread)


def read_run(file: Path) -> Run | None:
    """A run record; None where there is none that opens."""
    try:
        return Run.model_validate_json(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
