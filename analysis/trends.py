"""Whether kinds and categories become more or less frequent from checkpoint to checkpoint of a series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.cochran_q import METHOD as COCHRAN
from gainsift.analysis.cochran_q import cochran_q
from gainsift.analysis.corrections import adjusted
from gainsift.analysis.design import Design, Series
from gainsift.analysis.estimate import Array, generator
from gainsift.analysis.gee import gee_trend
from gainsift.analysis.mann_kendall import trend as mann_kendall_trend
from gainsift.analysis.max_t import max_t
from gainsift.analysis.shares import KINDS
from gainsift.analysis.significance import INDEPENDENT_UNITS, Significance
from gainsift.analysis.trend_scores import positions, sign_flip_trend, trend_scores
from gainsift.analysis.units import rows_of
from gainsift.schemas.config import AnalysisSpec

Level = Literal["kind", "category"]
CORRECTED = ("flips", "gee")
"""The tests that hold for repeated items; the others are in no family."""


@dataclass(frozen=True)
class Trend:
    """The tests of one outcome over the checkpoints of a series, by their ids; `adjusted` those of CORRECTED.

    `shares`: the weighted share at each checkpoint, None where nothing is decided. `slope` is within units, a rate:
    from the first checkpoint to the last. `axis`: what the position is, log tokens or rank.
    """

    series: str
    level: Level
    outcome: str
    checkpoints: Sequence[str]
    axis: str
    shares: Sequence[float | None]
    slope: float | None
    tests: dict[str, Significance]
    adjusted: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SeriesRows:
    """The decided rows [N] of one series: one row for each output, whatever its verdict is like.

    `families`: how many there are in all series.
    """

    place: npt.NDArray[np.intp]
    position: Array
    axis: str
    unit: npt.NDArray[np.intp]
    family: npt.NDArray[np.intp]
    weight: Array
    checkpoints: list[str]
    row_id: Sequence[str]
    families: int


def trends(design: Design, frame: pd.DataFrame) -> list[Trend]:
    """Every kind and category that occurs, for each series of design.trends that was judged at two conditions or more.

    `frame` holds the rows that are analysed, as `judged` makes them.
    """
    spec = design.spec
    found: list[Trend] = []
    scores: list[Array] = []
    for series, rows, values in outcomes_in_series(design, frame):
        for (level, outcome), value in values.items():
            rng = generator(spec.seed, "trend", series.name, level, outcome)
            found.append(_trend(series.name, level, outcome, value, rows, rng))
            own = trend_scores(value, rows.position, rows.unit, rows.family, rows.weight).scores
            scores.append(np.pad(own, (0, rows.families - len(own))))
    return _corrected(found, scores, spec)


def outcomes_in_series(
    design: Design, frame: pd.DataFrame
) -> Iterator[tuple[Series, SeriesRows, dict[tuple[Level, str], Array]]]:
    """Each series with its rows, and the share of each outcome in each of them."""
    sample = frame[frame["selected"] & frame["label"].notna() & (frame["mass"] > 0)]
    families = pd.factorize(sample["family"], sort=True)[1]
    for series in design.trends:
        parts = [rows_of(sample, condition) for condition in series.conditions]
        if sum(len(part) > 0 for part in parts) > 1:
            yield series, *_rows(design, parts, series, families)


def _rows(
    design: Design, parts: Sequence[pd.DataFrame], series: Series, families: pd.Index[str]
) -> tuple[SeriesRows, dict[tuple[Level, str], Array]]:
    """The rows of a series, and the share of each outcome's mass in each of them: 0 or 1 for plain verdicts.

    `parts`: the decided rows at each of its conditions.
    """
    atoms = pd.concat([part.assign(place=number) for number, part in enumerate(parts)]).sort_values(
        ["place", "row_id"], kind="stable"
    )
    present = sorted(atoms["place"].unique())
    number, _ = pd.factorize(atoms["row_id"])
    mass = np.bincount(number, atoms["mass"])
    first = atoms.drop_duplicates("row_id")
    at, axis = positions([series.conditions[place].tokens or None for place in present])
    place = first["place"].map({one: rank for rank, one in enumerate(present)}).to_numpy(np.intp)
    rows = SeriesRows(
        place,
        at[place],
        axis,
        pd.factorize(first["unit"])[0],
        families.get_indexer(pd.Index(first["family"])),
        mass / first["probability"].to_numpy(float),
        [series.conditions[one].checkpoint for one in present],
        first["row_id"].tolist(),
        len(families),
    )
    values: dict[tuple[Level, str], Array] = {}
    levels: list[tuple[Level, str, Sequence[str]]] = [
        ("kind", "kind", KINDS),
        ("category", "label", design.taxonomy.ids),
    ]
    for level, column, outcomes in levels:
        for outcome in outcomes:
            if (atoms[column] == outcome).any():
                values[level, outcome] = np.bincount(number, atoms["mass"] * (atoms[column] == outcome)) / mass
    return rows, values


def _trend(series: str, level: Level, outcome: str, value: Array, rows: SeriesRows, rng: np.random.Generator) -> Trend:
    size = len(rows.checkpoints)
    held = [np.bincount(rows.place, rows.weight * one, minlength=size) for one in (value, np.ones(len(value)))]
    shares = np.divide(held[0], held[1], out=np.full(size, np.nan), where=held[1] > 0)
    flips = sign_flip_trend(value, rows.position, rows.unit, rows.family, rng, rows.weight)
    tests = {
        "flips": flips,
        "gee": gee_trend(value, rows.position, rows.family, rows.weight),
        "mann_kendall": mann_kendall_trend(shares),
        "cochran": _cochran(value, rows),
    }
    slope = None if flips.effect is None else 2 * flips.effect  # the position goes from -1 to 1
    told = [None if np.isnan(share) else float(share) for share in shares]
    return Trend(series, level, outcome, rows.checkpoints, rows.axis, told, slope, tests)


def _cochran(value: Array, rows: SeriesRows) -> Significance:
    if not np.isin(value, (0.0, 1.0)).all():
        return Significance(COCHRAN, reason="verdicts are distributions", warning=INDEPENDENT_UNITS)
    outcomes = np.full((int(rows.unit.max(initial=-1)) + 1, len(rows.checkpoints)), np.nan)
    outcomes[rows.unit, rows.place] = value
    return cochran_q(outcomes)


def _corrected(found: list[Trend], scores: list[Array], spec: AnalysisSpec) -> list[Trend]:
    """Kinds and categories are families of their own, of one series or of all, one for each method."""
    families: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(found):
        families.setdefault((one.level, one.series if spec.family == "each" else ""), []).append(place)
    for members in families.values():
        for name in CORRECTED:
            tests = [found[place].tests[name] for place in members]
            if spec.correction == "max_t" and name == "flips":
                rng = generator(spec.seed, "max_t trends")
                values = [one.p for one in max_t(np.column_stack([scores[place] for place in members]), rng)]
            else:
                values = adjusted([one.p for one in tests], "holm" if spec.correction == "max_t" else spec.correction)
            for place, value in zip(members, values, strict=True):
                found[place] = replace(found[place], adjusted={**found[place].adjusted, name: value})
    return found
