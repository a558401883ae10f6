"""Soft labels: expected values against an enumeration of all worlds, and the split's identities, exact under each."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.analysis.estimate import generator
from gainsift.analysis.soft_labels import row_atoms, unit_atoms
from gainsift.analysis.split import ADDENDS, Split, split
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
BUCKETS = list(TAXONOMY.buckets)
EXACT = 1e-12
Verdicts = dict[str, dict[str, float]]


def side(units: list[dict[str, Any]], which: str) -> pd.DataFrame:
    """The rows of one condition: a patched one on side b."""
    return pd.DataFrame(
        {
            "unit": [f"u{number}" for number in range(len(units))],
            "item_id": pd.Series([unit[which] for unit in units], dtype=object),
            "success": [unit[f"success_{which}"] for unit in units],
            "moved": [unit.get(f"moved_{which}", False) for unit in units],
        }
    )


def kinds(atoms: pd.DataFrame, patched: bool) -> pd.DataFrame:
    """Fan-out and kinds, as for any row: where no given form carries the sense, `other_sense` is `unrelated`."""
    columns: dict[str, list[Any]] = {"label": [], "correct": [], "bucket": []}
    for label, moved in zip(atoms["verdict"], atoms["moved"], strict=True):
        name = "unrelated" if moved and label == "other_sense" else label
        category = TAXONOMY.category(name) if isinstance(name, str) else None
        kind = category.kind_on(patched) if category else "missing"
        columns["label"].append(name)
        columns["correct"].append(math.nan if kind == "missing" else float(kind == "correct"))
        columns["bucket"].append(category.bucket_on(patched) if category else None)
    return atoms.assign(**{name: pd.Series(values, index=atoms.index) for name, values in columns.items()})


def expected(units: list[dict[str, Any]], verdicts: Verdicts) -> tuple[pd.DataFrame, Split]:
    """The units' atoms and their split."""
    a, b = (kinds(row_atoms(side(units, which), verdicts), which == "b") for which in "ab")
    atoms = unit_atoms(a, b)
    about = pd.DataFrame(units).assign(unit=[f"u{number}" for number in range(len(units))]).set_index("unit")
    atoms["weight"] = about.loc[atoms["unit"], "weight"].to_numpy() * atoms["mass"]
    atoms["cluster"] = about.loc[atoms["unit"], "cluster"].to_numpy()
    return atoms, split(atoms, BUCKETS, 2, 0.95, generator(1, "soft"))


def unit(a: str | None, b: str | None, success_a: bool, success_b: bool, weight: float = 1.0, **more: Any) -> Any:
    return {"a": a, "b": b, "success_a": success_a, "success_b": success_b, "weight": weight, "cluster": "f1", **more}


UNITS = [
    unit("i", "j", False, True, 2.0),
    unit("j", "k", True, True, cluster="f2"),
    unit("k", "k", False, False, 3.0),
    unit("k", "k", True, True, moved_a=True, cluster="f2"),
    unit("i", "none", False, True, 0.5),
    unit(None, None, True, False, 0.7),
]
VERDICTS: Verdicts = {
    "i": {"correct": 0.25, "non_word": 0.75},
    "j": {"correct": 2 / 3, "other_sense": 1 / 3},
    "k": {"correct": 0.5, "other_sense": 0.125, "other_concept": 0.375},
    "none": {},
}


def worlds(verdicts: Verdicts) -> list[tuple[float, Verdicts]]:
    """Every way in which each item has one label, with its probability."""
    items = [item for item, masses in verdicts.items() if masses]
    found = []
    for labels in itertools.product(*(verdicts[item] for item in items)):
        chance = math.prod(verdicts[item][label] for item, label in zip(items, labels, strict=True))
        hard: Verdicts = {item: {label: 1.0} for item, label in zip(items, labels, strict=True)}
        found.append((chance, {item: hard.get(item, {}) for item in verdicts}))
    return found


def test_every_figure_is_its_mean_over_all_worlds() -> None:
    """Where each item has one label, drawn independently of the others: 12 worlds, split one by one."""
    _, soft = expected(UNITS, VERDICTS)
    sums: dict[object, float] = {}
    whole = worlds(VERDICTS)
    assert len(whole) == 12
    for chance, verdicts in whole:
        _, hard = expected(UNITS, verdicts)
        assert hard.decided == 4
        for name in ("apparent", *ADDENDS):
            sums[name] = sums.get(name, 0) + chance * (hard.parts[name].point or 0)
        for kind, cells in (("flow", hard.flow), ("share", hard.share)):
            for cell, value in cells.items():
                sums[kind, cell] = sums.get((kind, cell), 0) + chance * (value.point or 0)
    for name in ("apparent", *ADDENDS):
        assert soft.parts[name].point == pytest.approx(sums[name], abs=EXACT)
    for kind, cells in (("flow", soft.flow), ("share", soft.share)):
        for cell, value in cells.items():
            assert value.point == pytest.approx(sums[kind, cell], abs=EXACT)
    assert ("flow", ("ability", "non_word")) in sums


