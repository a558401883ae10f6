"""How far two labels lie apart: the distance that weighs a disagreement.

A metric takes the labels, in order, to their distances: [V, V], symmetric, zero in the diagonal. Coefficients take
the distances as they stand (what Krippendorff writes as a squared difference is already squared here). His ordinal
metric depends on how often each label was given and lives in alpha.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from gainsift.analysis.estimate import Array
from gainsift.schemas.taxonomy import Taxonomy

T = TypeVar("T")
Metric = Callable[[Sequence[str]], Array]
SET_SEPARATOR = "|"
PATH_SEPARATOR = "/"


def nominal(labels: Sequence[str]) -> Array:
    """1 between any two labels."""
    return np.asarray(1.0 - np.eye(len(labels)))


def linear(labels: Sequence[str]) -> Array:
    """Steps between the labels' places in their order, as in linearly weighted kappa (Cicchetti & Allison 1971)."""
    places = np.arange(len(labels), dtype=np.float64)
    return np.asarray(np.abs(np.subtract.outer(places, places)))


def quadratic(labels: Sequence[str]) -> Array:
    """The same steps squared (Fleiss & Cohen 1973)."""
    return np.asarray(linear(labels) ** 2)


def interval(labels: Sequence[str]) -> Array:
    """(x - y)^2 of labels that are numbers (Krippendorff 2011). Raises ValueError for others."""
    values = _numbers(labels)
    return np.asarray(np.subtract.outer(values, values) ** 2)


def ratio(labels: Sequence[str]) -> Array:
    """((x - y) / (x + y))^2, zero where x + y is zero (Krippendorff 2011). Raises ValueError for other than numbers."""
    values = _numbers(labels)
    difference, total = np.subtract.outer(values, values), np.add.outer(values, values)
    return np.asarray(np.divide(difference, total, out=np.zeros_like(difference), where=total != 0) ** 2)


def jaccard(labels: Sequence[str]) -> Array:
    """1 - |A and B| / |A or B| of label sets, written `a|b` (Jaccard 1912)."""
    return _between([label_set(label) for label in labels], lambda a, b: 1 - len(a & b) / len(a | b))


def masi(labels: Sequence[str]) -> Array:
    """1 - Jaccard's index x M of label sets, written `a|b` (Passonneau 2006).

    M is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap, 0 where they have nothing in common.
    """

    def distance(a: frozenset[str], b: frozenset[str]) -> float:
        monotone = 1.0 if a == b else 2 / 3 if a <= b or b <= a else 1 / 3 if a & b else 0.0
        return 1 - len(a & b) / len(a | b) * monotone

    return _between([label_set(label) for label in labels], distance)


def path(labels: Sequence[str]) -> Array:
    """1 - 2 x common / (steps of A + steps of B) for paths in a tree, written `error/ability/non_word`.

    `common` is the number of steps from the root that both paths share: one minus the similarity of Wu & Palmer (1994).
    """
    return _between([label_path(label) for label in labels], _apart)


def of_taxonomy(taxonomy: Taxonomy) -> Metric:
    """`path` of categories, whose path is kind, bucket, id; kind and bucket as they stand for patched outputs."""

    def metric(labels: Sequence[str]) -> Array:
        found = [taxonomy.category(label) for label in labels]
        return _between([(one.kind, one.bucket or "", one.id) for one in found], _apart)

    return metric


METRICS: dict[str, Metric] = {
    "nominal": nominal,
    "interval": interval,
    "ratio": ratio,
    "linear": linear,
    "quadratic": quadratic,
    "jaccard": jaccard,
    "masi": masi,
    "path": path,
}


def label_set(label: str) -> frozenset[str]:
    """The labels in `a|b`; spaces around them do not count."""
    return frozenset(part.strip() for part in label.split(SET_SEPARATOR) if part.strip()) or frozenset({""})


def label_path(label: str) -> tuple[str, ...]:
    """The steps in `a/b` from the root; spaces around them do not count, nor do empty ones."""
    return tuple(part.strip() for part in label.split(PATH_SEPARATOR) if part.strip())


def _apart(a: Sequence[str], b: Sequence[str]) -> float:
    common = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        common += 1
    steps = len(a) + len(b)
    return 1 - 2 * common / steps if steps else 0.0


def _between(values: Sequence[T], distance: Callable[[T, T], float]) -> Array:
    return np.array([[distance(a, b) for b in values] for a in values], dtype=np.float64).reshape(
        len(values), len(values)
    )


def _numbers(labels: Iterable[str]) -> Array:
    return np.array([float(label) for label in labels], dtype=np.float64)
