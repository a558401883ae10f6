"""Krippendorff's alpha for any number of annotators, with gaps, at any level of measurement.

alpha = 1 - D_o / D_e over units with m >= 2 judgements, n = sum of m in all:
D_o = (1/n) sum_u sum_ck n_uc n_uk d_ck / (m_u - 1), D_e = sum_ck n_c n_k d_ck / (n (n - 1)).
Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); Content Analysis (2019), chapter 12.
"""

from __future__ import annotations

import numpy as np

from gainsift.analysis.estimate import Array, divide
from gainsift.analysis.patterns import Disagreement


def alpha(counts: Array, times: Array, distance: Array) -> Disagreement:
    """Alpha under a fixed distance [V, V]: [R, 1].

    `counts` [P, V]: how many annotators gave each label, at least two in all; `times` [R, P]: how much each pattern
    counts. A unit of weight w counts as w units do, in the correction n - 1 as well; with weights of mean 1 that
    correction is the one of the table without weights.
    """
    sizes = counts.sum(1)
    each = ((counts @ distance) * counts).sum(1) / (sizes - 1)
    given = times @ counts
    total = given.sum(1)
    expected = ((given @ distance) * given).sum(1)
    return Disagreement(
        divide(times @ each, total)[:, None], divide(expected, total * (total - 1))[:, None]
    )  # fmt: skip


def ordinal_alpha(counts: Array, times: Array) -> Disagreement:
    """Alpha of ordered labels, [R, 1]; arguments as for `alpha`, columns of `counts` in the labels' order.

    Krippendorff's ordinal metric, the square of (sum of n_g for g = c..k) - (n_c + n_k) / 2, is the squared
    difference of the mid-ranks r_c = n_1 + ... + n_c - n_c / 2, which every resample has of its own. Both
    disagreements are divided by n^2, so that they lie between 0 and 1.
    """
    sizes = counts.sum(1)
    given = times @ counts
    total = given.sum(1)
    # from the middle rank: nothing cancels where one label is left
    ranks = divide(given.cumsum(1) - given / 2, total[:, None]) - 0.5
    each = 2 * (sizes * (ranks**2 @ counts.T) - (ranks @ counts.T) ** 2) / (sizes - 1)
    observed = divide((times * each).sum(1), total)
    expected = divide(2 * (given * ranks**2).sum(1), total - 1)
    return Disagreement(np.asarray(observed)[:, None], np.asarray(expected)[:, None])


def label_alphas(counts: Array, times: Array) -> Disagreement:
    """Nominal alpha of each label against all others together: [R, V]; arguments as for `alpha`."""
    sizes = counts.sum(1, keepdims=True)
    each = 2 * counts * (sizes - counts) / (sizes - 1)
    given = times @ counts
    total = given.sum(1, keepdims=True)
    return Disagreement(divide(times @ each, total), divide(2 * given * (total - given), total * (total - 1)))
