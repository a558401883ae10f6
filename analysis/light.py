"""Cohen's kappa of more than two annotators: the mean of all pairs (Light 1971, Psychological Bulletin 76:365)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from gainsift.analysis.agreement import Labels, undefined_because
from gainsift.analysis.distances import nominal
from gainsift.analysis.estimate import Array, Estimate, divide, undefined
from gainsift.analysis.kappas import cohen
from gainsift.analysis.patterns import Disagreement, estimates, patterns
from gainsift.analysis.ratings import GAP, Ratings


def light_kappa(table: Labels | Ratings, resamples: int, confidence: float, rng: np.random.Generator) -> Estimate:
    """The mean with its interval, from one resample of items for all pairs; of two annotators it is Cohen's kappa."""
    ratings = Ratings.of(table)
    twice = ratings.chosen(ratings.sizes >= 2)
    if reason := undefined_because(ratings, twice):
        return undefined(reason)
    rows, distance = patterns(twice, who=True), nominal(ratings.labels)
    (found,) = estimates(rows, lambda times: _light(rows.codes, times, distance), resamples, confidence, rng)
    return found if found.defined else undefined("no disagreement is expected by chance")


def _light(codes: npt.NDArray[np.int32], times: Array, distance: Array) -> Disagreement:
    """[R, 1] from codes [P, A]: each pair on the units that both judged; pairs whose kappa is undefined stay out."""
    pairs = []
    for pair in combinations(range(codes.shape[1]), 2):
        own = codes[:, pair]
        both = (own != GAP).all(1)
        if both.any():
            pairs.append(cohen(own[both], times[:, both], distance))
    expected = np.concatenate([one.expected for one in pairs], axis=1)
    ratios = divide(np.concatenate([one.observed for one in pairs], axis=1), expected)
    known = np.isfinite(ratios)
    mean, scale = (
        divide(np.where(known, values, 0.0).sum(1, keepdims=True), known.sum(1, keepdims=True).astype(np.float64))
        for values in (ratios, expected)
    )
    return Disagreement(mean * scale, scale)  # both at the scale of the pairs, as bounds need them
