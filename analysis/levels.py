"""What kind of labels a table holds: which differences count, and how labels are ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

from gainsift.analysis.alpha import alpha, ordinal_alpha
from gainsift.analysis.distances import METRICS, Metric, linear
from gainsift.analysis.estimate import Array
from gainsift.analysis.patterns import Disagreement

Level = Literal["nominal", "ordinal", "interval", "ratio", "jaccard", "masi", "path"]
LEVELS: tuple[str, ...] = get_args(Level)
NUMERIC = ("ordinal", "interval", "ratio")
"""Levels whose labels must be numbers."""
MOST_LABELS = 2000
"""More different labels than that are measurements without steps; distances between all of them fill the memory."""


@dataclass(frozen=True)
class Scale:
    """`metric` is what alpha weighs disagreements with (None: Krippendorff's ordinal one), `order` sorts the labels.

    `weighting` names the distance of weighted kappas, Fleiss and AC2: "linear" for ordered labels, "distance" for
    the metric itself, "" for none.
    """

    name: str
    metric: Metric | None
    weighting: Literal["", "linear", "distance"]
    order: Callable[[str], Any] = str

    @classmethod
    def of(cls, level: Level | Scale) -> Scale:
        """That of a level by name; a scale is taken as it is."""
        if isinstance(level, Scale):
            return level
        if level in NUMERIC:
            return cls(level, None if level == "ordinal" else METRICS[level], "linear", float)
        return cls(level, METRICS[level], "" if level == "nominal" else "distance")

    @classmethod
    def given(cls, name: str, metric: Metric) -> Scale:
        """Any distance between labels that are names."""
        return cls(name, metric, "distance")

    def alpha(self, labels: Sequence[str]) -> Callable[[Array, Array], Disagreement]:
        """Alpha of counts [P, V] and times [R, P]."""
        if self.metric is None:
            return ordinal_alpha
        return partial(alpha, distance=_scaled(self.metric(labels)))

    def weights(self, labels: Sequence[str]) -> Array | None:
        """The distance of the weighted forms, at most 1: [V, V]."""
        if not self.weighting:
            return None
        metric = linear if self.weighting == "linear" or self.metric is None else self.metric
        return _scaled(metric(labels))


def _scaled(distance: Array) -> Array:
    """Coefficients do not change with the distances' scale; bounds and AC2 want them between 0 and 1."""
    most = distance.max(initial=0)
    return distance / most if most else distance
