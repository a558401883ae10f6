"""Agreement corrected for chance by the annotators' own use of the labels: percent, S, Scott's pi, Fleiss, Cohen.

All are 1 - observed / expected disagreement under a distance [V, V], scaled to a maximum of 1: with the nominal
distance the coefficient of that name, with another one its weighted form. Gwet, Handbook of Inter-Rater Reliability
(2014), chapters 2 and 4, gives all of them for many annotators and gaps.

Arguments everywhere: `counts` [P, V] says how many annotators gave each label, `times` [R, P] how much each pattern
counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, divide
from gainsift.analysis.patterns import Disagreement


def percent(counts: Array, times: Array) -> Disagreement:
    """Agreeing pairs of all pairs of judgements of one unit, as a share, not corrected for chance: [R, 1]."""
    sizes = counts.sum(1)
    pairs = sizes * (sizes - 1)
    agreeing = (counts * (counts - 1)).sum(1)
    share = divide(times @ agreeing, times @ pairs)[:, None]
    return Disagreement(1 - share, np.ones_like(share))


def bennett_s(counts: Array, times: Array, distance: Array) -> Disagreement:
    """S: chance gives each of the V labels equally often (Bennett, Alpert & Goldstein 1954; Brennan & Prediger 1981).

    V counts the labels of the table. [R, 1].
    """
    observed = mean_disagreement(counts, times, distance)
    return Disagreement(observed, np.full_like(observed, distance.mean()))


def fleiss(counts: Array, times: Array, distance: Array) -> Disagreement:
    """Kappa of Fleiss (1971): chance gives labels as often as all annotators together: [R, 1].

    With gaps: observed over units judged twice or more, label shares over all units, each unit alike (Gwet 2014).
    Of two annotators and no gaps it is Scott's pi (1955).
    """
    shares = label_shares(counts, times)
    expected = ((shares @ distance) * shares).sum(1, keepdims=True)
    return Disagreement(mean_disagreement(counts, times, distance), expected)


def cohen(codes: npt.NDArray[np.int32], times: Array, distance: Array) -> Disagreement:
    """Kappa of Cohen (1960), weighted (1968) under another distance than the nominal one: [R, 1].

    `codes` [P, 2]: the two labels of each pattern. Chance gives labels as often as each annotator did.
    """
    one, other = (np.eye(len(distance))[column] for column in codes.T)
    total = times.sum(1)
    observed = divide(times @ distance[codes[:, 0], codes[:, 1]], total)
    expected = divide(((times @ one @ distance) * (times @ other)).sum(1), total**2)
    return Disagreement(observed[:, None], expected[:, None])


def mean_disagreement(counts: Array, times: Array, distance: Array) -> Array:
    """Mean over units judged twice or more of the mean distance of two judgements of the unit: [R, 1]."""
    sizes = counts.sum(1)
    twice = sizes >= 2
    pairs = np.where(twice, sizes * (sizes - 1), 1)
    each = ((counts @ distance) * counts).sum(1) / pairs
    return divide(times @ each, times @ twice.astype(np.float64))[:, None]


def label_shares(counts: Array, times: Array) -> Array:
    """Share of each label, the mean of its shares in the units: [R, V]."""
    return divide(times @ (counts / counts.sum(1, keepdims=True)), times.sum(1, keepdims=True))


def fleiss_z(counts: Array, times: Array) -> float:
    """z of Fleiss' kappa under no agreement but by chance (Fleiss, Nee & Landis 1979).

    For units that all have the same number of judgements; raises ValueError for others. `times` [1, P].
    """
    sizes = np.unique(counts.sum(1))
    if len(sizes) != 1:
        raise ValueError("z needs the same number of judgements for every unit")
    (size,), units = sizes, times.sum()
    shares = label_shares(counts, times)[0]
    spread = shares * (1 - shares)
    variance = spread.sum() ** 2 - (spread * (1 - 2 * shares)).sum()
    error = np.sqrt(2 * variance / (units * size * (size - 1))) / spread.sum()
    kappa = fleiss(counts, times, 1 - np.eye(counts.shape[1])).coefficient()[0, 0]
    return float(kappa / error)
