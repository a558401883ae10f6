"""One project of a push: what lies there, what should go, what is missing, and the requests that make it right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gainsift.annotation.in_flight import InFlight, settle
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.projects import Project, ProjectKey, ensure_project
from gainsift.annotation.server_tasks import (
    TaskThere,
    content_of,
    count_tasks,
    in_parts,
    list_tasks,
    remove_tasks,
    touched,
)
from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.errors import WorkError
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study

BATCH = 500
"""Tasks of one import request, which the server takes whole or not at all."""
ROUNDS = 3
"""How often a project is looked at again when it does not hold what was sent."""


@dataclass(frozen=True)
class Wanted:
    """What a project should hold. `tasks`: in order, ready for import, by uid; `sendable`: those that may be sent."""

    tasks: dict[str, dict[str, Any]]
    sendable: set[str]
    retired: set[str]

    @classmethod
    def of(cls, pages: Pages, assignments: Sequence[Assignment], not_sent: Collection[str]) -> Wanted:
        """From the assignments of one project in their order; those of `not_sent` stay where they lie already."""
        tasks = {line.uid: task(pages, line) for line in assignments if not line.retired}
        return cls(tasks, tasks.keys() - set(not_sent), {line.uid for line in assignments if line.retired})


@dataclass
class Filling:
    """The work on one project. Numbers are of tasks; `kept` should go, but somebody has touched them."""

    study: Study
    key: ProjectKey
    wanted: Wanted
    project: Project | None = None
    there: list[TaskThere] = field(default_factory=list)
    removed: int = 0
    kept: int = 0
    sent: int = 0

    def look(self, api: Api, known: list[int], dry_run: bool) -> None:
        """Find out what is there; unless `dry_run` make the project, and remove what should go.

        `known`: the ids of projects that carry the mark.
        """
        if dry_run:
            self.project = Project(known[0], self.key) if known else None
        else:
            self.project = ensure_project(api, self.study, self.key, known)
        if self.project is None or self.project.made == "new":
            return
        flight = InFlight(self.study)
        waiting = None if dry_run else flight.left(self.project.id)
        if waiting is None:
            self.there = list_tasks(api, self.project.id)
        else:
            self.there = settle(api, self.project.id, waiting)
            flight.arrived()
        self._tidy(api, dry_run)

    @property
    def missing(self) -> list[str]:
        """The uids to be sent, in order."""
        there = {task.uid for task in self.there}
        return [uid for uid in self.wanted.tasks if uid in self.wanted.sendable and uid not in there]

    def fill(self, api: Api) -> Iterator[int]:
        """Send what is missing, batch by batch; yields the number of tasks of each."""
        assert self.project is not None
        for _ in range(ROUNDS):
            fresh = 0
            for part in in_parts(self.missing, BATCH):
                self._send(api, self.project.id, part)
                fresh += len(part)
                yield len(part)
            self.sent += fresh
            if not fresh or count_tasks(api, self.project.id) == len(self.there) + fresh:
                return
            self.there = list_tasks(api, self.project.id)
            self._tidy(api, dry_run=False)
        raise WorkError(
            api.url, f"project {self.project.id} ({self.key.title}) changes while it is filled", "try again"
        )

    def _send(self, api: Api, project: int, uids: Sequence[str]) -> None:
        """One import. Where it got no answer, the server is asked what has arrived before anything is sent again."""
        flight = InFlight(self.study)
        flight.send(project, uids)
        left = [list(uids)]

        def attempt() -> None:
            if not left:
                there = {task.uid for task in settle(api, project, uids)}
                left.append([uid for uid in uids if uid not in there])
            batch = [self.wanted.tasks[uid] for uid in left.pop()]
            if batch:
                api.once("POST", f"/api/projects/{project}/import", batch)

        api.patience.keep_trying(attempt)
        flight.arrived()

    def _tidy(self, api: Api, dry_run: bool) -> None:
        """Remove retired, doubled and outdated tasks that nobody has touched."""
        assert self.project is not None
        doubtful = {task.id for group in self._doubles() for task in group}
        doubtful |= {task.id for task in self.there if self._should_go(task)}
        work = touched(api, self.project.id, doubtful) if doubtful else {}
        going = {task.id for task in self.there if self._should_go(task)}
        for group in self._doubles():
            kept = min(group, key=lambda task: (-work.get(task.id, 0), task.id))
            going |= {task.id for task in group if task is not kept}
        self.kept += len(going & work.keys())
        going -= work.keys()
        if going and not dry_run:
            remove_tasks(api, self.project.id, going)
        self.removed += len(going)
        self.there = [task for task in self.there if task.id not in going]

    def _doubles(self) -> list[list[TaskThere]]:
        """Tasks of one uid, as a batch that was sent twice leaves them."""
        groups: dict[str, list[TaskThere]] = defaultdict(list)
        for task_there in self.there:
            if task_there.uid in self.wanted.tasks:
                groups[task_there.uid].append(task_there)
        return [group for group in groups.values() if len(group) > 1]

    def _should_go(self, there: TaskThere) -> bool:
        """Retired, or showing what the study no longer says: a changed gloss, say. It is then sent anew."""
        now = self.wanted.tasks.get(there.uid)
        return there.uid in self.wanted.retired if now is None else there.content != content_of(now["data"])
