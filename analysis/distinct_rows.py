"""What is the same for many rows is worked out once: rows are numbered by their distinct combination of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_MOST = 2**62


@dataclass(frozen=True)
class DistinctRows:
    """`kind` [N]: the number of each row's combination; `first` [D]: the first row that has it, in order of rows."""

    kind: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]


def distinct_rows(columns: Sequence[npt.NDArray[Any]]) -> DistinctRows:
    """Rows with the same code, -1 or more, in each of the columns [N] are of one kind. At least one column."""
    combined = np.zeros(len(columns[0]), np.int64)
    size = 1
    for codes in columns:
        width = int(codes.max(initial=-1)) + 2
        if size * width > _MOST:
            combined, seen = pd.factorize(combined)
            size = len(seen)
        combined *= width
        combined += codes
        combined += 1
        size *= width
    kind, seen = pd.factorize(combined)
    first = np.empty(len(seen), np.intp)
    first[kind[::-1]] = np.arange(len(kind) - 1, -1, -1)
    return DistinctRows(kind, first)


def repeated(counts: npt.NDArray[np.intp], kind: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], ...]:
    """Where each row of kind k stands for the `counts[k]` entries of k: the number of the row, and of the entry.

    Entries lie one after the other by kind. Two [M], in order of rows.
    """
    if (counts == 1).all():
        return np.arange(len(kind)), kind
    of_row = counts[kind]
    row = np.repeat(np.arange(len(kind)), of_row)
    within = np.arange(len(row)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
    return row, (np.cumsum(counts) - counts)[kind[row]] + within
