"""The tables of outputs: the split of each contrast, shares of each condition, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.intervals import caution, told
from gainsift.analysis.share_of_gain import METHOD as OF_GAIN
from gainsift.analysis.shares import KINDS, ConditionShares
from gainsift.analysis.split import NO_BUCKET, Split
from gainsift.analysis.tables import Column, Table
from gainsift.schemas.taxonomy import Taxonomy

if TYPE_CHECKING:
    from gainsift.analysis.contrast_results import ContrastResult

PARTS = {
    "apparent": "Apparent gain",
    "human": "Human gain",
    "undeserved": "Undeserved credit (change)",
    "missed": "Missed answers (minus change)",
    "undecided": "Undecided units",
}
LEVELS = {
    "success": ("Success, all units", "success_a", "success_b", "apparent"),
    "human": ("Called correct, decided units", "human_a", "human_b", "human_decided"),
}
_CONTRAST = Column("contrast", "Contrast")
_SIZES = [Column("units", "Units", "count"), Column("clusters", "Clusters", "count")]
UNSCORED = "There is no automatic success: units with two usable verdicts alone count, and only their human gain."


def bucket_name(taxonomy: Taxonomy, bucket: str) -> str:
    return "No bucket" if bucket == NO_BUCKET else taxonomy.buckets[bucket]


def part_id(bucket: str) -> str:
    """The bucket's id among the parts of the split; a team may have called a bucket like a part."""
    return f"bucket_{bucket}" if bucket in PARTS else bucket


# --- the split -------------------------------------------------------------------------------------------


def split_tables(design: Design, contrasts: Sequence[ContrastResult]) -> list[Table]:
    where = [f"{result.contrast.name}: {result.contrast.where}." for result in contrasts]
    left = [
        f"{result.contrast.name}: {result.split.decided} of {result.units.size} units decided; in one condition"
        f" only: {result.units.only_a} before, {result.units.only_b} after; outside the sample:"
        f" {result.units.outside}."
        for result in contrasts
    ]
    spec = design.spec
    how = [
        told(spec, design.clusters),
        "All parts are divided by the same N, the units of the contrast, each weighing one over its probability.",
        *([f"Share of the gain: {OF_GAIN}; not estimable where the interval of the gain holds 0."] * design.scored),
        *(f"{result.contrast.name}: {note}" for result in contrasts if (note := caution(result.split.clusters, spec))),
    ]
    sums = "Apparent gain = human gain + undeserved credit + missed (minus) + undecided; buckets add up to human gain."
    columns = [
        _CONTRAST,
        Column("part", "Id", printed=False),
        Column("name", "Part"),
        Column("flow", "Points (flow)", "points", interval=True),
        Column("share", "Points (share)", "points", interval=True),
        *([Column("of_gain", "% of gain", "rate", interval=True)] * design.scored),
        *_SIZES,
    ]
    added = sums if design.scored else UNSCORED
    rows = [_split_rows(design, result, result.split) for result in contrasts]
    title = "The split of the apparent gain" if design.scored else "The split of the human gain"
    notes, recipes = [*where, *left, added, *how], [result.signature for result in contrasts]
    tables = [of_contrasts("split", title, columns, rows, notes, recipes)]
    if design.identical:
        rows = [
            _split_rows(design, result, result.without_identical) for result in contrasts if result.without_identical
        ]
        title = "The split without units that a pure copier gets right"
        recipes = [result.signature_without for result in contrasts]
        tables.append(of_contrasts("split_without_identical", title, columns, rows, [*where, added, *how], recipes))
    recipes = [result.signature for result in contrasts]
    categories = of_contrasts(
        "split_categories",
        "Human gain by bucket and category",
        [_CONTRAST, Column("bucket", "Bucket id", printed=False), Column("bucket_name", "Bucket"),
         Column("category", "Category id", printed=False),
         Column("name", "Category"), Column("flow", "Points (flow)", "points", interval=True),
         Column("share", "Points (share)", "points", interval=True)],
        [_category_rows(design.taxonomy, result) for result in contrasts],
        [*where, "Flow: P(category → correct) − P(correct → category). Share: its share before − after. Both are"
         " divided by all units of the contrast, decided or not, so that they add up to the human gain.", *left,
         told(spec, design.clusters)],
        recipes,
    )  # fmt: skip
    levels = of_contrasts(
        "levels",
        "Before and after",
        [_CONTRAST, Column("measure", "Measure id", printed=False), Column("name", "Measure"),
         Column("before", "Before, %", "rate", interval=True), Column("after", "After, %", "rate", interval=True),
         Column("change", "Change, points", "points", interval=True), *_SIZES],
        [_level_rows(design, result) for result in contrasts],
        [*where, "Success: of all units of a contrast. Called correct: of those with two usable verdicts. Units weigh"
         " one over their probability. Figures and intervals are those of `outcomes` where every row of a condition is"
         " in a unit that counts.", told(spec, design.clusters)],
        recipes,
    )  # fmt: skip
    return [levels, *tables, categories]


