"""Figures of agreement: what stands in them, for names of any kind, and for one pair as for many."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from gainsift.analysis.agreement import NAMES, Labels, agreement
from gainsift.analysis.agreement_figures import confusion_map, pair_heat_map
from gainsift.analysis.estimate import generator
from gainsift.analysis.house_style import LONGEST, rendered

TABLE: Labels = {
    "1": {"ann": "x", "bob": "x", "cy": "y"},
    "2": {"ann": "y", "bob": "x", "cy": "x"},
    "3": {"ann": "x", "bob": "x"},
    "4": {"dora": "z"},
}


def texts(figure: Figure) -> list[str]:
    (panel,) = figure.axes
    return [text.get_text() for text in panel.texts]


def test_a_cell_holds_estimate_interval_and_items() -> None:
    found = agreement(TABLE, "nominal", 100, 0.95, generator(1))
    figure = pair_heat_map(found.pairwise, "cohen", "Pairs", "a:b")
    shown = texts(figure)
    assert len(shown) == 6  # four annotators
    by_pair = {(pair.a, pair.b): pair for pair in found.pairwise}
    # ann x y x, bob x x x: observed 2/3, chance 2/3
    assert shown[0].startswith("0.00\n[")
    assert shown[0].endswith("\nn 3")
    assert by_pair["ann", "bob"].n == 3
    assert "undefined\nn 0" in shown  # with dora
    assert rendered(figure, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("coefficient", ["cohen", "scott", "ac1", "percent"])
def test_every_coefficient_of_pairs_can_be_drawn(coefficient: str) -> None:
    found = agreement({item: TABLE[item] for item in "12"}, "nominal", 20, 0.95, generator(1))
    figure = pair_heat_map(found.pairwise[:1], coefficient, "Pairs", "a:b")
    assert NAMES[coefficient] in figure.axes[0].get_title(loc="left")
    assert len(rendered(figure, "pdf")) > 1000


def test_confusion_leaves_out_what_nobody_said() -> None:
    counts = np.array([[5, 0, 2], [0, 0, 0], [1, 0, 3]])
    figure = confusion_map(counts, ["x", "never", "y"], ("ann", "bob"), "Confusion", "a:b")
    panel = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["x", "y"]
    assert texts(figure) == ["5", "2", "1", "3"]
    assert (panel.get_ylabel(), panel.get_xlabel()) == ("ann", "bob")
    assert panel.get_title(loc="left") == "darker: a larger share of the row"


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_are_only_names(hostile: dict[str, str]) -> None:
    names = sorted({f"{text}!" for text in hostile.values()})[::3]
    figure = confusion_map(np.eye(len(names), dtype=int), names, (names[0], names[1]), "Confusion", "a:b")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(shown) == len(names)
    assert all(len(name) <= LONGEST for name in shown)
    assert rendered(figure, "pdf").startswith(b"%PDF")


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("kind", ["javascript template", "ten thousand characters", "bidi override"])
def test_hostile_annotators_are_only_annotators(hostile: dict[str, str], kind: str) -> None:
    name = hostile[kind]
    table = {"1": {"a": "x", name: "y"}, "2": {"a": "y", name: "y"}}
    found = agreement(table, "nominal", 20, 0.95, generator(1))
    assert rendered(pair_heat_map(found.pairwise, "cohen", "Pairs", "a:b"), "svg").startswith(b"<?xml")
