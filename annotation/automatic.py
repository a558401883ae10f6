"""Stores the pre-labels of a study's items as judgements of source `auto`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.annotation.judgements import Appended, append_new, machine_line
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.merging import merge
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.prelabel import PreLabel, prelabel
from gainsift.annotation.selection import select
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.files import write_parquet
from gainsift.schemas.rows import AutomaticLabel, Item
from gainsift.schemas.study import PRELABELS_FORMAT, Study

AUTO = "auto"


@dataclass(frozen=True)
class Prelabelled:
    """Items of the population by label; `none` where the lexicon cannot tell."""

    counts: dict[str, int]
    appended: Appended


def store_prelabels(study: Study) -> Prelabelled:
    """A line of annotations.jsonl for each item of the plan; a label that the study's taxonomy lacks counts as none.

    prelabels.parquet holds the labels of the whole population, those outside a sample or an audit too: the analysis
    sets them beside the verdicts of the sample. Twice adds nothing.
    """
    lexicon = Lexicon(study.concepts.values())
    planned = study.items()
    found = {item.item_id: _known(study, prelabel(item, lexicon)) for item in [*planned, *_left_out(study, planned)]}
    lines = []
    for item in planned:
        said = found[item.item_id]
        uid = task_uid(study.id, item.item_id, AUTO)
        label, sense = (said.label, said.sense) if said else (None, None)
        lines.append(machine_line(study.id, item, uid, AUTO, "auto", label, sense, study.taxonomy, lexicon))
    labels = {name: said.label if said else None for name, said in sorted(found.items())}
    with one_at_a_time(study, "prelabel"):
        rows = [AutomaticLabel(item_id=name, label=label) for name, label in labels.items()]
        write_parquet(study.prelabels_file, AutomaticLabel, rows, PRELABELS_FORMAT)
        counts = Counter(label or "none" for label in labels.values())
        return Prelabelled(dict(counts.most_common()), append_new(study, lines, study.last_lines()))


def _known(study: Study, found: PreLabel | None) -> PreLabel | None:
    return found if found and found.label in study.taxonomy.ids else None


def _left_out(study: Study, items: Sequence[Item]) -> list[Item]:
    """The items of the population that the plan, of `items`, asks nobody about, by id."""
    planned = {item.item_id for item in items}
    linked = set(study.links()["item_id"].unique().to_pylist()) if study.links_file.exists() else set()
    if linked <= planned:
        return []
    rows, _ = select(study)
    merged, _ = merge(study, rows)
    return [merged[name] for name in sorted(linked - planned) if name in merged]
