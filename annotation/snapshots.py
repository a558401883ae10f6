"""What a project holds, as the server exports it in one piece: tasks, annotations, skips and drafts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gainsift.annotation.label_studio_api import PAGE, Api, as_label_studio_answers
from gainsift.annotation.label_studio_json import Task
from gainsift.annotation.patience import Away
from gainsift.annotation.server_tasks import in_parts, list_tasks
from gainsift.schemas.errors import WorkError
from gainsift.schemas.study import Study

WHOLE = {
    # no task and no annotation filter: once there is one, skipped tasks and ground truths are left out by default
    "serialization_options": {
        "annotations__completed_by": {"only_id": False},
        "drafts": {"only_id": False},
        "predictions": {"only_id": True},
    },
}
"""Asks for everything, with the address of who completed an annotation."""


@dataclass
class Snapshot:
    """The tasks of a project, each with a place for messages; `unreadable`: ids of tasks that the server chokes on."""

    tasks: list[Task]
    unreadable: list[int] = field(default_factory=list)


def snapshot_title(study: Study) -> str:
    """By which a snapshot that a killed run left is known."""
    return f"gainsift {study.id}"


def take_snapshot(api: Api, study: Study, project: int) -> Snapshot:
    """Everything in a project. The snapshot on the server is deleted again.

    A single text that cannot be written as UTF-8, such as half of an emoji in a comment, makes the server fail on the
    export of the whole project. Then its tasks are asked for in ever smaller groups, down to the one at fault.
    """
    path = f"/api/projects/{project}/exports/"

    @as_label_studio_answers(api.url, f"the export of project {project}")
    def attempt() -> Any:
        _clear(api, study, path)
        made = api.once("POST", path, {"title": snapshot_title(study), **WHOLE})
        while made["status"] in ("created", "in_progress"):  # a server with a queue answers before its work is done
            api.patience.sleep(1.0)
            made = api.once("GET", f"{path}{made['id']}")
        if made["status"] == "failed":
            return None
        return api.once("GET", f"{path}{made['id']}/download", exportType="JSON")

    tasks = api.patience.keep_trying(attempt)
    with as_label_studio_answers(api.url, f"the exports of project {project}"):
        _clear(api, study, path)
    if tasks is None:
        ids = [task.id for task in list_tasks(api, project)]
        found = Snapshot([])
        for part in in_parts(ids, PAGE):
            _read(api, project, part, found)
        return found
    if not isinstance(tasks, list):
        raise WorkError(api.url, f"the export of project {project} is no list of tasks", "look at the server's log")
    return Snapshot([_placed(api, project, task) for task in tasks])


def _placed(api: Api, project: int, task: Any) -> Task:
    return f"{api.url} project {project}: task {task.get('id') if isinstance(task, dict) else '?'}", task


def _clear(api: Api, study: Study, path: str) -> None:
    for one in api.get(path):
        if one.get("title") == snapshot_title(study):
            try:
                api.once("DELETE", f"{path}{one['id']}")
            except Away:
                continue  # it is in the way of nothing; the next run tries again


def _read(api: Api, project: int, ids: Sequence[int], found: Snapshot) -> None:
    """Read the tasks of `ids` from the list of tasks; halve what the server fails on."""
    query = json.dumps({"selectedItems": {"all": False, "included": list(ids)}})
    asked = {"project": project, "query": query, "page_size": PAGE, "fields": "all", "resolve_uri": "false"}

    @as_label_studio_answers(api.url, f"tasks of project {project}")
    def attempt() -> Any:
        try:
            return api.once("GET", "/api/tasks/", **asked)["tasks"]
        except Away as away:
            if away.status == 500:
                return None
            raise

    tasks = api.patience.keep_trying(attempt)
    if tasks is not None:
        for task in tasks:
            # this list gives our own drafts alone
            task["drafts"] = api.get(f"/api/tasks/{task['id']}/drafts") if task["draft_exists"] else []
            found.tasks.append(_placed(api, project, task))
    elif len(ids) == 1:
        found.unreadable.append(ids[0])
    else:
        for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            _read(api, project, half, found)
