"""Takes in files that a person exported from Label Studio (format JSON)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gainsift.annotation.homecoming import Export, Imported, take_in_all
from gainsift.annotation.label_studio_json import newest, read_tasks
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

NEVER = datetime.min.replace(tzinfo=UTC)


def import_exports(
    study: Study, files: Sequence[Path], *, accounts: Mapping[str, str] | None = None, strict: bool = False
) -> Imported:
    """Check every task of every file, then append what is new.

    The files are taken in the order in which they were exported, by the newest time in each; each is read twice, so
    that one alone is held at a time. `accounts`: pseudonym by
    lower-case address, if addresses are known; without it the task tells who judged, for each annotator has a task
    file, and so a project, of their own. Raises UserError naming file and task, or the command that is at work on the
    study, and Refused if `strict` and there is any finding; then nothing is written.
    """
    times = [_when(study, file) for file in files]
    ordered = [files[place] for place in sorted(range(len(files)), key=times.__getitem__)]
    exports = (Export(list(read_tasks(file)), complete=False) for file in ordered)
    with one_at_a_time(study, "import"):
        return take_in_all(study, exports, accounts=accounts, strict=strict)


def _when(study: Study, file: Path) -> datetime:
    """The newest time in a file, each task of which is checked. Raises UserError if none is of this study."""
    tasks = list(read_tasks(file))
    if tasks and not any(task["data"].get("study") == study.id for _, task in tasks):
        raise UserError(
            str(file),
            f"none of its {len(tasks):,} tasks belongs to this study ({study.config.name}, {study.id})",
            "name the study that the tasks were exported from",
        )
    return newest(tasks) or NEVER
