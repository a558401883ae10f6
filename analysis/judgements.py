"""Which lines of annotations.jsonl enter the analysis, and how many are left out, by reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime

from gainsift.analysis.wording import counted
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Annotation
from gainsift.schemas.taxonomy import Taxonomy
from gainsift.schemas.validity import REASONS, Validities

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

    `simulated` says that no human has judged and simulated annotators are used instead. `passed_over`: the lines that
    are left out, by reason.
    """

    votes: Mapping[str, Mapping[str, Annotation]]
    adjudicated: Mapping[str, Annotation]
    simulated: bool
    passed_over: Mapping[str, Sequence[Annotation]]

    @property
    def left_out(self) -> Counter[str]:
        """How many lines are left out, by reason."""
        return Counter({reason: len(lines) for reason, lines in self.passed_over.items() if lines})

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
    out: dict[str, list[Annotation]] = defaultdict(list)
    out[FOREIGN] = [line for line in lines if line.study != study_id]
    own = [line for line in lines if line.study == study_id]
    out[CONTROL] = [line for line in own if line.role == "control"]
    own = [line for line in own if line.role != "control"]
    people, simulated = _by_people(own, out, where)
    votes: dict[str, dict[str, Annotation]] = {}
    adjudicated: dict[str, Annotation] = {}
    validity = Validities(taxonomy, concepts)
    for line in people:
        reason = _unusable(line, content_keys, validity)
        if reason:
            out[reason].append(line)
        elif line.source == "adjudicated":
            _keep_later(adjudicated, line.content_key, line, out)
        else:
            _keep_later(votes.setdefault(line.content_key, {}), line.annotator, line, out)
    return Judgements(votes, adjudicated, simulated, dict(out))


def _keep_later(kept: dict[str, Annotation], key: str, line: Annotation, out: dict[str, list[Annotation]]) -> None:
    known = kept.get(key)
    kept[key] = _later(known, line)
    if known is not None:
        out[SUPERSEDED].append(known if kept[key] is line else line)


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


def _by_people(own: list[Annotation], out: dict[str, list[Annotation]], where: str) -> tuple[list[Annotation], bool]:
    """The lines of people, and whether they are simulated."""
    human = [line for line in own if line.source in ("human", "adjudicated")]
    made_up = [line for line in own if line.source == "simulated"]
    out[AUTO] = [line for line in own if line.source == "auto"]
    if not human and not made_up:
        auto, control, foreign = (len(out[reason]) for reason in (AUTO, CONTROL, FOREIGN))
        other = ((auto, "automatic pre-label"), (control, "control task"))
        found = "only " + " and ".join(counted(n, noun) for n, noun in other if n) if auto + control else "none"
        if foreign:
            found += f" ({foreign} lines belong to another study)"
        raise UserError(where, f"expected judgements, found {found}", "run `gainsift annotate import` first")
    if made_up and not any(line.status == "judged" for line in human):
        for line in human:
            out[STATUS[line.status]].append(line)
        return made_up, True
    out[SIMULATED] = made_up
    return human, False


def _unusable(line: Annotation, content_keys: AbstractSet[str], validity: Validities) -> str:
    if line.status != "judged" or line.label is None:
        return STATUS.get(line.status, STATUS["empty"])
    state = validity(line)
    if state != "valid":
        return INVALID + REASONS[state]
    if line.content_key not in content_keys:
        return UNMATCHED
    return REPEATED if line.repeat or line.role == "repeat" else ""
