"""The units of a contrast: prompt pair × input × output language, once in each of its two conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.design import Condition, Contrast, Design
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.soft_labels import unit_atoms

SIDE = ["unit", "item_id", "family", "success", "correct", "label", "bucket", "identical", "sense_split",
        "sense_not_given", "undecided", "selected", "row_id", "verdict", "mass", "kind",
        "other_family"]  # fmt: skip


@dataclass(frozen=True)
class Units:
    """`frame` has one row for each unit of the sample, `*_a` and `*_b` for its two sides, and its `weight`.

    Where verdicts are distributions a unit has several rows, whose weights add up to its own. Without automatic scores
    (Design.scored) it holds decided units alone.

    `only_a`, `only_b`: units present in one condition alone. `outside`: units that the draw or the audit left out.
    `population`: one row for each unit present in both conditions, sampled or not: unit, cluster, selected, and
    success and item_id of both. `excluded`: units of concepts flagged `sense_split`, where the study leaves them out.
    """

    frame: pd.DataFrame
    only_a: int
    only_b: int
    outside: int
    excluded: int
    population: pd.DataFrame

    @property
    def size(self) -> int:
        """Units of the sample, decided or not."""
        return int(self.population["selected"].sum())


def rows_of(frame: pd.DataFrame, condition: Condition) -> pd.DataFrame:
    """The rows of one condition of a contrast."""
    return frame[(frame["condition"] == condition.name).to_numpy()]


def units_of(frame: pd.DataFrame, design: Design, contrast: Contrast, inclusion: Draw) -> Units:
    """Join the two conditions and weigh each unit by one over the probability that both its items are judged.

    A row that was never planned for judging (no link) puts no condition on the draw; its unit is undecided.
    """
    a, b = (rows_of(frame, condition)[SIDE] for condition in (contrast.a, contrast.b))
    if design.spec.exclude_sense_split:
        flagged = set(a.loc[a["sense_split"], "unit"]) | set(b.loc[b["sense_split"], "unit"])
        a, b = a[~a["unit"].isin(flagged)], b[~b["unit"].isin(flagged)]
    else:
        flagged = set()
    both = unit_atoms(a, b)
    linked_a, linked_b = both["item_id_a"].notna(), both["item_id_b"].notna()
    inside = (both["selected_a"] | ~linked_a) & (both["selected_b"] | ~linked_b)
    units = both[inside].reset_index(drop=True)
    weights = [
        1 / inclusion.probability([item for item in pair if isinstance(item, str)])
        if any(isinstance(item, str) for item in pair)
        else 1.0
        for pair in zip(units["item_id_a"], units["item_id_b"], strict=True)
    ]
    units["weight"] = units["mass"] * np.array(weights)
    units["cluster"] = units["family_a"]
    for name in ("identical", "sense_split"):
        units[name] = units[f"{name}_a"] | units[f"{name}_b"]
    population = both.assign(cluster=both["family_a"], selected=inside).drop_duplicates("unit")
    outside = both["unit"].nunique() - units["unit"].nunique()
    return Units(
        frame=units if design.scored else human_alone(units),
        only_a=a["unit"].nunique() - both["unit"].nunique(),
        only_b=b["unit"].nunique() - both["unit"].nunique(),
        outside=outside,
        excluded=len(flagged),
        population=population[
            ["unit", "cluster", "success_a", "success_b", "item_id_a", "item_id_b", "selected"]
        ].reset_index(drop=True),
    )


def is_decided(units: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """[U]: whether each row of a frame of units has a usable verdict on either side."""
    return (units["correct_a"].notna() & units["correct_b"].notna()).to_numpy(bool)


def human_alone(units: pd.DataFrame) -> pd.DataFrame:
    """Where nothing is scored: the decided units, with no success anywhere, so that the human gain is all there is."""
    return units[is_decided(units)].assign(success_a=0.0, success_b=0.0).reset_index(drop=True)
