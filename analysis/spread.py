"""A few rows out of many, evenly spread, the first and the last among them."""

from __future__ import annotations

import pandas as pd


def spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` (two or more) of the rows, in their order; always the same ones."""
    if len(rows) <= most:
        return rows
    return rows.iloc[[round(place * (len(rows) - 1) / (most - 1)) for place in range(most)]]
