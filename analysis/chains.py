"""A chain of checkpoints: the split of every step over the same units, so that the steps add up to the whole way.

The share split adds up bucket by bucket, since each of its figures is a difference of two shares. The flow split adds
up in its total alone: who went error -> other sense -> correct moved in two buckets on the way and in one over all.
Contrasts that stand alone use all units of their two conditions; here a unit counts if it is there at every checkpoint,
and is undecided throughout if it lacks a usable verdict at any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.analysis.cochran_q import METHOD as COCHRAN
from gainsift.analysis.cochran_q import cochran_q
from gainsift.analysis.contrast_results import possible_alone
from gainsift.analysis.design import Contrast, Design, Series
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.intervals import resampling
from gainsift.analysis.significance import INDEPENDENT_UNITS, Significance
from gainsift.analysis.soft_labels import unit_atoms
from gainsift.analysis.split import Split, split
from gainsift.analysis.split_tests import NOT_WHOLE
from gainsift.analysis.units import SIDE, human_alone, rows_of


@dataclass(frozen=True)
class Chain:
    """`steps`: each consecutive contrast with its split; `whole`: from the first checkpoint to the last.

    `partial`: units that lack an output, or lie outside the sample, at some checkpoint; they are not counted.
    `called_correct`: Cochran's Q of the units decided throughout, whether as many are correct at every checkpoint.
    """

    series: Series
    steps: Sequence[tuple[Contrast, Split]]
    whole: Split
    partial: int
    called_correct: Significance


def chains(design: Design, frame: pd.DataFrame, inclusion: Draw) -> list[Chain]:
    """One for each series of the design that is a chain; `frame` holds the rows that are analysed."""
    return [_chain(design, frame, inclusion, series) for series in design.chains]


def _chain(design: Design, frame: pd.DataFrame, inclusion: Draw, series: Series) -> Chain:
    spec, held = design.spec, held_together(frame, inclusion, series)

    def between(link: Contrast, a: int, b: int) -> Split:
        both, buckets = held.units(a, b, design.scored), list(design.taxonomy.buckets)
        found = split(both, buckets, spec.bootstrap, spec.confidence, resampling(spec), spec.interval)
        return possible_alone(found, design.taxonomy, link)

    steps = [(link, between(link, number, number + 1)) for number, link in enumerate(series.steps())]
    whole = between(series.contrasts()[-1], 0, -1)
    return Chain(series, steps, whole, held.known - len(held.weights), _called_correct(held.sides, held.weights))


@dataclass(frozen=True)
class HeldTogether:
    """`sides`: the rows at each condition of a series; `weights` of the units that count, of the `known` ones.

    `torn`: units that lack a usable verdict somewhere.
    """

    sides: Sequence[pd.DataFrame]
    weights: Mapping[str, float]
    torn: Collection[str]
    known: int

    def units(self, a: int, b: int, scored: bool) -> pd.DataFrame:
        """The units from one condition to another, as `split` takes them."""
        both = unit_atoms(*(self.sides[n][self.sides[n]["unit"].isin(list(self.weights))] for n in (a, b)))
        both["weight"] = both["mass"] * both["unit"].map(self.weights).astype(float)
        both["cluster"] = both["family_a"]
        both.loc[both["unit"].isin(list(self.torn)), ["correct_a", "correct_b"]] = np.nan
        return both if scored else human_alone(both)


def held_together(frame: pd.DataFrame, inclusion: Draw, series: Series) -> HeldTogether:
    """The units of a chain, from the rows that are analysed."""
    sides = [rows_of(frame, condition)[SIDE] for condition in series.conditions]
    known = set.union(*(set(side["unit"]) for side in sides)) if sides else set()
    torn = {unit for side in sides for unit in side.loc[side["label"].isna(), "unit"]}
    return HeldTogether(sides, weights_of_units(sides, inclusion), torn, len(known))


def _called_correct(sides: Sequence[pd.DataFrame], units: Collection[str]) -> Significance:
    """Cochran's Q of `units`, each side holding one row of a unit where no verdict is a distribution."""
    kept = [side[side["unit"].isin(list(units))] for side in sides]
    if any(side["unit"].duplicated().any() for side in kept):
        return Significance(COCHRAN, reason=NOT_WHOLE, warning=INDEPENDENT_UNITS)
    called = pd.concat([side.set_index("unit")["correct"] for side in kept], axis=1)
    return cochran_q(called.to_numpy(float))


def weights_of_units(sides: Sequence[pd.DataFrame], inclusion: Draw) -> dict[str, float]:
    """Unit -> one over the probability that all its items are judged, for units that are at every side, in the sample.

    A row that was never planned for judging (no link) puts no condition on the draw.
    """
    items: dict[str, set[str]] = {}
    seen: dict[str, int] = {}
    outside: set[str] = set()
    for side in sides:
        rows = side.drop_duplicates("unit")
        for unit, item, selected in zip(rows["unit"], rows["item_id"], rows["selected"], strict=True):
            seen[unit] = seen.get(unit, 0) + 1
            if isinstance(item, str):
                items.setdefault(unit, set()).add(item)
                if not selected:
                    outside.add(unit)
    return {
        unit: 1 / inclusion.probability(items[unit]) if unit in items else 1.0
        for unit, times in seen.items()
        if times == len(sides) and unit not in outside
    }
