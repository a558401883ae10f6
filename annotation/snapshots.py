"""What a project holds, as the server exports it in one piece: tasks, annotations, skips and drafts."""

from __future__ import annotations

from typing import Any

from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.label_studio_json import Task
from gainsift.annotation.patience import Away
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


def snapshot_title(study: Study) -> str:
    """By which a snapshot that a killed run left is known."""
    return f"gainsift {study.id}"


def take_snapshot(api: Api, study: Study, project: int) -> list[Task]:
    """Every task of a project, each with a place for messages. The snapshot is deleted from the server again."""
    path = f"/api/projects/{project}/exports/"
    wanted = {"title": snapshot_title(study), **WHOLE}

    def attempt() -> Any:
        _clear(api, study, path)
        made = api.once("POST", path, wanted)
        if made.get("status") != "completed":
            raise WorkError(api.url, f"the server cannot export project {project}", "look at its log")
        return api.once("GET", f"{path}{made['id']}/download", exportType="JSON")

    tasks = api.patience.keep_trying(attempt)
    _clear(api, study, path)
    if not isinstance(tasks, list):
        raise WorkError(api.url, f"the export of project {project} is no list of tasks", "look at the server's log")
    return [
        (f"{api.url} project {project}: task {task.get('id') if isinstance(task, dict) else number}", task)
        for number, task in enumerate(tasks, start=1)
    ]


def _clear(api: Api, study: Study, path: str) -> None:
    for one in api.get(path):
        if one.get("title") == snapshot_title(study):
            try:
                api.once("DELETE", f"{path}{one['id']}")
            except Away:
                continue  # it is in the way of nothing; the next run tries again
