"""Studies that could be made: what units of a contrast would show, and what annotators would say of them.

Annotators know a category with probability sqrt(alpha), else they guess by the categories' shares q. Two of them then
agree with probability alpha + (1 - alpha) sum q², so that alpha is the expected value of Scott's pi, and of
Krippendorff's nominal alpha.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array

Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
_AT_ONCE = 4_000_000
"""Units held in memory at a time."""


@dataclass(frozen=True)
class States:
    """The T ways in which a unit can stand, as numbers of L labels before and after; -1: undecided.

    `one_item` [T]: both answers are the same item, which gets one verdict. `shares` [L]: of the labels, for guesses.
    The flow that is asked about counts +1 for a unit that goes from `bucket_a` to `correct_b` and -1 for one that
    goes from `correct_a` to `bucket_b`, each [L]: the labels that are in the bucket, or correct, on that side.
    """

    before: Codes
    after: Codes
    one_item: Flags
    shares: Array
    bucket_a: Flags
    bucket_b: Flags
    correct_a: Flags
    correct_b: Flags

    def values(self, alpha: float, overlap: int) -> tuple[Array, Array]:
        """The probability that a unit of each state counts +1, and that it counts -1: two [T]."""
        verdicts = verdict_chances(confusion(alpha, self.shares), overlap)  # [L, L], rows add up to less with ties
        verdicts = np.vstack([verdicts, np.zeros(len(self.shares))])  # the last row is that of -1: no verdict
        a, b = verdicts[self.before], verdicts[self.after]

        def both(on_a: Flags, on_b: Flags) -> Array:
            return np.where(self.one_item, a @ (on_a & on_b), (a @ on_a) * (b @ on_b))

        return both(self.bucket_a, self.correct_b), both(self.correct_a, self.bucket_b)


def confusion(alpha: float, shares: Array) -> Array:
    """What an annotator says of an item of each true label: [L, L], true × said."""
    known = math.sqrt(alpha)
    return known * np.eye(len(shares)) + (1 - known) * shares[None, :]


def verdict_chances(said: Array, overlap: int) -> Array:
    """The probability of each verdict of `overlap` annotators given the true label: [L, L].

    The verdict is the label that more of them give than any other; what is missing to one is the chance of a tie.
    Exact, by going through all combinations of labels.
    """
    found = np.zeros_like(said)
    for labels in combinations_with_replacement(range(len(said)), overlap):
        counts = Counter(labels)
        (first, most), *rest = counts.most_common(2)
        if rest and rest[0][1] == most:
            continue
        orders = math.factorial(overlap) // math.prod(math.factorial(count) for count in counts.values())
        found[:, first] += orders * said[:, labels].prod(1)
    return found


class Population(Protocol):
    """Where the units of a planned study come from."""

    @property
    def states(self) -> States: ...

    @property
    def chances(self) -> Array:
        """The share of each state among units: [T]."""
        ...

    @property
    def per_family(self) -> float:
        """Units in a word family, on average."""
        ...

    @property
    def items(self) -> float:
        """Distinct items of a unit, on average: 2, or less where both answers are one item."""
        ...

    def draw(
        self, studies: int, families: int, up: Array, down: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """The net flow and the weight of each family in each of `studies` studies: two [S, C]."""
        ...


@dataclass(frozen=True)
class Assumed:
    """Families of `size` units each, whose states have the probabilities `chances` [T].

    `correlation` is that of the states of two units of a family: each family has probabilities of its own, from a
    Dirichlet distribution with parameters chances * (1 / correlation - 1) (Mosimann 1962, Biometrika 49:65).
    """

    states: States
    chances: Array
    size: int
    correlation: float
    items: float = 2.0

    @property
    def per_family(self) -> float:
        return float(self.size)

    @classmethod
    def of(cls, gained: float, lost: float, correct: float, size: int = 1, correlation: float = 0.0) -> Assumed:
        """Shares of units: from the bucket to correct, from correct to the bucket, and correct in both conditions.

        The rest is another category in both. Labels: correct, bucket, other.
        """
        chances = np.array([gained, lost, correct, 1 - gained - lost - correct]).clip(0.0)
        before, after = np.array([1, 0, 0, 2]), np.array([0, 1, 0, 2])
        shares = (np.bincount(before, chances, 3) + np.bincount(after, chances, 3)) / 2
        right, bucket = np.array([True, False, False]), np.array([False, True, False])
        states = States(before, after, np.zeros(4, bool), shares, bucket, bucket, right, right)
        return cls(states, chances, size, correlation)

    def draw(
        self, studies: int, families: int, up: Array, down: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        chances = np.broadcast_to(self.chances, (studies, families, len(self.chances)))
        if self.correlation == 1:
            chances = rng.multinomial(1, chances).astype(np.float64)
        elif self.correlation:
            own = rng.standard_gamma(chances * (1 / self.correlation - 1)) + np.finfo(float).tiny * (chances > 0)
            chances = own / own.sum(2, keepdims=True)
        counts = rng.multinomial(self.size, chances)  # [S, C, T]
        outcome = np.column_stack([up, down, np.maximum(1 - up - down, 0.0)])
        moved = rng.multinomial(counts, outcome)  # [S, C, T, 3]
        flows = (moved[..., 0] - moved[..., 1]).sum(2).astype(np.float64)
        return flows, np.full((studies, families), float(self.size))


@dataclass(frozen=True)
class Pilot:
    """Word families of a study that was judged, drawn anew with replacement, each with all its units.

    Its verdicts are taken to be true. `state`, `weight` [U] are sorted by family, whose units begin at `starts` [F].
    """

    states: States
    state: Codes
    weight: Array
    starts: Codes
    items: float

    @property
    def per_family(self) -> float:
        return len(self.state) / len(self.starts)

    @property
    def chances(self) -> Array:
        of_state = np.bincount(self.state, self.weight, len(self.states.before))
        return np.asarray(of_state / of_state.sum())

    def draw(
        self, studies: int, families: int, up: Array, down: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        sizes = np.diff(np.append(self.starts, len(self.state)))
        flows, totals = np.empty((studies, families)), np.empty((studies, families))
        at_once = max(1, int(_AT_ONCE / (families * self.per_family)))
        for start in range(0, studies, at_once):
            block = slice(start, min(start + at_once, studies))
            drawn = rng.integers(0, len(sizes), (block.stop - block.start) * families)
            count = sizes[drawn]
            ends = np.cumsum(count)
            unit = np.arange(ends[-1]) - np.repeat(ends - count, count) + np.repeat(self.starts[drawn], count)
            chance, state = rng.random(len(unit)), self.state[unit]
            value = (chance < up[state]).astype(np.float64) - (chance >= 1 - down[state])
            weight = self.weight[unit]
            for out, part in ((flows, value * weight), (totals, weight)):
                out[block] = np.add.reduceat(part, ends - count).reshape(-1, families)
        return flows, totals
