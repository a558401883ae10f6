"""annotations.jsonl: one judgement a line, appended, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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


def append_new(study: Study, lines: Iterable[Annotation], known: dict[str, Annotation]) -> Appended:
    """Append the lines that say something new, in one write. `known` are the last lines by judgement id."""
    latest = dict(known)
    fresh: list[Annotation] = []
    added = changed = unchanged = older = 0
    for line in lines:
        before = latest.get(line.judgement_id)
        if before is None:
            added += 1
        elif before.result_hash == line.result_hash and (line.status != "withdrawn" or before.status == "withdrawn"):
            unchanged += 1
            continue
        elif _is_older(line, before):
            older += 1
            continue
        else:
            changed += 1
        latest[line.judgement_id] = line
        fresh.append(line)
    if fresh:
        append_jsonl(study.annotations_file, fresh, ANNOTATION_FORMAT)
    return Appended(added, changed, unchanged, older)


def _is_older(line: Annotation, before: Annotation) -> bool:
    """An export made earlier than the one that `before` came from must not undo it."""
    try:
        return datetime.fromisoformat(line.updated_at or "") < datetime.fromisoformat(before.updated_at or "")
    except (ValueError, TypeError):
        return False


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
