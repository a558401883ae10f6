"""How far the figures of a contrast depend on choices: kinds, verdict rule, units, success, single word families."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.design import Contrast, Design
from gainsift.analysis.estimate import Estimate, divide
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.intervals import resampling
from gainsift.analysis.rule_sensitivity import conclusion
from gainsift.analysis.shares import KINDS
from gainsift.analysis.split import Split, SplitSums, split, split_sums
from gainsift.analysis.units import units_of
from gainsift.schemas.taxonomy import Category, Kind, Taxonomy

FIGURES = ("apparent", "human", "error", "behaviour")
"""The gains, and how much of the human gain flows out of errors and out of behaviour, by the kinds as they stand."""
MAIN = "main"
RULE = "rule "
"""What the keys of variants with another rule for verdicts begin with."""
UNIDENTIFIED = ", a guess: no item has three judgements, so that accuracy and shares cannot be told apart"


@dataclass(frozen=True)
class Variant:
    """One contrast read in one way: `figures` by FIGURES. `changed`: those whose conclusion is not that of MAIN.

    The conclusion is whether the interval lies above zero, below, or holds it.
    """

    contrast: str
    key: str
    name: str
    figures: Mapping[str, Estimate]
    units: int
    changed: Sequence[str] = ()


def other_kind(category: Category, taxonomy: Taxonomy) -> Kind | None:
    """The other side that a debatable category could be put on: behaviour may be called error, near correct, no effect
    an error, and an error that has a bucket of its own (copies that are no word) behaviour. None: beyond debate."""
    if category.kind == "error":
        shared = [one for one in taxonomy.categories if one.bucket == category.bucket]
        return "behaviour" if len(shared) == 1 else None
    turned: dict[Kind, Kind] = {"behaviour": "error", "near": "correct", "no_effect": "error"}
    return turned.get(category.kind)


def sensitivity(
    design: Design,
    by_rule: Mapping[str, pd.DataFrame],
    inclusion: Draw,
    contrasts: Sequence[ContrastResult],
    accepting: pd.DataFrame | None = None,
    identified: bool = True,
) -> list[Variant]:
    """Every variant of every contrast that is no step of a series, the contrast as reported first.

    `by_rule`: the rows under each rule for verdicts. `accepting`: the rows with success also on accepted forms, where
    these are known. `identified`: whether Dawid and Skene's model is.
    """
    found: list[Variant] = []
    for result in (one for one in contrasts if not one.step):
        own = [
            _variant(design, result, key, name, units)
            for key, name, units in readings(
                design, by_rule, inclusion, result.contrast, result.units.frame, accepting, identified
            )
        ]
        own += _without_clusters(design, result, own[0].units)
        found += [replace(one, changed=_changed(one, own[0])) for one in own]
    return found


def readings(
    design: Design,
    by_rule: Mapping[str, pd.DataFrame],
    inclusion: Draw,
    contrast: Contrast,
    units: pd.DataFrame,
    accepting: pd.DataFrame | None = None,
    identified: bool = True,
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Key, name and units of every variant of a contrast but those that leave a cluster out; `units`: as reported."""
    yield from _of_units(design, units)
    for rule, frame in by_rule.items():
        if rule != design.spec.verdict:
            doubt = UNIDENTIFIED if rule == "dawid-skene" and not identified else ""
            yield RULE + rule, f"Verdict rule: {rule}{doubt}", units_of(frame, design, contrast, inclusion).frame
    if accepting is not None:
        name = "Success also on accepted forms (synonyms, inflections)"
        yield "accepted", name, units_of(accepting, design, contrast, inclusion).frame


