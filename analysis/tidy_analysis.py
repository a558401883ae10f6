"""The analysis of a tidy table: agreement, shares of every condition, the split of every contrast of conditions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from gainsift.analysis.agreement import Agreement, agreement
from gainsift.analysis.estimate import Array, generator
from gainsift.analysis.shares import ConditionShares, shares
from gainsift.analysis.signature import signature
from gainsift.analysis.split import Split, split
from gainsift.analysis.tidy_table import Condition, TidyTable
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.taxonomy import Taxonomy

ARROW = "->"
OUTSIDE = "units at a condition without a weight (outside the sample)"
UNJUDGED = "items to be judged without a usable judgement"
TIED = "items with a tie between labels"
MISSING = "judgements `{}`"


@dataclass(frozen=True)
class TidyContrast:
    """One contrast of two conditions. `split` is over decided units alone where the table has no `success`.

    `units` has one row for each unit, as `split` takes them; `moves` the weight of each (label before, label after)
    of decided units; `without_identical` is None where the table does not mark such units.
    """

    name: str
    a: str
    b: str
    units: pd.DataFrame
    only_a: int
    only_b: int
    outside: int
    split: Split
    without_identical: Split | None
    moves: Mapping[tuple[str, str], float]
    signature: str


@dataclass(frozen=True)
class TidyResults:
    """`shares`: conditions stand as checkpoints. `uneven`: units that weigh differently at their two conditions."""

    agreement: Agreement
    agreement_kind: Agreement
    conditions: Sequence[Condition]
    shares: list[ConditionShares]
    contrasts: list[TidyContrast]
    scored: bool
    simulated: bool
    uneven: int
    left_out: Counter[str]
    signature: str
    common: Mapping[str, object]


def analyse_table(
    table: TidyTable,
    taxonomy: Taxonomy,
    contrasts: Sequence[str] = (),
    spec: AnalysisSpec | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> TidyResults:
    """Analyse a table that was read. `contrasts` as `A -> B`; none: see `contrasts_of`. Raises UserError."""
    spec = spec or AnalysisSpec()
    chosen = [_named(one, table) for one in contrasts] or contrasts_of(table.conditions)
    common: dict[str, object] = {"boot": spec.bootstrap, "rs": spec.seed, "tax": taxonomy.version,
                                 "source": "simulated" if table.simulated else None}  # fmt: skip
    progress("verdicts")
    frame, left_out = judged_rows(table, taxonomy)
    progress("agreement")
    by_category, by_kind = _agreements(table, taxonomy, spec)
    progress("shares")
    conditions = shares(
        frame, [one.name for one in table.conditions], list(taxonomy.buckets), taxonomy.ids, spec.bootstrap,
        spec.confidence, generator(spec.seed, "shares"),
    )  # fmt: skip
    found = []
    for a, b in chosen:
        progress(f"split of {a} -> {b}")
        found.append(_contrast(table, frame, a, b, list(taxonomy.buckets), spec, common))
    recipe = signature(
        alpha="nominal", level="category", items=by_category.items, raters=len(by_category.annotators), **common
    )
    uneven = 0 if table.inclusion else sum(int((one.units["uneven"]).sum()) for one in found)
    return TidyResults(
        by_category, by_kind, table.conditions, conditions, found, "success" in table.has, table.simulated, uneven,
        table.left_out + left_out, recipe, common,
    )  # fmt: skip


def contrasts_of(conditions: Sequence[Condition]) -> list[tuple[str, str]]:
    """All consecutive conditions of each series, and its first and last where that is another pair."""
    found: list[tuple[str, str]] = []
    for series in dict.fromkeys(one.series for one in conditions):
        names = [one.name for one in conditions if one.series == series]
        found += list(pairwise(names))
        if len(names) > 2:
            found.append((names[0], names[-1]))
    return found


def _named(contrast: str, table: TidyTable) -> tuple[str, str]:
    """The two conditions of `A -> B`; a name may hold the arrow, too."""
    names = [one.name for one in table.conditions]
    parts = contrast.split(ARROW)
    for cut in range(1, len(parts)):
        a, b = ARROW.join(parts[:cut]).strip(), ARROW.join(parts[cut:]).strip()
        if a in names and b in names and a != b:
            return a, b
    unknown = next((part.strip() for part in parts if part.strip() not in names), contrast)
    remedy = did_you_mean(unknown, names)
    raise UserError(f"--contrast {contrast!r}", f"expected two conditions of {table.path} as `A {ARROW} B`", remedy)


# --- rows ------------------------------------------------------------------------------------------------


def judged_rows(table: TidyTable, taxonomy: Taxonomy) -> tuple[pd.DataFrame, Counter[str]]:
    """A row for each unit at a condition, as `shares` and `split` take them, and what is left out.

    The verdict is that of the table, if it has any, else the label that most annotators gave the item.
    """
    categories = {category.id: category for category in taxonomy.categories}
    missing = {name for name, category in categories.items() if category.kind == "missing"}
    usable = {item: [one for one in votes.values() if one not in missing] for item, votes in table.votes.items()}
    rows = table.rows
    frame = pd.DataFrame({
        "row_id": rows["unit"] + "\x1f" + rows["condition"], "checkpoint": rows["condition"], "step": 0, "tokens": 0,
        "setting": UNPATCHED, "prompt": "source", "layer": pd.array([pd.NA] * len(rows), "Int64"),
        "unit": rows["unit"], "family": rows["cluster"],
        "item_id": rows["item"].where(rows["item"] != "", None).astype(object),
        "success": rows["success"], "selected": rows["weight"].notna() & (rows["item"] != ""),
        "probability": 1 / rows["weight"], "mass": 1.0, "identical": rows["identical"], "sense_split": False,
        "sense_not_given": False, "undecided": "",
    })  # fmt: skip
    majority = {item: _most(labels) for item, labels in usable.items()}
    found = rows["verdict"].tolist() if "verdict" in table.has else [majority.get(item) for item in rows["item"]]
    labels = [None if pd.isna(label) or label in missing else str(label) for label in found]
    kinds: list[str | None] = []
    buckets: list[str | None] = []
    for place, (label, patched) in enumerate(zip(labels, rows["patched"], strict=True)):
        category = categories[label] if label else None
        kind = category.kind_on(bool(patched)) if category else None
        if kind == "missing":
            labels[place] = kind = None
        kinds.append(kind)
        buckets.append(category.bucket_on(bool(patched)) if category and kind else None)
    for name, values in (("label", labels), ("verdict", labels), ("kind", kinds), ("bucket", buckets)):
        frame[name] = pd.Series(values, frame.index, dtype=object)
    frame["correct"] = [np.nan if kind is None else float(kind == "correct") for kind in kinds]
    counts: Counter[str] = Counter()
    counts[OUTSIDE] = int((~frame["selected"]).sum())
    for votes in table.votes.values():
        counts.update(MISSING.format(label) for label in votes.values() if label in missing)
    for item in set(frame.loc[frame["selected"] & frame["label"].isna(), "item_id"]):
        counts[TIED if usable[item] else UNJUDGED] += 1
    return frame, +counts


def _most(labels: Sequence[str]) -> str | None:
    """The label that is given more often than any other; None for a tie or no label."""
    ranked = Counter(labels).most_common(2)
    return ranked[0][0] if len(ranked) == 1 or (ranked and ranked[0][1] > ranked[1][1]) else None


def _agreements(table: TidyTable, taxonomy: Taxonomy, spec: AnalysisSpec) -> tuple[Agreement, Agreement]:
    """Over distinct items, on the label and on its kind (as it stands for patched rows); missing ones are gaps."""
    kinds = {category.id: category.kind for category in taxonomy.categories}
    labels = {
        item: {name: label for name, label in votes.items() if kinds[label] != "missing"}
        for item, votes in table.votes.items()
    }  # fmt: skip
    levels = {
        "category": labels,
        "kind": {item: {name: str(kinds[label]) for name, label in votes.items()} for item, votes in labels.items()},
    }
    by_category, by_kind = (
        agreement(votes, "nominal", spec.bootstrap, spec.confidence, generator(spec.seed, "agreement", level))
        for level, votes in levels.items()
    )
    return by_category, by_kind


# --- contrasts -------------------------------------------------------------------------------------------


def _contrast(
    table: TidyTable, frame: pd.DataFrame, a: str, b: str, buckets: list[str], spec: AnalysisSpec,
    common: Mapping[str, object],
) -> TidyContrast:  # fmt: skip
    name = f"{a} → {b}"
    sides = [frame[frame["checkpoint"] == one] for one in (a, b)]
    both = sides[0].merge(sides[1], on="unit", suffixes=("_a", "_b"))
    linked = [both[f"item_id_{side}"].notna() for side in "ab"]
    inside = (both["selected_a"] | ~linked[0]) & (both["selected_b"] | ~linked[1])
    units = both[inside].reset_index(drop=True)
    units["weight"] = _weights(table, units)
    units["uneven"] = (units["probability_a"] - units["probability_b"]).abs() > 1e-12
    units["cluster"], units["identical"] = units["family_a"], units["identical_a"] | units["identical_b"]
    decided = units[units["correct_a"].notna() & units["correct_b"].notna()].reset_index(drop=True)
    base = units if "success" in table.has else decided.assign(success_a=0.0, success_b=0.0)

    def of(rows: pd.DataFrame) -> Split:
        rng = generator(spec.seed, "split", name)
        return split(rows.reset_index(drop=True), buckets, spec.bootstrap, spec.confidence, rng)

    whole = of(base)
    moves: dict[tuple[str, str], float] = defaultdict(float)
    for before, after, weight in zip(decided["label_a"], decided["label_b"], decided["weight"], strict=True):
        moves[before, after] += weight
    recipe = signature(
        split="flow+share", units=whole.units, decided=whole.decided, clusters=whole.clusters,
        ci=f"{spec.confidence:g}", **common,
    )  # fmt: skip
    return TidyContrast(
        name=name, a=a, b=b, units=units, only_a=len(sides[0]) - len(both), only_b=len(sides[1]) - len(both),
        outside=len(both) - len(units), split=whole,
        without_identical=of(base[~base["identical"]]) if "identical" in table.has else None,
        moves=moves, signature=recipe,
    )  # fmt: skip


def _weights(table: TidyTable, units: pd.DataFrame) -> Array:
    """One over the probability that both items of a unit are judged: [U].

    By the draws if the table tells them. Else the larger of the two weights: right where the condition that is drawn
    more rarely is drawn among the units of the other, and for a unit drawn as a whole, whose weights are equal.
    """
    if table.inclusion is None:
        sides = [1 / units[f"probability_{side}"].to_numpy(float) for side in "ab"]
        return np.nan_to_num(np.fmax(*sides), nan=1.0)
    pairs = zip(units["item_id_a"], units["item_id_b"], strict=True)
    known = [[item for item in pair if isinstance(item, str)] for pair in pairs]
    return np.array([1 / table.inclusion.probability(items) if items else 1.0 for items in known])
