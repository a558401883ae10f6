"""The tasks of a project as they lie on the server: listed, counted, looked at before they go, removed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gainsift.annotation.label_studio_api import PAGE, Api, as_label_studio_answers
from gainsift.schemas.record import fingerprint

T = TypeVar("T")


@dataclass(frozen=True)
class TaskThere:
    """A task on the server: its id there, our uid (empty if it is not ours), and a hash of what it shows."""

    id: int
    uid: str
    content: str


def content_of(data: Any) -> str:
    """The hash of a task's data."""
    return fingerprint(data)


def in_parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def list_tasks(api: Api, project: int) -> list[TaskThere]:
    """Every task of a project by ascending id, which is the order in which they are shown."""
    found: dict[int, TaskThere] = {}
    with as_label_studio_answers(api.url, "the list of tasks"):
        page, total = 1, 1
        while (page - 1) * PAGE < total:
            answer = api.get(
                "/api/tasks/",
                project=project,
                page=page,
                page_size=PAGE,
                fields="task_only",
                include="id,data",
                resolve_uri="false",  # else what looks like an address of a store is changed into another one
            )
            for task in answer["tasks"]:
                uid = task["data"].get("uid")
                found[task["id"]] = TaskThere(task["id"], uid if isinstance(uid, str) else "", content_of(task["data"]))
            page, total = page + 1, answer["total"]
    return [found[number] for number in sorted(found)]


def count_tasks(api: Api, project: int) -> int:
    """How many tasks there are, counted by the database and not by the server's counters."""
    with as_label_studio_answers(api.url, "the number of tasks"):
        answer = api.get("/api/tasks/", project=project, page_size=1, fields="task_only", include="id")
        return int(answer["total"])


def touched(api: Api, project: int, tasks: Collection[int]) -> dict[int, int]:
    """How many annotations each of the tasks has, skips and one for drafts counted; tasks with none are left out."""
    found: dict[int, int] = {}
    with as_label_studio_answers(api.url, "who has worked on tasks"):
        for part in in_parts(sorted(tasks), PAGE // 2):
            query = json.dumps({"selectedItems": {"all": False, "included": list(part)}})
            answer = api.get(
                "/api/tasks/", project=project, query=query, page_size=PAGE, fields="all", resolve_uri="false"
            )
            for task in answer["tasks"]:
                # the list `drafts` holds our own alone, draft_exists tells of everybody's
                number = len(task["annotations"]) + bool(task["draft_exists"])
                if number:
                    found[task["id"]] = number
    return found


def remove_tasks(api: Api, project: int, tasks: Collection[int]) -> None:
    """Delete tasks with all that hangs on them: only for tasks that nobody has touched."""
    for part in in_parts(sorted(tasks), PAGE):
        body = {"selectedItems": {"all": False, "included": list(part)}}
        api.repeatedly("POST", "/api/dm/actions/", body, id="delete_tasks", project=project)
