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
    """Check every task of every file, then append what is new in one write.

    The files are taken in the order in which they were exported, by the newest time in each. `accounts`: pseudonym by
    lower-case address, if addresses are known; without it the task tells who judged, for each annotator has a task
    file, and so a project, of their own. Raises UserError naming file and task, or the command that is at work on the
    study, and Refused if `strict` and there is any finding; then nothing is written.
    """
    read = [list(read_tasks(file)) for file in files]
    for file, tasks in zip(files, read, strict=True):
        if tasks and not any(task["data"].get("study") == study.id for _, task in tasks):
            raise UserError(
                str(file),
                f"none of its {len(tasks):,} tasks belongs to this study ({study.config.name}, {study.id})",
                "name the study that the tasks were exported from",
            )
    exports = [Export(tasks, complete=False) for tasks in sorted(read, key=lambda tasks: newest(tasks) or NEVER)]
    with one_at_a_time(study, "import"):
        return take_in_all(study, exports, accounts=accounts, strict=strict)
