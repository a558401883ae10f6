"""The tables of a tidy table's analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gainsift.analysis.agreement import NAMES
from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.result_tables import LEVELS, PARTS
from gainsift.analysis.signature import signature
from gainsift.analysis.split import NO_BUCKET, Split
from gainsift.analysis.studentised import caution
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.tidy_analysis import TidyContrast, TidyResults
from gainsift.schemas.taxonomy import Taxonomy

_CONTRAST = Column("contrast", "Contrast")
SUMS = "Apparent gain = human gain + undeserved credit + missed (minus) + undecided; buckets add up to human gain."
UNSCORED = "The table has no column `success`: units with two usable verdicts alone count, and only their human gain."
FLOW_AND_SHARE = "Flow: P(category → correct) − P(correct → category). Share: its share before − after."
MARK = " (simulated annotators)"
SIMULATED = "Annotators were simulated: these figures show how the analysis works, not what people say."
UNEVEN = (
    "{} units weigh differently at their two conditions: the larger weight counts, as if the rarer draw were made among"
    " the other."
)


def result_tables(results: TidyResults, taxonomy: Taxonomy) -> dict[str, Table]:
    """Every table by its name: the split and what belongs to it, shares, agreement, counts."""
    tables = [
        _split(results, taxonomy, "split", "The split of the apparent gain"),
        *_levels(results),
        _categories(results, taxonomy),
        _transitions(results, taxonomy),
        *_shares(results, taxonomy),
        *_agreement(results, taxonomy),
        *_counts(results),
    ]
    if any(one.without_identical for one in results.contrasts):
        title = "The split without units that a pure copier gets right"
        tables.append(_split(results, taxonomy, "split_without_identical", title))
    if results.simulated:
        tables = [
            replace(table, title=table.title + MARK, notes=[SIMULATED, *table.notes]) for table in tables
        ]  # fmt: skip
    return {table.name: table for table in tables}


def bucket_name(taxonomy: Taxonomy, bucket: str) -> str:
    return "No bucket" if bucket == NO_BUCKET else taxonomy.buckets[bucket]


def _of_contrasts(
    results: TidyResults, name: str, title: str, columns: list[Column], rows: list[list[dict[str, Any]]],
    notes: list[str],
) -> Table:  # fmt: skip
    """A table with some rows for each contrast, each with the signature of its contrast."""
    recipes = [one.signature for one in results.contrasts]
    flat = [{"contrast": one.name, **row} for one, group in zip(results.contrasts, rows, strict=True) for row in group]
    each = [recipe for recipe, group in zip(recipes, rows, strict=True) for _ in group]
    return Table(name, title, [_CONTRAST, *columns], flat, notes, " ".join(dict.fromkeys(recipes)), each)


def _split(results: TidyResults, taxonomy: Taxonomy, name: str, title: str) -> Table:
    columns = [
        Column("part", "Id", printed=False),
        Column("name", "Part"),
        Column("flow", "Points (flow)", "points", interval=True),
        Column("share", "Points (share)", "points", interval=True),
        Column("of_gain", "% of gain", "rate", interval=True),
        Column("units", "Units", "count"),
        Column("clusters", "Clusters", "count"),
    ]
    whole = name == "split"
    splits = [one.split if whole else one.without_identical for one in results.contrasts]
    rows = [_split_rows(split, taxonomy, results.scored) if split else [] for split in splits]
    notes = [SUMS] if results.scored else [UNSCORED]
    notes += [f"{one.name}: {note}" for one in results.contrasts if (note := caution(one.split.clusters))]
    notes += [UNEVEN.format(results.uneven)] if results.uneven else []
    return _of_contrasts(results, name, title, columns, rows, notes)


def _split_rows(split: Split, taxonomy: Taxonomy, scored: bool) -> list[dict[str, Any]]:
    def row(part: str, name: str, flow: Estimate, share: Estimate | None, of_gain: Estimate | None) -> dict[str, Any]:
        return {"part": part, "name": name, "flow": flow, "share": share, "of_gain": of_gain,
                "units": split.units, "clusters": split.clusters}  # fmt: skip

    parts = {
        key: row(key, name, split.parts[key], None, split.of_gain.get(key) if scored else None)
        for key, name in PARTS.items()
    }
    buckets = [
        row(
            f"bucket_{bucket}" if bucket in PARTS else bucket, f"– {bucket_name(taxonomy, bucket)}", estimate,
            split.share_buckets[bucket], split.of_gain_buckets[bucket] if scored else None,
        )
        for bucket, estimate in split.flow_buckets.items()
    ]  # fmt: skip
    if not scored:
        return [parts["human"], *buckets]
    return [parts["apparent"], parts["human"], *buckets, *(parts[key] for key in ("undeserved", "missed", "undecided"))]


def _levels(results: TidyResults) -> list[Table]:
    columns = [
        Column("measure", "Measure id", printed=False), Column("name", "Measure"),
        Column("before", "Before, %", "rate", interval=True), Column("after", "After, %", "rate", interval=True),
        Column("change", "Change, points", "points", interval=True), Column("units", "Units", "count"),
    ]  # fmt: skip
    rows = [
        [
            {"measure": measure, "name": name, "before": one.split.parts[before], "after": one.split.parts[after],
             "change": one.split.parts[change],
             "units": one.split.units if measure == "success" else one.split.decided}
            for measure, (name, before, after, change) in LEVELS.items()
            if results.scored or measure != "success"
        ]
        for one in results.contrasts
    ]  # fmt: skip
    return [_of_contrasts(results, "levels", "Before and after", columns, rows, [])]


def _categories(results: TidyResults, taxonomy: Taxonomy) -> Table:
    order = {bucket: place for place, bucket in enumerate(taxonomy.buckets)}
    columns = [
        Column("bucket", "Bucket id", printed=False), Column("bucket_name", "Bucket"),
        Column("category", "Category id", printed=False),
        Column("name", "Category"), Column("flow", "Points (flow)", "points", interval=True),
        Column("share", "Points (share)", "points", interval=True),
    ]  # fmt: skip
    rows = [
        [
            {"bucket": bucket, "bucket_name": bucket_name(taxonomy, bucket), "category": category,
             "name": taxonomy.category(category).label, "flow": one.split.flow[bucket, category],
             "share": one.split.share[bucket, category]}
            for bucket, category in sorted(one.split.flow, key=lambda cell: (order.get(cell[0], len(order)), cell[1]))
        ]
        for one in results.contrasts
    ]  # fmt: skip
    title = "Human gain by bucket and category"
    return _of_contrasts(results, "split_categories", title, columns, rows, [FLOW_AND_SHARE])


def _transitions(results: TidyResults, taxonomy: Taxonomy) -> Table:
    columns = [
        Column("from", "Before (id)", printed=False), Column("to", "After (id)", printed=False),
        Column("from_name", "Before"),
        Column("to_name", "After"), Column("weight", "Weighted units", "weight"),
        Column("share", "% of decided", "rate"),
    ]  # fmt: skip
    rows = [_moves(one, taxonomy) for one in results.contrasts]
    notes = ["Units with two usable verdicts, each weighed; a unit that stays in its category is listed, too."]
    return _of_contrasts(results, "transitions", "Transitions between categories", columns, rows, notes)


def _moves(contrast: TidyContrast, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    total = sum(contrast.moves.values())
    return [
        {"from": a, "to": b, "from_name": taxonomy.category(a).label, "to_name": taxonomy.category(b).label,
         "weight": contrast.moves[a, b], "share": Estimate(contrast.moves[a, b] / total)}
        for a in taxonomy.ids
        for b in taxonomy.ids
        if (a, b) in contrast.moves
    ]  # fmt: skip


# --- shares, agreement, counts ---------------------------------------------------------------------------


def _shares(results: TidyResults, taxonomy: Taxonomy) -> list[Table]:
    recipe = signature(shares="weighted", **results.common)
    places = {one.name: None if one.order != one.order else one.order for one in results.conditions}
    condition = [Column("condition", "Condition"), Column("order", "Place", "weight")]
    no_score = undefined("the table has no column `success`")
    outcomes = [
        {"condition": one.checkpoint, "order": places[one.checkpoint], "rows": one.rows, "decided": one.decided,
         "success": one.success if results.scored else no_score, "correct": one.correct,
         **{f"bucket_{key}": share for key, share in one.buckets.items()}}
        for one in results.shares
    ]  # fmt: skip
    categories = [
        {"condition": one.checkpoint, "order": places[one.checkpoint], "category": name,
         "name": taxonomy.category(name).label, "share": share, "decided": one.decided}
        for one in results.shares
        for name, share in one.categories.items()
    ]  # fmt: skip
    return [
        Table(
            "outcomes", "Outcomes at each condition",
            [*condition, Column("rows", "Rows", "count"), Column("decided", "Decided", "count"),
             Column("success", "Success, %", "rate", interval=True),
             Column("correct", "Correct, %", "rate", interval=True),
             *(Column(f"bucket_{key}", f"{name}, %", "rate", interval=True)
               for key, name in taxonomy.buckets.items())],
            outcomes,
            ["Success: over all rows of the sample. Correct, and the buckets of what is not: over decided rows."],
            recipe,
        ),
        Table(
            "shares", "Share of each category at each condition",
            [*condition, Column("category", "Category id", printed=False), Column("name", "Category"),
             Column("share", "Share, %", "rate", interval=True), Column("decided", "Decided", "count")],
            categories, ["Over decided rows; categories that occur nowhere are left out."], recipe,
        ),
    ]  # fmt: skip


def _agreement(results: TidyResults, taxonomy: Taxonomy) -> list[Table]:
    levels = {"category": results.agreement, "kind": results.agreement_kind}
    whole = [
        {"level": level, "coefficient": key, "name": "agreeing pairs" if key == "percent" else NAMES[key],
         "value": _as_rate(one) if key == "percent" else one,
         "items": found.items, "pairable": found.pairable, "judgements": found.judgements,
         "annotators": len(found.annotators)}
        for level, found in levels.items()
        for key, one in found.coefficients.items()
    ]  # fmt: skip
    counts = [("items", "Items"), ("pairable", "Judged twice or more"), ("judgements", "Judgements"),
              ("annotators", "Annotators")]  # fmt: skip
    labels = [
        {"label": one.label, "name": taxonomy.category(one.label).label, "alpha": one.alpha, "support": one.support}
        for one in results.agreement.per_label
    ]
    pairs = [
        {"a": one.a, "b": one.b, "n": one.n, "cohen_kappa": one.cohen_kappa} for one in results.agreement.pairwise
    ]  # fmt: skip
    recipe = results.signature
    return [
        Table(
            "agreement", "Agreement between annotators",
            [Column("level", "Level"), Column("coefficient", "Id", printed=False), Column("name", "Coefficient"),
             Column("value", "Value", "coefficient", interval=True),
             *(Column(key, head, "count") for key, head in counts)],
            whole, ["Over distinct items, unweighted; answers such as `unsure` are gaps. Intervals resample items."],
            recipe,
        ),
        Table(
            "agreement_labels", "Agreement on each category against the rest",
            [Column("label", "Category id", printed=False), Column("name", "Category"),
             Column("alpha", "α", "coefficient", interval=True), Column("support", "Judgements", "count")],
            labels, [], recipe,
        ),
        Table(
            "agreement_pairs", "Cohen's κ of each pair of annotators",
            [Column("a", "Annotator"), Column("b", "Annotator"), Column("n", "Common items", "count"),
             Column("cohen_kappa", "Cohen's κ", "coefficient", interval=True)],
            pairs, [] if pairs else ["Undefined: fewer than two annotators."], recipe,
        ),
    ]  # fmt: skip


def _as_rate(percent: Estimate) -> Estimate:
    """Per cent as a rate: coefficients stand beside it."""
    point, low, high = (None if x is None else x / 100 for x in (percent.point, percent.low, percent.high))
    return Estimate(point, low, high, percent.reason)


def _counts(results: TidyResults) -> list[Table]:
    heads = {
        "units": "Units", "decided": "Decided", "clusters": "Clusters", "weight": "Weighted units",
        "only_a": "Only before", "only_b": "Only after", "outside": "Outside the sample", "identical": "Identical",
    }  # fmt: skip
    columns = [Column(key, head, "weight" if key == "weight" else "count") for key, head in heads.items()]
    rows = [
        [{"units": len(one.units), "decided": one.split.decided, "clusters": one.split.clusters,
          "weight": one.split.weight, "only_a": one.only_a, "only_b": one.only_b, "outside": one.outside,
          "identical": int(one.units["identical"].sum())}]
        for one in results.contrasts
    ]  # fmt: skip
    left = [{"what": what, "count": count} for what, count in sorted(results.left_out.items())]
    return [
        _of_contrasts(results, "units", "Units of each contrast", columns, rows, []),
        Table(
            "left_out", "What was left out or set aside", [Column("what", "What"), Column("count", "Number", "count")],
            left, [] if left else ["Nothing."], results.signature,
        ),
    ]  # fmt: skip
