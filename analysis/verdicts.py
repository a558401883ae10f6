"""One verdict for each item: the label that most annotators gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from gainsift.schemas.rows import Annotation
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy

Undecided = Literal["", "unjudged", "missing", "tie"]


@dataclass(frozen=True)
class Verdict:
    """`label` is None where undecided: nobody judged, all answers were missing ones (`unsure`), or a tie.

    `senses` are the senses most often chosen with `other_sense` (several if tied). `votes` are all labels
    given, missing ones included, by annotator.
    """

    label: str | None
    reason: Undecided = ""
    senses: tuple[str, ...] = ()
    votes: dict[str, str] = field(default_factory=dict)
    adjudicated: bool = False


def is_missing(label: str, taxonomy: Taxonomy) -> bool:
    """Whether the label says that there is no judgement (`unsure`, `bad_item`)."""
    return taxonomy.category(label).kind == "missing"


def verdict(votes: Collection[Annotation], adjudicated: Annotation | None, taxonomy: Taxonomy) -> Verdict:
    """The adjudicated label if there is one, else the label with more votes than any other."""
    given = {line.annotator: str(line.label) for line in votes}
    deciding = [adjudicated] if adjudicated is not None else list(votes)
    if not deciding:
        return Verdict(None, "unjudged")
    usable = [line for line in deciding if line.label is not None and not is_missing(line.label, taxonomy)]
    settled = adjudicated is not None
    if not usable:
        return Verdict(None, "missing", votes=given, adjudicated=settled)
    winners = _most_common([str(line.label) for line in usable])
    if len(winners) > 1:
        return Verdict(None, "tie", votes=given)
    label = winners[0]
    senses = [line.sense for line in usable if line.label == label == SENSE_LABEL and line.sense]
    return Verdict(label, senses=tuple(_most_common(senses)), votes=given, adjudicated=settled)


def _most_common(values: list[str]) -> list[str]:
    counts = Counter(values)
    return sorted(value for value, count in counts.items() if count == max(counts.values()))
