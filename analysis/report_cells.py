"""The numbers of a report as it lies in the study's folder, by their addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gainsift.analysis.cell_addresses import has_address
from gainsift.schemas.errors import UserError, near
from gainsift.schemas.study import Study

LIMITS = ("low", "high")


@dataclass(frozen=True)
class Cell:
    """`row`: what the table's JSON holds of it. `limit`: low or high where it is one of an interval, else empty."""

    address: str
    table: Mapping[str, Any]
    row: Mapping[str, Any]
    column: str
    head: str
    kind: str
    limit: str = ""

    @property
    def value(self) -> float | None:
        held = self.row[self.column]
        found = held[self.limit or "point"] if isinstance(held, dict) else held
        return None if found is None else float(found)

    @property
    def reason(self) -> str:
        """Why there is no value, or no interval."""
        held = self.row[self.column]
        return str(held.get("reason", "")) if isinstance(held, dict) else ""


def table_names(study: Study) -> list[str]:
    """The tables of the report. Raises UserError if there is none."""
    names = sorted(file.stem for file in (study.report_folder / "tables").glob("*.json"))
    if not names:
        raise UserError(str(study.report_folder), "there is no report", f"run `gainsift analyze {study.folder}` first")
    return names


def read_table(study: Study, name: str) -> dict[str, Any]:
    """One table of the report as JSON holds it, with addresses. Raises UserError."""
    file = study.report_folder / "tables" / f"{name}.json"
    again = f"run `gainsift analyze {study.folder}` again"
    try:
        table = json.loads(file.read_text("utf-8"))
        fits = all(
            isinstance(row["address"], str) and all(column["key"] in row for column in table["columns"])
            for row in table["rows"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise UserError(str(file), "it is no table of a report of this version", again)
    return dict(table)


def cells_of(table: Mapping[str, Any]) -> Iterator[Cell]:
    """Every number of a table, row by row."""
    for row in table["rows"]:
        for column in table["columns"]:
            held = row[column["key"]]
            if not has_address(column["kind"], column["key"], held):
                continue
            told = (table, row, column["key"], column["head"], column["kind"])
            address = f"{row['address']}/{column['key']}"
            yield Cell(address, *told)
            if isinstance(held, dict):
                yield from (Cell(f"{address}_{limit}", *told, limit) for limit in LIMITS if held[limit] is not None)


def find_cells(study: Study, address: str) -> Cell | list[Cell]:
    """The number at this address, or all that are below it: of a table, or of some of its rows. Raises UserError."""
    name, *rest = address.strip().strip("/").removeprefix("tables/").split("/")
    name, names = name.removesuffix(".csv").removesuffix(".json"), table_names(study)
    if name not in names:
        raise _unknown(study, f"no table {name!r}", f"{near(name, names)}`gainsift trace {study.folder}`")
    wanted = "/".join([name, *rest])
    every = list(cells_of(read_table(study, name)))
    for cell in every:
        if cell.address == wanted:
            return cell
    below = [cell for cell in every if cell.address.startswith(f"{wanted}/")]
    if not below and rest:
        told = near(wanted, [cell.address for cell in every])
        raise _unknown(study, f"no number at {wanted!r}", f"{told}`gainsift trace {study.folder} {name}`")
    return below


def _unknown(study: Study, what: str, command: str) -> UserError:
    return UserError(str(study.report_folder / "tables"), what, f"{command} lists what there is")
