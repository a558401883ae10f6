"""Verdicts that are distributions: each output becomes one row for each label that its item may have.

Such a row (an *atom*) carries a label and its mass. Atoms are fanned out, given kinds and weighed like any other row,
the weight times the mass, so that everything that is a weighted sum over rows (shares, the split, transitions) comes
out as its expected value, and the split's identities stay exact: with success s given and h a label's correctness,
s = h + u - m holds in every atom, and the masses of a row add up to one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gainsift.analysis.verdict_rules import Distribution


def row_atoms(rows: pd.DataFrame, verdicts: Mapping[str, Distribution]) -> pd.DataFrame:
    """The rows repeated for each label of their item, with `verdict` (None: undecided) and `mass`.

    `rows` has `item_id` (None for outputs that nobody is to judge). Masses may be negative where verdicts are
    corrected for annotators' errors (annotator_error); they add up to one in each row all the same.
    """
    codes, items = pd.factorize(rows["item_id"], use_na_sentinel=False)
    found: list[list[tuple[str | None, float]]] = [[*verdicts.get(item, {}).items()] or [(None, 1.0)] for item in items]
    sizes = np.array([len(labels) for labels in found], np.intp)
    starts = np.cumsum(sizes) - sizes
    places = np.repeat(np.arange(len(rows)), sizes[codes])
    # the first atom of each row's item, and one more for each further atom of the row
    first = np.cumsum(sizes[codes]) - sizes[codes]
    which = np.arange(len(places)) + (starts[codes] - first)[places]
    labels = np.array([label for of_item in found for label, _ in of_item], dtype=object)
    masses = np.array([mass for of_item in found for _, mass in of_item], dtype=np.float64)
    atoms = rows.iloc[places].reset_index(drop=True)
    atoms["verdict"] = pd.Series(labels[which], index=atoms.index, dtype=object)
    atoms["mass"] = masses[which]
    return atoms


def unit_atoms(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """The atoms of units that are present in both conditions, `*_a` and `*_b`, with the `mass` of each.

    `a` and `b` are the atoms of one condition each: `unit`, `item_id`, `verdict`, `mass` and whatever else. Two items
    are judged independently: the mass of a pair of labels is the product of theirs. Where both ends are one item its
    label is the same at both, whatever it is, and no label changes.
    """
    both = a.merge(b, on="unit", suffixes=("_a", "_b"))
    one_item = (both["item_id_a"] == both["item_id_b"]).fillna(False).to_numpy(bool)
    labels = [both[name].where(both[name].notna(), "").to_numpy() for name in ("verdict_a", "verdict_b")]
    both["mass"] = np.where(one_item, both["mass_a"], both["mass_a"] * both["mass_b"])
    kept: pd.DataFrame = both[~one_item | (labels[0] == labels[1])]
    return kept.drop(columns=["mass_a", "mass_b"]).reset_index(drop=True)
