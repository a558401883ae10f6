"""Sharing work out evenly: equal loads first, then equal numbers of items for each pair of annotators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass


@dataclass
class Pick:
    """Who of the `pool` was chosen for an item that `holders` have already."""

    holders: list[str]
    chosen: list[str]
    pool: list[str]


class Balance:
    """How many items each annotator holds, and how many each two hold together."""

    def __init__(self) -> None:
        self.loads: Counter[str] = Counter()
        self.shared: Counter[tuple[str, str]] = Counter()

    def give(self, name: str, holders: Collection[str]) -> None:
        """`name` gets an item that `holders` have."""
        self.loads[name] += 1
        for other in holders:
            self.shared[_pair(name, other)] += 1

    def pick(
        self, pool: Collection[str], number: int, holders: Collection[str], tie: Callable[[str], float]
    ) -> list[str]:
        """`number` of the `pool`, one after the other, for an item that `holders` have; the counts move along.

        Each time whoever holds least, among them who shares least with those who have the item already, among them
        the lowest `tie`.
        """
        chosen: list[str] = []
        free = sorted(pool)
        while free and len(chosen) < number:
            have = [*holders, *chosen]
            everybody = number - len(chosen) >= len(free)
            name = free[0] if everybody else self._next(free, have, tie)
            self.give(name, have)
            free.remove(name)
            chosen.append(name)
        return chosen

    def _next(self, free: list[str], have: list[str], tie: Callable[[str], float]) -> str:
        least = min(self.loads[name] for name in free)
        equal = [name for name in free if self.loads[name] == least]
        if len(equal) == 1:
            return equal[0]
        return min(equal, key=lambda name: (self._with(name, have), tie(name)))

    def even_out(self, picks: Sequence[Pick]) -> None:
        """Move picks from whoever holds two more to somebody who could have them, until there is none to move.

        What one `pick` after the other leaves uneven where languages stand in the way; every move brings two loads
        nearer to each other, so that it ends.
        """
        moved = True
        while moved:
            moved = False
            for pick in picks:
                rest = [name for name in pick.pool if name not in pick.chosen]
                for place, name in enumerate(pick.chosen):
                    lighter = [other for other in rest if self.loads[name] - self.loads[other] > 1]
                    if lighter:
                        others = [*pick.holders, *pick.chosen[:place], *pick.chosen[place + 1 :]]
                        best = min(lighter, key=lambda other: (self.loads[other], self._with(other, others), other))
                        self._take(name, others)
                        self.give(best, others)
                        rest[rest.index(best)] = name
                        pick.chosen[place] = best
                        moved = True

    def _take(self, name: str, holders: Collection[str]) -> None:
        self.loads[name] -= 1
        for other in holders:
            self.shared[_pair(name, other)] -= 1

    def _with(self, name: str, others: Collection[str]) -> int:
        """How many items `name` shares with others, summed over them."""
        return sum(self.shared[_pair(name, other)] for other in others)


def _pair(one: str, two: str) -> tuple[str, str]:
    return (one, two) if one < two else (two, one)
