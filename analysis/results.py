"""The whole analysis of a study as plain results; nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from gainsift.analysis.agreement import Agreement
from gainsift.analysis.agreement_of_study import StudyAgreement, study_agreement
from gainsift.analysis.anchoring import Anchoring, anchoring
from gainsift.analysis.audit import Audit, audit
from gainsift.analysis.beyond_tables import beyond_table
from gainsift.analysis.beyond_verdicts import Beyond, beyond_verdicts
from gainsift.analysis.chain_tables import chain_table
from gainsift.analysis.chains import Chain, chains
from gainsift.analysis.contrast_results import ContrastResult, contrast_results
from gainsift.analysis.dawid_skene import VIEWS
from gainsift.analysis.emergence import Emergence, emergence
from gainsift.analysis.estimate import FEW, few_resamples, generator
from gainsift.analysis.examples import Example, examples
from gainsift.analysis.item_list import ListedItem, item_list
from gainsift.analysis.judged import Judged, judge
from gainsift.analysis.judgement_tables import judgement_tables
from gainsift.analysis.judgements import Judgements, gather
from gainsift.analysis.mass import mean_mass
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.result_tables import count_tables, share_tables, split_tables
from gainsift.analysis.sensitivity import Variant, sensitivity
from gainsift.analysis.sensitivity_tables import sensitivity_table
from gainsift.analysis.shares import ConditionShares, shares
from gainsift.analysis.sign_flip import FLIPS
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Table
from gainsift.analysis.transition_examples import Transition, transition_examples
from gainsift.analysis.transition_tables import transition_tables
from gainsift.analysis.trend_tables import trend_table
from gainsift.analysis.trends import Trend, trends
from gainsift.analysis.verdict_rules import DEFAULT as RULE
from gainsift.analysis.verdict_rules import METHODS
from gainsift.analysis.verdicts import is_missing
from gainsift.analysis.wording import MADE_UP
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.study import Study

MISSING = "judgements `{}`"
UNJUDGED = "items to be judged without a usable judgement"
TIED = "items with a tie between labels"
OUTSIDE = "judged items outside the sample (not drawn, or left out by the audit)"
UNASKED = "items that the audit did not ask about (unjudged, outside the sample)"
UNUSED = "items of outputs that the analysis leaves out"
SENSE_SPLIT = "outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)"
EXCLUDED_NOTE = (
    "Concepts flagged `sense_split` are left out here and in every other table (analysis.exclude_sense_split)."
)  # fmt: skip
NOT_GIVEN = "rows whose `other_sense` became `unrelated` (no given form carries the sense)"


@dataclass(frozen=True)
class Results:
    """Everything that the report shows. `simulated` says that the annotators were not people.

    `adjudicated`: items by what was said of the other reading. `anchoring` is empty unless automatic labels were
    shown, `audit` None unless reference answers were audited. `moved`: by contrast, steps of a chain apart.
    """

    simulated: bool
    agreed: StudyAgreement
    adjudicated: Counter[str]
    anchoring: list[Anchoring]
    audit: Audit | None
    shares: list[ConditionShares]
    contrasts: list[ContrastResult]
    chains: list[Chain]
    trends: list[Trend]
    sensitivity: list[Variant]
    beyond: list[Beyond]
    emergence: Emergence
    mass: pd.DataFrame
    examples: list[Example]
    moved: dict[str, list[Transition]]
    items: list[ListedItem]
    left_out: Counter[str]
    tables: dict[str, Table]
    signature: str

    @property
    def agreement(self) -> Agreement:
        """On the category; on the kind: `agreement_kind`."""
        return self.agreed.by_category

    @property
    def agreement_kind(self) -> Agreement:
        return self.agreed.by_kind


def analyse(study: Study, progress: Callable[[str], None] = lambda step: None) -> Results:
    """Analyse a study that has been judged. `progress` is told each step by name. Raises UserError."""
    progress("reading")
    items = study.items()
    lines = study.annotations()
    judgements = gather(
        lines,
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
    agreed = study_agreement(study, items, lines, judgements, rows)
    progress("shares")
    spec, taxonomy = study.config.analysis, study.taxonomy
    common = {
        "boot": spec.bootstrap,
        "rs": spec.seed,
        "tax": taxonomy.version,
        "source": "simulated" if judgements.simulated else None,
        "verdict": None if spec.verdict == RULE else spec.verdict,
    }
    conditions = shares(
        rows,
        [checkpoint.name for checkpoint in study.config.model.checkpoints],
        list(taxonomy.buckets),
        taxonomy.ids,
        spec.bootstrap,
        spec.confidence,
        generator(spec.seed, "shares"),
        spec.interval,
    )
    contrasts = contrast_results(study, judged, common, progress)
    progress("sensitivity")
    own = spec.verdict
    by_rule = {rule: judged.frame if rule == own else judge(study, items, judgements, rule).frame for rule in METHODS}
    identified = any(len(votes) >= VIEWS for votes in judgements.votes.values())
    variants = sensitivity(study, judged, by_rule, contrasts, identified)
    progress("unjudged outputs and wrong judgements")
    beyond = beyond_verdicts(study, items, lines, judgements, judged, by_rule["soft"], contrasts)
    progress("emergence")
    emerged = emergence(study, judged, judgements.simulated, progress)
    recipe = signature(
        alpha="nominal",
        level="category",
        items=agreed.by_category.items,
        raters=len(agreed.by_category.annotators),
        skipped=left_out["tasks skipped by annotators"],
        **common,
    )
    results = Results(
        simulated=judgements.simulated,
        agreed=agreed,
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
        chains=chains(study, judged),
        trends=trends(study, rows),
        sensitivity=variants,
        beyond=beyond,
        emergence=emerged,
        mass=mean_mass(study),
        examples=examples(replace(judged, frame=rows), study),
        moved=transition_examples(study, judged, contrasts),
        items=item_list(study, items, judged, contrasts),
        left_out=left_out,
        tables={},
        signature=recipe,
    )
    return replace(results, tables=_tables(study, results, common))


def _left_out(judged: Judged, judgements: Judgements, study: Study, rows: pd.DataFrame) -> Counter[str]:
    """`rows` are those of `judged.frame` that are analysed."""
    counts: Counter[str] = Counter()
    used = set(rows["item_id"].dropna())
    counts[SENSE_SPLIT] = judged.frame["row_id"].nunique() - rows["row_id"].nunique()
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
    counts[NOT_GIVEN] = rows.loc[rows["sense_not_given"], "row_id"].nunique()
    return +counts


def _tables(study: Study, results: Results, common: dict[str, object]) -> dict[str, Table]:
    spec = study.config.analysis
    of_trends = signature(trends="gee+flips", flips=FLIPS, correction=spec.correction, family=spec.family, **common)
    tables = [
        *split_tables(study, results.contrasts),
        *transition_tables(study, results.contrasts),
        sensitivity_table(
            results.sensitivity,
            spec.verdict,
            signature(sensitivity="flow by kind", ci=spec.interval, **common),
        ),
        beyond_table(study, results.beyond, results.contrasts, signature(errors="soft", **common)),
        *([chain_table(study, results.chains, signature(chain="share+flow", **common))] if results.chains else []),
        *share_tables(study, results.shares, signature(shares="weighted", ci=spec.interval, **common)),
        trend_table(study, results.trends, of_trends),
        *judgement_tables(study, results, common),
        *count_tables(results.contrasts, results.left_out, results.signature),
    ]
    if results.simulated:
        tables = [
            replace(table, title=f"{table.title} (simulated annotators)", notes=[MADE_UP, *table.notes])
            for table in tables
        ]  # fmt: skip
    return {
        table.name: replace(table, notes=[*warnings(study, any(c.interval for c in table.columns)), *table.notes])
        for table in [*tables, *results.emergence.tables.values()]
    }


def warnings(study: Study, intervals: bool = True) -> list[str]:
    """What a reader must know before any figure, or any interval, of this study."""
    spec = study.config.analysis
    found = [EXCLUDED_NOTE] if spec.exclude_sense_split else []
    if intervals and spec.bootstrap < FEW:
        found.append(few_resamples(spec.bootstrap))
    return found
