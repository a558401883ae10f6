"""Batches of prompts that run whole: bounded by rows and by tokens, none left out, none alone without need."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gainsift.generation.source_bank import by_length


def test_by_hand() -> None:
    lengths = {0: 5, 1: 2, 2: 3, 3: 9, 4: 2}
    assert by_length(lengths, 10, 6) == [[1, 4], [2], [0], [3]]  # 3 × 3 > 6, 2 × 5 > 6; nine tokens go alone
    assert by_length(lengths, 2, 100) == [[1, 4], [2, 0], [3]]
    assert by_length({}, 2, 100) == []


@given(st.dictionaries(st.integers(0, 99), st.integers(1, 50)), st.integers(1, 9), st.integers(1, 200))
def test_bounds(lengths: dict[int, int], most: int, tokens: int) -> None:
    batches = by_length(lengths, most, tokens)
    assert sorted(key for batch in batches for key in batch) == sorted(lengths)
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[key] for key in batch) <= tokens
        assert len(batch) <= most
    for before, after in pairwise(batches):
        longest = lengths[after[0]]
        assert longest >= max(lengths[key] for key in before)
        assert len(before) == most or (len(before) + 1) * longest > tokens
