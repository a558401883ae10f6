"""Which rows a layer computes: against a hand-worked batch, and against the rule told row by row."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from gainsift.generation.joining import regroup, rows_by_layer

CPU = torch.device("cpu")


def test_a_batch_worked_out_by_hand() -> None:
    """One prompt, three cut-offs that decoded the same, and one that went its own way."""
    prompt, cutoff, group = np.array([0, 0, 0, 0]), np.array([0, 1, 2, 1]), np.array([0, 0, 0, 1])
    found = rows_by_layer(prompt, cutoff, group, 3, CPU)
    # layer 0: row 0 for the three, row 3 for itself; layer 1: row 0 joins, row 1 stands for 1 and 2; layer 2: row 1
    # and row 3 join; row 2 is not past its cut-off and stands for itself
    assert [sorted(layer.rows.tolist()) for layer in found] == [[0, 3], [0, 1, 3], [0, 1, 2, 3]]
    for layer, expected in zip(found, ([0, 0, 0, 3], [0, 1, 1, 3], [0, 1, 2, 3]), strict=True):
        assert layer.rows[layer.stands_for].tolist() == expected


batches = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=25
)  # prompt, cut-off, text


@given(batches)
def test_rows_that_share_have_the_same_past_below_their_cut_offs(batch: list[tuple[int, int, int]]) -> None:
    prompt, cutoff, text = (np.array(column) for column in zip(*batch, strict=True))
    group = regroup(prompt, text.tolist())
    before = previous = torch.arange(len(batch))  # which row's state each row has, and which rows were computed
    for index, layer in enumerate(rows_by_layer(prompt, cutoff, group, 5, CPU)):
        who = layer.rows[layer.stands_for]
        for row, other in enumerate(who.tolist()):
            same = (prompt[row], text[row]) == (prompt[other], text[other])
            assert row == other or (same and cutoff[row] >= index and cutoff[other] >= index)
        # nobody is computed twice: as many rows as there are different pasts
        pasts = {(p, t) if c >= index else row for row, (p, c, t) in enumerate(batch)}
        assert len(layer.rows) == len(pasts)
        # a row enters with the state that it had, itself or through the one that stood for it
        assert previous[layer.enter].tolist() == before[layer.rows].tolist()
        assert len(set(layer.slots.tolist())) == len(layer.rows)
        assert (layer.slots // layer.width).tolist() == prompt[layer.rows.numpy()].tolist()
        before, previous = who, layer.rows


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50_000)), min_size=1, max_size=30))
def test_regrouping_keeps_together_what_took_the_same_token(rows: list[tuple[int, int]]) -> None:
    group, tokens = (np.array(column) for column in zip(*rows, strict=True))
    found = regroup(group, tokens.tolist())
    for a, first in enumerate(rows):
        for b, second in enumerate(rows):
            assert (found[a] == found[b]) == (first == second)
