"""Work is shared out as evenly as the languages allow: against the best there is, found by a maximum flow."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from gainsift.annotation.balance import Balance, Pick


def shared_out(readers: dict[str, list[str]], counts: dict[str, int], overlap: int, seed: int = 0) -> Balance:
    """`counts` items of each language pair, those that few can read first, as a plan does it."""
    generator, balance, picks = Random(seed), Balance(), []
    items = [pair for pair in sorted(readers, key=lambda pair: (len(readers[pair]), pair)) for _ in range(counts[pair])]
    for pair in items:
        luck = {name: generator.random() for name in readers[pair]}
        chosen = balance.pick(readers[pair], overlap, [], luck.__getitem__)
        assert len(set(chosen)) == len(chosen) == min(overlap, len(readers[pair]))
        picks.append(Pick([], chosen, readers[pair]))
    balance.even_out(picks)
    for pair, pick in zip(items, picks, strict=True):
        assert set(pick.chosen) <= set(readers[pair])
        assert len(set(pick.chosen)) == min(overlap, len(readers[pair]))
    counted = Balance()
    for pick in picks:
        for number, name in enumerate(pick.chosen):
            counted.give(name, pick.chosen[:number])
    assert counted.loads == balance.loads
    assert +counted.shared == +balance.shared
    return balance


def least_maximum(readers: dict[str, list[str]], counts: dict[str, int], overlap: int) -> int:
    """The smallest bound on everybody's load under which all items find their annotators."""
    wanted = {pair: number * min(overlap, len(readers[pair])) for pair, number in counts.items()}
    people = sorted({name for names in readers.values() for name in names})
    node = {name: number for number, name in enumerate(["items", *readers, *people, "loads"])}
    for bound in range(sum(wanted.values()) + 1):
        capacity = np.zeros((len(node), len(node)), dtype=np.int32)
        for pair, names in readers.items():
            capacity[node["items"], node[pair]] = wanted[pair]
            for name in names:
                capacity[node[pair], node[name]] = counts[pair]
                capacity[node[name], node["loads"]] = bound
        flow = maximum_flow(csr_array(capacity), node["items"], node["loads"]).flow_value
        if flow == sum(wanted.values()):
            return bound
    raise AssertionError("no bound is enough")


@pytest.mark.parametrize("case", range(40))
def test_nobody_has_more_than_one_above_the_best_possible_share(case) -> None:
    generator = Random(case)
    names = "abcdefg"[: generator.randint(2, 7)]
    readers = {
        f"pair{number}": sorted(generator.sample(names, generator.randint(1, len(names))))
        for number in range(generator.randint(1, 5))
    }
    counts = {pair: generator.randint(1, 60) for pair in readers}
    overlap = generator.randint(1, 3)
    balance = shared_out(readers, counts, overlap, case)
    assert max(balance.loads.values()) <= least_maximum(readers, counts, overlap) + 1


@pytest.mark.parametrize(("people", "overlap", "items"), [(4, 2, 200), (5, 2, 333), (7, 3, 500), (10, 2, 2000)])
def test_pairs_share_equally_where_all_read_everything(people, overlap, items) -> None:
    """items · overlap / people each, and items · (overlap choose 2) / (people choose 2) for each two."""
    names = [f"p{number}" for number in range(people)]
    balance = shared_out({"en-de": names}, {"en-de": items}, overlap)
    loads = [balance.loads[name] for name in names]
    assert max(loads) - min(loads) <= 1
    even = items * overlap * (overlap - 1) / (people * (people - 1))
    for pair in combinations(names, 2):
        assert abs(balance.shared[pair] - even) <= 3


def test_what_somebody_holds_already_counts() -> None:
    """b has 3 items of its own: the next 3 go to a, then they take turns."""
    balance = Balance()
    for _ in range(3):
        balance.give("b", [])
    found = [balance.pick(["a", "b"], 1, [], {"a": 0.5, "b": 0.1}.__getitem__)[0] for _ in range(5)]
    assert found == ["a", "a", "a", "b", "a"]
