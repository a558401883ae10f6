"""How wide the interval of a human gain will be: what to know before people are asked, not after."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from gainsift.annotation.sampling import both_drawn
from gainsift.annotation.selection import of_condition
from gainsift.schemas.config import Contrast
from gainsift.schemas.families import word_families
from gainsift.schemas.study import Study

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ExpectedWidth:
    """Half the width of a contrast's interval at `confidence`; None where it cannot be known, and `reason` says why."""

    contrast: str
    confidence: float
    units: int
    clusters: int
    half_width: float | None
    reason: str = ""


def expected_widths(study: Study, rows: pd.DataFrame) -> list[ExpectedWidth]:
    """The width to expect for the human gain of each contrast, from the outputs that will be judged.

    Automatic success stands in for human correctness, which nobody knows yet: where people accept more answers than
    the word list, the interval will be of about this width, not exactly. Units are those of the analysis: both their
    items are judged, weighted by one over the probability of that; clusters are word families of the intended concept.

    `rows` is the population with the columns of sampling.sample, those of select() and `success`.
    """
    families = word_families(study.concepts.values())
    judged = set(rows.loc[rows["drawn"] & rows["asked"], "item_id"])
    chances = _Chances(rows)
    found = []
    for contrast in study.config.contrasts:
        units = _units(study, rows[rows["item_id"].isin(judged)], contrast)
        weights = np.array([1 / chances.of(*pair) for pair in zip(units["item_id_a"], units["item_id_b"], strict=True)])
        change = units["success_b"].to_numpy(float) - units["success_a"].to_numpy(float)
        clusters = units["intended_concept_a"].map(families)
        found.append(_width(study, contrast, change, weights, clusters))
    return found


def _units(study: Study, rows: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """The trajectories with a row on either side, `*_a` and `*_b`."""
    columns = ["trajectory", "item_id", "intended_concept", "success"]
    a, b = (rows.loc[of_condition(study, rows, condition), columns] for condition in (contrast.a, contrast.b))
    units = a.merge(b, on="trajectory", suffixes=("_a", "_b"))
    if study.config.analysis.exclude_sense_split:
        split = {name for name, concept in study.concepts.items() if "sense_split" in concept.flags}
        units = units[~(units["intended_concept_a"].isin(split) | units["intended_concept_b"].isin(split))]
    return units


def _width(study: Study, contrast: Contrast, change: Array, weights: Array, clusters: pd.Series[str]) -> ExpectedWidth:
    confidence = study.config.analysis.confidence
    number = int(clusters.nunique())
    reason = ""
    if not len(change):
        reason = "no unit will be judged on both sides"
    elif number < 2:
        reason = "fewer than two clusters"
    elif np.ptp(change) == 0:
        reason = "automatic success moves in the same way everywhere"
    half = None
    if not reason:
        half = float(stats.t.ppf((1 + confidence) / 2, number - 1)) * standard_error(change, weights, clusters)
    return ExpectedWidth(contrast.name, confidence, len(change), number, half, reason)


def standard_error(values: Array, weights: Array, clusters: pd.Series[str]) -> float:
    """Of the weighted mean m = Σwv / Σw [U values in C clusters], linearised, with C / (C - 1).

    √( C / (C - 1) · Σ_c (Σ_(i in c) w_i (v_i - m))² ) / Σw: the sandwich estimator for a ratio mean (Binder 1983),
    with clusters as the sampled units.
    """
    mean = float(weights @ values / weights.sum())
    sums = pd.Series(weights * (values - mean)).groupby(clusters.to_numpy()).sum().to_numpy(float)
    return sqrt(len(sums) / (len(sums) - 1) * float(sums @ sums)) / float(weights.sum())


class _Chances:
    """The probability that two items are both judged, once for each pair of items."""

    def __init__(self, rows: pd.DataFrame) -> None:
        pairs = rows.drop_duplicates(["item_id", "trajectory"])
        self.trajectories: dict[str, dict[str, float]] = {}
        for item, trajectory, probability in zip(
            pairs["item_id"], pairs["trajectory"], pairs["trajectory_probability"], strict=True
        ):
            self.trajectories.setdefault(item, {})[trajectory] = probability
        self.audits: dict[str, float] = dict(zip(pairs["item_id"], pairs["audit_probability"], strict=True))

    def of(self, one: str, two: str) -> float:
        """Drawn through their trajectories, and each asked about: the audit is an independent draw for each item."""
        drawn = both_drawn(self.trajectories[one], self.trajectories[two])
        return drawn * self.audits[one] * (self.audits[two] if two != one else 1.0)
