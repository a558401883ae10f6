"""Remembers the batch of tasks that was being sent, for the run after one that was killed.

The server goes on with a request whose sender has died. Whoever counts what is missing before it is done would send
the same tasks again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from pathlib import Path

from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.server_tasks import TaskThere, count_tasks, list_tasks
from gainsift.schemas.study import Study

SETTLING = 5.0
"""Seconds without a new task after which a batch that has not arrived will not. The server needs well under one."""
PAUSE = 0.5


class InFlight:
    """The batch on its way, in a small file of the study. It lies there only while a batch is on its way."""

    def __init__(self, study: Study) -> None:
        self.file: Path = study.folder / ".push-in-flight.json"

    def send(self, project: int, uids: Collection[str]) -> None:
        self.file.write_text(json.dumps({"project": project, "uids": sorted(uids)}), "utf-8")

    def arrived(self) -> None:
        self.file.unlink(missing_ok=True)

    def left(self, project: int) -> set[str] | None:
        """The uids of a batch for `project` of which nobody knows whether it arrived; None if there is none."""
        try:
            found = json.loads(self.file.read_text("utf-8"))
            return set(found["uids"]) if found["project"] == project else None
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # killed while it was written: then it may be of any project
            return set()


def settle(api: Api, project: int, uids: Collection[str]) -> list[TaskThere]:
    """The tasks of a project, once all of `uids` are there or nothing has come for SETTLING seconds."""
    tasks, quiet_since = list_tasks(api, project), time.monotonic()
    while not uids or not set(uids) <= {task.uid for task in tasks}:
        if time.monotonic() - quiet_since >= SETTLING:
            break
        api.patience.sleep(PAUSE)
        if count_tasks(api, project) != len(tasks):
            tasks, quiet_since = list_tasks(api, project), time.monotonic()
    return tasks
