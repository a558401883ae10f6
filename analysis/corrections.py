"""Correction for many tests by Holm or by Benjamini and Hochberg; `max_t` is the one that needs the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Correction = Literal["holm", "fdr_bh"]
IN_WORDS: dict[Correction, str] = {
    "holm": "Holm (1979): the probability of any false alarm in the family",
    "fdr_bh": "Benjamini & Hochberg (1995): the expected share of false alarms among the rejected",
}


def adjusted(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """Adjusted p-values in the order given. A test without p (undefined) is no member of the family."""
    from statsmodels.stats.multitest import multipletests

    defined = [place for place, p in enumerate(p_values) if p is not None]
    found: list[float | None] = [None] * len(p_values)
    if len(defined) == 1:  # a family of one; multipletests collects garbage each time that it is called
        return list(p_values)
    if defined:
        values = multipletests(np.array([p_values[place] for place in defined], float), method=correction)[1]
        for place, value in zip(defined, values, strict=True):
            found[place] = float(value)
    return found
