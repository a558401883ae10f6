"""The cluster-level sign-flip test: the default for trends and for the flows of a split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.analysis.significance import Significance
from gainsift.analysis.wording import counted

FLIPS = 10_000
EXACT_UP_TO = 13
"""Clusters up to which all 2^n sign patterns are gone through: 8,192, fewer than FLIPS."""
_AT_ONCE = 2_000_000
"""Signs held in memory at a time."""


def sign_patterns(clusters: int, flips: int, rng: np.random.Generator) -> Iterator[Array]:
    """Blocks of sign patterns [F, C]: all of them up to EXACT_UP_TO clusters, else `flips` random ones."""
    if clusters <= EXACT_UP_TO:
        bits = (np.arange(2**clusters)[:, None] >> np.arange(clusters)) & 1
        yield 1.0 - 2.0 * bits
        return
    size = max(_AT_ONCE // clusters, 1)
    for start in range(0, flips, size):
        yield 1.0 - 2.0 * rng.integers(0, 2, (min(size, flips - start), clusters), np.int8)


def tail_probability(at_least: int, patterns: int, exact: bool) -> float:
    """p from how many patterns are as extreme; a random sample counts the observed one too (Phipson & Smyth 2010)."""
    return at_least / patterns if exact else (at_least + 1) / (patterns + 1)


def method_in_words(clusters: int, flips: int) -> str:
    how = f"all 2^{clusters} patterns" if clusters <= EXACT_UP_TO else f"{flips:,} random patterns"
    return f"sign-flip permutation of clusters ({how})"


def sign_flip(scores: Array, rng: np.random.Generator, flips: int = FLIPS, effect: float | None = None) -> Significance:
    """Test that the scores of clusters [C] are symmetric about zero, by |sum of scores| under random signs.

    The score of a cluster is its summed net flow or its slope. Where A and B (or up and down) are exchangeable
    within a cluster the level is exact, whatever the units of a cluster have in common; for the mean alone it
    holds as the number of clusters grows (Canay, Romano & Shaikh 2017, Econometrica 85:1013). Clusters whose score
    is zero change nothing and are left out.
    """
    moved = scores[scores != 0]
    method = method_in_words(len(moved), flips)
    if not len(moved):
        return Significance(method, effect=effect, reason="no cluster moved")
    observed = abs(float(moved.sum()))
    least = observed - 1e-9 * float(np.abs(moved).sum())  # a sum in another order must count as equal
    at_least = patterns = 0
    for signs in sign_patterns(len(moved), flips, rng):
        at_least += int((np.abs(signs @ moved) >= least).sum())
        patterns += len(signs)
    p = tail_probability(at_least, patterns, len(moved) <= EXACT_UP_TO)
    return Significance(method, p, float(moved.sum()), effect=effect, note=few_moved(len(moved)))


def few_moved(clusters: int) -> str:
    """Says so where no arrangement of signs could be significant at .05: 2 of 2^n are the most extreme."""
    if clusters > 5:
        return ""
    return f"only {counted(clusters, 'cluster')} moved: p cannot be less than {2 / 2**clusters:g}"
