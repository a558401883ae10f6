"""The split: exact for every combination of kinds and scores, and its intervals against a slow bootstrap."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.analysis.estimate import generator
from gainsift.analysis.split import ADDENDS, ALL_DECIDED, NO_BUCKET, Split, split
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
BUCKETS = list(TAXONOMY.buckets)
SIDES = [(success, label) for success in (0, 1) for label in TAXONOMY.ids]
EXACT = 1e-12


def unit(a: tuple[int, str], b: tuple[int, str], patched: tuple[bool, bool], weight: float, cluster: str) -> dict:
    """One row of the frame, kinds and buckets from the taxonomy."""
    row: dict[str, object] = {"cluster": cluster, "weight": weight}
    for side, (success, label), is_patched in (("a", a, patched[0]), ("b", b, patched[1])):
        category = TAXONOMY.category(label)
        kind = category.kind_on(is_patched)
        missing = kind == "missing"
        row |= {
            f"success_{side}": bool(success),
            f"correct_{side}": math.nan if missing else float(kind == "correct"),
            f"label_{side}": None if missing else label,
            f"bucket_{side}": None if missing else category.bucket_on(is_patched),
        }
    return row


def frame(rows: list[dict]) -> pd.DataFrame:
    columns = ["cluster", "weight"] + [
        f"{name}_{side}" for side in "ab" for name in ("success", "correct", "label", "bucket")
    ]
    return pd.DataFrame(rows, columns=columns).assign(unit=[f"unit {number}" for number in range(len(rows))])


def made(rows: list[dict], resamples: int = 2) -> Split:
    return split(frame(rows), BUCKETS, resamples, 0.95, generator(1, "test"))


def point(estimate: object) -> float:
    value = estimate.point  # type: ignore[attr-defined]
    assert value is not None
    return float(value)


def check(found: Split) -> None:
    """The identities of the split, on points that are defined."""
    parts = found.parts
    assert point(parts["apparent"]) == pytest.approx(point(parts["success_b"]) - point(parts["success_a"]), abs=EXACT)
    if not found.decided:
        assert point(parts["apparent"]) == pytest.approx(point(parts["undecided"]), abs=EXACT)
        assert all(parts[name].point is None for name in ("human", "undeserved", "missed"))
        return
    assert sum(point(parts[name]) for name in ADDENDS) == pytest.approx(point(parts["apparent"]), abs=EXACT)
    for cells, buckets in ((found.flow, found.flow_buckets), (found.share, found.share_buckets)):
        assert sum(point(value) for value in cells.values()) == pytest.approx(point(parts["human"]), abs=EXACT)
        assert sum(point(value) for value in buckets.values()) == pytest.approx(point(parts["human"]), abs=EXACT)
        for bucket, value in buckets.items():
            inside = sum(point(cell) for key, cell in cells.items() if key[0] == bucket)
            assert inside == pytest.approx(point(value), abs=EXACT)


@pytest.mark.parametrize("patched", [(False, True), (True, False)])
def test_every_single_unit(patched: tuple[bool, bool]) -> None:
    """Each pair of (score, category) alone, worked out from the definitions with plain numbers."""
    for a, b in itertools.product(SIDES, SIDES):
        found = made([unit(a, b, patched, 1.0, "f")])
        check(found)
        kinds = [TAXONOMY.category(label).kind_on(p) for (_, label), p in zip((a, b), patched, strict=True)]
        assert point(found.parts["apparent"]) == b[0] - a[0]
        if "missing" in kinds:
            assert found.decided == 0
            continue
        h = [int(kind == "correct") for kind in kinds]
        u = [s * (1 - right) for (s, _), right in zip((a, b), h, strict=True)]
        m = [(1 - s) * right for (s, _), right in zip((a, b), h, strict=True)]
        assert point(found.parts["human"]) == h[1] - h[0]
        assert point(found.parts["undeserved"]) == u[1] - u[0]
        assert point(found.parts["missed"]) == -(m[1] - m[0])
        assert point(found.parts["undecided"]) == 0
        expected = dict.fromkeys(BUCKETS, 0)
        if h == [0, 1]:
            expected[TAXONOMY.category(a[1]).bucket_on(patched[0])] = 1
        if h == [1, 0]:
            expected[TAXONOMY.category(b[1]).bucket_on(patched[1])] = -1
        assert {bucket: point(value) for bucket, value in found.flow_buckets.items()} == expected


def test_every_combination_together() -> None:
    """All pairs of (score, category) in one frame, with weights that have no short binary form."""
    rows = [
        unit(a, b, (False, True), 1 / (1 + number % 7), f"f{number % 11}")
        for number, (a, b) in enumerate(itertools.product(SIDES, SIDES))
    ]
    found = made(rows)
    assert found.units == (2 * len(TAXONOMY.ids)) ** 2
    check(found)


side = st.sampled_from(SIDES)
any_unit = st.builds(
    unit,
    side,
    side,
    st.tuples(st.booleans(), st.booleans()),
    st.floats(1, 1000, allow_nan=False),
    st.sampled_from(["f1", "f2", "f3", "f4"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(any_unit, min_size=1, max_size=30))
def test_any_units_add_up(rows: list[dict]) -> None:
    check(made(rows))


@settings(max_examples=20, deadline=None)
@given(st.lists(any_unit, min_size=1, max_size=12), st.floats(0.01, 100))
def test_the_scale_of_weights_and_the_order_of_units_do_not_matter(rows: list[dict], factor: float) -> None:
    first = made(rows)
    second = made([row | {"weight": row["weight"] * factor} for row in reversed(rows)])
    for name, value in first.parts.items():
        if value.point is None:
            assert second.parts[name].point is None
        else:
            assert second.parts[name].point == pytest.approx(value.point, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(any_unit, min_size=1, max_size=12))
def test_turning_the_contrast_round_turns_the_sign(rows: list[dict]) -> None:
    turned = [
        {**row, **{f"{n}_{s}": row[f"{n}_{o}"] for n in ("success", "correct", "label", "bucket")
                   for s, o in (("a", "b"), ("b", "a"))}}
        for row in rows
    ]  # fmt: skip
    first, second = made(rows), made(turned)
    for name in ("apparent", *ADDENDS):
        one, two = first.parts[name].point, second.parts[name].point
        assert (one is None) == (two is None)
        assert one is None or two == pytest.approx(-one, abs=EXACT)
    for cell, value in first.flow.items():
        other = second.flow[cell].point
        assert value.point is None or other == pytest.approx(-value.point, abs=EXACT)


def test_share_split_telescopes() -> None:
    """Over a chain A -> B -> C of fully decided units the share splits add up to that of A -> C."""
    rng = np.random.default_rng(8)
    decided = [pair for pair in SIDES if TAXONOMY.category(pair[1]).kind != "missing"]
    chain = [[decided[rng.integers(len(decided))] for _ in range(3)] for _ in range(40)]

    def share(x: int, y: int) -> dict[str, float]:
        rows = [unit(c[x], c[y], (False, False), 1.0, f"f{i % 9}") for i, c in enumerate(chain)]
        return {bucket: point(value) for bucket, value in made(rows).share_buckets.items()}

    first, second, whole = share(0, 1), share(1, 2), share(0, 2)
    assert {k: first[k] + second[k] for k in whole} == pytest.approx(whole, abs=EXACT)


def test_intervals_equal_a_slow_cluster_bootstrap() -> None:
    """The same resampled clusters, one resample at a time, units repeated in a frame and averaged by pandas."""
    rng = np.random.default_rng(2)
    rows = [
        unit(SIDES[rng.integers(len(SIDES))], SIDES[rng.integers(len(SIDES))], (False, True), float(rng.integers(1, 5)),
             f"f{rng.integers(9)}")
        for _ in range(70)
    ]  # fmt: skip
    units = frame(rows)
    found = split(units, BUCKETS, 40, 0.9, generator(3, "slow"), "percentile")
    names = sorted(units["cluster"].unique())
    draws = generator(3, "slow").multinomial(len(names), np.full(len(names), 1 / len(names)), size=40)
    slow: dict[str, list[float]] = {"apparent": [], "human": [], "human_decided": [], "flow": [], "share": []}
    for draw in draws:
        sample = pd.concat(
            [units[units["cluster"] == n] for n, times in zip(names, draw, strict=True) for _ in range(times)]
        )
        weight = sample["weight"]
        known = sample["correct_a"].notna() & sample["correct_b"].notna()
        gain = (sample["correct_b"] - sample["correct_a"]).where(known, 0)
        apparent = sample["success_b"].astype(int) - sample["success_a"].astype(int)
        to = (known & (sample["bucket_a"] == "ability") & (sample["correct_b"] == 1)).astype(int)
        away = (known & (sample["bucket_b"] == "ability") & (sample["correct_a"] == 1)).astype(int)
        before = (known & (sample["bucket_a"] == "ability")).astype(int)
        after = (known & (sample["bucket_b"] == "ability")).astype(int)
        for name, value in (("apparent", apparent), ("human", gain), ("flow", to - away), ("share", before - after)):
            slow[name].append((value * weight).sum() / weight.sum())
        slow["human_decided"].append((gain * weight).sum() / weight[known].sum())
    estimates = {
        **{name: found.parts[name] for name in ("apparent", "human", "human_decided")},
        "flow": found.flow_buckets["ability"],
        "share": found.share_buckets["ability"],
    }
    for name, estimate in estimates.items():
        low, high = np.quantile(slow[name], [0.05, 0.95])
        assert [estimate.low, estimate.high] == pytest.approx([low, high], abs=EXACT), name
        assert low < high


def test_the_share_of_the_gain_is_the_quotient_of_the_parts_where_the_gain_is_plain() -> None:
    """Forty families: of 30 gains 20 are copies that became right; ten successes that nobody calls right."""
    kinds = [("plain_copy", "correct", 1)] * 20 + [("unrelated", "unrelated", 1)] * 10 + [("empty", "empty", 0)] * 10
    rows = [
        unit((0, a), (s, b), (False, False), 1.0, f"f{i}") for i, (a, b, s) in enumerate(kinds)
    ]  # fmt: skip
    found = made(rows, resamples=400)
    assert point(found.of_gain["human"]) == pytest.approx(2 / 3, abs=EXACT)
    assert point(found.of_gain["undeserved"]) == pytest.approx(1 / 3, abs=EXACT)
    assert point(found.of_gain_buckets["plain_copying"]) == pytest.approx(2 / 3, abs=EXACT)
    for value in (found.of_gain["human"], found.of_gain_buckets["plain_copying"]):
        assert value.low is not None
        assert value.high is not None
        assert 0.3 < value.low < 2 / 3 < value.high < 1
    flat = made([*rows, *(unit((1, "correct"), (0, "empty"), (False, False), 1.0, f"g{i}") for i in range(30))], 400)
    assert all(value.reason.startswith("not estimable") for value in flat.of_gain.values())


def test_one_cluster_has_no_interval_and_says_so() -> None:
    found = made([unit((0, "empty"), (1, "correct"), (False, False), 1.0, "f")] * 5, resamples=20)
    assert point(found.parts["human"]) == 1
    assert found.parts["human"].low is None
    assert "fewer than two clusters" in found.parts["human"].reason


def test_no_units_is_undefined() -> None:
    found = made([])
    assert found.units == found.decided == 0
    assert all(value.point is None and value.reason for value in found.parts.values())
    assert all(value.point is None for value in found.flow_buckets.values())


def test_a_category_that_is_right_on_one_side_alone() -> None:
    """A team may call a label correct when patched and an error without a bucket when not: it still adds up."""
    row = unit((0, "empty"), (1, "correct"), (False, True), 1.0, "f")
    row |= {"label_a": "correct", "correct_a": 0.0, "bucket_a": None}
    found = made([row])
    check(found)
    assert found.flow == {(NO_BUCKET, "correct"): found.parts["human"]}


def test_undecided_units_have_no_interval_where_every_unit_is_decided() -> None:
    rows = [unit((0, "empty"), (1, "correct"), (False, False), 1.0, f"g{i}") for i in range(25)]
    whole = made(rows, 200).parts["undecided"]
    assert (whole.point, whole.low, whole.high, whole.reason) == (0.0, None, None, ALL_DECIDED)
    open_ones = made([*rows, unit((0, "empty"), (0, "unsure"), (False, False), 1.0, "g25")], 200).parts["undecided"]
    assert open_ones.low is not None
    assert open_ones.low < 0
