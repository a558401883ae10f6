"""Sharing work out evenly: equal loads first, then equal numbers of items for each pair of annotators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection


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
        return min(equal, key=lambda name: (sum(self.shared[_pair(name, other)] for other in have), tie(name)))


def _pair(one: str, two: str) -> tuple[str, str]:
    return (one, two) if one < two else (two, one)
