"""One table, three files: csv for people and R, JSON for programs, LaTeX for the paper."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gainsift.analysis.latex_tables import to_latex
from gainsift.analysis.tables import Table, to_csv, to_json


def table_files(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """`tables/NAME.csv`, `.json` and `.tex` of each table, as they are written; lone surrogates become `?`."""
    made: dict[str, bytes] = {}
    for name, table in tables.items():
        text = json.dumps(to_json(table), ensure_ascii=False, indent=2) + "\n"
        for kind, content in (("csv", to_csv(table)), ("json", text), ("tex", to_latex(table))):
            made[f"tables/{name}.{kind}"] = content.encode("utf-8", "replace")
    return made