def _of_units(design: Design, units: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Those that need nothing but the units."""
    taxonomy = design.taxonomy
    yield MAIN, "As reported", units
    debatable = sorted(taxonomy.categories, key=lambda one: one.id != "plain_copy")
    for category in debatable:
        kind = other_kind(category, taxonomy)
        if kind and ((units["label_a"] == category.id) | (units["label_b"] == category.id)).any():
            name = f"{category.label}: counted as {kind.replace('_', ' ')}"
            yield f"kind {category.id}", name, _as_kind(units, category.id, kind)
    for mark, name in (
        ("identical", "Without units that a pure copier gets right"),
        ("sense_split", "Without concepts whose references disagree"),
    ):
        marked = units[mark].astype(bool)
        if marked.any():
            yield f"without {mark}", name, units[~marked].reset_index(drop=True)
    if len(units) and units["other_family_a"].notna().all():
        yield (
            "crossed",
            "Intervals by word families of the other concept",
            units.assign(cluster=units["other_family_a"]),
        )


def _variant(design: Design, result: ContrastResult, key: str, name: str, units: pd.DataFrame) -> Variant:
    found = _by_kind(design, units)
    none = found.parts["human"] if not found.decided else Estimate(0.0)
    figures = {
        "apparent": found.parts["apparent"],
        "human": found.parts["human"],
        **{kind: found.flow_buckets.get(kind, none) for kind in ("error", "behaviour")},
    }
    return Variant(result.contrast.name, key, name, figures, found.units)


def _by_kind(design: Design, units: pd.DataFrame) -> Split:
    """The split with kinds for buckets; the same resamples as those of the contrast, for every variant."""
    spec = design.spec
    return split(with_kinds(units), KINDS, spec.bootstrap, spec.confidence, resampling(spec), spec.interval)


def with_kinds(units: pd.DataFrame) -> pd.DataFrame:
    """The units with kinds for buckets."""
    return units.assign(bucket_a=units["kind_a"], bucket_b=units["kind_b"])


def sums_key(figure: str) -> object:
    """What one of FIGURES is called in the sums of a split by kind."""
    return figure if figure in ("apparent", "human") else ("flow bucket", figure)


def left_out(sums: SplitSums, figure: str) -> dict[str, tuple[int, float]]:
    """The cluster without which a figure is `lowest` and `highest`: its number, and the figure then."""
    values, totals = sums.of(sums_key(figure))
    rest = divide(values.sum() - values, totals.sum() - totals)
    places = {"lowest": int(np.nanargmin(rest)), "highest": int(np.nanargmax(rest))}
    return {way: (place, float(rest[place])) for way, place in places.items()}


def _as_kind(units: pd.DataFrame, label: str, kind: Kind) -> pd.DataFrame:
    changed = units.copy()
    for side in ("a", "b"):
        here = changed[f"label_{side}"] == label
        changed.loc[here, f"kind_{side}"] = kind
        changed.loc[here, f"correct_{side}"] = float(kind == "correct")
    return changed


def _without_clusters(design: Design, result: ContrastResult, units: int) -> list[Variant]:
    """The lowest and the highest that each figure gets when one cluster is left out; no intervals."""
    sums = split_sums(with_kinds(result.units.frame), KINDS)
    if len(sums.clusters) < 3 or not result.split.decided:
        return []
    found: dict[str, dict[str, Estimate]] = {"lowest": {}, "highest": {}}
    told = {}
    for figure in FIGURES:
        for way, (place, value) in left_out(sums, figure).items():
            found[way][figure] = Estimate(value)
            if figure == "human":
                told[way] = sums.clusters[place]
    return [
        Variant(
            result.contrast.name, f"family {way}",
            f"One {design.cluster} left out: the {way} of each (human gain: without {told[way]})", figures, units,
        )
        for way, figures in found.items()
    ]  # fmt: skip


def _changed(one: Variant, main: Variant) -> list[str]:
    """Where only points are known, a conclusion changes if the sign does."""
    changed = []
    for figure in FIGURES:
        value, before = one.figures[figure], main.figures[figure]
        if value.low is None and value.point is not None and before.point is not None:
            turned = value.point * before.point < 0 and conclusion(before) != "open"
        else:
            turned = conclusion(value) != conclusion(before)
        changed += [figure] * turned
    return changed
