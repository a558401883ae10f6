"""Agreement between annotators: Krippendorff's alpha, percent agreement, Cohen's kappa of each pair.

Input everywhere is the long table: item -> annotator -> label. Whatever is undefined (one annotator, one label,
no item judged twice) comes back as an Estimate without a point and with the reason, never as an error or a zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import krippendorff
import numpy as np

from gainsift.analysis.estimate import Array, Estimate, divide, interval, resample_counts, undefined
from gainsift.analysis.wording import counted

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LEVELS: tuple[str, ...] = get_args(Level)
Labels = Mapping[str, Mapping[str, str]]
"""item -> annotator -> label; gaps are absent."""


@dataclass(frozen=True)
class PairKappa:
    """Cohen's kappa of two annotators on the `n` items that both judged."""

    a: str
    b: str
    n: int
    cohen_kappa: Estimate


@dataclass(frozen=True)
class LabelAgreement:
    """Nominal alpha of one label against the rest; `support` is how often it was given."""

    label: str
    alpha: Estimate
    support: int


@dataclass(frozen=True)
class Agreement:
    """All measures of one table. `percent` is 0 to 100: agreeing pairs of all pairs of judgements of one item."""

    items: int
    pairable: int
    judgements: int
    annotators: list[str]
    labels: list[str]
    alpha: Estimate
    percent: Estimate
    pairwise: list[PairKappa]
    per_label: list[LabelAgreement]
    confusion: dict[tuple[str, str], int]


def agreement(table: Labels, level: Level, resamples: int, confidence: float, rng: np.random.Generator) -> Agreement:
    """Every measure with bootstrap intervals that resample items judged by two annotators or more.

    Items that one annotator judged do not enter alpha (Krippendorff 2011) but count in `items` and `support`.
    Labels must be numbers unless `level` is nominal; raises ValueError otherwise.
    """
    table = {item: dict(votes) for item, votes in table.items() if votes}
    given = Counter(label for votes in table.values() for label in votes.values())
    domain = sorted(given) if level == "nominal" else sorted(given, key=float)
    annotators = sorted({name for votes in table.values() for name in votes})
    counts = _value_counts(table, domain)
    pairable = counts[counts.sum(1) >= 2]
    reason = _undefined_because(table, annotators, domain, pairable)
    draws = resample_counts(len(pairable), resamples, rng) if len(pairable) > 1 else None
    return Agreement(
        items=len(table),
        pairable=len(pairable),
        judgements=given.total(),
        annotators=annotators,
        labels=domain,
        alpha=undefined(reason) if reason else _alpha(pairable, domain, level, draws, confidence),
        percent=_percent(pairable, draws, confidence) if len(pairable) else undefined(reason),
        pairwise=[_kappa(table, a, b) for a, b in combinations(annotators, 2)],
        per_label=[
            LabelAgreement(
                label,
                undefined(reason) if reason else _label_alpha(pairable, column, draws, confidence),
                given[label],
            )
            for column, label in enumerate(domain)
        ],
        confusion=_confusion(pairable, domain),
    )


def _value_counts(table: Labels, domain: list[str]) -> Array:
    """How many annotators gave each label to each item: [items, labels]."""
    column = {label: index for index, label in enumerate(domain)}
    counts = np.zeros((len(table), len(domain)))
    for row, votes in enumerate(table.values()):
        for label in votes.values():
            counts[row, column[label]] += 1
    return counts


def _undefined_because(table: Labels, annotators: list[str], domain: list[str], pairable: Array) -> str:
    if not table:
        return "no judgements"
    if len(annotators) < 2:
        return f"one annotator only, {counted(len(table), 'item')}"
    if not len(pairable):
        return f"none of {counted(len(table), 'item')} was judged by two annotators"
    if int((pairable.sum(0) > 0).sum()) < 2:
        return (
            f"one label only ({domain[int(pairable.sum(0).argmax())]}) on {counted(len(pairable), 'item')} judged twice"
        )
    return ""


# --- alpha -----------------------------------------------------------------------------------------------


def coincidences(counts: Array) -> Array:
    """Coincidences of each item: n_c (n_k - [c = k]) / (m - 1), from [U, V] to [U, V, V] (Krippendorff 2011)."""
    pairs = counts[:, :, None] * counts[:, None, :]
    diagonal = np.arange(counts.shape[1])
    pairs[:, diagonal, diagonal] -= counts
    return np.asarray(pairs / (counts.sum(1) - 1)[:, None, None])


