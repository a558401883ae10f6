"""Inclusion probabilities: an item is judged when any of its trajectories is drawn and no audit leaves it out.

All draws are independent: one for each trajectory, and, after them, one for each item that is audited.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from gainsift.schemas.errors import UserError

AGAIN = "run `gainsift annotate plan` again"


class Draw(Protocol):
    """Whatever knows how likely items are to be judged."""

    def probability(self, items: Iterable[str]) -> float:
        """The probability that every one of `items` is judged."""


@dataclass(frozen=True)
class Inclusion:
    """`trajectories`: item -> trajectory -> probability, over the whole population; `selected`: items judged.

    `audits`: item -> probability that it is asked about once it is drawn; items that are absent always are.
    `unasked`: items that were drawn and left out by the audit. Nobody judges them: they are outside the sample.
    """

    trajectories: Mapping[str, Mapping[str, float]]
    selected: frozenset[str]
    audits: Mapping[str, float] = field(default_factory=dict)
    unasked: frozenset[str] = frozenset()
    _known: dict[frozenset[str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, links: pd.DataFrame, where: str) -> Inclusion:
        """From links.parquet (every row of the population). Raises UserError if its probabilities disagree."""
        _check_one_value(links, "item_id", ["audit_probability", "asked"], where)
        _check_one_value(links, "trajectory", ["trajectory_probability", "drawn"], where)
        members: dict[str, dict[str, float]] = {}
        for item, trajectory, probability in zip(
            links["item_id"], links["trajectory"], links["trajectory_probability"], strict=True
        ):
            members.setdefault(item, {})[trajectory] = probability
        of_items = links.drop_duplicates("item_id").set_index("item_id")
        chances = of_items["audit_probability"]
        audits = {str(item): float(chance) for item, chance in chances[chances < 1].items()}
        drawn = links[links["drawn"]]
        selected = frozenset(drawn.loc[drawn["asked"], "item_id"])
        inclusion = cls(members, selected, audits, frozenset(drawn["item_id"]) - selected)
        for item, probability in zip(links["item_id"], links["item_probability"], strict=True):
            computed = inclusion.probability([item])
            if abs(computed - probability) > 1e-9:
                found = f"item {item} has probability {probability:g}, its trajectories and audit give {computed:g}"
                raise UserError(where, found, AGAIN)
        unaudited = sorted(set(of_items.index[~of_items["asked"].astype(bool)]) - audits.keys())
        if unaudited:
            raise UserError(where, f"item {unaudited[0]} is not asked about, though no audit leaves it out", AGAIN)
        return inclusion

    def probability(self, items: Iterable[str]) -> float:
        """The probability that every one of `items` is judged: one item, the two of a unit, or those of a chain.

        They must all be drawn and then asked about. Asked: the product of their audit probabilities. An item that is
        named twice counts once.
        """
        wanted = frozenset(items)
        if wanted not in self._known:
            asked = math.prod(self.audits.get(item, 1.0) for item in wanted)
            self._known[wanted] = asked * self._all_drawn(sorted(wanted))
        return self._known[wanted]

    def _all_drawn(self, items: list[str]) -> float:
        return _all_drawn([{name: p for name, p in self.trajectories[item].items() if p > 0} for item in items])


def _all_drawn(of_items: list[dict[str, float]]) -> float:
    """The probability that each item, given by its trajectories, has one that is drawn.

    By cases, whether the trajectory that most items share is drawn: then they are done; else it is gone from all. An
    item without trajectories left ends a branch, so that even the many items of one trajectory take few steps.
    """
    if not of_items:
        return 1.0
    if not all(of_items):
        return 0.0
    counts = Counter(name for members in of_items for name in members)
    name = min(counts, key=lambda one: (-counts[one], one))
    chance = next(members[name] for members in of_items if name in members)
    drawn = chance * _all_drawn([members for members in of_items if name not in members])
    if chance == 1:
        return drawn
    without = [{other: p for other, p in members.items() if other != name} for members in of_items]
    return drawn + (1 - chance) * _all_drawn(without)


def _check_one_value(links: pd.DataFrame, key: str, columns: list[str], where: str) -> None:
    """The rows of one item, or trajectory, must say the same of it."""
    distinct = links[[key, *columns]].drop_duplicates()
    twice = distinct[key].duplicated(keep=False)
    if twice.any():
        rows = distinct[distinct[key] == distinct.loc[twice, key].iloc[0]]
        differing = next(name for name in columns if rows[name].nunique() > 1)
        what = f"{key.removesuffix('_id')} {rows[key].iloc[0]}"
        raise UserError(where, f"the rows of {what} disagree on {differing}", AGAIN)
