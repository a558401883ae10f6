"""Inclusion probabilities: an item is judged when any of its trajectories is drawn, and draws are independent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from gainsift.schemas.errors import UserError


@dataclass(frozen=True)
class Inclusion:
    """`trajectories`: item -> trajectory -> probability, over the whole population; `selected`: items judged."""

    trajectories: Mapping[str, Mapping[str, float]]
    selected: frozenset[str]
    _known: dict[frozenset[str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, links: pd.DataFrame, where: str) -> Inclusion:
        """From links.parquet (every row of the population). Raises UserError if its probabilities disagree."""
        members: dict[str, dict[str, float]] = {}
        columns = ("item_id", "trajectory", "trajectory_probability", "item_probability")
        stored: dict[str, float] = {}
        for item, trajectory, probability, of_item in zip(*(links[name] for name in columns), strict=True):
            members.setdefault(item, {})[trajectory] = probability
            stored[item] = of_item
        inclusion = cls(members, frozenset(links.loc[links["drawn"], "item_id"]))
        for item, probability in stored.items():
            if abs(inclusion.probability([item]) - probability) > 1e-9:
                raise UserError(
                    where,
                    f"item {item} has probability {probability:g}, its trajectories give"
                    f" {inclusion.probability([item]):g}",
                    "run `gainsift annotate plan` again",
                )
        return inclusion

    def probability(self, items: Iterable[str]) -> float:
        """The probability that every one of `items` is judged: one item, or the two of a unit.

        By inclusion and exclusion: P(a and b) = 1 - P(not a) - P(not b) + P(neither), where a set of items is
        missed when none of its trajectories is drawn: the product of (1 - pi) over their union.
        """
        wanted = frozenset(items)
        if wanted not in self._known:
            self._known[wanted] = self._compute(sorted(wanted))
        return self._known[wanted]

    def _compute(self, items: list[str]) -> float:
        total = 0.0
        for chosen in range(1 << len(items)):
            subset = [item for index, item in enumerate(items) if chosen >> index & 1]
            union = {name: p for item in subset for name, p in self.trajectories[item].items()}
            total += (-1) ** len(subset) * math.prod(1 - p for p in union.values())
        return total
