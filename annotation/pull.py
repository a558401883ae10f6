"""Brings the judgements home from a server: every one once, appended; what is wrong with one is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields

from gainsift.annotation.accounts import accounts
from gainsift.annotation.homecoming import Export, Imported, take_in_all
from gainsift.annotation.judgements import Appended
from gainsift.annotation.label_studio_api import Address, Api, as_label_studio_answers
from gainsift.annotation.label_studio_json import Task
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.patience import Patience
from gainsift.annotation.projects import find_projects, keys_of
from gainsift.annotation.snapshots import take_snapshot
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.study import Study

TOGETHER = 5000
"""Tasks that are taken in at once: the study's own files are read anew each time."""
Progress = Callable[[int, int], None]
"""Is told how many projects have been fetched, of how many."""


def pull(
    study: Study,
    server: Address,
    *,
    strict: bool = False,
    patience: Patience | None = None,
    progress: Progress = lambda done, total: None,
) -> Imported:
    """Append to annotations.jsonl what is new on the server. What was appended before an error stays.

    Raises UserError (nothing pushed, another command at work, token refused), Refused if `strict` and there is any
    finding, WorkError (server away, or not able to export).
    """
    names = {account.email: account.name for account in accounts(study)}
    with one_at_a_time(study, "pull"), Api(server, patience) as api:
        with as_label_studio_answers(api.url, "the list of accounts"):
            users = {int(user["id"]): str(user["email"]) for user in api.get("/api/users/")}
        found = find_projects(api, study, keys_of(study.assignments()))
        projects = [project for key in sorted(found) for project in found[key]]
        if not projects:
            remedy = f"run `gainsift annotate push {study.folder}` first, or name the server with --url"
            raise UserError(api.url, "no project of this study is there", remedy)
        taken: list[Imported] = []
        waiting: list[list[Task]] = []
        unreadable: list[str] = []
        for number, project in enumerate(projects, start=1):
            progress(number - 1, len(projects))
            snapshot = take_snapshot(api, study, project)
            waiting.append(snapshot.tasks)
            unreadable += [f"task {task} of project {project}" for task in snapshot.unreadable]
            if number == len(projects) or sum(map(len, waiting)) >= TOGETHER:
                exports = [Export(tasks, complete=True) for tasks in waiting]
                taken.append(take_in_all(study, exports, accounts=names, strict=strict, users=users))
                waiting = []
            progress(number, len(projects))
    if unreadable:
        problem = f"the server cannot hand out {', '.join(unreadable)}; everything else is home"
        raise WorkError(api.url, problem, "open it there, and write its comment and other texts anew")
    return together(taken)


def together(parts: Sequence[Imported]) -> Imported:
    """Several imports as one: numbers are added, findings stand in their order."""
    lines: Counter[str] = Counter()
    for part in parts:
        lines.update(part.lines)
    return Imported(
        tasks=sum(part.tasks for part in parts),
        untouched=sum(part.untouched for part in parts),
        lines=dict(lines),
        findings=[finding for part in parts for finding in part.findings],
        absent=[finding for part in parts for finding in part.absent],
        earlier_rules=sum(part.earlier_rules for part in parts),
        withdrawn=sum(part.withdrawn for part in parts),
        unusable_times=sum(part.unusable_times for part in parts),
        appended=Appended(
            **{field.name: sum(getattr(part.appended, field.name) for part in parts) for field in fields(Appended)}
        ),
    )