def test_one_item_at_both_ends_changes_nothing() -> None:
    """A product of its distribution with itself would say that half of these units move."""
    atoms, found = expected([unit("i", "i", False, False)], {"i": {"correct": 0.5, "non_word": 0.5}})
    assert atoms["mass"].tolist() == [0.5, 0.5]
    assert (atoms["label_a"] == atoms["label_b"]).all()
    assert {value.point for value in found.flow.values()} == {0.0}
    _, two = expected([unit("i", "j", False, False)], {name: {"correct": 0.5, "non_word": 0.5} for name in "ij"})
    assert two.flow["ability", "non_word"].point == 0  # a quarter to each side
    atoms, _ = expected([unit("i", "j", False, False)], {name: {"correct": 0.5, "non_word": 0.5} for name in "ij"})
    assert atoms["mass"].tolist() == [0.25] * 4


def test_one_item_may_be_a_given_sense_on_one_side_alone() -> None:
    """Its label is one, what it counts as differs: half the mass is `unrelated` before and `other_sense` after."""
    shared = unit("i", "i", False, False, moved_a=True)
    atoms, found = expected([shared], {"i": {"other_sense": 0.5, "correct": 0.5}})
    assert sorted(zip(atoms["label_a"], atoms["label_b"], atoms["mass"], strict=True)) == [
        ("correct", "correct", 0.5), ("unrelated", "other_sense", 0.5)
    ]  # fmt: skip
    assert found.share["sense_selection", "other_sense"].point == -0.5
    assert found.flow["sense_selection", "other_sense"].point == 0


distributions = st.dictionaries(st.sampled_from(TAXONOMY.ids), st.floats(0.01, 1), max_size=4).map(
    lambda odds: {label: value / sum(odds.values()) for label, value in odds.items()}
)
any_unit = st.builds(
    unit,
    st.sampled_from(["i", "j", "k", None]),
    st.sampled_from(["i", "j", "k", None]),
    st.booleans(),
    st.booleans(),
    st.floats(1, 1000),
    cluster=st.sampled_from(["f1", "f2", "f3"]),
    moved_a=st.booleans(),
    moved_b=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(any_unit, min_size=1, max_size=12), st.fixed_dictionaries(dict.fromkeys("ijk", distributions)))
def test_the_identities_are_exact_under_soft_labels(units: list[dict[str, Any]], verdicts: Verdicts) -> None:
    """Apparent gain = human gain + undeserved + missed (minus) + undecided; buckets of both splits add up to Δh.

    Every label can have mass, missing ones too, so that a unit can be undecided in part.
    """
    atoms, found = expected(units, verdicts)
    assert atoms.groupby("unit")["mass"].sum().to_numpy() == pytest.approx(np.ones(len(units)), abs=EXACT)
    plain = sum(u["weight"] * (u["success_b"] - u["success_a"]) for u in units) / sum(u["weight"] for u in units)
    assert found.parts["apparent"].point == pytest.approx(plain, abs=EXACT)
    if not found.decided:
        assert found.parts["undecided"].point == pytest.approx(plain, abs=EXACT)
        return
    assert sum(found.parts[name].point or 0 for name in ADDENDS) == pytest.approx(plain, abs=EXACT)
    human = found.parts["human"].point
    for cells in (found.flow, found.share, found.flow_buckets, found.share_buckets):
        assert sum(value.point or 0 for value in cells.values()) == pytest.approx(human, abs=EXACT)


def test_hard_labels_are_left_as_they_are() -> None:
    rows = pd.DataFrame({"item_id": ["i", "j", None], "x": [1, 2, 3]}, index=[7, 8, 9])
    atoms = row_atoms(rows, {"i": {"correct": 1.0}, "j": {}})
    assert atoms[["x", "mass"]].to_dict("list") == {"x": [1, 2, 3], "mass": [1.0, 1.0, 1.0]}
    assert atoms["verdict"].tolist() == ["correct", None, None]


def test_no_rows() -> None:
    rows = pd.DataFrame({"unit": [], "item_id": []})
    atoms = row_atoms(rows, {})
    assert len(unit_atoms(atoms, atoms)) == 0