def alpha_of(coincidence: Array, values: Array | None, level: Level) -> Array:
    """Alpha of each coincidence matrix [R, V, V], NaN where only one value is left; `values` [V] unless nominal.

    1 - (n - 1) sum(o_ck d_ck) / sum(n_c n_k d_ck), Krippendorff, Computing Krippendorff's Alpha-Reliability
    (2011), with his difference functions. The point estimates come from the library `krippendorff`; this form
    takes all resamples at once.
    """
    marginals = coincidence.sum(2)
    total = marginals.sum(1)
    distance = _distances(marginals, values, level)
    observed = (coincidence * distance).sum((1, 2))
    expected = np.einsum("rc,rck,rk->r", marginals, np.broadcast_to(distance, coincidence.shape), marginals)
    return np.asarray(1 - (total - 1) * divide(observed, expected))


def _distances(marginals: Array, values: Array | None, level: Level) -> Array:
    """Squared differences [1 or R, V, V]."""
    size = marginals.shape[1]
    if level == "nominal":
        return np.asarray(1.0 - np.eye(size))[None]
    if level == "ordinal":
        upto = marginals.cumsum(1)
        low, high = np.minimum.outer(range(size), range(size)), np.maximum.outer(range(size), range(size))
        between = upto[:, high] - upto[:, low] + marginals[:, low]
        return np.asarray((between - (marginals[:, low] + marginals[:, high]) / 2) ** 2 * (low != high))
    assert values is not None
    difference, total = np.subtract.outer(values, values), np.add.outer(values, values)
    if level == "ratio":
        difference = np.divide(difference, total, out=np.zeros_like(difference), where=total != 0)
    return np.asarray(difference**2)[None]


def _alpha(counts: Array, domain: list[str], level: Level, draws: Array | None, confidence: float) -> Estimate:
    used = counts.sum(0) > 0
    counts = counts[:, used]
    values = None if level == "nominal" else np.array([float(label) for label in domain])[used]
    point = float(
        krippendorff.alpha(
            value_counts=counts.astype(int),
            value_domain=np.arange(counts.shape[1]) if values is None else values,
            level_of_measurement=level,
        )
    )
    if not np.isfinite(point):
        return undefined("no disagreement is expected between these values")
    if draws is None:
        return Estimate(point, reason="no interval: one item judged twice")
    size = counts.shape[1]
    each = coincidences(counts).reshape(len(counts), size * size)
    samples = alpha_of((draws @ each).reshape(-1, size, size), values, level)
    return Estimate(point, *interval(samples, confidence))


def _label_alpha(counts: Array, column: int, draws: Array | None, confidence: float) -> Estimate:
    """Alpha of one label against all others together."""
    one = counts[:, column]
    both = np.stack([one, counts.sum(1) - one], axis=1)
    if not one.sum():
        return undefined("given by one annotator alone on each of its items")
    if not both[:, 1].sum():
        return undefined("no other label was given")
    return _alpha(both, ["label", "rest"], "nominal", draws, confidence)


# --- percent, kappa, confusion ---------------------------------------------------------------------------


def _percent(counts: Array, draws: Array | None, confidence: float) -> Estimate:
    agreeing = (counts * (counts - 1)).sum(1)
    sizes = counts.sum(1)
    pairs = sizes * (sizes - 1)
    point = float(100 * agreeing.sum() / pairs.sum())
    if draws is None:
        return Estimate(point, reason="no interval: one item judged twice")
    return Estimate(point, *interval(100 * divide(draws @ agreeing, draws @ pairs), confidence))


def _kappa(table: Labels, a: str, b: str) -> PairKappa:
    from sklearn.metrics import cohen_kappa_score

    both = [(votes[a], votes[b]) for votes in table.values() if a in votes and b in votes]
    if not both:
        return PairKappa(a, b, 0, undefined("no item judged by both"))
    if len({label for pair in both for label in pair}) < 2:
        return PairKappa(a, b, len(both), undefined(f"one label only on {counted(len(both), 'common item')}"))
    kappa = float(cohen_kappa_score([x for x, _ in both], [y for _, y in both]))
    return PairKappa(a, b, len(both), Estimate(kappa) if np.isfinite(kappa) else undefined("no variation"))


def _confusion(counts: Array, domain: list[str]) -> dict[tuple[str, str], int]:
    """Pairs of judgements of one item by their two labels, in both orders; a label with itself counted once."""
    pairs = counts.T @ counts
    own = (counts * (counts - 1)).sum(0) / 2
    np.fill_diagonal(pairs, own)
    return {(a, b): round(pairs[i, j]) for i, a in enumerate(domain) for j, b in enumerate(domain)}
