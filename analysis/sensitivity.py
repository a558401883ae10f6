"""How far the figures of a contrast depend on choices: kinds, verdict rule, units, success, single word families."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate, divide
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.intervals import resampling
from gainsift.analysis.rule_sensitivity import conclusion
from gainsift.analysis.shares import KINDS
from gainsift.analysis.split import Split, split, split_sums
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
    chosen = [result for result in contrasts if not result.step]
    others = {rule: frame for rule, frame in by_rule.items() if rule != design.spec.verdict}
    found: list[Variant] = []
    for result in chosen:
        own = list(_variants(design, result))
        for rule, frame in others.items():
            units = units_of(frame, design, result.contrast, inclusion).frame
            doubt = UNIDENTIFIED if rule == "dawid-skene" and not identified else ""
            own.append(_variant(design, result, RULE + rule, f"Verdict rule: {rule}{doubt}", units))
        if accepting is not None:
            units = units_of(accepting, design, result.contrast, inclusion).frame
            name = "Success also on accepted forms (synonyms, inflections)"
            own.append(_variant(design, result, "accepted", name, units))
        own += _without_clusters(design, result, own[0].units)
        found += [replace(one, changed=_changed(one, own[0])) for one in own]
    return found


def _variants(design: Design, result: ContrastResult) -> Iterator[Variant]:
    """Those that need nothing but the units."""
    units, taxonomy = result.units.frame, design.taxonomy
    yield _variant(design, result, MAIN, "As reported", units)
    debatable = sorted(taxonomy.categories, key=lambda one: one.id != "plain_copy")
    for category in debatable:
        kind = other_kind(category, taxonomy)
        if kind and ((units["label_a"] == category.id) | (units["label_b"] == category.id)).any():
            name = f"{category.label}: counted as {kind.replace('_', ' ')}"
            yield _variant(design, result, f"kind {category.id}", name, _as_kind(units, category.id, kind))
    for mark, name in (
        ("identical", "Without units that a pure copier gets right"),
        ("sense_split", "Without concepts whose references disagree"),
    ):
        marked = units[mark].astype(bool)
        if marked.any():
            yield _variant(design, result, f"without {mark}", name, units[~marked].reset_index(drop=True))
    if len(units) and units["other_family_a"].notna().all():
        crossed = units.assign(cluster=units["other_family_a"])
        yield _variant(design, result, "crossed", "Intervals by word families of the other concept", crossed)


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
    frame = units.assign(bucket_a=units["kind_a"], bucket_b=units["kind_b"])
    return split(frame, KINDS, spec.bootstrap, spec.confidence, resampling(spec), spec.interval)


def _as_kind(units: pd.DataFrame, label: str, kind: Kind) -> pd.DataFrame:
    changed = units.copy()
    for side in ("a", "b"):
        here = changed[f"label_{side}"] == label
        changed.loc[here, f"kind_{side}"] = kind
        changed.loc[here, f"correct_{side}"] = float(kind == "correct")
    return changed


def _without_clusters(design: Design, result: ContrastResult, units: int) -> list[Variant]:
    """The lowest and the highest that each figure gets when one cluster is left out; no intervals."""
    frame = result.units.frame
    sums = split_sums(frame.assign(bucket_a=frame["kind_a"], bucket_b=frame["kind_b"]), KINDS)
    if len(sums.clusters) < 3 or not result.split.decided:
        return []
    found: dict[str, dict[str, Estimate]] = {"lowest": {}, "highest": {}}
    told = {}
    for figure in FIGURES:
        values, totals = sums.of(figure if figure in ("apparent", "human") else ("flow bucket", figure))
        rest = divide(values.sum() - values, totals.sum() - totals)
        for way, place in (("lowest", int(np.nanargmin(rest))), ("highest", int(np.nanargmax(rest)))):
            found[way][figure] = Estimate(float(rest[place]))
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
