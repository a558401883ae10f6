"""Distances by hand, alpha of label sets and paths as fractions, and the csv of anyone's own distances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gainsift.analysis.agreement import agreement
from gainsift.analysis.distances import METRICS, of_taxonomy
from gainsift.analysis.estimate import generator
from gainsift.analysis.given_distance import read_distances
from gainsift.analysis.levels import MOST_LABELS, Scale
from gainsift.schemas.errors import UserError
from gainsift.schemas.taxonomy import load_taxonomy


@pytest.mark.parametrize(
    ("metric", "a", "b", "expected"),
    [
        # Passonneau 2006: 1 - Jaccard x (1 equal, 2/3 subset, 1/3 overlap, 0 apart)
        ("masi", "x|y", "y | x", 0),
        ("masi", "x", "x|y", 1 - 1 / 2 * 2 / 3),
        ("masi", "x|y", "y|z", 1 - 1 / 3 * 1 / 3),
        ("masi", "x|y", "z", 1),
        ("masi", "a|b|c|d", "a|b|c", 1 - 3 / 4 * 2 / 3),
        ("masi", "|", "x", 1),  # the empty set
        ("jaccard", "x|y", "y|x|x", 0),
        ("jaccard", "x", "x|y", 1 / 2),
        ("jaccard", "x|y", "y|z", 2 / 3),
        ("jaccard", "x", "y", 1),
        # Wu & Palmer 1994: similarity 2 x common / (steps + steps)
        ("path", "error/ability/non_word", "error/ability/cut_off", 1 - 4 / 6),
        ("path", "error/ability/non_word", "error/ability/non_word", 0),
        ("path", "error/copy", "error/ability/non_word", 1 - 2 / 5),
        ("path", "error/copy", "copy/error", 1),
        ("interval", "1", "3.5", 6.25),
        ("ratio", "1", "3", 1 / 4),
        ("ratio", "-1", "1", 0),  # their sum is zero: no distance, as the library has it
    ],
)
def test_distances_by_hand(metric: str, a: str, b: str, expected: float) -> None:
    found = METRICS[metric]([a, b])
    assert found == pytest.approx(np.array([[0, expected], [expected, 0]]), abs=1e-12)


def test_places_are_those_of_the_order_given() -> None:
    assert METRICS["linear"](["low", "mid", "high"]).tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert METRICS["quadratic"](["low", "mid", "high"])[0].tolist() == [0, 1, 4]
    assert METRICS["nominal"]([]).shape == (0, 0)
    assert METRICS["masi"]([]).shape == (0, 0)


def test_alpha_of_label_sets_is_this_fraction() -> None:
    """Three items, two annotators: {x}-{x}, {x}-{x,y}, {y}-{y}. Values: x three times, x|y once, y twice.

    MASI: d(x, x|y) = d(y, x|y) = 2/3, d(x, y) = 1. Observed 2 * 2/3 of n = 6; expected, over ordered pairs of values,
    2 (3 * 1 * 2/3 + 3 * 2 * 1 + 1 * 2 * 2/3) / (6 * 5) = (2 + 6 + 4/3) / 15 = 28/45. Alpha 1 - (4/3 / 6) / (28/45).
    """
    table = {"1": {"a": "x", "b": "x"}, "2": {"a": "x", "b": "x|y"}, "3": {"a": "y", "b": "y"}}
    found = agreement(table, "masi", 50, 0.95, generator(1))
    assert found.alpha.point == pytest.approx(1 - (2 / 9) / (28 / 45))
    assert found.percent.point == pytest.approx(100 * 2 / 3)
    # weighted kappa: a gives x twice, y once; b x, x|y, y: (2 * 2/3 + 2 * 1 + 1 * 1 + 1 * 2/3) / 9 expected
    kappa = found.pairwise[0].coefficients["cohen_weighted"].point
    assert kappa == pytest.approx(1 - (2 / 9) / ((4 / 3 + 2 + 1 + 2 / 3) / 9))


def test_a_taxonomy_as_a_tree() -> None:
    """Kind, bucket, category: two errors of ability are 1/3 apart, a plain copy 2/3 from them, correct 1."""
    found = of_taxonomy(load_taxonomy())(["correct", "non_word", "cut_off", "plain_copy"])
    assert found[1].tolist() == pytest.approx([1, 0, 1 / 3, 2 / 3])
    assert found[0].tolist() == pytest.approx([0, 1, 1, 1])


def test_measurements_without_steps_are_refused() -> None:
    table = {str(n): {"a": f"{n}.5", "b": f"{n}.25"} for n in range(MOST_LABELS // 2 + 1)}
    with pytest.raises(ValueError, match=f"different labels are more than {MOST_LABELS}"):
        agreement(table, "interval", 10, 0.95, generator(1))


# --- a csv of distances ----------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    path = folder / "distances.csv"
    path.write_text(text, "utf-8")
    return path


def test_given_distances_are_used_as_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufefflabel,x,"y, z",w\n"y, z",0.5,0,1\n\nx,0,.5,2\nw,2,1,0\n')
    metric = read_distances(path)
    assert metric(["x", "w", "y, z"]).tolist() == [[0, 2, 0.5], [2, 0, 1], [0.5, 1, 0]]
    table = {"1": {"a": "x", "b": "x"}, "2": {"a": "x", "b": "w"}, "3": {"a": "w", "b": "w"}}
    found = agreement(table, Scale.given("own", metric), 20, 0.95, generator(1))
    assert found.alpha.point == pytest.approx(1 - 5 * 2 / (2 * 3 * 3))  # one distance: as nominal


def test_a_label_without_distances_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "label,x,yes\nx,0,1\nyes,1,0\n")
    table = {"1": {"a": "x", "b": "yess"}}
    with pytest.raises(UserError, match=r"no distances for the label 'yess'; did you mean yes\?"):
        agreement(table, Scale.given("own", read_distances(path)), 20, 0.95, generator(1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found no label"),
        ("label\n", "found no label"),
        ("label,x,x\nx,0,1\n", ":1: label 'x' stands twice"),
        ("label,x,y\nx,0,1\nx,0,1\n", ":3: label 'x' stands twice"),
        ("label,x,y\nx,0,1\n", "label 'y' has no row"),
        ("label,x,y\nx,0,1\nz,1,0\n", ":3: label 'z' has no column"),
        ("label,x,y\nx,0\ny,1,0\n", ":2: expected 3 fields as in the header, found 2"),
        ("label,x,y\nx,0,far\ny,1,0\n", ":2: distance 'far' is not a number"),
        ("label,x,y\nx,0,-1\ny,-1,0\n", ":2: distance -1 is not a finite number of 0 or more"),
        ("label,x,y\nx,0,nan\ny,nan,0\n", ":2: distance nan is not a finite number"),
        ("label,x,y\nx,0,1\ny,2,0\n", "from 'x' to 'y' it is 1, back 2"),
        ("label,x,y\nx,1,1\ny,1,0\n", "the distance of 'x' from itself is 1"),
        ('label,x,y\nx,0,"1\n', "broken row"),
    ],
)
def test_bad_matrices_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_distances(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_missing_matrix_and_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv: no such file; give a csv"):
        read_distances(tmp_path / "none.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes(b"label,caf\xe9\n")
    with pytest.raises(UserError, match="not UTF-8"):
        read_distances(path)
