"""What people say of each item today: the latest valid judgement of each annotator, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from gainsift.annotation.label_studio_json import moment
from gainsift.schemas.rows import Annotation, Source
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import SENSE_LABEL
from gainsift.schemas.validity import Validities

Reading = tuple[str, str | None]
"""Label, and sense with `other_sense`."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Votes = dict[str, dict[str, Annotation]]
"""content key of the item -> annotator -> judgement."""


def reading(line: Annotation) -> Reading:
    """What a judgement says: its label, and the sense that goes with the label of another sense alone."""
    return str(line.label), line.sense if line.label == SENSE_LABEL else None


def current_judgements(study: Study, lines: Iterable[Annotation], source: Source = "human") -> Votes:
    """The judgements that hold, the latest of each annotator and item; second looks and controls are none.

    A later round comes after an earlier one, then the time of the last change decides, then the place in `lines`.
    """
    validity = Validities(study.taxonomy, study.concepts)
    votes: Votes = {}
    for line in lines:
        if line.study != study.id or line.source != source or line.role not in ("main", "calibration"):
            continue
        if line.status != "judged" or validity(line) != "valid":
            continue
        of_item = votes.setdefault(line.content_key, {})
        known = of_item.get(line.annotator)
        if known is None or _when(line) >= _when(known):
            of_item[line.annotator] = line
    return votes


def settled(study: Study, lines: Iterable[Annotation]) -> set[str]:
    """The content keys of items with a verdict that holds."""
    validity = Validities(study.taxonomy, study.concepts)
    return {
        line.content_key
        for line in lines
        if line.study == study.id
        and line.source == "adjudicated"
        and line.status == "judged"
        and validity(line) == "valid"
    }


def _when(line: Annotation) -> tuple[int, datetime]:
    return line.round, moment(line.updated_at or line.created_at) or LONG_AGO
