"""Cohen's kappa of more than two annotators: the mean of all pairs (Light 1971, Psychological Bulletin 76:365)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from gainsift.analysis.agreement import Labels, undefined_because
from gainsift.analysis.estimate import Array, Estimate, divide, undefined
from gainsift.analysis.patterns import Disagreement, estimates, patterns
from gainsift.analysis.ratings import GAP, Ratings


def light_kappa(table: Labels | Ratings, resamples: int, confidence: float, rng: np.random.Generator) -> Estimate:
    """The mean with its interval, from one resample of items for all pairs; of two annotators it is Cohen's kappa."""
    ratings = Ratings.of(table)
    twice = ratings.chosen(ratings.sizes >= 2)
    if reason := undefined_because(ratings, twice):
        return undefined(reason)
    rows = patterns(twice, who=True)
    pairs = _pairs(rows.codes, len(ratings.labels))
    (found,) = estimates(rows, lambda times: _light(pairs, times), resamples, confidence, rng)
    return found if found.defined else undefined("no disagreement is expected by chance")


def _light(pairs: _Pairs, times: Array) -> Disagreement:
    """[R, 1]: each pair on the units that both judged; pairs whose kappa is undefined stay out."""
    counts = np.ascontiguousarray(times.T, np.float32)  # of units: whole numbers, exact below 2^24
    total, differing = (np.asarray(which @ counts, np.float64) for which in (pairs.judged, pairs.differing))  # [Q, R]
    alike = np.zeros_like(total)
    if len(pairs.owner):
        starts = np.flatnonzero(np.diff(pairs.owner, prepend=-1))
        by_chance = np.asarray(pairs.one @ counts, np.float64)
        by_chance *= pairs.other @ counts
        alike[pairs.owner[starts]] = np.add.reduceat(by_chance, starts, axis=0)
    expected = divide(total**2 - alike, total**2).T
    ratios = divide(divide(differing, total).T, expected)
    known = np.isfinite(ratios)
    mean, scale = (
        divide(np.where(known, values, 0.0).sum(1, keepdims=True), known.sum(1, keepdims=True).astype(np.float64))
        for values in (ratios, expected)
    )
    return Disagreement(mean * scale, scale)  # both at the scale of the pairs, as bounds need them


class _Pairs(NamedTuple):
    """Which of P patterns enter what of Q pairs of annotators: sparse matrices with a row for each figure.

    `judged`, `differing` [Q, P]: by both of a pair, and differently. `one`, `other` [K, P]: given a label by the first
    or the second of a pair, for every label that both of them gave; `owner` [K]: the pair, ascending.
    """

    judged: sparse.csr_array
    differing: sparse.csr_array
    one: sparse.csr_array
    other: sparse.csr_array
    owner: npt.NDArray[np.intp]


def _pairs(codes: npt.NDArray[np.int32], labels: int) -> _Pairs:
    """From codes [P, A]. All pairs at once: most units have a few of many annotators."""
    row, column = np.nonzero(codes != GAP)
    most = int(np.bincount(row).max(initial=0))
    ends = [(np.flatnonzero(row[lag:] == row[:-lag]), lag) for lag in range(1, most)]
    first = np.concatenate([place for place, _ in ends])
    second = np.concatenate([place + lag for place, lag in ends])
    unit = row[first]
    names, pair = np.unique(column[first] * np.int64(codes.shape[1]) + column[second], return_inverse=True)
    given, said = (codes[unit, column[end]] for end in (first, second))

    def entering(rows: npt.NDArray[np.intp], units: npt.NDArray[np.intp], size: int) -> sparse.csr_array:
        return sparse.csr_array((np.ones(len(rows), np.float32), (rows, units)), shape=(size, len(codes)))

    apart = given != said
    keys = [pair * labels + label for label in (given, said)]
    both = np.intersect1d(*keys)
    kept = [np.isin(key, both) for key in keys]
    one, other = (
        entering(np.searchsorted(both, key[kind]), unit[kind], len(both)) for key, kind in zip(keys, kept, strict=True)
    )
    size = len(names)
    return _Pairs(entering(pair, unit, size), entering(pair[apart], unit[apart], size), one, other, both // labels)
