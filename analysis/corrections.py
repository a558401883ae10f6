"""Correction for many tests by Holm or by Benjamini and Hochberg; `max_t` is the one that needs the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy.stats import false_discovery_control

from gainsift.analysis.estimate import Array

Correction = Literal["holm", "fdr_bh"]
IN_WORDS: dict[Correction, str] = {
    "holm": "Holm (1979): the probability of any false alarm in the family",
    "fdr_bh": "Benjamini & Hochberg (1995): the expected share of false alarms among the rejected",
}


def adjusted(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """Adjusted p-values in the order given. A test without p (undefined) is no member of the family."""
    defined = [place for place, p in enumerate(p_values) if p is not None]
    found: list[float | None] = [None] * len(p_values)
    if defined:
        values = _BY[correction](np.array([p_values[place] for place in defined], float))
        for place, value in zip(defined, values, strict=True):
            found[place] = float(value)
    return found


def _holm(p: Array) -> Array:
    """The k-th smallest of m times m - k + 1, no smaller than those before it and 1 at most: [m]."""
    order = np.argsort(p)
    found = np.empty(len(p))
    found[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return found


# not statsmodels' multipletests: it collects the whole heap's garbage at each call, seconds in a large study
_BY: dict[Correction, Callable[[Array], Array]] = {"holm": _holm, "fdr_bh": false_discovery_control}