def of_contrasts(
    name: str,
    title: str,
    columns: Sequence[Column],
    groups: Sequence[Sequence[dict[str, Any]]],
    notes: Sequence[str],
    recipes: Sequence[str],
) -> Table:
    """A table with a group of rows for each contrast, every row with the signature of its own contrast."""
    rows = [row for group in groups for row in group]
    signatures = [recipe for group, recipe in zip(groups, recipes, strict=True) for _ in group]
    return Table(name, title, columns, rows, notes, " ".join(dict.fromkeys(recipes)), signatures)


def _level_rows(design: Design, result: ContrastResult) -> list[dict[str, Any]]:
    split = result.split
    sizes = {"success": (split.units, split.clusters), "human": (split.decided, split.clusters_decided)}
    return [
        {
            "contrast": result.contrast.name,
            "measure": measure,
            "name": name,
            "before": split.parts[before],
            "after": split.parts[after],
            "change": split.parts[change],
            "units": sizes[measure][0],
            "clusters": sizes[measure][1],
        }
        for measure, (name, before, after, change) in LEVELS.items()
        if design.scored or measure != "success"
    ]


def _split_rows(design: Design, result: ContrastResult, split: Split) -> list[dict[str, Any]]:
    def row(part: str, name: str, flow: Estimate, share: Estimate | None, of_gain: Estimate | None) -> dict[str, Any]:
        return {
            "contrast": result.contrast.name,
            "part": part,
            "name": name,
            "flow": flow,
            "share": share,
            "of_gain": of_gain if design.scored else None,
            "units": split.units,
            "clusters": split.clusters,
        }

    parts = {part: row(part, name, split.parts[part], None, split.of_gain.get(part)) for part, name in PARTS.items()}
    buckets = [
        row(
            part_id(bucket), f"– {bucket_name(design.taxonomy, bucket)}", estimate, split.share_buckets[bucket],
            split.of_gain_buckets[bucket],
        )
        for bucket, estimate in split.flow_buckets.items()
    ]  # fmt: skip
    if not design.scored:
        return [parts["human"], *buckets]
    return [
        parts["apparent"],
        parts["human"],
        *buckets,
        *(parts[part] for part in ("undeserved", "missed", "undecided")),
    ]


def _category_rows(taxonomy: Taxonomy, result: ContrastResult) -> list[dict[str, Any]]:
    order = {bucket: place for place, bucket in enumerate(taxonomy.buckets)}
    cells = sorted(result.split.flow, key=lambda cell: (order.get(cell[0], len(order)), cell[1]))
    return [
        {
            "contrast": result.contrast.name,
            "bucket": bucket,
            "bucket_name": bucket_name(taxonomy, bucket),
            "category": category,
            "name": taxonomy.category(category).label,
            "flow": result.split.flow[bucket, category],
            "share": result.split.share[bucket, category],
        }
        for bucket, category in cells
    ]


# --- shares ----------------------------------------------------------------------------------------------


