"""Reads one task of an export: the lines that it gives, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gainsift.annotation.findings import Finding, quoted
from gainsift.annotation.identity import Accounts, Who
from gainsift.annotation.known_tasks import KnownTasks
from gainsift.annotation.label_studio_json import entries, seconds, text_or_none
from gainsift.annotation.submission import Submission, read_submission
from gainsift.schemas.held_once import HeldOnce
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Assignment, Status
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import SENSE_LABEL

NO_CONCEPTS = "its data has no list `concepts`, so what was shown is not known"
NO_ANNOTATOR = "made by an account that is no annotator of this study"


@dataclass
class Read:
    """What one task gives. Each finding comes with the line that it is about, if there is one."""

    assignment: Assignment | None
    lines: list[Annotation] = field(default_factory=list)
    findings: list[tuple[Finding, Annotation | None]] = field(default_factory=list)


class Reader:
    """Reads task after task, and remembers which account worked for whom."""

    def __init__(self, study: Study, tasks: KnownTasks, accounts: Accounts) -> None:
        self.taxonomy, self.study_id = study.taxonomy, study.id
        self.tasks, self.accounts = tasks, accounts
        self.earlier_rules = 0
        self.unusable_times = 0
        self._once = HeldOnce()
        self._workers: dict[int | str, tuple[Who, set[str]]] = {}

    def read(self, where: str, task: dict[str, Any]) -> Read:
        """The lines of one checked task. A task that is none of this study's gives a finding alone."""
        data = task["data"]
        uid = quoted(data.get("uid"))
        if data.get("study") != self.study_id:
            text = f"an item of another study ({quoted(data.get('study'))}, this one is {self.study_id!r})"
            return Read(None, findings=[(Finding.of("foreign", uid, "", text, where), None)])
        assignment = self.tasks.find(data)
        if assignment is None:
            text = f"its uid {uid} fits no item and annotator of this study"
            return Read(None, findings=[(Finding.of("unknown_task", uid, "", text, where), None)])
        read = Read(assignment)
        for entry, draft in entries(task):
            self._entry(read, assignment, where, data, entry, draft)
        return read

    def shared_accounts(self) -> list[Finding]:
        """Accounts that worked on tasks of several annotators, where addresses do not tell whose they are."""
        return [
            Finding.of("shared_account", "", ", ".join(sorted(names)), f"{who.shown()} worked on tasks of all these")
            for who, names in self._workers.values()
            if len(names) > 1
        ]

    def _entry(
        self, read: Read, task: Assignment, where: str, data: dict[str, Any], entry: dict[str, Any], draft: bool
    ) -> None:
        parts = entry.get("result") or []
        senses = self.tasks.senses(task.item, data)
        submission = read_submission(parts, self.taxonomy, senses, task.role == "adjudication")
        problems = list(submission.problems)
        prints = data.get("concepts")
        if not (isinstance(prints, list) and all(isinstance(text, str) for text in prints)):
            prints = []
            problems.append(NO_CONCEPTS)
        who, editor = (self.accounts.who(entry.get(key)) for key in ("completed_by", "updated_by"))
        if who.stranger and not draft:
            problems.append(NO_ANNOTATOR)
        status = _status(entry, draft, submission, problems)
        rules = None if data.get("rules") == self.tasks.rules else str(data.get("rules"))
        self.earlier_rules += rules is not None and not draft
        annotator = task.annotator if draft or who.name is None else who.name
        line = self._once(self._line(task, entry, status, submission, annotator, problems, prints, rules))
        read.lines.append(line)
        if draft:
            return
        if who.name is None and who.key is not None:
            self._workers.setdefault(who.key, (who, set()))[1].add(task.annotator)
        read.findings += [
            (Finding.of(kind, task.uid, annotator, text, where), line)
            for kind, text in (*_faults(line, task), *_doubts(who, editor, task))
        ]

    def _line(
        self,
        task: Assignment,
        entry: dict[str, Any],
        status: Status,
        page: Submission,
        annotator: str,
        problems: list[str],
        prints: list[str],
        rules: str | None,
    ) -> Annotation:
        item, uid = task.item, task.uid
        judged = status == "judged" and page.label is not None
        label, sense, disagreement = (page.label, page.sense, page.disagreement) if judged else (None, None, None)
        unique, number, time = entry.get("unique_id"), entry.get("id"), seconds(entry.get("lead_time"))
        self.unusable_times += time is None and entry.get("lead_time") is not None
        draft = status == "draft"
        content: list[Any] = [status, page.label, page.sense, page.sense_text, page.comment]
        more = {
            "annotator": annotator if annotator != task.annotator else None,
            "disagreement": disagreement,
            "problems": problems if status == "invalid" else None,
        }
        if any(more.values()):  # added only where there is any, so that lines of version 1 keep their hash
            content.append(more)
        return Annotation(
            study=self.study_id,
            judgement_id=f"draft-{uid}-{number}" if draft else str(unique) if unique else f"annotation-{uid}-{number}",
            task_uid=uid,
            item_id=item.item_id,
            content_key=item.content_key,
            annotator=annotator,
            round=task.round,
            repeat=task.repeat,
            role=task.role,
            source="adjudicated" if task.role == "adjudication" else "human",
            status=status,
            label=label,
            sense=sense,
            sense_text=page.sense_text,
            comment=page.comment,
            disagreement=disagreement,
            prelabel=task.prelabel,
            prelabel_shown=task.prelabel_shown,
            problems=problems if status == "invalid" else [],
            lead_time=time,
            created_at=text_or_none(entry.get("created_at")),
            updated_at=text_or_none(entry.get("updated_at")),
            taxonomy_version=item.taxonomy_version,
            # a judgement under other definitions keeps a fingerprint that fits none of today's
            label_fingerprint=(rules or self.taxonomy.category(label).fingerprint()) if label else None,
            concept_fingerprints=prints,
            result_hash=fingerprint(content),
            item=item,
        )


def _status(entry: dict[str, Any], draft: bool, page: Submission, problems: list[str]) -> Status:
    if draft:
        return "draft"
    if NO_ANNOTATOR in problems:
        return "invalid"
    if entry.get("was_cancelled"):
        return "skipped"
    if problems:
        return "invalid"
    return "judged" if page.label is not None else "empty"


def _faults(line: Annotation, task: Assignment) -> list[tuple[Any, str]]:
    """What is wrong with the answer."""
    found: list[tuple[Any, str]] = [
        ("stranger" if problem == NO_ANNOTATOR else "invalid", problem) for problem in line.problems
    ]
    if line.label == SENSE_LABEL and line.sense is None:
        found.append(("no_sense", "another sense, but none was picked"))
    if line.status == "judged" and task.role == "adjudication" and line.disagreement is None:
        found.append(("no_disagreement", "settled, but not whether the other reading was defensible or a slip"))
    return found


def _doubts(who: Who, editor: Who, task: Assignment) -> list[tuple[Any, str]]:
    """What is odd about who answered."""
    found: list[tuple[Any, str]] = []
    if who.name is not None and not who.stranger and who.name != task.annotator:
        found.append(("other_account", f"judged by {who.name}, whose task it is not: it is {task.annotator}'s"))
    if who.differs(editor):
        found.append(("changed_by_other", f"made by {who.shown()}, last changed by {editor.shown()}"))
    return found
