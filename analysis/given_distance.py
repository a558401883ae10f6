"""Reader of a matrix of distances between labels: a csv whose header and first column name the labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gainsift.analysis.distances import Metric
from gainsift.analysis.estimate import Array
from gainsift.schemas.csv_records import csv_records
from gainsift.schemas.errors import UserError, did_you_mean

REMEDY = "give a csv: labels in the first line and the first column, their distances in the cells"


def read_distances(file: Path) -> Metric:
    """The metric of a file. The matrix must be symmetric, zero in its diagonal, and hold finite numbers of 0 or more.

    Raises UserError with file and line; the metric does so for a label that the file lacks.
    """
    rows = _rows(file)
    names = [name.strip() for name in rows[0][1][1:]]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{file}:1", f"label {name!r} stands twice", "keep one column for each label")
    cells: dict[str, list[float]] = {}
    for line, (name, *values) in rows[1:]:
        where, name = f"{file}:{line}", name.strip()
        if name not in names:
            raise UserError(where, f"label {name!r} has no column", did_you_mean(name, names))
        if name in cells:
            raise UserError(where, f"label {name!r} stands twice", "keep one row for each label")
        cells[name] = [_number(value, where) for value in values]
    missing = [name for name in names if name not in cells]
    if missing:
        raise UserError(str(file), f"label {missing[0]!r} has no row", "give one row for each column")
    _check(file, names, np.array([cells[name] for name in names]))
    matrix = {(a, b): cells[a][place] for a in names for place, b in enumerate(names)}

    def metric(labels: Sequence[str]) -> Array:
        for label in labels:
            if label not in cells:
                raise UserError(str(file), f"no distances for the label {label!r}", did_you_mean(label, names))
        return np.array([[matrix[a, b] for b in labels] for a in labels]).reshape(len(labels), len(labels))

    return metric


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """Lines that are not blank, each with its number; the first has two fields at least."""
    rows = list(csv_records(file, REMEDY))
    if not rows or len(rows[0][1]) < 2:
        raise UserError(str(file), "expected a matrix of distances, found no label", REMEDY)
    return rows


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(where, f"distance {text!r} is not a number", "mend that row") from None
    if not 0 <= value < np.inf:
        raise UserError(where, f"distance {text} is not a finite number of 0 or more", "mend that row")
    return value


def _check(file: Path, names: Sequence[str], matrix: Array) -> None:
    for row, column in zip(*np.nonzero(matrix != matrix.T), strict=True):
        a, b = names[row], names[column]
        there, back = matrix[row, column], matrix[column, row]
        raise UserError(str(file), f"from {a!r} to {b!r} it is {there:g}, back {back:g}", "make both equal")
    for place in np.flatnonzero(np.diagonal(matrix)):
        found = matrix[place, place]
        raise UserError(str(file), f"the distance of {names[place]!r} from itself is {found:g}", "make it 0")