def share_tables(design: Design, conditions: Sequence[ConditionShares], recipe: str) -> list[Table]:
    where = [
        {"checkpoint": c.checkpoint, "step": c.condition.step, "tokens": c.condition.tokens, "series": c.series}
        for c in conditions
    ]
    heads = [Column("checkpoint", design.noun.capitalize()), Column("step", "Step", "count"),
             Column("tokens", "Tokens", "count"),
             Column("series", "Condition" if design.noun == "checkpoint" else "Series")]  # fmt: skip
    shown = [one for one in heads if one.key == "checkpoint" or any(place[one.key] for place in where)]
    outcomes = Table(
        "outcomes",
        "Outcomes at each condition",
        [*shown, Column("rows", "Rows", "count"), Column("decided", "Decided", "count"),
         Column("success", "Success, %", "rate", interval=True), Column("correct", "Correct, %", "rate", interval=True),
         *(Column(f"bucket_{key}", f"{name}, %", "rate", interval=True)
           for key, name in design.taxonomy.buckets.items())],
        [
            {**place, "rows": c.rows, "decided": c.decided, "success": c.success, "correct": c.correct,
             **{f"bucket_{key}": share for key, share in c.buckets.items()}}
            for place, c in zip(where, conditions, strict=True)
        ],
        ["Success: over all rows of the sample. Correct and the buckets of what is not correct: over decided rows."
         " Rows weigh one over their probability.", told(design.spec, design.clusters)],
        recipe,
    )  # fmt: skip
    categories = Table(
        "shares",
        "Share of each category at each condition",
        [*shown, Column("category", "Category id", printed=False), Column("name", "Category"),
         Column("share", "Share, %", "rate", interval=True), Column("decided", "Decided", "count")],
        [
            {**place, "category": name, "name": design.taxonomy.category(name).label, "share": share,
             "decided": c.decided}
            for place, c in zip(where, conditions, strict=True)
            for name, share in c.categories.items()
        ],
        ["Over decided rows, each weighing one over its probability; categories that occur nowhere are left out.",
         told(design.spec, design.clusters)],
        recipe,
    )  # fmt: skip
    kinds = Table(
        "kind_shares",
        "Share of each kind at each condition",
        [*shown, Column("decided", "Decided", "count"),
         *(Column(f"kind_{kind}", f"{kind.replace('_', ' ')}, %", "rate", interval=True) for kind in KINDS)],
        [
            {**place, "decided": c.decided, **{f"kind_{kind}": share for kind, share in c.kinds.items()}}
            for place, c in zip(where, conditions, strict=True)
        ],
        ["Over decided rows, each weighing one over its probability; the kind of a category as it stands for patched or"
         " for unpatched rows.", told(design.spec, design.clusters)],
        recipe,
    )  # fmt: skip
    return [outcomes, kinds, categories]


# --- counts ----------------------------------------------------------------------------------------------


def count_tables(
    design: Design, contrasts: Sequence[ContrastResult], left_out: Counter[str], recipe: str
) -> list[Table]:  # fmt: skip
    heads = {
        "units": "Units", "decided": "Decided", "clusters": design.clusters.capitalize(), "weight": "Weighted units",
        "only_a": "Only before", "only_b": "Only after", "outside": "Outside the sample",
        **({"identical": "Identical"} if design.identical else {}),
        **({"sense_split": "Sense split", "sense_not_given": "Sense not given", "excluded": "Excluded (sense split)"}
           if design.in_senses else {}),
    }  # fmt: skip
    units = of_contrasts(
        "units",
        "Units of each contrast",
        [_CONTRAST, *(Column(key, name, "weight" if key == "weight" else "count") for key, name in heads.items())],
        [
            [{
                "contrast": result.contrast.name,
                "units": result.units.size,
                "decided": result.split.decided,
                "clusters": result.split.clusters,
                "weight": result.split.weight,
                "only_a": result.units.only_a,
                "only_b": result.units.only_b,
                "outside": result.units.outside,
                "excluded": result.units.excluded,
                **{name: _units_with(result, name) for name in ("identical", "sense_split")},
                "sense_not_given": _units_with(result, "sense_not_given_a", "sense_not_given_b"),
            }]
            for result in contrasts
        ],
        [*(["Identical: a reference form equals a word that the prompts gave, so that a pure copier gets it right."]
           * design.identical),
         "Decided: with two usable verdicts. Weighted units: the sum of one over the probability of each."],
        [result.signature for result in contrasts],
    )  # fmt: skip
    counts = Table(
        "left_out",
        "What was left out or set aside",
        [Column("what", "What"), Column("count", "Number", "count")],
        [{"what": what, "count": count} for what, count in sorted(left_out.items())],
        ["Each line counts what it names; an output or item may stand in several."] if left_out else ["Nothing."],
        recipe,
    )
    return [units, counts]


def _units_with(result: ContrastResult, *marks: str) -> int:
    frame = result.units.frame
    return int(frame.loc[frame[list(marks)].astype(bool).any(axis=1), "unit"].nunique())
