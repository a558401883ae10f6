"""The address of each number of a report: `split/training/human/flow` is its table, the names of its row, its column.

Addresses need no quotes in a shell. The column is that of the csv file: of an interval `flow_low` and `flow_high`, too.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gainsift.analysis.tables import Column, Table

NOTHING = "-"
"""Stands for a name that is empty, such as the layer of an unpatched output."""
_KEPT = ".+-"
BESIDE = ("step", "tokens")
"""Columns of counts that stand among the names of a row and only tell more of one of them."""


def row_addresses(table: Table) -> list[str]:
    """The address of each row; rows that are called alike are told apart by `~2`, `~3`."""
    names = naming(table.columns)
    found: list[str] = []
    seen: Counter[str] = Counter()
    for row in table.rows:
        address = "/".join([table.name, *(address_part(row[key]) for key in names)])
        seen[address] += 1
        found.append(address if seen[address] == 1 else f"{address}~{seen[address]}")
    return found


def naming(columns: Sequence[Column]) -> list[str]:
    """The columns that name a row: texts before the first figure, but no findings, and no name beside its id."""
    found: list[str] = []
    id_before = False
    for column in columns:
        if column.key in BESIDE or column.finding:
            continue
        if column.kind != "text":
            break
        if not (id_before and (column.key == "name" or column.key.endswith("_name"))):
            found.append(column.key)
        id_before = not column.printed
    return found


def has_address(kind: str, key: str, value: Any) -> bool:
    """Whether a cell of a column of this kind is a number of its own."""
    return kind != "text" and key not in BESIDE and value is not None


def address_part(name: Any) -> str:
    """Letters, figures and `.+-` as they are, everything between them as one `_`."""
    text = "".join(sign if _is_kept(sign) else " " for sign in str("" if name is None else name))
    return "_".join(text.split()) or NOTHING


def _is_kept(sign: str) -> bool:
    return sign in _KEPT or unicodedata.category(sign)[0] in "LNM"
