"""What people have judged already, and which of it still holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gainsift.schemas.study import Study
from gainsift.schemas.validity import Validities


@dataclass(frozen=True)
class Earlier:
    """`judges`: content key -> who has judged that content in this round or a later one, and need not again.

    `done`: uids of the tasks that have a judgement which holds. `counts`: judgements by source and schemas.validity.
    """

    judges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


def earlier_judgements(study: Study) -> Earlier:
    """The judgements in force, each looked at once.

    Whose they are and what they are about decides, not the taxonomy's version: a judgement under an earlier one
    counts as long as schemas.validity says that it holds. Second looks and controls are no judgement of an item.
    """
    of = Validities(study.taxonomy, study.concepts)
    judges: dict[str, set[str]] = {}
    done: set[str] = set()
    counts: dict[str, Counter[str]] = {}
    for line in study.annotations():
        if line.status != "judged":
            continue
        found = of(line)
        counts.setdefault(line.source, Counter())[found] += 1
        if found == "valid" and line.source == "human":
            done.add(line.task_uid)
            if line.role in ("main", "calibration") and line.round >= study.config.annotation.round:
                judges.setdefault(line.content_key, set()).add(line.annotator)
    return Earlier(
        {key: frozenset(names) for key, names in judges.items()},
        frozenset(done),
        {source: dict(sorted(found.items())) for source, found in sorted(counts.items())},
    )
