"""How large a study must be: half-widths and power by simulation, for numbers of units and of annotators an item.

Each simulated study is tested and given an interval by the cluster-robust t of the change (`marginal_homogeneity`),
whose width the studentised bootstrap of the analysis approaches; one in which no unit moved gets the bound of
`estimate.same_everywhere`, as in the analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gainsift.analysis.estimate import Array, divide, generator
from gainsift.analysis.planned_study import Population

SIZES = (50, 100, 200, 400, 800, 1600, 3200, 6400)
HALVINGS = 4
"""Steps between the two sizes of the grid that enclose the wanted one: it is found to within 5 % for a doubling."""
_CELLS_AT_ONCE = 400_000
"""Families of simulated studies held in memory at a time."""
_NOTHING = 1e-12
"""A standard error up to this is rounding."""


@dataclass(frozen=True)
class Wanted:
    """Any of the two: a mean half-width of at most `half_width`; a move seen with probability `power` at least."""

    half_width: float | None = None
    power: float | None = None


@dataclass(frozen=True)
class Size:
    """What studies of one size would find.

    `items` and `judgements` are the work. `estimate`: the mean flow that is found, which annotators' errors pull away
    from `truth`, with its Monte Carlo standard error. `half_width` is the mean of half the interval's width,
    `half_width_90` what nine of ten studies stay below. `power`: the share of studies whose test sees the move at level
    1 - confidence, two-sided, with its Monte Carlo standard error.
    """

    units: int
    families: int
    overlap: int
    items: int
    judgements: int
    truth: float
    estimate: float
    estimate_error: float
    half_width: float
    half_width_90: float
    power: float
    power_error: float
    enough: bool


@dataclass(frozen=True)
class Plan:
    """The grid in order of overlap and size; `needed`: overlap -> the smallest size that is enough, None if none is."""

    sizes: list[Size]
    needed: dict[int, Size | None]


def plan(
    population: Population,
    alpha: float,
    overlaps: Sequence[int],
    wanted: Wanted,
    simulations: int,
    confidence: float,
    seed: int,
    sizes: Sequence[int] = SIZES,
    progress: Callable[[], None] = lambda: None,
) -> Plan:
    """Simulate every size (in units) with every overlap, and close in on the smallest that is enough.

    `alpha` is the agreement to be expected of annotators. `progress` is called after each size of the grid.
    Sizes are rounded up to whole families, two at least; the same seed gives the same figures for a size and
    overlap, whatever else is asked.
    """

    def look(units: int, overlap: int) -> Size:
        return simulate(population, alpha, units, overlap, wanted, simulations, confidence, seed)

    sizes = whole_sizes(population, sizes)
    found: list[Size] = []
    needed: dict[int, Size | None] = {}
    for overlap in overlaps:
        row = []
        for units in sizes:
            row.append(look(units, overlap))
            progress()
        found += row
        needed[overlap] = _closer(row, partial(look, overlap=overlap))
    return Plan(found, needed)


def whole_sizes(population: Population, sizes: Iterable[int]) -> list[int]:
    """Of sizes in units that come to the same number of whole families the largest, in ascending order."""
    return list({_families(population, units): units for units in sorted(sizes)}.values())


def _families(population: Population, units: int) -> int:
    return max(2, math.ceil(units / population.per_family))


def _closer(row: Sequence[Size], look: Callable[[int], Size]) -> Size | None:
    """The smallest size that is enough, between the first of the grid that is and the one before it."""
    first = next((place for place, size in enumerate(row) if all(one.enough for one in row[place:])), None)
    if first is None:
        return None
    best = row[first]
    low = row[first - 1].units if first else 0
    for _ in range(HALVINGS if first else 0):
        middle = round((low * best.units) ** 0.5)
        size = look(middle)
        if size.units in (low, best.units):
            break
        if size.enough:
            best = size
        else:
            low = size.units
    return best


def simulate(
    population: Population,
    alpha: float,
    units: int,
    overlap: int,
    wanted: Wanted,
    simulations: int,
    confidence: float,
    seed: int,
) -> Size:
    """Simulated studies of one size."""
    from scipy.stats import t

    families = _families(population, units)
    rng = generator(seed, "power", str(families), str(overlap))
    up, down = population.states.values(alpha, overlap)
    right = population.states.values(1.0, 1)
    estimates, errors = np.empty(simulations), np.empty(simulations)
    for block in _blocks(simulations, families):
        flows, totals = population.draw(block.stop - block.start, families, up, down, rng)
        estimates[block], errors[block] = robust_change(flows, totals)
    quantile = float(t.ppf((1 + confidence) / 2, families - 1))
    moved = errors > _NOTHING
    none_moved = 1 - ((1 - confidence) / 2) ** (1 / families)
    widths = np.where(moved, errors * quantile, none_moved)
    power = float((np.abs(estimates) > quantile * errors)[moved].sum() / simulations)
    size = round(families * population.per_family)
    items = round(size * population.items)
    width = float(widths.mean())
    return Size(
        units=size,
        families=families,
        overlap=overlap,
        items=items,
        judgements=items * overlap,
        truth=float(population.chances @ (right[0] - right[1])),
        estimate=float(estimates.mean()),
        estimate_error=float(estimates.std() / math.sqrt(simulations)),
        half_width=width,
        half_width_90=float(np.quantile(widths, 0.9)),
        power=power,
        power_error=float(np.sqrt(power * (1 - power) / simulations)),
        enough=(wanted.half_width is None or width <= wanted.half_width)
        and (wanted.power is None or power >= wanted.power),
    )


def _blocks(simulations: int, families: int) -> Iterator[slice]:
    step = max(1, _CELLS_AT_ONCE // families)
    for start in range(0, simulations, step):
        yield slice(start, min(start + step, simulations))


def robust_change(flows: Array, totals: Array) -> tuple[Array, Array]:
    """The change of a rate and its cluster-robust standard error in each study, from [S, C]: two [S].

    As `marginal_homogeneity.paired_difference`, for many studies at once.
    """
    count, total = flows.shape[1], totals.sum(1)
    change = divide(flows.sum(1), total)
    residuals = flows - totals * change[:, None]
    return change, np.sqrt((residuals**2).sum(1) * (count / (count - 1))) / total
