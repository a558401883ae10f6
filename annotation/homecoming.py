"""Judgements come home from Label Studio, from files and from a server alike: every one once, none in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gainsift.annotation.findings import Finding, Refused
from gainsift.annotation.identity import Accounts
from gainsift.annotation.judgements import Appended, Ledger
from gainsift.annotation.known_tasks import KnownTasks, from_a_page
from gainsift.annotation.label_studio_json import Task, check_task, moment, newest
from gainsift.annotation.reading import Reader
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Annotation, Assignment
from gainsift.schemas.study import Study

ALWAYS = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Imported:
    """What an import found. `lines` counts what the export holds by status, `appended` what was new in it.

    `absent`: judgements that are known and stay, though the export of their project lacks their task.
    `withdrawn`: lines taken back, because the judgement was deleted or the draft submitted. `unusable_times` counts
    values of `lead_time` that are no finite number of seconds from 0 up; they are stored as unknown.
    """

    tasks: int
    untouched: int
    lines: dict[str, int]
    findings: list[Finding]
    absent: list[Finding]
    earlier_rules: int
    withdrawn: int
    unusable_times: int
    appended: Appended


@dataclass(frozen=True)
class Export:
    """The tasks of one file, or of one or more projects of a server.

    `complete`: they are all there is at this moment, so what they lack has been deleted. Otherwise an export shows
    that a judgement is gone if its task was changed, as a deletion does, after the judgement was.
    """

    tasks: Sequence[Task]
    complete: bool


def take_in(
    study: Study,
    tasks: Iterable[Task],
    *,
    complete: bool,
    accounts: Mapping[str, str] | None,
    strict: bool,
    users: Mapping[int, str] | None = None,
) -> Imported:
    """Take in the tasks of an export, each with its place for messages; append what is new once all are read.

    `accounts`: pseudonym by lower-case address; `users`: address by the server's number of the account. Raises
    UserError for a damaged export, Refused (a UserError) if `strict` and there is any finding; then nothing is
    written.
    """
    return take_in_all(study, [Export(list(tasks), complete)], accounts=accounts, strict=strict, users=users)


def take_in_all(
    study: Study,
    exports: Iterable[Export],
    *,
    accounts: Mapping[str, str] | None,
    strict: bool,
    users: Mapping[int, str] | None = None,
) -> Imported:
    """Like `take_in` for several exports; those that are not complete stand in the order in which they were made.

    Exports that are made while they are asked for need not be held all at once.
    """
    known = study.last_lines()
    run = _Run(study, known, Accounts(accounts, users))
    whole: list[Task] = []
    for export in exports:
        if export.complete:
            whole += export.tasks
        else:
            run.take(export)
    # together: a task that stands in two projects has lost a judgement only if both lack it
    run.take(Export(whole, complete=True))
    return run.end(study, strict)


class _Run:
    """One import, up to the write."""

    def __init__(self, study: Study, known: dict[str, Annotation], accounts: Accounts) -> None:
        self.known = known
        self.tasks = KnownTasks(study, known)
        self.reader = Reader(study, self.tasks, accounts)
        self.ledger = Ledger(known)
        self.owners = {
            name: (line.task_uid, f"task uid {line.task_uid} of {line.annotator} in {study.annotations_file}")
            for name, line in known.items()
        }
        self.seen: dict[str, Assignment] = {}
        self.places: dict[str, str] = {}
        self.count = self.untouched = self.withdrawn = 0
        self.statuses: Counter[str] = Counter()
        self.about: list[tuple[Finding, Annotation | None]] = []
        self.absent: list[Finding] = []
        self.newest: datetime | None = None

    def take(self, export: Export) -> None:
        last = newest(_checked(export.tasks))
        self.newest = max((time for time in (self.newest, last) if time), default=None)
        present: dict[str, set[str]] = {}
        tasks: dict[str, list[dict[str, Any]]] = {}
        for where, task in export.tasks:
            self.count += 1
            read = self.reader.read(where, task)
            self.about += read.findings
            self.untouched += not read.lines and not read.findings
            self._own(where, read.lines)
            if read.assignment:
                uid = read.assignment.uid
                self.seen[uid], self.places[uid] = read.assignment, where
                tasks.setdefault(uid, []).append(task)
                present.setdefault(uid, set()).update(line.judgement_id for line in read.lines)
            for line in read.lines:
                self.statuses[line.status] += 1
                self.ledger.add(line, ALWAYS if export.complete else last)
        self._take_back(export, tasks, present, last)

    def _own(self, where: str, lines: list[Annotation]) -> None:
        """A later line of the same id supersedes, so no two tasks may share one. Raises UserError naming both."""
        remedy = "a unique_id is one annotation's: export the projects again, unedited"
        names = Counter(line.judgement_id for line in lines)
        for line in lines:
            name = line.judgement_id
            if names[name] > 1:
                raise UserError(where, f"has {names[name]} judgements of the unique_id {name!r}", remedy)
            uid, place = self.owners.setdefault(name, (line.task_uid, where))
            if uid != line.task_uid:
                raise UserError(where, f"unique_id {name!r} is also that of {place}", remedy)

    def _take_back(
        self,
        export: Export,
        tasks: dict[str, list[dict[str, Any]]],
        present: dict[str, set[str]],
        last: datetime | None,
    ) -> None:
        """A `withdrawn` line for what the export shows to be gone: deleted, or a draft that was submitted since."""
        for line in [line for uid in present for line in self.ledger.of_task(uid)]:
            uid = line.task_uid
            if line.judgement_id in present[uid] or line.status == "withdrawn" or not from_a_page(line):
                continue
            replaced = line.status == "draft" and any(task["annotations"] for task in tasks[uid])
            if replaced or any(_lost(line, task, export.complete) for task in tasks[uid]):
                time = last.isoformat() if last else line.updated_at
                self.ledger.add(line.model_copy(update={"status": "withdrawn", "updated_at": time}))
                self.withdrawn += 1
            elif export.complete:
                text = "known already, but its task was made anew since, without it"
                self.absent.append(Finding.of("absent", uid, line.annotator, text))

    def end(self, study: Study, strict: bool) -> Imported:
        latest = self.ledger.latest
        in_force = {  # by judgement, so that a file named twice lists nothing twice
            (finding, line.judgement_id if line else None): finding
            for finding, line in self.about
            if line is None or _same(latest[line.judgement_id], line)
        }
        findings = [*in_force.values(), *self._several(), *self.reader.shared_accounts()]
        if strict and findings:
            raise Refused(findings)
        return Imported(
            tasks=self.count,
            untouched=self.untouched,
            lines=dict(self.statuses),
            findings=findings,
            absent=[*self.absent, *self._absent()],
            earlier_rules=self.reader.earlier_rules,
            withdrawn=self.withdrawn,
            unusable_times=self.reader.unusable_times,
            appended=self.ledger.append(study),
        )

    def _several(self) -> list[Finding]:
        """More than one judgement in force of one annotator on one task of the export."""
        judged = Counter(
            (line.task_uid, line.annotator)
            for line in self.ledger.latest.values()
            if line.task_uid in self.seen and line.status == "judged" and from_a_page(line)
        )
        return [
            Finding.of("several", uid, name, f"{number} judgements by one annotator", self.places[uid])
            for (uid, name), number in judged.items()
            if number > 1
        ]

    def _absent(self) -> list[Finding]:
        """Judgements known before whose project is in the exports, but not their task. They stay."""
        projects = {(task.annotator, task.batch, task.role == "adjudication") for task in self.seen.values()}
        found = []
        for line in self.known.values():
            if line.status == "withdrawn" or not from_a_page(line) or line.task_uid in self.seen:
                continue
            task, time = self.tasks.of_line(line), moment(line.updated_at or line.created_at)
            if (task.annotator, task.batch, task.role == "adjudication") not in projects:
                continue
            if time and self.newest and self.newest > time:
                text = "known already, but its task is in no export of its project"
                found.append(Finding.of("absent", line.task_uid, line.annotator, text))
        return found


def _same(one: Annotation, other: Annotation) -> bool:
    return (one.status, one.result_hash) == (other.status, other.result_hash)


def _checked(tasks: Sequence[Task]) -> Sequence[Task]:
    for where, task in tasks:
        check_task(where, task)
    return tasks


def _lost(line: Annotation, task: dict[str, Any], complete: bool) -> bool:
    """Whether a task of an export shows that a judgement of it, which it lacks, was deleted.

    A task made after the judgement (its file imported once more, a new server) never held it. Deleting moves the
    task's own `updated_at`.
    """
    made, changed = moment(line.created_at), moment(line.updated_at or line.created_at)
    task_made, task_changed = moment(task.get("created_at")), moment(task.get("updated_at"))
    if made and task_made and task_made > made:
        return False
    if line.status == "draft" and "drafts" not in task:
        return False
    return complete or bool(changed and task_changed and task_changed > changed)
