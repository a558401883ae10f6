"""Shares of conditions against a recount by pandas, one condition and one figure at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gainsift.analysis.design import Condition
from gainsift.analysis.estimate import generator
from gainsift.analysis.shares import KINDS, UNSCORED, shares
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
LABELS = ["correct", "plain_copy", "other_sense", "unrelated", "related"]


def sampled(soft: bool, seed: int = 1) -> pd.DataFrame:
    """Two hundred outputs at three conditions in nine families; some undecided; `soft`: two labels each, by mass."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(200):
        label = LABELS[rng.integers(len(LABELS))] if rng.random() < 0.9 else None
        own = {
            "row_id": f"r{number}", "condition": f"c{number % 3}", "family": f"f{rng.integers(9)}",
            "success": bool(rng.random() < 0.4), "selected": bool(rng.random() < 0.8),
            "probability": float(rng.choice([0.25, 0.5, 1.0])),
        }  # fmt: skip
        masses = [0.75, 0.25] if soft and label else [1.0]
        for place, mass in enumerate(masses):
            name = label if place == 0 else "correct" if label != "correct" else "unrelated"
            category = TAXONOMY.category(name) if name else None
            rows.append(own | {
                "mass": mass, "label": name, "kind": category.kind if category else None,
                "bucket": category.bucket if category else None,
                "correct": float(category.kind == "correct") if category else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


def conditions(names: list[str]) -> list[Condition]:
    return [Condition(name, "series", name, place) for place, name in enumerate(names)]


@pytest.mark.parametrize("soft", [False, True])
def test_a_recount(soft: bool) -> None:
    frame = sampled(soft)
    names = ["c2", "c0", "none", "c1"]
    found = shares(frame, conditions(names), list(TAXONOMY.buckets), TAXONOMY.ids, 50, 0.95, generator(1))
    assert [one.condition.name for one in found] == ["c2", "c0", "c1"]
    sample = frame[frame["selected"]].assign(weight=lambda rows: rows["mass"] / rows["probability"])
    for one in found:
        rows = sample[sample["condition"] == one.condition.name]
        known = rows[rows["label"].notna()]
        assert (one.rows, one.decided) == (rows["row_id"].nunique(), known["row_id"].nunique())

        def share(of: pd.DataFrame, among: pd.DataFrame) -> float:
            return float(of["weight"].sum() / among["weight"].sum())

        assert one.success.point == pytest.approx(share(rows[rows["success"]], rows))
        assert one.correct.point == pytest.approx(share(known[known["correct"] == 1], known))
        wrong = known[known["correct"] == 0]
        for bucket, value in one.buckets.items():
            assert value.point == pytest.approx(share(wrong[wrong["bucket"] == bucket], known)), bucket
        assert set(one.categories) == set(LABELS)
        for label, value in one.categories.items():
            assert value.point == pytest.approx(share(known[known["label"] == label], known)), label
        for kind in KINDS:
            assert one.kinds[kind].point == pytest.approx(share(known[known["kind"] == kind], known)), kind
        assert sum(value.point or 0 for value in one.kinds.values()) == pytest.approx(1, abs=1e-12)


def test_the_intervals_of_a_condition_do_not_depend_on_others() -> None:
    """Families that are at other conditions alone are not resampled: a contrast of two conditions knows none either."""
    frame = sampled(False)
    frame = frame[(frame["condition"] != "c0") | (frame["family"] < "f5")]
    buckets = list(TAXONOMY.buckets)
    beside, alone = (
        shares(rows, conditions(["c0", "c1"]), buckets, TAXONOMY.ids, 50, 0.95, generator(1))[0]
        for rows in (frame, frame[frame["condition"] == "c0"])
    )
    assert (beside.correct, beside.success) == (alone.correct, alone.success)
    assert beside.buckets == alone.buckets


def test_without_automatic_success_and_without_rows() -> None:
    frame = sampled(False).assign(success=None)
    (one, *_) = shares(frame, conditions(["c0"]), [], TAXONOMY.ids, 10, 0.95, generator(1))
    assert (one.success.point, one.success.reason) == (None, UNSCORED)
    assert shares(frame.assign(selected=False), conditions(["c0"]), [], [], 10, 0.95, generator(1)) == []


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
@pytest.mark.parametrize(("size", "alike"), [(3, 0.2), (12, 0.02), (12, 0.2)])
def test_intervals_of_a_share_hold_the_truth(rate: float, size: int, alike: float) -> None:
    """A condition holds a few outputs of each of 40 families; `alike`: their correlation within one.

    Up to a dozen the added clusters weigh little: the intervals are not twice those of a plain bootstrap.
    """
    rng, families = np.random.default_rng(8), 40
    (condition,) = conditions(["c0"])
    frame = pd.DataFrame({"family": np.repeat(np.arange(families), size)}).assign(
        row_id=lambda rows: rows.index,
        condition="c0",
        selected=True,
        mass=1.0,
        probability=1.0,
        success=None,
        bucket=None,
    )
    held, widths = [], []
    for _ in range(150):
        own = rng.beta(rate * (1 / alike - 1), (1 - rate) * (1 / alike - 1), families)
        right = rng.random(len(frame)) < np.repeat(own, size)
        drawn = frame.assign(
            label=np.where(right, "correct", "unrelated"), kind=np.where(right, "correct", "error"), correct=1.0 * right
        )
        studentised, plain = (
            shares(drawn, [condition], [], TAXONOMY.ids, 199, 0.95, rng, method)[0].correct
            for method in ("studentised", "percentile")
        )
        held.append((studentised.low or 0) <= rate <= (studentised.high or 0))
        widths.append([(one.high or 0) - (one.low or 0) for one in (studentised, plain)])
    assert np.mean(held) >= 0.90
    wide, narrow = np.median(widths, axis=0)
    assert narrow <= 1.1 * wide <= 2.2 * narrow
