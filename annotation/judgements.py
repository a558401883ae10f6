"""annotations.jsonl: one judgement a line, appended, never rewritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gainsift.annotation.label_studio_json import moment
from gainsift.annotation.lexicon import Lexicon
from gainsift.schemas.files import append_jsonl
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Item, Source
from gainsift.schemas.study import ANNOTATION_FORMAT, Study
from gainsift.schemas.taxonomy import Taxonomy


@dataclass(frozen=True)
class Appended:
    """How many lines were new, superseded an earlier line, said nothing new, or were older than what is known."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0


class Ledger:
    """The last line of each judgement, and what is to be appended to them."""

    def __init__(self, known: Mapping[str, Annotation]) -> None:
        self.latest = dict(known)
        self.fresh: list[Annotation] = []
        self._of_task: dict[str, list[str]] = {}
        for line in known.values():
            self._of_task.setdefault(line.task_uid, []).append(line.judgement_id)
        self.counts: Counter[str] = Counter()

    def add(self, line: Annotation, seen: datetime | None = None) -> None:
        """Take in a line if it says something new. `seen`: a time at which the judgement was certainly there.

        What was taken back stays so, unless the judgement was changed, or seen, after that.
        """
        before = self.latest.get(line.judgement_id)
        news = "added" if before is None else _news(line, before, seen)
        self.counts[news] += 1
        if before is None:
            self._of_task.setdefault(line.task_uid, []).append(line.judgement_id)
        if news in ("added", "changed"):
            self.latest[line.judgement_id] = line
            self.fresh.append(line)

    def of_task(self, uid: str) -> list[Annotation]:
        """The last lines of a task's judgements."""
        return [self.latest[name] for name in self._of_task.get(uid, [])]

    def append(self, study: Study) -> Appended:
        """Append what is new."""
        if self.fresh:
            append_jsonl(study.annotations_file, self.fresh, ANNOTATION_FORMAT)
        return Appended(**self.counts)


def _news(line: Annotation, before: Annotation, seen: datetime | None) -> str:
    """What a line says beside the one that is known."""
    gone, was_gone = line.status == "withdrawn", before.status == "withdrawn"
    back = moment(before.updated_at)
    if was_gone and not gone and seen and back and seen > back:
        return "changed"
    if gone != was_gone and gone:
        return "changed"
    if line.result_hash == before.result_hash:
        return "unchanged"
    time = moment(line.updated_at)
    return "older" if time and back and time < back else "changed"


def append_new(study: Study, lines: Iterable[Annotation], known: Mapping[str, Annotation]) -> Appended:
    """Append the lines that say something new, once all are known. `known` are the last lines by judgement id."""
    ledger = Ledger(known)
    for line in lines:
        ledger.add(line)
    return ledger.append(study)


def machine_line(
    study_id: str,
    item: Item,
    uid: str,
    annotator: str,
    source: Source,
    label: str | None,
    sense: str | None,
    taxonomy: Taxonomy,
    lexicon: Lexicon,
) -> Annotation:
    """A line that no person wrote: no times, so that the same input gives the same bytes. No label: `empty`.

    The result hash covers the fingerprints: a line made under an older lexicon or definition is superseded.
    """
    label_print = taxonomy.category(label).fingerprint() if label else None
    prints = [lexicon.fingerprint(name) for name in (item.intended_concept, item.other_concept)]
    return Annotation(
        study=study_id,
        judgement_id=f"{source}-{uid}",
        task_uid=uid,
        item_id=item.item_id,
        content_key=item.content_key,
        annotator=annotator,
        source=source,
        status="judged" if label else "empty",
        label=label,
        sense=sense,
        taxonomy_version=item.taxonomy_version,
        label_fingerprint=label_print,
        concept_fingerprints=prints,
        result_hash=fingerprint([label, sense, label_print, prints]),
        item=item,
    )
