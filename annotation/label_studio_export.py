"""Reads a Label Studio export (format JSON) into judgements. The tool checks almost nothing, so this does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gainsift.annotation.judgements import Appended, append_new
from gainsift.annotation.label_config import COMMENT, LABEL, SENSE, SENSE_TEXT
from gainsift.annotation.label_studio_json import entries, one_value, read_tasks, seconds, text_or_none
from gainsift.annotation.shown import senses_of
from gainsift.annotation.tasks import rules_fingerprint, task_uid
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Assignment, Item, Status
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import NOT_LISTED, SENSE_LABEL


@dataclass(frozen=True)
class Imported:
    """What an import found. `lines` counts what the export holds by status, `appended` what was new in it.

    `unusable_times` counts values of `lead_time` that are no finite number of seconds from 0 up; they are stored as
    unknown.
    """

    tasks: int
    untouched: int
    lines: dict[str, int]
    without_sense: int
    several_judgements: int
    earlier_rules: int
    withdrawn_drafts: int
    unusable_times: int
    appended: Appended


@dataclass(frozen=True)
class Result:
    """The fields of one submitted page, checked."""

    label: str | None
    sense: str | None
    sense_text: str
    comment: str


def import_exports(study: Study, files: list[Path]) -> Imported:
    """Check every task of every file, then append what is new in one write.

    Who judged is known from the task's uid: each annotator has a task file, and so a project, of their own. The
    account named in the export is not looked at, and not stored. Raises UserError naming file and task; then nothing
    is written.
    """
    known = study.last_lines()
    index = _Index(study, known)
    lines: list[Annotation] = []
    owners = _Owners(study, known)
    tasks = untouched = 0
    for file in files:
        for where, task in read_tasks(file):
            found = list(index.lines(where, task))
            owners.check(where, found)
            tasks += 1
            untouched += not found
            lines += found
    withdrawn = _gone_drafts(lines, known)
    per_task = Counter(line.task_uid for line in {line.judgement_id: line for line in lines}.values()
                       if line.status == "judged")  # fmt: skip
    return Imported(
        tasks=tasks,
        untouched=untouched,
        lines=dict(Counter(line.status for line in lines)),
        without_sense=sum(line.label == SENSE_LABEL and line.sense is None for line in lines),
        several_judgements=sum(number > 1 for number in per_task.values()),
        earlier_rules=index.earlier_rules,
        withdrawn_drafts=len(withdrawn),
        unusable_times=index.unusable_times,
        appended=append_new(study, [*lines, *withdrawn], known),
    )


def _gone_drafts(lines: list[Annotation], known: dict[str, Annotation]) -> list[Annotation]:
    """Drafts imported earlier whose task has been submitted since: taken back, the submission stands instead."""
    final = {line.task_uid for line in lines if line.status != "draft"}
    present = {line.judgement_id for line in lines}
    return [
        line.model_copy(update={"status": "withdrawn"})
        for line in known.values()
        if line.status == "draft" and line.task_uid in final and line.judgement_id not in present
    ]


class _Owners:
    """Which task each judgement id belongs to. A later line of the same id supersedes, so no two may share one."""

    def __init__(self, study: Study, known: dict[str, Annotation]) -> None:
        self.tasks = {
            name: (line.task_uid, f"task uid {line.task_uid} of {line.annotator} in {study.annotations_file}")
            for name, line in known.items()
        }

    def check(self, where: str, lines: list[Annotation]) -> None:
        """Take in the lines of one task. Raises UserError naming both tasks of a clash."""
        remedy = "a unique_id is one annotation's: export the projects again, unedited"
        names = Counter(line.judgement_id for line in lines)
        for line in lines:
            name = line.judgement_id
            if names[name] > 1:
                raise UserError(where, f"has {names[name]} judgements of the unique_id {name!r}", remedy)
            uid, place = self.tasks.setdefault(name, (line.task_uid, where))
            if uid != line.task_uid:
                raise UserError(where, f"unique_id {name!r} is also that of {place}", remedy)


class _Index:
    """Finds the assignment behind a uid, and turns what was submitted for it into lines."""

    def __init__(self, study: Study, known: dict[str, Annotation]) -> None:
        self.study = study
        self.rules = rules_fingerprint(study.taxonomy)
        self.earlier_rules = 0
        self.unusable_times = 0
        self.items = study.items()
        self.assignments: dict[str, Assignment] = {
            line.task_uid: Assignment(
                uid=line.task_uid, item=line.item, annotator=line.annotator, round=line.round, repeat=line.repeat
            )
            for line in known.values()
            if line.source == "human"
        }
        self.assignments |= {line.uid: line for line in study.assignments()}
        self.versions: set[str] = set()
        self._learn(study.taxonomy.version)

    def _learn(self, version: str) -> None:
        """Take in the tasks of the planned items as they were under a taxonomy version."""
        if version in self.versions:
            return
        self.versions.add(version)
        items = [_under(item, version) for item in self.items]
        for person in self.study.config.annotation.annotators:
            for item in items:
                uid = task_uid(self.study.id, item.item_id, person.name)
                self.assignments.setdefault(uid, Assignment(uid=uid, item=item, annotator=person.name))

    def lines(self, where: str, task: dict[str, Any]) -> Iterator[Annotation]:
        data = task["data"]
        assignment = self._assignment(where, data)
        current = data.get("rules") == self.rules
        prints = data.get("concepts")
        if not (isinstance(prints, list) and all(isinstance(text, str) for text in prints)):
            raise UserError(where, "its data has no list `concepts`", "import the task files of `annotate export`")
        rules = None if current else str(data.get("rules"))
        for entry, draft in entries(where, task):
            self.earlier_rules += not current and not draft
            yield self._line(where, assignment, entry, draft, prints, rules)

    def _assignment(self, where: str, data: dict[str, Any]) -> Assignment:
        if data.get("study") != self.study.id:
            raise UserError(
                where,
                f"belongs to study {data.get('study')!r}, this one is {self.study.id!r} ({self.study.config.name})",
                "name the study that the tasks were exported from",
            )
        uid = data.get("uid")
        if isinstance(uid, str) and uid not in self.assignments and isinstance(data.get("taxonomy"), str):
            self._learn(data["taxonomy"])
        if not isinstance(uid, str) or uid not in self.assignments:
            raise UserError(
                where,
                f"uid {uid!r} fits no item and annotator of this study",
                "restore the study.yaml, taxonomy and plan that the tasks were exported with",
            )
        return self.assignments[uid]

    def _line(
        self,
        where: str,
        assignment: Assignment,
        entry: dict[str, Any],
        draft: bool,
        prints: list[str],
        rules: str | None,
    ) -> Annotation:
        item = assignment.item
        uid = assignment.uid
        result = self._result(where, item, entry.get("result") or [])
        status = _status(entry, draft, result)
        judged = status == "judged" and result.label is not None
        unique = entry.get("unique_id")
        number, time = entry.get("id"), seconds(entry.get("lead_time"))
        self.unusable_times += time is None and entry.get("lead_time") is not None
        # a judgement under other definitions keeps a fingerprint that fits none of today's
        label_print = self.study.taxonomy.category(result.label or "").fingerprint() if judged else None
        return Annotation(
            study=self.study.id,
            judgement_id=f"draft-{uid}-{number}" if draft else str(unique) if unique else f"annotation-{uid}-{number}",
            task_uid=uid,
            item_id=item.item_id,
            content_key=item.content_key,
            annotator=assignment.annotator,
            round=assignment.round,
            repeat=assignment.repeat,
            role=assignment.role,
            source="human",
            status=status,
            label=result.label if judged else None,
            sense=result.sense if judged else None,
            sense_text=result.sense_text,
            comment=result.comment,
            lead_time=time,
            created_at=text_or_none(entry.get("created_at")),
            updated_at=text_or_none(entry.get("updated_at")),
            taxonomy_version=item.taxonomy_version,
            label_fingerprint=rules if judged and rules else label_print,
            concept_fingerprints=prints,
            result_hash=fingerprint([status, result.label, result.sense, result.sense_text, result.comment]),
            item=item,
        )

    def _result(self, where: str, item: Item, parts: Any) -> Result:
        if not isinstance(parts, list):
            raise UserError(where, "its result is no list", "export the project again")
        found: dict[str, str] = {}
        for part in parts:
            name = part.get("from_name") if isinstance(part, dict) else None
            if name not in (LABEL, SENSE, SENSE_TEXT, COMMENT):
                raise UserError(where, f"unknown field {name!r}", "use the label_config.xml of this study")
            value = one_value(where, name, part.get("value"))
            if name in found and found[name] != value:
                raise UserError(where, f"{name} is given twice", "correct it in Label Studio")
            found[name] = value
        label = found.get(LABEL)
        taxonomy = self.study.taxonomy
        if label is not None and label not in taxonomy.ids:
            raise UserError(
                where,
                f"label {label!r} is not in taxonomy {taxonomy.version}",
                did_you_mean(label, taxonomy.ids),
            )
        sense = found.get(SENSE) if label == SENSE_LABEL else None
        if sense is not None:
            intended = self.study.concepts.get(item.intended_concept)
            other = self.study.concepts.get(item.other_concept)
            listed = [choice.id for choice in senses_of(intended, other)] if intended and other else [sense]
            known = [*listed, NOT_LISTED]
            if sense not in known:
                raise UserError(where, f"sense {sense!r} was no choice of this item", did_you_mean(sense, known))
        return Result(label, sense, found.get(SENSE_TEXT, ""), found.get(COMMENT, ""))


def _under(item: Item, version: str) -> Item:
    """The same item under another version of the taxonomy."""
    key = item.model_dump(exclude={"item_id", "content_key", "taxonomy_version"})
    return item if item.taxonomy_version == version else Item.of(taxonomy_version=version, **key)


def _status(entry: dict[str, Any], draft: bool, result: Result) -> Status:
    if draft:
        return "draft"
    if entry.get("was_cancelled"):
        return "skipped"
    return "judged" if result.label is not None else "empty"
