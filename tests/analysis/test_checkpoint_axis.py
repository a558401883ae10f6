"""Where checkpoints stand in the figures of shares: by their tokens, with labels that keep clear of each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gainsift.analysis.checkpoint_axis import STEPS, TOKENS, label_checkpoints, positions
from gainsift.analysis.design import Condition, Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.figures import category_shares
from gainsift.analysis.house_style import TWO
from gainsift.analysis.shares import ConditionShares
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.taxonomy import load_taxonomy


def conditions(tokens: list[int], steps: list[int] | None = None) -> list[Condition]:
    return [
        Condition(f"c{place}, x", "x", f"c{place}", place, step, token)
        for place, (step, token) in enumerate(zip(steps or [0] * len(tokens), tokens, strict=True))
    ]


def test_log_tokens_else_steps_else_ranks() -> None:
    at, scale = positions(conditions([10, 100, 10_000], [1, 2, 3]))
    assert (at.tolist(), scale) == ([1, 2, 4], TOKENS)
    at, scale = positions(conditions([0, 100, 10_000], [1, 2, 9]))  # one is unknown
    assert (at.tolist(), scale) == ([1, 2, 9], STEPS)
    at, scale = positions(conditions([0, 0]))
    assert (at.tolist(), scale) == ([0, 1], "checkpoint")


def test_the_panels_of_categories_stand_by_tokens() -> None:
    """Three checkpoints at 1, 10 and 1,000 billion tokens: the second stands a third of the way, not half."""
    held = conditions([10**9, 10**10, 10**12], [1, 2, 3])
    none = Estimate(0.5, 0.4, 0.6)
    shares = [ConditionShares(one, 9, 9, none, none, {}, {"correct": none, "plain_copy": none}, {}) for one in held]
    design = Design(load_taxonomy(), AnalysisSpec(), held, [], [], [])
    figure = category_shares(design, shares, "Shares", "a:b")
    for panel in figure.axes:
        x = np.asarray(panel.lines[0].get_xdata(), float)
        assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx(1 / 3)
        assert panel.get_xlabel() == TOKENS
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()][-1] == "1 T"


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
@pytest.mark.parametrize("tokens", [[2**n for n in range(30)], [10**9 + n for n in range(20)], [7], [0] * 12])
def test_labels_keep_clear_of_each_other(columns: int, tokens: list[int]) -> None:
    held = conditions(tokens, [10_000 * (n + 1) for n in range(len(tokens))])
    figure = Figure(figsize=(TWO, 2))
    FigureCanvasAgg(figure)
    panel = np.atleast_1d(figure.subplots(1, columns))[-1]
    at, scale = positions(held)
    label_checkpoints(panel, held, at, scale, columns)
    panel.set_xlim(at[0] - 0.5 * (len(at) == 1), at[-1] + 0.5 * (len(at) == 1))
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in panel.get_xticklabels()]
    assert boxes
    assert panel.get_xticks()[-1] == at[-1]
    if not panel.get_xticklabels()[0].get_rotation():
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
