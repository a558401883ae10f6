"""The gain of a contrast with units that nobody judged: automatic labels of all units, verdicts of the sample.

Where every item of the population has a pre-label (`gainsift annotate prelabel`), these stand for verdicts, and every
bucket's flow is estimated; else the automatic success does, which tells right from wrong alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Array, Estimate
from gainsift.analysis.intervals import resampling
from gainsift.analysis.prediction_powered import Powered, Rows, prediction_powered
from gainsift.analysis.split import Split
from gainsift.analysis.studentised import StudentisedBootstrap
from gainsift.analysis.units import is_decided

POWERED = ("human_a", "human_b", "human")
LABELS, SCORES = "labels", "scores"


@dataclass(frozen=True)
class Unjudged:
    """`figures` of `parts`: POWERED, then, from LABELS, the flow of each bucket; rates among decided units.

    `by` is LABELS or SCORES: what stands for the verdicts of all units.
    """

    figures: Powered
    parts: Sequence[str]
    by: str


def with_unjudged(design: Design, result: ContrastResult, automatic: Mapping[str, str | None]) -> Unjudged:
    """The verdicts of the sample, corrected by the automatic labels or scores of the whole population."""
    spec, frame = design.spec, result.units.frame
    population = result.units.population.set_index("unit")
    items = pd.concat([population["item_id_a"], population["item_id_b"]]).dropna()
    by = LABELS if len(items) and set(items) <= automatic.keys() else SCORES
    buckets = list(design.taxonomy.buckets) if by == LABELS else []
    decided = frame[is_decided(frame)]
    held = decided.groupby("unit")["weight"].sum().reindex(population.index).fillna(0.0).to_numpy(float)
    weight = frame.groupby("unit")["weight"].sum().reindex(population.index).fillna(0.0).to_numpy(float)
    said = pd.DataFrame(_figures(decided, buckets) * decided["weight"].to_numpy(float)[:, None])
    sums = said.groupby(decided["unit"].to_numpy()).sum().reindex(population.index).fillna(0.0).to_numpy(float)
    predicted = population if by == SCORES else _labelled(design, result, population, automatic)
    clusters, names = pd.factorize(population["cluster"], sort=True)
    rows = Rows(
        predicted=_figures(predicted, buckets, "correct" if by == LABELS else "success"),
        judged=np.divide(sums, held[:, None], out=np.zeros(sums.shape), where=held[:, None] > 0),
        counted=np.divide(held, weight, out=np.zeros(len(held)), where=weight > 0),
        selected=population["selected"].to_numpy(bool),
        weight=weight,
        clusters=clusters,
        count=len(names),
    )
    bootstrap = StudentisedBootstrap.of(len(names), spec.bootstrap, spec.confidence, resampling(spec))
    least = np.array([0.0, 0.0, *[-1.0] * (1 + len(buckets))])
    figures = prediction_powered(rows, least, bootstrap)
    reported = _reported(result.split, len(decided) == len(frame))
    parts = [*POWERED, *buckets]
    alone = [reported.get(part, one) for part, one in zip(parts, figures.alone, strict=True)]
    return Unjudged(replace(figures, alone=alone), parts, by)


def _reported(found: Split, all_decided: bool) -> dict[str, Estimate]:
    """The figures of the split that are rates among decided units: those of buckets only if every unit is decided."""
    levels = {"human_a": "human_a", "human_b": "human_b", "human": "human_decided"}
    return {part: found.parts[key] for part, key in levels.items()} | (found.flow_buckets if all_decided else {})


def _figures(frame: pd.DataFrame, buckets: Sequence[str], right: str = "correct") -> Array:
    """Right before, after, the change, and the flow of each bucket, row by row: [N, 3 + buckets]."""
    before, after = (frame[f"{right}_{side}"].to_numpy(float) for side in ("a", "b"))
    columns = [before, after, after - before]
    for bucket in buckets:
        from_it, into_it = ((frame[f"bucket_{side}"] == bucket).to_numpy(float) for side in ("a", "b"))
        columns.append(from_it * after - before * into_it)
    return np.column_stack(columns)


def _labelled(
    design: Design, result: ContrastResult, population: pd.DataFrame, automatic: Mapping[str, str | None]
) -> pd.DataFrame:
    """correct_a, correct_b, bucket_a, bucket_b of each unit by its pre-labels; an answer without one is not correct."""
    known = {}
    for side, condition in (("a", result.contrast.a), ("b", result.contrast.b)):
        kinds = {one.id: one.kind_on(condition.patched) for one in design.taxonomy.categories}
        buckets = {one.id: one.bucket_on(condition.patched) for one in design.taxonomy.categories}
        labels = population[f"item_id_{side}"].map(automatic)
        correct = labels.map(kinds) == "correct"
        known[f"correct_{side}"] = correct.astype(float)
        known[f"bucket_{side}"] = labels.map(buckets).where(~correct)
    return pd.DataFrame(known, index=population.index)
