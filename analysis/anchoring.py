"""Anchoring: whether seeing an automatic label makes people give it, by comparison with pages that withheld it.

Which pages show the automatic label is drawn at random, so the two groups of judgements differ in that alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.analysis.estimate import Array, ClusterBootstrap, Estimate, cluster_sums, divide, interval, undefined
from gainsift.schemas.rows import Annotation

BOUND = (
    "All word families are alike on one side at least: the limits of the two sides are joined as for independent"
    " figures (Zou & Donner 2008)."
)


@dataclass(frozen=True)
class Anchoring:
    """Judgements of pages with one automatic label, or with any (`prelabel` None).

    `shown`, `withheld`: share of judgements equal to the automatic label where people saw it, and where not.
    """

    prelabel: str | None
    shown: Estimate
    withheld: Estimate
    difference: Estimate
    judgements_shown: int
    judgements_withheld: int
    items: int
    annotators: int
    clusters: int


def anchoring(
    votes: Collection[Annotation],
    families: Mapping[str, str],
    order: Sequence[str],
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> list[Anchoring]:
    """All automatic labels together, then each that occurs, in the given order; empty if none was ever shown.

    `votes` are the judgements that count (analysis.judgements): calibration among them, repeats and controls not.
    Those whose page has no automatic label are passed over. Every judgement weighs the same: the figures are about
    judgements that were made, not about outputs. Intervals resample word families of the intended concept
    (`families`: concept -> family), which shown and withheld pages share, in one draw.
    """
    frame = pd.DataFrame(
        [
            (line.prelabel, line.prelabel_shown, line.label == line.prelabel, line.content_key, line.annotator,
             families[line.item.intended_concept])
            for line in votes
            if line.prelabel is not None
        ],
        columns=["prelabel", "shown", "equal", "item", "annotator", "family"],
    )  # fmt: skip
    if not frame["shown"].any():
        return []
    codes, names = pd.factorize(frame["family"], sort=True)
    bootstrap = ClusterBootstrap.of(len(names), resamples, confidence, rng)
    wanted = [None, *(name for name in order if (frame["prelabel"] == name).any())]
    return [_one(frame, codes, len(names), bootstrap, name) for name in wanted]


def _one(
    frame: pd.DataFrame,
    codes: np.typing.NDArray[np.intp],
    families: int,
    bootstrap: ClusterBootstrap,
    prelabel: str | None,
) -> Anchoring:
    inside = np.ones(len(frame), bool) if prelabel is None else (frame["prelabel"] == prelabel).to_numpy(bool)
    shown = frame["shown"].to_numpy(bool)
    totals: Array = np.column_stack([inside & shown, inside & ~shown]).astype(float)  # [judgements, 2]
    equal: Array = totals * frame["equal"].to_numpy(float)[:, None]
    sums, counts = cluster_sums(equal, codes, families), cluster_sums(totals, codes, families)
    sides = bootstrap.ratios(sums, counts, np.zeros(2))
    here = frame[inside]
    return Anchoring(
        prelabel=prelabel,
        shown=sides[0],
        withheld=sides[1],
        difference=_difference(sides, sums, counts, bootstrap),
        judgements_shown=int(totals[:, 0].sum()),
        judgements_withheld=int(totals[:, 1].sum()),
        items=here["item"].nunique(),
        annotators=here["annotator"].nunique(),
        clusters=here["family"].nunique(),
    )


def _difference(sides: list[Estimate], sums: Array, counts: Array, bootstrap: ClusterBootstrap) -> Estimate:
    """Shown minus withheld, each resample giving both; `sums`, `counts` [C, 2].

    A side on which all clusters are alike has no variance in the resamples, and no covariance with the other. The
    limits of both are then joined as for independent figures: with d = p1 - p2, the lower one is
    d - sqrt((p1 - l1)^2 + (u2 - p2)^2), the upper one likewise (Zou & Donner, Statistics in Medicine 27, 2008).
    """
    (p1, l1, u1), (p2, l2, u2) = ((side.point, side.low, side.high) for side in sides)
    if p1 is None or p2 is None:
        return undefined("the automatic label was " + ("never shown" if p1 is None else "always shown"))
    gap = p1 - p2
    if l1 is None or u1 is None or l2 is None or u2 is None:
        return Estimate(gap, reason="no interval: fewer than two word families on one side")
    if any(side.bounded for side in sides):
        low, high = gap - np.hypot(p1 - l1, u2 - p2), gap + np.hypot(u1 - p1, p2 - l2)
        return Estimate(gap, max(-1.0, float(low)), min(1.0, float(high)), BOUND, bounded=True)
    samples = divide(bootstrap.draws @ sums, bootstrap.draws @ counts)  # [R, 2]
    return Estimate(gap, *interval(samples[:, 0] - samples[:, 1], bootstrap.confidence))
