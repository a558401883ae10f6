"""Stores the pre-labels of a study's items as judgements of source `auto`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gainsift.annotation.judgements import Appended, append_new, machine_line
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.merging import merge
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.prelabel import prelabel
from gainsift.annotation.selection import select
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.rows import Item
from gainsift.schemas.study import Study

AUTO = "auto"


@dataclass(frozen=True)
class Prelabelled:
    """Items by label; `none` where the lexicon cannot tell."""

    counts: dict[str, int]
    appended: Appended


def store_prelabels(study: Study) -> Prelabelled:
    """One line an item; a label that the study's taxonomy lacks counts as none. Twice adds nothing.

    Where the plan leaves outputs out (a sample, an audit) their items are labelled too: the analysis sets the automatic
    labels of all beside the verdicts of the sample.
    """
    lexicon = Lexicon(study.concepts.values())
    counts: Counter[str] = Counter()
    lines = []
    for item in [*study.items(), *_left_out(study)]:
        found = prelabel(item, lexicon)
        if found and found.label not in study.taxonomy.ids:
            found = None
        counts[found.label if found else "none"] += 1
        uid = task_uid(study.id, item.item_id, AUTO)
        label, sense = (found.label, found.sense) if found else (None, None)
        lines.append(machine_line(study.id, item, uid, AUTO, "auto", label, sense, study.taxonomy, lexicon))
    with one_at_a_time(study, "prelabel"):
        return Prelabelled(dict(counts.most_common()), append_new(study, lines, study.last_lines()))


def _left_out(study: Study) -> list[Item]:
    """The items of the population that the plan asks nobody about, by id."""
    planned = {item.item_id for item in study.items()}
    linked = set(study.links()["item_id"].unique().to_pylist()) if study.links_file.exists() else set()
    if linked <= planned:
        return []
    rows, _ = select(study)
    merged, _ = merge(study, rows)
    return [merged[name] for name in sorted(linked - planned) if name in merged]
