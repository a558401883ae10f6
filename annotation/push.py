"""Puts the planned tasks into a server: each once, in order, however often it runs and wherever it is killed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from gainsift.annotation.filling import Filling, Wanted
from gainsift.annotation.known_tasks import from_a_page
from gainsift.annotation.label_studio_api import Address, Api
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.patience import Patience
from gainsift.annotation.projects import ProjectKey, find_projects
from gainsift.annotation.tasks import Pages
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study
from gainsift.schemas.validity import Validities

Progress = Callable[[int, int], None]
"""Is told how many tasks have been sent, of how many."""


@dataclass(frozen=True)
class ProjectPushed:
    """What became of one project; numbers of tasks.

    `there`: on the server already. `at_home`: not asked, for their judgement is home. `removed`: retired, doubled or
    outdated ones that nobody had touched; `kept`: such ones that somebody had. `project` is None in a dry run of a
    project that is still to be made.
    """

    annotator: str
    language_pair: str
    title: str
    project: int | None
    made: str
    there: int
    sent: int
    at_home: int
    removed: int
    kept: int


@dataclass(frozen=True)
class Pushed:
    """The projects in order. In a dry run `sent` and `removed` are what would be."""

    projects: list[ProjectPushed]
    dry_run: bool

    @property
    def sent(self) -> int:
        return sum(project.sent for project in self.projects)

    def as_dict(self) -> dict[str, Any]:
        return {"dry_run": self.dry_run, "sent": self.sent, "projects": [asdict(one) for one in self.projects]}


def push(
    study: Study,
    server: Address,
    *,
    calibration_only: bool = False,
    adjudications_only: bool = False,
    dry_run: bool = False,
    patience: Patience | None = None,
    progress: Progress = lambda done, total: None,
) -> Pushed:
    """Make the server's projects hold the planned tasks, each once.

    Tasks whose judgement is home are not asked again; retired, doubled and outdated ones go unless they were touched.
    Raises UserError (nothing planned, another command at work, token refused), WorkError (server away or refusing).
    """
    assignments = _planned(study, calibration_only)
    with one_at_a_time(study, "push"), Api(server, patience) as api:
        home = _at_home(study)
        fillings = _fillings(study, assignments, home, calibration_only)
        if adjudications_only:
            fillings = [one for one in fillings if one.key.kind == "adjudication"]
        found = find_projects(api, study, [one.key for one in fillings])
        for one in fillings:
            one.look(api, found.get(one.key, []), dry_run)
        total, done = sum(len(one.missing) for one in fillings), 0
        counts = [len(one.missing) for one in fillings]
        if not dry_run:
            progress(0, total)
            for one in fillings:
                for number in one.fill(api):
                    done += number
                    progress(done, max(done, total))
            counts = [one.sent for one in fillings]
        return Pushed([_report(one, sent, home) for one, sent in zip(fillings, counts, strict=True)], dry_run)


def _planned(study: Study, calibration_only: bool) -> list[Assignment]:
    """Every assignment. Raises UserError if there is none, or the plan is of another taxonomy."""
    plan = f"run `gainsift annotate plan {study.folder}`"
    assignments = study.assignments()
    if not assignments:
        raise UserError(str(study.assignments_file), "no tasks are planned", plan)
    # a disagreement that was settled under an earlier taxonomy is none of the plan's
    judging = [line for line in assignments if not line.retired and line.role != "adjudication"]
    stale = {line.item.taxonomy_version for line in judging} - {study.taxonomy.version}
    if stale:
        problem = f"planned under taxonomy {sorted(stale)[0]}, the study has {study.taxonomy.version}"
        raise UserError(str(study.assignments_file), problem, f"{plan} again")
    if calibration_only and not any(line.role == "calibration" and not line.retired for line in assignments):
        raise UserError("--calibration-only", "no calibration round is planned", f"set annotation.calibration, {plan}")
    return assignments


def _fillings(study: Study, assignments: list[Assignment], home: set[str], calibration_only: bool) -> list[Filling]:
    """The work, a project each. Tasks stand in the order in which the annotator is to see them."""
    lists: dict[ProjectKey, list[Assignment]] = defaultdict(list)
    for line in sorted(assignments, key=lambda line: (line.order, line.uid)):
        lists[ProjectKey.of(line)].append(line)
    later = {line.uid for line in assignments if calibration_only and line.role != "calibration"}
    pages = Pages(study)
    return [Filling(study, key, Wanted.of(pages, lists[key], home | later)) for key in sorted(lists)]


def _at_home(study: Study) -> set[str]:
    """The uids of tasks with a judgement in annotations.jsonl that holds today."""
    holds = Validities(study.taxonomy, study.concepts)
    return {
        line.task_uid
        for line in study.annotations()
        if from_a_page(line) and line.status == "judged" and holds(line) == "valid"
    }


def _report(filling: Filling, sent: int, home: set[str]) -> ProjectPushed:
    there = {task.uid for task in filling.there}
    return ProjectPushed(
        annotator=filling.key.annotator,
        language_pair=filling.key.batch,
        title=filling.key.title,
        project=filling.project.id if filling.project else None,
        made=filling.project.made if filling.project else "to be made",
        there=len(filling.there),
        sent=sent,
        at_home=len((filling.wanted.tasks.keys() & home) - there),
        removed=filling.removed,
        kept=filling.kept,
    )
