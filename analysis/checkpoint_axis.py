"""The axis over checkpoints that figures of shares have: log tokens where they are known, labels that keep clear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gainsift.analysis.design import Condition
from gainsift.analysis.estimate import Array
from gainsift.analysis.house_style import TWO, shortened

TOKENS, STEPS = "tokens seen (log scale)", "training step"
_LETTER, _GAP, _BESIDE = 0.055, 0.1, 0.7
"""Width of a sign of a label, the room between two of them and that beside the panels of a page, in inches."""
_LONG = 7
"""Signs of a label from which it is turned."""


def positions(held: Sequence[Condition]) -> tuple[Array, str]:
    """Where conditions stand, and the axis's name: log tokens where all are known and rise, else steps, else ranks."""
    for scale, values in ((TOKENS, [one.tokens for one in held]), (STEPS, [one.step for one in held])):
        at = np.array(values, float)
        if (at > 0).all() and (np.diff(at) > 0).all():
            return (np.log10(at) if scale == TOKENS else at), scale
    whole = any(one.checkpoint != one.name for one in held)
    return np.arange(len(held), dtype=float), "checkpoint" if whole else "condition"


def label_checkpoints(panel: Any, held: Sequence[Condition], at: Array, scale: str, columns: int) -> None:
    """Name checkpoints, the last one first, as far as the labels of `columns` panels over a page leave room."""
    names = {TOKENS: [_tokens(one.tokens) for one in held], STEPS: [f"{one.step:,}" for one in held]}
    labels = names.get(scale, shortened([one.checkpoint for one in held]))
    longest = max(map(len, labels))
    turned = longest > _LONG
    least = (_LETTER * (3 if turned else longest) + _GAP) * columns / (TWO - _BESIDE)
    shown = [len(at) - 1]
    for place in range(len(at) - 2, -1, -1):
        if at[shown[-1]] - at[place] >= least * (at[-1] - at[0]):
            shown.append(place)
    shown.reverse()
    panel.set_xticks(at[shown], [labels[place] for place in shown], rotation=30 if turned else 0)
    panel.tick_params(axis="x", labelsize=7)


def _tokens(number: int) -> str:
    for size, sign in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {sign}"
    return str(number)
