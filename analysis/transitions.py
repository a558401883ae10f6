"""Which category units had before and which after: the table of transitions of a contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.estimate import Array
from gainsift.analysis.marginal_homogeneity import net_flows
from gainsift.analysis.units import is_decided


@dataclass(frozen=True)
class Transitions:
    """Decided units by category before and after, over `categories` [K], those that occur, in the taxonomy's order.

    `weights` [K, K]: weighted units, what estimates are made of. `counts` [K, K]: units as they are; whole numbers
    unless verdicts are distributions. `flows` [C, K] and `totals` [C]: what each word family gained in each category,
    and its weight.
    """

    categories: Sequence[str]
    weights: Array
    counts: Array
    flows: Array
    totals: Array

    @property
    def shares(self) -> Array:
        """Of all decided units: [K, K]."""
        total = self.weights.sum()
        return np.asarray(self.weights / total if total else self.weights)

    @property
    def whole(self) -> bool:
        """Whether every unit is in one cell, as the classic tests need."""
        return bool(np.allclose(self.counts, np.round(self.counts), rtol=0, atol=1e-9))

    def correct(self, of: Sequence[str]) -> tuple[int, int]:
        """Units that became one of the categories `of`, and units that ceased to be; as they are."""
        inside = np.isin(list(self.categories), list(of))
        return round(self.counts[np.ix_(~inside, inside)].sum()), round(self.counts[np.ix_(inside, ~inside)].sum())

    def called(self, of: Sequence[str]) -> Array:
        """Whether each unit is in one of the categories `of` before and after: [U, 2] of 0 and 1."""
        inside = np.isin(list(self.categories), list(of)).astype(float)
        before, after = np.nonzero(np.ones_like(self.counts))
        times = np.round(self.counts[before, after]).astype(int)
        return np.repeat(np.column_stack([inside[before], inside[after]]), times, axis=0)


def transitions(units: pd.DataFrame, order: Sequence[str]) -> Transitions:
    """From the frame of `units.Units`; `order` lists every category."""
    known = units[is_decided(units)]
    seen = set(known["label_a"]) | set(known["label_b"])
    categories = [name for name in order if name in seen]
    before, after = (_numbers(known[f"label_{side}"], categories) for side in ("a", "b"))
    weight, mass = known["weight"].to_numpy(float), known["mass"].to_numpy(float)
    flows, totals = net_flows(before, after, len(categories), pd.factorize(known["cluster"], sort=True)[0], weight)
    weights, counts = (_counted(before, after, one, len(categories)) for one in (weight, mass))
    return Transitions(categories, weights, counts, flows, totals)


def _numbers(labels: pd.Series[str], categories: Sequence[str]) -> npt.NDArray[np.intp]:
    place = {name: number for number, name in enumerate(categories)}
    return np.array([place[label] for label in labels], np.intp)


def _counted(before: npt.NDArray[np.intp], after: npt.NDArray[np.intp], weight: Array, size: int) -> Array:
    found = np.zeros((size, size))
    np.add.at(found, (before, after), weight)
    return found
