"""What an analysis finds in its evidence, by one path for every input: a study's folder, or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gainsift.analysis.agreement import Agreement
from gainsift.analysis.agreement_in_parts import AgreementInParts, agreement_in_parts
from gainsift.analysis.agreement_part_tables import part_tables
from gainsift.analysis.beyond_tables import beyond_table
from gainsift.analysis.beyond_verdicts import Beyond, beyond_verdicts
from gainsift.analysis.chain_tables import chain_table
from gainsift.analysis.chains import Chain, chains
from gainsift.analysis.contrast_results import ContrastResult, contrast_results
from gainsift.analysis.dawid_skene import VIEWS
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import FEW, few_resamples
from gainsift.analysis.evidence import Evidence
from gainsift.analysis.impossible import without_impossible
from gainsift.analysis.intervals import resampling
from gainsift.analysis.judgement_tables import agreement_tables
from gainsift.analysis.result_tables import count_tables, share_tables, split_tables
from gainsift.analysis.sensitivity import Variant, sensitivity
from gainsift.analysis.sensitivity_tables import sensitivity_table
from gainsift.analysis.shares import ConditionShares, shares
from gainsift.analysis.sign_flip import FLIPS
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Table
from gainsift.analysis.transition_tables import transition_tables
from gainsift.analysis.trend_tables import trend_table
from gainsift.analysis.trends import Trend, trends
from gainsift.analysis.verdict_rules import DEFAULT as RULE
from gainsift.analysis.wording import MADE_UP, SIMULATED
from gainsift.schemas.config import AnalysisSpec

EXCLUDED_NOTE = (
    "Concepts flagged `sense_split` are left out here and in every other table (analysis.exclude_sense_split)."
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """`simulated` says that the annotators were not people; `common` are the parts of every signature."""

    design: Design
    simulated: bool
    agreed: AgreementInParts
    shares: list[ConditionShares]
    contrasts: list[ContrastResult]
    chains: list[Chain]
    trends: list[Trend]
    sensitivity: list[Variant]
    beyond: list[Beyond]
    left_out: Counter[str]
    common: Mapping[str, object]
    signature: str
    tables: dict[str, Table]

    @property
    def agreement(self) -> Agreement:
        """On the category; on the kind: `agreement_kind`."""
        return self.agreed.by_category

    @property
    def agreement_kind(self) -> Agreement:
        return self.agreed.by_kind

    @property
    def mark(self) -> str:
        """What follows every title where the annotators were simulated."""
        return SIMULATED if self.simulated else ""


def findings(design: Design, evidence: Evidence, progress: Callable[[str], None] = lambda step: None) -> Findings:
    """Analyse everything. `progress` is told each step by name."""
    spec, taxonomy = design.spec, design.taxonomy
    common: dict[str, object] = {
        "boot": spec.bootstrap,
        "rs": spec.seed,
        "tax": taxonomy.version,
        "source": "simulated" if evidence.simulated else None,
        "verdict": None if spec.verdict == RULE else spec.verdict,
    }
    frame, rows = evidence.frame(design), evidence.rows(design)
    progress("agreement")
    agreed = agreement_in_parts(design, evidence)
    progress("shares")
    of_conditions = shares(
        rows, design.conditions, list(taxonomy.buckets), taxonomy.ids, spec.bootstrap, spec.confidence,
        resampling(spec), spec.interval,
    )  # fmt: skip
    of_conditions = [
        replace(one, buckets=without_impossible(one.buckets, taxonomy, [one.condition])) for one in of_conditions
    ]
    contrasts = contrast_results(design, frame, evidence.inclusion, common, progress)
    progress("sensitivity")
    identified = any(len(ballot.votes) >= VIEWS for ballot in evidence.ballots.values())
    variants = sensitivity(design, evidence.by_rule, evidence.inclusion, contrasts, evidence.accepting, identified)
    progress("unjudged outputs and wrong judgements")
    beyond = beyond_verdicts(design, evidence, contrasts)
    progress("chains and trends")
    recipe = signature(
        alpha="nominal", level="category", items=agreed.by_category.items, raters=len(agreed.by_category.annotators),
        skipped=evidence.skipped, **common,
    )  # fmt: skip
    found = Findings(
        design=design,
        simulated=evidence.simulated,
        agreed=agreed,
        shares=of_conditions,
        contrasts=contrasts,
        chains=chains(design, rows, evidence.inclusion),
        trends=trends(design, rows),
        sensitivity=variants,
        beyond=beyond,
        left_out=evidence.left_out,
        common=common,
        signature=recipe,
        tables={},
    )
    return replace(found, tables=told(found, _tables(found)))


def _tables(found: Findings) -> list[Table]:
    design, common = found.design, found.common
    spec = design.spec
    of_trends = signature(trends="gee+flips", flips=FLIPS, correction=spec.correction, family=spec.family, **common)
    of_sensitivity = signature(sensitivity="flow by kind", ci=spec.interval, **common)
    return [
        *split_tables(design, found.contrasts),
        *transition_tables(design, found.contrasts),
        sensitivity_table(design, found.sensitivity, of_sensitivity),
        beyond_table(design, found.beyond, found.contrasts, signature(errors="soft", **common)),
        *([chain_table(design, found.chains, signature(chain="share+flow", **common))] if found.chains else []),
        *share_tables(design, found.shares, signature(shares="weighted", ci=spec.interval, **common)),
        trend_table(design, found.trends, of_trends),
        *agreement_tables(design, found.agreed, found.signature),
        *part_tables(design, found.agreed, found.signature),
        *count_tables(design, found.contrasts, found.left_out, found.signature),
    ]


def told(found: Findings, tables: list[Table]) -> dict[str, Table]:
    """The tables by name, with the notes that every reader needs."""
    if found.simulated:
        tables = [
            replace(table, title=table.title + SIMULATED, notes=[MADE_UP, *table.notes]) for table in tables
        ]  # fmt: skip
    return warned(found.design.spec, tables)


def warned(spec: AnalysisSpec, tables: list[Table]) -> dict[str, Table]:
    """The tables by name, each with its warnings."""
    return {
        table.name: replace(table, notes=[*warnings(spec, any(c.interval for c in table.columns)), *table.notes])
        for table in tables
    }


def warnings(spec: AnalysisSpec, intervals: bool = True) -> list[str]:
    """What a reader must know before any figure, or any interval."""
    found = [EXCLUDED_NOTE] if spec.exclude_sense_split else []
    if intervals and spec.bootstrap < FEW:
        found.append(few_resamples(spec.bootstrap))
    return found
