"""The bias-corrected and accelerated cluster bootstrap, beside the studentised one; same calling shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gainsift.analysis.estimate import Array, ClusterBootstrap, Estimate, divide

METHOD = "BCa cluster bootstrap, acceleration by the cluster jackknife"


@dataclass(frozen=True)
class BcaBootstrap:
    """Efron (1987, JASA 82:171), with whole clusters as the observations; `draws` [R, C]."""

    draws: Array
    confidence: float

    @classmethod
    def of(cls, clusters: int, resamples: int, confidence: float, rng: np.random.Generator) -> BcaBootstrap:
        return cls(ClusterBootstrap.of(clusters, resamples, confidence, rng).draws, confidence)

    def ratios(self, numerators: Array, denominators: Array, least: Array) -> list[Estimate]:
        """As `ClusterBootstrap.ratios`, with limits at the bias-corrected and accelerated levels."""
        percentile = ClusterBootstrap(self.draws, self.confidence).ratios(numerators, denominators, least)
        if not self.draws.size:
            return percentile
        samples = divide(self.draws @ numerators, self.draws @ denominators)
        left_out = divide(numerators.sum(0) - numerators, denominators.sum(0) - denominators)  # [C, K]
        return [
            found if found.bounded or found.low is None
            else Estimate(found.point, *self._limits(found.point or 0.0, samples[:, column], left_out[:, column]))
            for column, found in enumerate(percentile)
        ]  # fmt: skip

    def _limits(self, point: float, samples: Array, left_out: Array) -> tuple[float, float]:
        """Limits from resamples [R] and the figure without each cluster [C]."""
        from scipy.stats import norm

        samples, left_out = samples[np.isfinite(samples)], left_out[np.isfinite(left_out)]
        below = float((samples < point).sum() + (samples == point).sum() / 2) / len(samples)
        bias = norm.ppf(np.clip(below, 1 / (len(samples) + 1), 1 - 1 / (len(samples) + 1)))
        away = left_out.mean() - left_out
        squares = float((away**2).sum())
        acceleration = float((away**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
        z = norm.ppf([(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        levels = norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z)))
        low, high = np.quantile(samples, levels)
        return float(low), float(high)
