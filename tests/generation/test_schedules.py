"""Policies: the published schedules position by position, and what must hold for every series."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.generation.checkpoint_families import FAMILIES, Found
from gainsift.generation.schedules import choose
from gainsift.schemas.errors import UserError

PUBLISHED = {family.name: family.schedule for family in FAMILIES}


def series(count: int, tokens_per_step: int = 1000, first: int = 1) -> list[Found]:
    return [Found(f"step{n}", f"step{n}", n, n * tokens_per_step) for n in range(first, first + count)]


# positions as the published loop keeps them: counted from 0, `position % stride == 0`, and the last one
EARLY = [*range(10), 10, 12, 14, 16, 18]
KEPT = [
    ("eurollm", 71, [*EARLY, *range(20, 71, 5)]),
    ("eurollm", 69, [*EARLY, *range(20, 69, 5), 68]),
    ("olmo-2", 105, [*EARLY, 20, 40, 60, 80, 100, 104]),
    ("apertus", 56, [*EARLY, 20, 25, 30, 40, 50, 55]),
    ("bloom", 8, list(range(8))),
    ("eurollm", 3, [0, 1, 2]),
    ("olmo-2", 12, [*range(10), 10, 11]),
]


@pytest.mark.parametrize(("family", "count", "positions"), KEPT)
def test_the_published_schedules(family: str, count: int, positions: list[int]) -> None:
    assert choose("published", series(count), PUBLISHED[family]) == positions


def test_a_study_of_26_checkpoints_comes_from_67_to_71_of_eurollm() -> None:
    """15 of the first 20, then one of every five, and the last: 26 in all."""
    counts = {n: len(choose("published", series(n), PUBLISHED["eurollm"])) for n in range(60, 80)}
    assert [n for n, taken in counts.items() if taken == 26] == list(range(67, 72))


def test_every_kth_and_the_last() -> None:
    assert choose("every:4", series(10), "all") == [0, 4, 8, 9]
    assert choose("every:3", series(10), "all") == [0, 3, 6, 9]
    assert choose("every:1", series(3), "all") == choose("all", series(3), "all") == [0, 1, 2]


def test_log_spacing_by_hand() -> None:
    """Tokens 1, 2, …, 1024: four places at 1, 10.08, 101.6 and 1024."""
    assert [n + 1 for n in choose("log:4", series(1024), "all")] == [1, 10, 102, 1024]


def test_log_spacing_goes_by_tokens_where_they_are_known() -> None:
    found = [Found(str(n), str(n), n, tokens) for n, tokens in enumerate([0, 10, 100, 1000, 1010, 1020, 10_000])]
    assert choose("log:5", found, "all") == [0, 1, 2, 3, 6]


@given(
    steps=st.lists(st.integers(0, 10**7), min_size=1, max_size=120, unique=True).map(sorted),
    wanted=st.integers(1, 150),
    tokens=st.booleans(),
)
def test_log_takes_as_many_as_asked_first_and_last_among_them(steps: list[int], wanted: int, tokens: bool) -> None:
    found = [Found(str(n), str(n), n, n * 7 * tokens) for n in steps]
    taken = choose(f"log:{wanted}", found, "all")
    assert len(taken) == min(wanted, len(found))
    assert all(a < b for a, b in pairwise(taken))
    assert taken[-1] == len(found) - 1
    assert wanted == 1 or taken[0] == 0


@given(
    policy=st.sampled_from(["all", "every:1", "every:7", "dense-early", "dense-early:3/1,9/4,30", "published"]),
    count=st.integers(1, 300),
)
def test_positions_rise_stay_inside_and_reach_the_last(policy: str, count: int) -> None:
    taken = choose(policy, series(count), PUBLISHED["apertus"])
    assert all(a < b for a, b in pairwise(taken))
    assert taken[0] == 0
    assert taken[-1] == count - 1


def test_log_distances_are_even_where_the_series_is_dense() -> None:
    taken = choose("log:8", series(100_000), "all")
    gaps = [math.log(b + 1) - math.log(a + 1) for a, b in pairwise(taken)]
    assert max(gaps[2:]) / min(gaps[2:]) < 1.1


def test_named_checkpoints_are_taken_as_they_are() -> None:
    found = series(10)
    assert choose([3, "step7", "step3"], found, "all") == [2, 6]
    assert choose("explicit:step2,9", found, "all") == [1, 8]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("evry:3", "did you mean every?"),
        ("every", "expected a number from 1 on"),
        ("every:0", "expected a number from 1 on"),
        ("log:-2", "expected a number from 1 on"),
        ("all:2", "takes no number"),
        ("dense-early:20/2,10/1,5", "rising limits"),
        ("dense-early:10/0,5", "each k from 1 on"),
        ("dense-early:ten", "expected UPTO/K"),
        ("explicit:step3,step33", "no checkpoint 'step33'; did you mean step3?"),
        ("", "no such policy"),
    ],
)
def test_a_mistake_is_named_in_one_line(policy: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        choose(policy, series(10), "all")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
