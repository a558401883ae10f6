"""Finds the assignment behind a task's uid, and the senses that its page offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gainsift.annotation.shown import senses_of
from gainsift.annotation.tasks import rules_fingerprint, task_uid
from gainsift.schemas.rows import Annotation, Assignment, Item
from gainsift.schemas.study import Study


class KnownTasks:
    """Every task that this study ever gave out: retired ones, and those of judgements that are home, too."""

    def __init__(self, study: Study, known: Mapping[str, Annotation]) -> None:
        self.study = study
        self.rules = rules_fingerprint(study.taxonomy)
        self._by_uid = {line.uid: line for line in study.assignments()}
        for line in known.values():
            if line.task_uid not in self._by_uid and from_a_page(line):
                self._by_uid[line.task_uid] = _of_line(line)
        self._versions: set[str] = set()
        self._prints: dict[str, str] = {}
        self._senses: dict[tuple[str, str], list[str]] = {}

    def find(self, data: Mapping[str, Any]) -> Assignment | None:
        """The assignment of a task's data; None if its uid fits nothing here."""
        uid = data.get("uid")
        if not isinstance(uid, str):
            return None
        if uid not in self._by_uid:
            self._learn(self.study.taxonomy.version)
            if isinstance(data.get("taxonomy"), str):
                self._learn(data["taxonomy"])
        return self._by_uid.get(uid)

    def of_line(self, line: Annotation) -> Assignment:
        """The assignment that a line answers; who it was given to may be another than who judged."""
        return self._by_uid.get(line.task_uid) or _of_line(line)

    def senses(self, item: Item, data: Mapping[str, Any]) -> list[str]:
        """Ids of the senses on the page: the lexicon's if it is as it was then, else those of the task itself."""
        concepts = self.study.concepts
        ids = (item.intended_concept, item.other_concept)
        if all(name in concepts for name in ids) and [self._print(name) for name in ids] == data.get("concepts"):
            if ids not in self._senses:
                self._senses[ids] = [sense.id for sense in senses_of(concepts[ids[0]], concepts[ids[1]])]
            return self._senses[ids]
        listed = data.get("senses")
        choices = listed if isinstance(listed, list) else []
        found = [choice.get("alias") for choice in choices if isinstance(choice, dict)]
        return [name for name in found if isinstance(name, str) and name.isprintable()]  # they are named in findings

    def _print(self, concept: str) -> str:
        if concept not in self._prints:
            self._prints[concept] = self.study.concepts[concept].fingerprint()
        return self._prints[concept]

    def _learn(self, version: str) -> None:
        """Take in the tasks of a plan that wrote no assignments, under a version of the taxonomy."""
        if version in self._versions:
            return
        self._versions.add(version)
        items = [_under(item, version) for item in self.study.items()] if self.study.items_file.exists() else []
        for person in self.study.config.annotation.annotators:
            for item in items:
                uid = task_uid(self.study.id, item.item_id, person.name)
                self._by_uid.setdefault(uid, Assignment(uid=uid, item=item, annotator=person.name))


def from_a_page(line: Annotation) -> bool:
    """Whether a person made the line on a page, as against pre-labels and simulated judgements."""
    return line.source in ("human", "adjudicated")


def _of_line(line: Annotation) -> Assignment:
    return Assignment(
        uid=line.task_uid,
        item=line.item,
        annotator=line.annotator,
        round=line.round,
        repeat=line.repeat,
        role=line.role,
        prelabel=line.prelabel,
        prelabel_shown=line.prelabel_shown,
    )


def _under(item: Item, version: str) -> Item:
    """The same item under another version of the taxonomy."""
    key = item.model_dump(exclude={"item_id", "content_key", "taxonomy_version"})
    return item if item.taxonomy_version == version else Item.of(taxonomy_version=version, **key)
