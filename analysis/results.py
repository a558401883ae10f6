"""The whole analysis of a study as plain results; nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from gainsift.analysis.agreement import Agreement, agreement
from gainsift.analysis.anchoring import Anchoring, anchoring
from gainsift.analysis.audit import Audit, audit
from gainsift.analysis.estimate import FEW, Estimate, few_resamples, generator
from gainsift.analysis.examples import Example, examples
from gainsift.analysis.judged import Judged, judge
from gainsift.analysis.judgement_tables import judgement_tables
from gainsift.analysis.judgements import Judgements, gather
from gainsift.analysis.mass import mean_mass
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.result_tables import count_tables, share_tables, split_tables
from gainsift.analysis.shares import ConditionShares, shares
from gainsift.analysis.signature import signature
from gainsift.analysis.split import Split, split
from gainsift.analysis.tables import Table
from gainsift.analysis.units import Units, units_of
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.config import Contrast
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study

MISSING = "judgements `{}`"
UNJUDGED = "items to be judged without a usable judgement"
TIED = "items with a tie between labels"
OUTSIDE = "judged items outside the sample (not drawn, or left out by the audit)"
UNASKED = "items that the audit did not ask about (unjudged, outside the sample)"
IMPOSSIBLE = "No interval for a bucket that no category has in either condition."
UNUSED = "items of outputs that the analysis leaves out"
SENSE_SPLIT = "outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)"
EXCLUDED_NOTE = (
    "Concepts flagged `sense_split` are left out here and in every other table (analysis.exclude_sense_split)."
)  # fmt: skip
NOT_GIVEN = "rows whose `other_sense` became `unrelated` (no given form carries the sense)"


@dataclass(frozen=True)
class ContrastResult:
    """One contrast of study.yaml: its units, the split, and the split without `identical` units.

    Each of the two splits has its own signature.
    """

    contrast: Contrast
    units: Units
    split: Split
    without_identical: Split
    signature: str
    signature_without: str


@dataclass(frozen=True)
class Results:
    """Everything that the report shows. `simulated` says that the annotators were not people.

    `adjudicated`: items by what was said of the other reading. `anchoring` is empty unless automatic labels were
    shown, `audit` None unless reference answers were audited.
    """

    simulated: bool
    agreement: Agreement
    agreement_kind: Agreement
    adjudicated: Counter[str]
    anchoring: list[Anchoring]
    audit: Audit | None
    shares: list[ConditionShares]
    contrasts: list[ContrastResult]
    mass: pd.DataFrame
    examples: list[Example]
    left_out: Counter[str]
    tables: dict[str, Table]
    signature: str


def analyse(study: Study, progress: Callable[[str], None] = lambda step: None) -> Results:
    """Analyse a study that has been judged. `progress` is told each step by name. Raises UserError."""
    progress("reading")
    items = study.items()
    judgements = gather(
        study.annotations(),
        {item.content_key for item in items},
        study.id,
        study.taxonomy,
        study.concepts,
        str(study.annotations_file),
    )
    if not items:
        raise UserError(
            str(study.items_file), "there is nothing to judge in it", "widen annotation.rows and plan again"
        )
    progress("joining outputs and judgements")
    judged = judge(study, items, judgements)
    rows = judged.frame[~judged.frame["concept"].isin(list(excluded_concepts(study)))]
    of_rows = set(rows["item_id"].dropna())
    used = {item.content_key for item in items if item.item_id in of_rows}
    left_out = judgements.left_out + judged.left_out + _left_out(judged, judgements, study, rows)
    progress("agreement")
    by_category, by_kind = _agreements(study, judgements, used)
    progress("shares")
    spec, taxonomy = study.config.analysis, study.taxonomy
    common = {
        "boot": spec.bootstrap,
        "rs": spec.seed,
        "tax": taxonomy.version,
        "source": "simulated" if judgements.simulated else None,
    }
    conditions = shares(
        rows,
        [checkpoint.name for checkpoint in study.config.model.checkpoints],
        list(taxonomy.buckets),
        taxonomy.ids,
        spec.bootstrap,
        spec.confidence,
        generator(spec.seed, "shares"),
    )
    contrasts = []
    for contrast in study.config.contrasts:
        progress(f"split of {contrast.name}")
        contrasts.append(_contrast(study, judged, contrast, common))
    recipe = signature(
        alpha="nominal",
        level="category",
        items=by_category.items,
        raters=len(by_category.annotators),
        skipped=left_out["tasks skipped by annotators"],
        **common,
    )
    results = Results(
        simulated=judgements.simulated,
        agreement=by_category,
        agreement_kind=by_kind,
        adjudicated=Counter(
            line.disagreement or "unsaid" for key, line in judgements.adjudicated.items() if key in used
        ),
        anchoring=anchoring(
            [line for key, votes in judgements.votes.items() if key in used for line in votes.values()],
            word_families(study.concepts.values()),
            taxonomy.ids,
            spec.bootstrap,
            spec.confidence,
            generator(spec.seed, "anchoring"),
        ),
        audit=audit(judged, of_rows, taxonomy, spec.confidence),
        shares=conditions,
        contrasts=contrasts,
        mass=mean_mass(study),
        examples=examples(replace(judged, frame=rows), study),
        left_out=left_out,
        tables={},
        signature=recipe,
    )
    return replace(results, tables=_tables(study, results, common))


def _agreements(study: Study, judgements: Judgements, used: set[str]) -> tuple[Agreement, Agreement]:
    """Agreement on the category and on its kind (as it stands for patched rows); missing answers are gaps.

    `used` are the content keys of the items whose outputs are analysed.
    """
    spec, taxonomy = study.config.analysis, study.taxonomy
    labels = {
        item: {
            name: str(line.label) for name, line in votes.items() if not is_missing(str(line.label), taxonomy)
        }
        for item, votes in judgements.votes.items()
        if item in used
    }  # fmt: skip
    kinds = {
        item: {name: str(taxonomy.category(label).kind) for name, label in votes.items()}
        for item, votes in labels.items()
    }
    return (
        agreement(labels, "nominal", spec.bootstrap, spec.confidence, generator(spec.seed, "agreement", "category")),
        agreement(kinds, "nominal", spec.bootstrap, spec.confidence, generator(spec.seed, "agreement", "kind")),
    )


def _left_out(judged: Judged, judgements: Judgements, study: Study, rows: pd.DataFrame) -> Counter[str]:
    """`rows` are those of `judged.frame` that are analysed."""
    counts: Counter[str] = Counter()
    used = set(rows["item_id"].dropna())
    counts[SENSE_SPLIT] = len(judged.frame) - len(rows)
    for votes in judgements.votes.values():
        for line in votes.values():
            if is_missing(str(line.label), study.taxonomy):
                counts[MISSING.format(line.label)] += 1
    for item_id, found in judged.verdicts.items():
        if item_id not in used:
            counts[UNUSED] += 1
        elif item_id in judged.inclusion.selected:
            counts[UNJUDGED] += found.reason in ("unjudged", "missing")
            counts[TIED] += found.reason == "tie"
        else:
            counts[OUTSIDE] += found.reason != "unjudged"
    counts[UNASKED] = len(judged.inclusion.unasked & used)
    counts[NOT_GIVEN] = int(rows["sense_not_given"].sum())
    return +counts


def _contrast(study: Study, judged: Judged, contrast: Contrast, common: dict[str, object]) -> ContrastResult:
    spec = study.config.analysis
    units = units_of(judged.frame, study.config, contrast, judged.inclusion)
    buckets = list(study.taxonomy.buckets)
    whole, without = (
        split(frame, buckets, spec.bootstrap, spec.confidence, generator(spec.seed, "split", contrast.name))
        for frame in (units.frame, units.frame[~units.frame["identical"].astype(bool)].reset_index(drop=True))
    )
    whole, without = (_without_impossible(found, _possible(study, contrast)) for found in (whole, without))
    recipes = [
        signature(
            split="flow+share", identical=kept, units=found.units, decided=found.decided, clusters=found.clusters,
            ci=f"{spec.confidence:g}", **common,
        )
        for found, kept in ((whole, None), (without, "out"))
    ]  # fmt: skip
    return ContrastResult(contrast, units, whole, without, *recipes)


def _possible(study: Study, contrast: Contrast) -> set[str | None]:
    """The buckets that a category can have in either condition: some belong to patched rows alone."""
    return {
        category.bucket_on(side.setting != UNPATCHED)
        for side in (contrast.a, contrast.b)
        for category in study.taxonomy.categories
    }


def _without_impossible(found: Split, possible: set[str | None]) -> Split:
    """A zero that could not be anything else needs no interval, nor a bound."""

    def told(buckets: dict[str, Estimate]) -> dict[str, Estimate]:
        return {
            name: Estimate(0.0, reason=IMPOSSIBLE) if value.point == 0 and name not in possible else value
            for name, value in buckets.items()
        }

    return replace(found, flow_buckets=told(found.flow_buckets), share_buckets=told(found.share_buckets))


def _tables(study: Study, results: Results, common: dict[str, object]) -> dict[str, Table]:
    tables = [
        *split_tables(study, results.contrasts),
        *share_tables(study, results.shares, signature(shares="weighted", **common)),
        *judgement_tables(study, results, common),
        *count_tables(results.contrasts, results.left_out, results.signature),
    ]
    tables = [
        replace(table, notes=[*warnings(study, any(column.interval for column in table.columns)), *table.notes])
        for table in tables
    ]  # fmt: skip
    if results.simulated:
        note = "The annotators were simulated: these figures show how the analysis works, not what people say."
        tables = [
            replace(table, title=f"{table.title} (simulated annotators)", notes=[note, *table.notes])
            for table in tables
        ]  # fmt: skip
    return {table.name: table for table in tables}


def warnings(study: Study, intervals: bool = True) -> list[str]:
    """What a reader must know before any figure, or any interval, of this study."""
    spec = study.config.analysis
    found = [EXCLUDED_NOTE] if spec.exclude_sense_split else []
    if intervals and spec.bootstrap < FEW:
        found.append(few_resamples(spec.bootstrap))
    return found
