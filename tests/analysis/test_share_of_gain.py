"""Shares of a gain: Fieller's set against every r tried out, and where no share is estimable."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.share_of_gain import NO_INTERVAL, NOT_ESTIMABLE, share_of_gain

GAIN = Estimate(0.3, 0.2, 0.4)
RNG = np.random.default_rng(5)
TOTALS = RNG.integers(1, 7, 40).astype(float)
PARTS = np.column_stack([RNG.binomial(TOTALS.astype(int), 0.3), RNG.binomial(TOTALS.astype(int), 0.05)]).astype(float)
WHOLE = PARTS.sum(1) - RNG.binomial(TOTALS.astype(int), 0.05)


def tried_out(part: np.ndarray, confidence: float) -> tuple[float, float]:
    """The least and largest r whose test of part - r whole = 0, with the four small clusters, does not reject."""
    size = np.sqrt((TOTALS**2).mean()) * 0.4 / 2
    n = np.r_[part, size, -size, 0, 0]
    g = np.r_[WHOLE, size, -size, size, -size]
    d = np.r_[TOTALS, [size] * 4]
    kept = []
    for r in np.linspace(-1, 2, 30_001):
        u = n - r * g
        away = u - u.sum() / d.sum() * d
        error = np.sqrt(40 / 39 * (away**2).sum())
        if abs(u.sum()) <= t.ppf((1 + confidence) / 2, 39) * error:
            kept.append(r)
    return min(kept), max(kept)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_holds_every_share_that_is_not_rejected(confidence: float) -> None:
    found = share_of_gain(PARTS, WHOLE, TOTALS, confidence, GAIN)
    for column, share in enumerate(found):
        assert share.point == pytest.approx(PARTS[:, column].sum() / WHOLE.sum())
        assert [share.low, share.high] == pytest.approx(tried_out(PARTS[:, column], confidence), abs=2e-4)


def test_parts_that_add_up_have_shares_that_add_up_and_mirror_each_other() -> None:
    rest = WHOLE - PARTS[:, 0]
    one, other = share_of_gain(np.column_stack([PARTS[:, 0], rest]), WHOLE, TOTALS, 0.95, GAIN)
    assert one.point is not None
    assert one.high is not None
    assert one.low is not None
    assert other.point == pytest.approx(1 - one.point)
    assert [other.low, other.high] == pytest.approx([1 - one.high, 1 - one.low])


def test_a_loss_is_shared_as_a_gain_is() -> None:
    gain = share_of_gain(PARTS, WHOLE, TOTALS, 0.95, GAIN)
    loss = share_of_gain(-PARTS, -WHOLE, TOTALS, 0.95, Estimate(-0.3, -0.4, -0.2))
    for one, other in zip(gain, loss, strict=True):
        assert (one.point, one.low, one.high) == pytest.approx((other.point, other.low, other.high))


@pytest.mark.parametrize(
    "gain", [Estimate(0.1, -0.1, 0.3), Estimate(0.1, 0.0, 0.2), Estimate(None, reason="no unit"), Estimate(0.2)]
)
def test_no_share_of_a_gain_that_may_be_nothing(gain: Estimate) -> None:
    found = share_of_gain(PARTS, WHOLE, TOTALS, 0.95, gain)
    reason = gain.reason if gain.point is None else NO_INTERVAL if gain.low is None else NOT_ESTIMABLE
    assert [(share.point, share.reason) for share in found] == [(None, reason)] * 2


def test_an_unbounded_set_is_not_estimable_whatever_the_interval_says() -> None:
    whole = np.tile([1.0, -1], 20)
    assert share_of_gain(PARTS, whole, TOTALS, 0.95, GAIN)[0].reason == NOT_ESTIMABLE


def test_nothing_of_it_and_all_of_it_are_bounds() -> None:
    equal = np.full(40, 3.0)
    bound = (1 - 0.025 ** (1 / 40)) / 0.3
    nothing, everything = share_of_gain(np.column_stack([WHOLE * 0, WHOLE]), WHOLE, equal, 0.95, GAIN)
    assert nothing.bounded
    assert everything.bounded
    assert (nothing.point, nothing.low, nothing.high) == (0, pytest.approx(-bound), pytest.approx(bound))
    assert (everything.point, everything.low, everything.high) == (
        1,
        pytest.approx(1 - bound),
        pytest.approx(1 + bound),
    )


def test_no_gain_has_no_shares_whatever_few_resamples_say() -> None:
    """A gain in one cluster and a loss in the other; five resamples left 0 out of the interval."""
    parts, whole = np.array([[0.0, -1.0], [0.0, 1.0]]), np.array([-1.0, 1.0])
    found = share_of_gain(parts, whole, np.ones(2), 0.95, Estimate(0.0, -0.3, -0.01))
    assert [one.reason for one in found] == [NOT_ESTIMABLE] * 2
