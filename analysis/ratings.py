"""Judgements as a matrix of label numbers: units by annotators, gaps allowed, a weight for each unit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array

Labels = Mapping[str, Mapping[str, str]]
"""item -> annotator -> label; gaps are absent."""
GAP = -1


@dataclass(frozen=True)
class Ratings:
    """`codes` [U, A] holds the place in `labels` of each annotator's label for each unit, GAP where there is none.

    `weights` [U] says how much each unit counts, as the number of outputs that it stands for; None: all alike.
    Every unit has one label at least.
    """

    codes: npt.NDArray[np.int32]
    annotators: Sequence[str]
    labels: Sequence[str]
    weights: Array | None = None

    @classmethod
    def of(
        cls, table: Labels | Ratings, weights: Mapping[str, float] | None = None, order: Callable[[str], Any] = str
    ) -> Ratings:
        """From item -> annotator -> label; items without a label are left out. `order` sorts the labels.

        Ratings are taken as they are. Raises ValueError if a weight is missing, negative or infinite.
        """
        if isinstance(table, Ratings):
            return table
        items = [item for item, votes in table.items() if votes]
        annotators = sorted({name for item in items for name in table[item]})
        labels = sorted({label for item in items for label in table[item].values()}, key=order)
        column = {name: place for place, name in enumerate(annotators)}
        code = {label: place for place, label in enumerate(labels)}
        codes = np.full((len(items), len(annotators)), GAP, dtype=np.int32)
        for row, item in enumerate(items):
            for name, label in table[item].items():
                codes[row, column[name]] = code[label]
        return cls(codes, annotators, labels, None if weights is None else _weights(items, weights))

    @classmethod
    def of_columns(cls, items: npt.ArrayLike, annotators: npt.ArrayLike, labels: npt.ArrayLike) -> Ratings:
        """From three columns of equal length, a row for each judgement; a missing label (None, NaN) is a gap.

        Raises ValueError if an annotator labels an item twice.
        """
        import pandas as pd

        kept = np.asarray(~pd.isna(np.asarray(labels)))
        (row, units), (column, names), (code, words) = (
            pd.factorize(np.asarray(values)[kept], sort=True) for values in (items, annotators, labels)
        )
        cell = row * np.int64(len(names)) + column
        codes = np.full(len(units) * len(names), GAP, dtype=np.int32)
        codes[cell] = code
        if np.count_nonzero(codes != GAP) < len(cell):
            raise ValueError("an annotator labels an item twice")
        return cls(codes.reshape(len(units), len(names)), [str(name) for name in names], [str(word) for word in words])

    @property
    def sizes(self) -> npt.NDArray[np.intp]:
        """How many judgements each unit has: [U]."""
        return np.asarray((self.codes != GAP).sum(1))

    def chosen(self, units: npt.NDArray[np.bool_]) -> Ratings:
        """Some of the units."""
        return replace(self, codes=self.codes[units], weights=None if self.weights is None else self.weights[units])

    def by(self, annotators: Collection[str]) -> Ratings:
        """What some annotators judged; units that none of them judged are left out."""
        columns = [place for place, name in enumerate(self.annotators) if name in annotators]
        part = replace(self, codes=self.codes[:, columns], annotators=[self.annotators[place] for place in columns])
        return part.chosen(part.sizes > 0)

    def common(self, annotators: Collection[str]) -> Ratings:
        """What some annotators judged, on the units that all of them judged."""
        part = self.by(annotators)
        return part.chosen(part.sizes == len(part.annotators))

    def unweighted(self) -> Ratings:
        return replace(self, weights=None)


def _weights(items: Sequence[str], weights: Mapping[str, float]) -> Array:
    """The weight of each item: [U]."""
    found = np.array([weights.get(item, np.nan) for item in items], dtype=np.float64)
    for item, weight in zip(items, found, strict=True):
        if not 0 <= weight < np.inf:
            raise ValueError(f"item {item!r} needs a weight of 0 or more, found {weights.get(item)}")
    return found
