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
    everybody = np.ones((len(pairs.annotators), 1))
    (found,) = estimates(rows, lambda times: _light(pairs, times, everybody), resamples, confidence, rng)
    return found if found.defined else undefined("no disagreement is expected by chance")


def light_kappa_without_each(
    ratings: Ratings, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Annotator -> the mean of the pairs of the others, from one resample of all items judged twice for everybody.

    Where the others are all alike, or nothing is defined, it is `light_kappa` of their table, whose bounds and reasons
    go by its own items.
    """
    names = ratings.annotators
    rows = patterns(ratings.chosen(ratings.sizes >= 2), who=True)
    pairs = _pairs(rows.codes, len(ratings.labels))
    lacking = (pairs.annotators[:, :, None] != np.arange(len(names))).all(1).astype(np.float64)  # [Q, A]
    together = (
        estimates(rows, lambda times: _light(pairs, times, lacking), resamples, confidence, rng)
        if len(lacking)
        else [undefined("")] * len(names)
    )
    return {
        name: one
        if one.defined and not one.bounded
        else light_kappa(ratings.by([other for other in names if other != name]), resamples, confidence, own)
        for name, one, own in zip(names, together, rng.spawn(len(names)), strict=True)
    }


def _light(pairs: _Pairs, times: Array, members: Array) -> Disagreement:
    """[R, K]: means over the pairs of K sets, `members` [Q, K] 1 or 0, each pair on the units that both judged.

    Pairs whose kappa is undefined stay out.
    """
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
    number = known @ members
    mean, scale = (divide(np.where(known, values, 0.0) @ members, number) for values in (ratios, expected))
    return Disagreement(mean * scale, scale)  # both at the scale of the pairs, as bounds need them


class _Pairs(NamedTuple):
    """Which of P patterns enter what of Q pairs of `annotators` [Q, 2]: sparse matrices with a row for each figure.

    `judged`, `differing` [Q, P]: by both of a pair, and differently. `one`, `other` [K, P]: given a label by the first
    or the second of a pair, for every label that both of them gave; `owner` [K]: the pair, ascending.
    """

    annotators: npt.NDArray[np.intp]
    judged: sparse.csr_array
    differing: sparse.csr_array
    one: sparse.csr_array
    other: sparse.csr_array
    owner: npt.NDArray[np.intp]


def _pairs(codes: npt.NDArray[np.int32], labels: int) -> _Pairs:
    """From codes [P, A]. All pairs at once: most units have a few of many annotators."""
    row, column = np.nonzero(codes != GAP)
    most = int(np.bincount(row).max(initial=0))
    ends = [(np.flatnonzero(row[lag:] == row[:-lag]), lag) for lag in range(1, max(2, most))]
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
    who = np.stack(np.divmod(names, codes.shape[1]), axis=1)
    return _Pairs(who, entering(pair, unit, size), entering(pair[apart], unit[apart], size), one, other, both // labels)
