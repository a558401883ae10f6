"""Gwet's AC1 and AC2: agreement corrected for chance that does not collapse where one label prevails."""

from __future__ import annotations

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.kappas import label_shares, mean_disagreement
from gainsift.analysis.patterns import Disagreement


def gwet(counts: Array, times: Array, distance: Array) -> Disagreement:
    """AC1 under the nominal distance, AC2 under another one of maximum 1: [R, 1].

    Chance agreement is sum(w) / (q (q - 1)) * sum pi (1 - pi) over the q labels of the table, w = 1 - distance and
    pi the label shares (Gwet, Computing inter-rater reliability and its variance in the presence of high agreement,
    2008; Handbook of Inter-Rater Reliability, 2014, chapters 2 to 4 with many annotators, gaps and weights).
    Undefined for a single label. `counts` [P, V], `times` [R, P] as in kappas.py.
    """
    labels = len(distance)
    observed = mean_disagreement(counts, times, distance)
    if labels < 2:
        return Disagreement(observed, np.zeros_like(observed))
    shares = label_shares(counts, times)
    weights = (1 - distance).sum()
    chance = weights / (labels * (labels - 1)) * (shares * (1 - shares)).sum(1, keepdims=True)
    return Disagreement(observed, 1 - chance)
