"""Which lines of annotations.jsonl enter the analysis, and how many are left out, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime

from gainsift.analysis.wording import counted
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Annotation
from gainsift.schemas.taxonomy import Taxonomy
from gainsift.schemas.validity import REASONS, validity

AUTO = "automatic pre-labels (never count as judgements)"
SIMULATED = "simulated judgements (there are human ones)"
FOREIGN = "judgements of another study"
STATUS = {
    "skipped": "tasks skipped by annotators",
    "draft": "drafts never submitted",
    "empty": "tasks submitted without an answer",
    "invalid": "judgements that did not pass the checks (annotations.jsonl says why)",
}
CONTROL = "control tasks (made-up items with a known answer)"
INVALID = "judgements no longer valid: "
UNMATCHED = "judgements of answers that are no item of the plan"
REPEATED = "repeated judgements (kept for self-agreement)"
SUPERSEDED = "judgements superseded by a later one of the same annotator"


@dataclass(frozen=True)
class Judgements:
    """The judgements in use: content key of the item -> annotator -> line, and the adjudicated ones.

    `simulated` says that no human has judged and simulated annotators are used instead.
    """

    votes: Mapping[str, Mapping[str, Annotation]]
    adjudicated: Mapping[str, Annotation]
    simulated: bool
    left_out: Counter[str]

    @property
    def source(self) -> str:
        return "simulated" if self.simulated else "human"


def gather(
    lines: Sequence[Annotation],
    content_keys: AbstractSet[str],
    study_id: str,
    taxonomy: Taxonomy,
    concepts: Mapping[str, Concept],
    where: str,
) -> Judgements:
    """Choose among the lines in force. Human judgements are used if there is any, else simulated ones.

    Controls never count, whatever became of them: they are no outputs. Calibration judgements count like any other.
    Of one annotator and item the latest judgement of the latest round counts, by `updated_at` or else `created_at`;
    where a time is missing the later line of the file is the later one. Adjudications likewise. Raises UserError if
    nobody, real or simulated, has been asked about an output at all.
    """
    out: Counter[str] = Counter()
    own = [line for line in lines if line.study == study_id]
    out[FOREIGN] = len(lines) - len(own)
    out[CONTROL] = sum(line.role == "control" for line in own)
    own = [line for line in own if line.role != "control"]
    people, simulated = _by_people(own, out, where)
    votes: dict[str, dict[str, Annotation]] = {}
    adjudicated: dict[str, Annotation] = {}
    for line in people:
        reason = _unusable(line, content_keys, taxonomy, concepts)
        if reason:
            out[reason] += 1
        elif line.source == "adjudicated":
            out[SUPERSEDED] += line.content_key in adjudicated
            adjudicated[line.content_key] = _later(adjudicated.get(line.content_key), line)
        else:
            of_item = votes.setdefault(line.content_key, {})
            out[SUPERSEDED] += line.annotator in of_item
            of_item[line.annotator] = _later(of_item.get(line.annotator), line)
    return Judgements(votes, adjudicated, simulated, +out)


def _later(known: Annotation | None, line: Annotation) -> Annotation:
    """Which of two judgements counts; `line` stands later in the file."""
    if known is None or line.round != known.round:
        return line if known is None or line.round > known.round else known
    before, after = _time(known), _time(line)
    return known if before and after and before > after else line


def _time(line: Annotation) -> datetime | None:
    """When it was last changed; a time without a zone is taken as UTC."""
    try:
        found = datetime.fromisoformat(line.updated_at or line.created_at or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _by_people(own: list[Annotation], out: Counter[str], where: str) -> tuple[list[Annotation], bool]:
    """The lines of people, and whether they are simulated."""
    human = [line for line in own if line.source in ("human", "adjudicated")]
    made_up = [line for line in own if line.source == "simulated"]
    out[AUTO] = sum(line.source == "auto" for line in own)
    if not human and not made_up:
        other = ((out[AUTO], "automatic pre-label"), (out[CONTROL], "control task"))
        found = (
            "only " + " and ".join(counted(n, noun) for n, noun in other if n) if out[AUTO] + out[CONTROL] else "none"
        )
        if out[FOREIGN]:
            found += f" ({out[FOREIGN]} lines belong to another study)"
        raise UserError(where, f"expected judgements, found {found}", "run `gainsift annotate import` first")
    if made_up and not any(line.status == "judged" for line in human):
        for line in human:
            out[STATUS[line.status]] += 1
        return made_up, True
    out[SIMULATED] = len(made_up)
    return human, False


def _unusable(
    line: Annotation, content_keys: AbstractSet[str], taxonomy: Taxonomy, concepts: Mapping[str, Concept]
) -> str:
    if line.status != "judged" or line.label is None:
        return STATUS.get(line.status, STATUS["empty"])
    state = validity(line, taxonomy, concepts)
    if state != "valid":
        return INVALID + REASONS[state]
    if line.content_key not in content_keys:
        return UNMATCHED
    return REPEATED if line.repeat or line.role == "repeat" else ""
