"""What is to be judged: rows, drawn trajectories, items, links, and what it will cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

import pandas as pd
import pyarrow as pa

from gainsift.annotation.assignment import assign, reads, write_assignments
from gainsift.annotation.merging import merge
from gainsift.annotation.sampling import draw, item_probabilities
from gainsift.annotation.selection import select, uncovered
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_parquet
from gainsift.schemas.provenance import write_run
from gainsift.schemas.rows import Annotation, Assignment, Item, Link
from gainsift.schemas.study import ITEMS_FORMAT, LINKS_FORMAT, Study
from gainsift.schemas.validity import validity


@dataclass(frozen=True)
class Load:
    """The work of one annotator: items to read, how many of them already have a valid judgement of theirs."""

    annotator: str
    items: int
    done: int
    hours: float


@dataclass(frozen=True)
class Summary:
    """A plan in figures. Judgements are items × the annotators who read both languages."""

    study: str
    taxonomy_version: str
    population_rows: int
    drawn_rows: int
    trajectories: int
    drawn_trajectories: int
    trajectory_probability: float
    seed: int
    items: int
    judgements: int
    judgements_without_merging: int
    saved_by_merging: int
    done: int
    to_do: int
    pace_per_hour: int
    hours: float
    loads: list[Load]
    unread_items: int = 0
    earlier: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """Items to judge (sorted by id), links of the whole population, and the figures."""

    items: list[Item]
    links: pa.Table
    assignments: list[Assignment]
    summary: Summary


def idle(study: Study) -> list[str]:
    """A note for each annotator who reads no language pair of the study, and so gets no task."""
    pairs = study.config.language_pairs
    listed = ", ".join(f"{given}-{out}" for given, out in pairs)
    return [
        f"annotator {person.name!r} (languages: {', '.join(person.languages)}) reads no language pair of the study "
        f"({listed}) and gets no task: mend annotation.annotators"
        for person in study.config.annotation.annotators
        if not any(reads(person, given, out) for given, out in pairs)
    ]


def make_plan(study: Study) -> Plan:
    """Choose rows, draw trajectories, merge equal outputs. Raises UserError; writes nothing.

    Every row of the population has a link. Its item is in the plan if one of the item's trajectories was drawn; a
    link may therefore name an item that nobody judges.
    """
    rows, foreign = select(study)
    asked = study.config.annotation.rows
    drawing = draw(rows["trajectory"], asked.trajectories, asked.seed)
    if not drawing["drawn"].any():
        raise UserError(
            str(study.config_file),
            f"annotation.rows.trajectories {asked.trajectories} of {len(drawing)}: the draw came out empty",
            "draw more, or take another annotation.rows.seed",
        )
    merged, rows["item_id"] = merge(study, rows)
    drawn = drawing.set_index("trajectory")
    rows["trajectory_probability"] = rows["trajectory"].map(drawn["probability"]).astype(float)
    rows["drawn"] = rows["trajectory"].map(drawn["drawn"]).astype(bool)
    rows["audit_probability"], rows["asked"] = 1.0, True
    rows["item_probability"] = item_probabilities(rows["item_id"], rows["trajectory"], rows["trajectory_probability"])

    items = [merged[item_id] for item_id in sorted(rows.loc[rows["drawn"], "item_id"].unique())]
    links = pa.Table.from_pandas(rows[list(Link.model_fields)], preserve_index=False)
    notes = [*uncovered(study, rows), *idle(study)]
    if foreign:
        notes.append(
            f"left out {foreign:,} rows under {study.translations_folder.name}/: their checkpoint or language pair "
            "is not in study.yaml"
        )
    return Plan(items, links, assign(study, items, study.assignments()), _summary(study, rows, drawing, items, notes))


def _summary(study: Study, rows: pd.DataFrame, drawing: pd.DataFrame, items: list[Item], notes: list[str]) -> Summary:
    spec = study.config.annotation
    judgements = study.annotations()
    done = _valid_judgements(study, judgements)
    by_pair = Counter((item.input_language, item.output_language) for item in items)
    drawn = rows[rows["drawn"]]
    rows_by_pair = Counter(zip(drawn["input_language"], drawn["output_language"], strict=True))
    loads = []
    without = 0
    for person in spec.annotators:
        mine = [item for item in items if reads(person, item.input_language, item.output_language)]
        ready = sum((person.name, item.content_key) in done for item in mine)
        loads.append(Load(person.name, len(mine), ready, (len(mine) - ready) / spec.pace_per_hour))
        without += sum(number for pair, number in rows_by_pair.items() if reads(person, *pair))
    unread = sum(n for pair, n in by_pair.items() if not any(reads(person, *pair) for person in spec.annotators))
    total = sum(load.items for load in loads)
    ready = sum(load.done for load in loads)
    if unread:
        notes = [*notes, f"{unread} items are in languages that no annotator reads"]
    return Summary(
        study=study.id,
        taxonomy_version=study.taxonomy.version,
        population_rows=len(rows),
        drawn_rows=len(drawn),
        trajectories=len(drawing),
        drawn_trajectories=int(drawing["drawn"].sum()),
        trajectory_probability=float(drawing["probability"].iloc[0]),
        seed=spec.rows.seed,
        items=len(items),
        judgements=total,
        judgements_without_merging=without,
        saved_by_merging=without - total,
        done=ready,
        to_do=total - ready,
        pace_per_hour=spec.pace_per_hour,
        hours=(total - ready) / spec.pace_per_hour,
        loads=loads,
        unread_items=unread,
        earlier=earlier_judgements(study, judgements),
        notes=notes,
    )


def _valid_judgements(study: Study, judgements: list[Annotation]) -> set[tuple[str, str]]:
    """(annotator, content key) of the human judgements that still hold."""
    return {
        (line.annotator, line.content_key)
        for line in judgements
        if line.source == "human"
        and line.status == "judged"
        and validity(line, study.taxonomy, study.concepts) == "valid"
    }


def earlier_judgements(study: Study, judgements: list[Annotation]) -> dict[str, dict[str, int]]:
    """Earlier `judged` lines counted by source and by schemas.validity."""
    counts: dict[str, Counter[str]] = {}
    for line in judgements:
        if line.status == "judged":
            counts.setdefault(line.source, Counter())[validity(line, study.taxonomy, study.concepts)] += 1
    return {source: dict(sorted(found.items())) for source, found in sorted(counts.items())}


def write_plan(study: Study, plan: Plan, command: str, started: str) -> None:
    """items.parquet and links.parquet with their run records."""
    inputs = {"study.yaml": study.config_file, "concepts.jsonl": study.concepts_file}
    inputs |= {str(file.relative_to(study.folder)): file for file in study.translation_files()}
    write_parquet(study.links_file, Link, plan.links, LINKS_FORMAT)
    write_parquet(study.items_file, Item, plan.items, ITEMS_FORMAT)
    write_assignments(study, plan.assignments)
    summary = plan.summary
    for file, counts in (
        (study.links_file, {"rows": summary.population_rows, "drawn": summary.drawn_rows}),
        (study.items_file, {"items": summary.items, "judgements": summary.judgements}),
    ):
        write_run(
            file.with_suffix(".run.json"),
            file.name,
            command,
            started,
            inputs,
            seeds={"rows": summary.seed},
            settings={
                "rows": study.config.annotation.rows.model_dump(mode="json"),
                "taxonomy": summary.taxonomy_version,
                "trajectory_probability": summary.trajectory_probability,
            },
            counts=counts,
        )
