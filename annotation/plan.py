"""What is to be judged: rows, drawn trajectories, items, links, tasks, and what it will cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd
import pyarrow as pa

from gainsift.annotation.assignment import assign, write_assignments
from gainsift.annotation.earlier import earlier_judgements
from gainsift.annotation.merging import merge, successes
from gainsift.annotation.plan_summary import Summary, summarise
from gainsift.annotation.sampling import Stratum, sample
from gainsift.annotation.selection import select
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.provenance import write_run
from gainsift.schemas.rows import Assignment, Item, Link
from gainsift.schemas.study import ITEMS_FORMAT, LINKS_FORMAT, Study


@dataclass(frozen=True)
class Plan:
    """Items to judge (sorted by id), links of the whole population, every task ever given out, and the figures."""

    items: list[Item]
    links: pa.Table
    assignments: list[Assignment]
    summary: Summary


def make_plan(study: Study) -> Plan:
    """Choose rows, merge equal outputs, draw, share out. Raises UserError; writes nothing.

    Every row of the population has a link. Its item is in the plan if one of the item's trajectories was drawn and the
    audit asks about it; a link may therefore name an item that nobody judges.
    """
    rows, foreign = select(study)
    merged, rows["item_id"] = merge(study, rows)
    right = successes(study, merged)
    rows["success"] = rows["item_id"].map(right).astype(bool)
    rows["content_key"] = rows["item_id"].map({name: item.content_key for name, item in merged.items()})
    spec = study.config.annotation
    rows, strata = sample(rows, spec.rows, spec.audit if spec.prelabels == "accept_reference" else 1.0)
    items = [merged[item_id] for item_id in sorted(_judged(study, rows, strata)["item_id"].unique())]

    judged = earlier_judgements(study)
    assignments = assign(study, items, study.assignments(), judged, merged.values())
    links = pa.Table.from_pandas(rows[list(Link.model_fields)], preserve_index=False)
    return Plan(items, links, assignments, summarise(study, rows, strata, foreign, items, assignments, judged))


def _judged(study: Study, rows: pd.DataFrame, strata: list[Stratum]) -> pd.DataFrame:
    """The rows whose items are judged. Raises UserError if there are none."""
    spec = study.config.annotation
    if not rows["drawn"].any():
        raise UserError(
            str(study.config_file),
            f"annotation.rows.trajectories {spec.rows.trajectories} of {sum(one.trajectories for one in strata)}: "
            "the draw came out empty",
            "draw more, or take another annotation.rows.seed",
        )
    judged = rows[rows["drawn"] & rows["asked"]]
    if judged.empty:
        raise UserError(
            str(study.config_file),
            f"annotation.audit {spec.audit}: every drawn answer equals a reference form, and the audit asks about none",
            "raise annotation.audit, or leave out annotation.prelabels",
        )
    return judged


def write_plan(study: Study, plan: Plan, command: str, started: str) -> None:
    """items.parquet, links.parquet and assignments.jsonl with their run records."""
    inputs = {"study.yaml": study.config_file, "concepts.jsonl": study.concepts_file}
    inputs |= {str(file.relative_to(study.folder)): file for file in study.translation_files()}
    write_parquet(study.links_file, Link, plan.links, LINKS_FORMAT)
    write_parquet(study.items_file, Item, plan.items, ITEMS_FORMAT)
    write_assignments(study, plan.assignments)
    summary, spec = plan.summary, study.config.annotation
    settings = {
        "rows": spec.rows.model_dump(mode="json"),
        "taxonomy": summary.taxonomy_version,
        "strata": [asdict(one) for one in summary.strata],
    }
    sharing = spec.model_dump(mode="json", exclude={"rows"})
    for file, of_file, counts, given in (
        (study.links_file, settings, {"rows": summary.population_rows, "drawn": summary.drawn_rows}, inputs),
        (study.items_file, settings, {"items": summary.items, "judgements": summary.judgements}, inputs),
        (
            study.assignments_file,
            settings | {"annotation": sharing},
            summary.by_role,
            inputs | {"annotations.jsonl": study.annotations_file},
        ),
    ):
        write_run(
            file.with_suffix(".run.json"),
            file.name,
            command,
            started,
            given,
            seeds={"rows": spec.rows.seed, "annotation": spec.seed},
            settings=of_file,
            counts=counts,
        )
