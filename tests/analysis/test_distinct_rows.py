"""Distinct rows and their repetition, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.analysis import distinct_rows as module
from gainsift.analysis.distinct_rows import distinct_rows, repeated


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2), st.booleans()), max_size=40))
def test_kinds_are_the_distinct_rows_in_order(rows: list[tuple[int, int, bool]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int32) for place in range(3)]
    found = distinct_rows(columns)
    order = list(dict.fromkeys(rows))
    assert found.kind.tolist() == [order.index(row) for row in rows]
    assert found.first.tolist() == [rows.index(row) for row in order]


def test_many_wide_columns_do_not_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six columns of a million codes each hold more combinations than 64 bits; also with a narrower limit."""
    rng = np.random.default_rng(1)
    columns = [rng.integers(-1, 1_000_000, 3000).astype(np.int32) for _ in range(6)]
    columns = [np.concatenate([column, column[::-1]]) for column in columns]
    expected = np.concatenate([np.arange(3000), np.arange(3000)[::-1]])
    assert np.array_equal(distinct_rows(columns).kind, expected)
    monkeypatch.setattr(module, "_MOST", 10)
    assert np.array_equal(distinct_rows(columns).kind, expected)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_each_row_gets_every_entry_of_its_kind(counts: list[int], data: st.DataObject) -> None:
    kind = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=20))
    entries = [(k, place) for k, count in enumerate(counts) for place in range(count)]
    row, entry = repeated(np.array(counts), np.array(kind, np.intp))
    expected = [(number, entries.index((k, place))) for number, k in enumerate(kind) for place in range(counts[k])]
    assert list(zip(row.tolist(), entry.tolist(), strict=True)) == expected
