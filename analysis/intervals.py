"""Which bootstrap the intervals of shares and splits come from; all of them resample word families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from gainsift.analysis.bca import METHOD as BCA
from gainsift.analysis.bca import BcaBootstrap
from gainsift.analysis.estimate import Array, ClusterBootstrap, Estimate, generator
from gainsift.analysis.studentised import ENOUGH, FEWEST, StudentisedBootstrap
from gainsift.analysis.studentised import METHOD as STUDENTISED
from gainsift.schemas.config import AnalysisSpec


class Bootstrap(Protocol):
    """Limits of ratios of cluster sums, all from the same resamples."""

    def ratios(self, numerators: Array, denominators: Array, least: Array) -> list[Estimate]:
        """Each numerator [C, K] over its denominator [C, K], summed over clusters; `least` [K] bounds them below."""
        ...


Maker = Callable[[int, int, float, np.random.Generator], Bootstrap]
"""Clusters, resamples, confidence, generator."""
METHODS: dict[str, Maker] = {
    "studentised": StudentisedBootstrap.of,
    "bca": BcaBootstrap.of,
    "percentile": ClusterBootstrap.of,
}
IN_WORDS = {"studentised": STUDENTISED, "bca": BCA, "percentile": "percentile cluster bootstrap"}
DEFAULT = "studentised"
MEASURED = {
    "studentised": ("94 to 100 %", ", the more above 95 % the fewer units move", ""),
    "bca": ("85 to 94 %", ", the less the fewer units move", "86 to 96 %"),
    "percentile": ("86 to 94 %", ", the less the fewer units move", "90 to 96 %"),
}
"""Simulated coverage of 95 % intervals from FEWEST to ENOUGH - 1 clusters, what it depends on, and coverage from ENOUGH
on, where it is not what it says. From docs/reliability/reliability.json, rounded outwards."""


def resampling(spec: AnalysisSpec) -> np.random.Generator:
    """The stream of every interval of shares and splits, from its start.

    One for all tables: the same figure over the same clusters has the same interval wherever it stands.
    """
    return generator(spec.seed, "intervals")


def caution(clusters: int, spec: AnalysisSpec) -> str:
    """What a reader must know of intervals of a split over so many clusters."""
    if clusters < FEWEST:
        return f"{clusters} clusters: with fewer than {FEWEST} the intervals are unreliable."
    few, why, many = MEASURED[spec.interval]
    where, coverage = (f"from {FEWEST} to {ENOUGH - 1} clusters", few)
    if clusters >= ENOUGH:
        where, coverage, why = f"from {ENOUGH} to 100 clusters", many, why
    if not coverage:
        return ""
    name = "" if spec.interval == DEFAULT else f" of the {IN_WORDS[spec.interval].split(',')[0]}"
    level = "" if spec.confidence == 0.95 else f" It was not measured at {100 * spec.confidence:g} %."
    return f"{clusters} clusters: simulated coverage of the 95 % intervals{name} is {coverage} {where}{why}.{level}"


def told(spec: AnalysisSpec, clusters: str) -> str:
    """The note of a table whose intervals are such, by the settings of study.yaml; `clusters` in words."""
    how = f"{IN_WORDS[spec.interval]}, {spec.bootstrap:,} resamples of {clusters}"
    return f"{100 * spec.confidence:g} % intervals: {how}."
