"""The tables of judgements: agreement, adjudication, anchoring by automatic labels, the audit of reference answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gainsift.analysis.agreement_in_parts import AgreementInParts
from gainsift.analysis.agreement_part_tables import OTHERS, coefficient_columns, resampled
from gainsift.analysis.anchoring import Anchoring
from gainsift.analysis.audit import Audit
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Column, Table
from gainsift.schemas.study import Study

if TYPE_CHECKING:
    from gainsift.analysis.results import Results

ADJUDICATED = {
    "variation": "The other reading was defensible (label variation)",
    "error": "The other reading was a slip (error)",
    "unsaid": "Not said",
}
"""What the adjudicator said of the reading that did not prevail."""


def judgement_tables(study: Study, results: Results, common: Mapping[str, object]) -> list[Table]:
    """Adjudication, anchoring and audit, where there is something to say."""
    spec = study.config.analysis
    tables: list[Table] = []
    exact = {key: value for key, value in common.items() if key in ("tax", "source")}
    if results.adjudicated:
        recipe = signature(adjudicated=results.adjudicated.total(), **exact)
        tables.append(adjudication_table(results.adjudicated, recipe))
    if results.anchoring:
        whole = results.anchoring[0]
        recipe = signature(
            anchoring="shown-withheld", judgements=whole.judgements_shown + whole.judgements_withheld,
            items=whole.items, raters=whole.annotators, clusters=whole.clusters, ci=f"{spec.confidence:g}", **common,
        )  # fmt: skip
        tables.append(anchoring_table(study, results.anchoring, recipe))
    if results.audit:
        recipe = signature(audit="clopper-pearson", items=results.audit.asked, ci=f"{spec.confidence:g}", **exact)
        tables.append(audit_table(results.audit, spec.confidence, recipe))
    return tables


def agreement_tables(design: Design, found: AgreementInParts, recipe: str) -> list[Table]:
    by_category, by_kind = found.by_category, found.by_kind
    labels = {category.id: category.label for category in design.taxonomy.categories}
    order = [name for name in design.taxonomy.ids if name in by_category.labels]
    spec = design.spec
    whole = Table(
        "agreement",
        "Agreement between annotators",
        [Column("level", "Level"), Column("alpha", "Krippendorff's α", "coefficient", interval=True),
         Column("percent", "Agreeing pairs, %", "percent", interval=True), Column("items", "Items", "count"),
         Column("pairable", "Judged twice or more", "count"), Column("judgements", "Judgements", "count"),
         Column("annotators", "Annotators", "count")],
        [
            {"level": level, "alpha": one.alpha, "percent": one.percent, "items": one.items,
             "pairable": one.pairable, "judgements": one.judgements, "annotators": len(one.annotators)}
            for level, one in (("category", by_category), ("kind", by_kind))
        ],
        ["Nominal alpha; answers such as `unsure` are gaps. Over distinct items, each counted once.", resampled(spec)],
        recipe,
    )  # fmt: skip
    by_label = {one.label: one for one in by_category.per_label}
    per_label = Table(
        "agreement_labels",
        "Agreement on each category against the rest",
        [Column("label", "Category id", printed=False), Column("name", "Category"),
         Column("alpha", "α", "coefficient", interval=True), Column("support", "Judgements", "count"),
         *coefficient_columns()],
        [
            {"label": name, "name": labels[name], "alpha": by_label[name].alpha, "support": by_label[name].support,
             **{key: found.labels[name][key] for key in ("percent", *OTHERS, "cohen")}}
            for name in order
        ],
        ["Each category against all others, over items judged twice or more. Judgements: those that gave the category.",
         resampled(spec)],
        recipe,
    )  # fmt: skip
    pairs = Table(
        "agreement_pairs",
        "Cohen's κ of each pair of annotators",
        [Column("a", "Annotator"), Column("b", "Annotator"), Column("n", "Common items", "count"),
         Column("cohen_kappa", "Cohen's κ", "coefficient", interval=True)],
        [{"a": p.a, "b": p.b, "n": p.n, "cohen_kappa": p.cohen_kappa} for p in by_category.pairwise],
        ["Over the items that both have judged.", resampled(spec)]
        if by_category.pairwise
        else ["Undefined: fewer than two annotators."],
        recipe,
    )  # fmt: skip
    confusion = Table(
        "agreement_confusion",
        "Which categories are confused",
        [Column("label", "Category id", printed=False), Column("name", "Category"),
         *(Column(f"with_{name}", labels[name], "count") for name in order)],
        [{"label": a, "name": labels[a], **{f"with_{b}": by_category.confusion[a, b] for b in order}} for a in order],
        ["Pairs of judgements of one item by their two labels; in the diagonal both agree.",
         f"n = {by_category.pairable:,} items judged twice or more, {by_category.judgements:,} judgements."],
        recipe,
    )  # fmt: skip
    return [whole, per_label, pairs, confusion]


def adjudication_table(adjudicated: Counter[str], recipe: str) -> Table:
    """`adjudicated`: items by key of ADJUDICATED."""
    total = adjudicated.total()
    rows = [("adjudicated", "Items adjudicated", total)]
    rows += [(key, name, adjudicated[key]) for key, name in ADJUDICATED.items() if adjudicated[key] or key != "unsaid"]
    return Table(
        "adjudication",
        "What the disagreements were",
        [Column("what", "Id", printed=False), Column("name", "What"), Column("items", "Items", "count"),
         Column("share", "Share, %", "rate")],
        [{"what": key, "name": name, "items": count, "share": Estimate(count / total)} for key, name, count in rows],
        ["Shares are of the items adjudicated. The adjudicated label is the verdict of its item. Agreement is that of"
         " the judgements before adjudication."],
        recipe,
    )  # fmt: skip


def anchoring_table(study: Study, found: Sequence[Anchoring], recipe: str) -> Table:
    labels = {category.id: category.label for category in study.taxonomy.categories}
    spec = study.config.analysis
    return Table(
        "anchoring",
        "Judgements that equal the automatic label, where it was shown and where it was withheld",
        [Column("prelabel", "Automatic label id", printed=False), Column("name", "Automatic label"),
         Column("shown", "Equal where shown, %", "rate", interval=True),
         Column("withheld", "Equal where withheld, %", "rate", interval=True),
         Column("difference", "Difference, points", "points", interval=True),
         Column("judgements_shown", "Judgements, shown", "count"),
         Column("judgements_withheld", "Judgements, withheld", "count"), Column("items", "Items", "count"),
         Column("annotators", "Annotators", "count"), Column("clusters", "Word families", "count")],
        [
            {
                "prelabel": "all" if one.prelabel is None else one.prelabel,
                "name": "All" if one.prelabel is None else labels[one.prelabel],
                "shown": one.shown,
                "withheld": one.withheld,
                "difference": one.difference,
                "judgements_shown": one.judgements_shown,
                "judgements_withheld": one.judgements_withheld,
                "items": one.items,
                "annotators": one.annotators,
                "clusters": one.clusters,
            }
            for one in found
        ],
        ["Which pages showed the automatic label was drawn at random. Every judgement counts once, `unsure` as"
         " different from the label. Repeated tasks and controls are left out. Intervals resample word"
         f" families (percentile bootstrap, {spec.bootstrap:,} resamples, {100 * spec.confidence:g} %)."],
        recipe,
    )  # fmt: skip


def audit_table(found: Audit, confidence: float, recipe: str) -> Table:
    return Table(
        "audit",
        "Reference answers that people do not call correct",
        [Column("asked", "Items asked about", "count"), Column("decided", "Decided", "count"),
         Column("wrong", "Not correct", "count"), Column("share", "Not correct, % of decided", "rate", interval=True),
         Column("unasked", "Items not asked about", "count")],
        [{"asked": found.asked, "decided": found.decided, "wrong": found.wrong, "share": found.share,
          "unasked": found.unasked}],
        ["A simple random sample of the drawn answers that equal a reference form: each item counts once, nothing is"
         f" weighed. Exact {100 * confidence:g} % interval (Clopper-Pearson). Items not asked about stay unjudged;"
         " the other tables weigh the audited ones for them."],
        recipe,
    )  # fmt: skip
