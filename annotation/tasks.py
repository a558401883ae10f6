"""Tasks: what one annotator sees of one item, and the opaque id that leads back to it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from typing import Any

from gainsift.annotation.adjudication_page import adjudication_data
from gainsift.annotation.label_config import ANSWER, LABEL, SENSE, sense_keys
from gainsift.annotation.shown import answer_html, direction, listed, sense_choices, with_hotkeys
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import json_bytes
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import Taxonomy

CLOSED = "The answer ends here."
OPEN = "The answer did not end: it was stopped by the length limit."


def task_uid(study_id: str, item_id: str, annotator: str, round: int = 0, repeat: int = 0) -> str:
    """32 hex digits: a keyed hash of (item, annotator, round, repeat).

    The key is derived from the study's id. It keeps ids of different studies apart and item ids out of the page; it
    is no secret from people who hold the study folder.
    """
    parts = [item_id, annotator, round, repeat]
    key = hashlib.sha256(f"gainsift task {study_id}".encode()).digest()
    return hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()[:32]


def rules_fingerprint(taxonomy: Taxonomy) -> str:
    """Changes when the definition of any label changes: tells under which guidelines a task was judged."""
    return fingerprint(sorted(category.fingerprint() for category in taxonomy.categories))


class Pages:
    """What the page shows of items, the same for every annotator and for every row of an item.

    What an item shares with others of its two concepts is worked out once.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.rules = rules_fingerprint(study.taxonomy)
        self.keys = sense_keys(study.taxonomy)
        self._shared: dict[tuple[str, str, str, str], dict[str, Any]] = {}

    def data(self, item: Item) -> dict[str, Any]:
        """Everything of a task's data but `uid`. Raises UserError if a concept is missing."""
        key = (item.input_language, item.output_language, item.intended_concept, item.other_concept)
        if key not in self._shared:
            self._shared[key] = self._of_concepts(item)
        return {
            "study": self.study.id,
            "taxonomy": item.taxonomy_version,
            "rules": self.rules,
            "asked": item.shown_word,
            "answer_html": answer_html(item.answer),
            "ending": CLOSED if item.closed else OPEN,
            **self._shared[key],
        }

    def _of_concepts(self, item: Item) -> dict[str, Any]:
        concepts = self.study.concepts
        for name in (item.intended_concept, item.other_concept):
            if name not in concepts:
                remedy = f"run `gainsift annotate plan {self.study.folder}` again"
                raise UserError(str(self.study.concepts_file), f"no concept {name!r}, which an item is about", remedy)
        intended, other = concepts[item.intended_concept], concepts[item.other_concept]
        out = item.output_language
        return {
            "concepts": [intended.fingerprint(), other.fingerprint()],
            "direction": direction(item),
            "intended": intended.gloss,
            "intended_listed": listed(intended, out),
            "second_word": other.word(item.input_language) if other.reference.get(item.input_language) else "–",
            "second": other.gloss,
            "second_listed": listed(other, out),
            "senses": with_hotkeys(sense_choices(intended, other, out), self.keys),
        }


def task(pages: Pages, assignment: Assignment) -> dict[str, Any]:
    """One task as Label Studio imports it: `data`, and the pre-label as a prediction where it is to be shown."""
    made: dict[str, Any] = {"data": {"uid": assignment.uid, **pages.data(assignment.item)}}
    if assignment.role == "adjudication":
        made["data"] |= adjudication_data(pages, assignment)
    if assignment.prelabel_shown and assignment.prelabel is not None:
        made["predictions"] = [_prediction(assignment)]
    return made


def _prediction(assignment: Assignment) -> dict[str, Any]:
    """The automatic label as the tool fills it in. It carries no probability; the tool's score is 1 for each."""
    values = {LABEL: assignment.prelabel, SENSE: assignment.prelabel_sense}
    result = [
        {
            "id": fingerprint([assignment.uid, name], 10),  # the tool keys parts of a result by it
            "from_name": name,
            "to_name": ANSWER,
            "type": "choices",
            "value": {"choices": [value]},
        }
        for name, value in values.items()
        if value is not None
    ]
    return {"model_version": "prelabel", "score": 1.0, "result": result}


def task_lines(study: Study, tasks: Iterable[Assignment]) -> Iterator[bytes]:
    """A Label Studio import file, one task a line, as UTF-8."""
    pages = Pages(study)
    yield b"["
    separator = b"\n"
    for assignment in tasks:
        yield separator + json_bytes(task(pages, assignment))
        separator = b",\n"
    yield b"\n]\n"
