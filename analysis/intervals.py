"""Which bootstrap the intervals of shares and splits come from; all of them resample word families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from gainsift.analysis.bca import METHOD as BCA
from gainsift.analysis.bca import BcaBootstrap
from gainsift.analysis.estimate import Array, ClusterBootstrap, Estimate
from gainsift.analysis.studentised import METHOD as STUDENTISED
from gainsift.analysis.studentised import StudentisedBootstrap
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


def told(spec: AnalysisSpec, clusters: str) -> str:
    """The note of a table whose intervals are such, by the settings of study.yaml; `clusters` in words."""
    how = f"{IN_WORDS[spec.interval]}, {spec.bootstrap:,} resamples of {clusters}"
    return f"{100 * spec.confidence:g} % intervals: {how}."
