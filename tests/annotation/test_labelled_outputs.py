"""Pre-labels against outputs that the project authors labelled by hand, blind to the pre-label."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from gainsift.schemas.taxonomy import load_taxonomy

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "prelabel_precision.py"))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = SCRIPT["labelled"]()
    return found


def test_there_are_enough_outputs_of_both_models_and_several_pairs(rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 150
    assert {row["model"] for row in rows} == {"SmolLM2-135M-Instruct", "demo series"}
    assert len({(row["input_language"], row["output_language"]) for row in rows}) >= 5
    labels = Counter(row["label"] for row in rows)
    assert set(labels) <= set(load_taxonomy().ids)
    assert len(labels) >= 12
    keys = [tuple(row[key] for key in SCRIPT["KEY"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_the_readings_are_as_described(rows: list[dict[str, Any]]) -> None:
    first, second = ([row[name] for row in rows] for name in ("first_reading", "second_reading"))
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    text = (ROOT / "tests" / "annotation" / "labelled" / "README.md").read_text("utf-8")
    assert f"{agreed} of {len(rows)}" in text
    assert f"κ {cohen_kappa_score(first, second):.2f}".replace("0.", ".") in text
    for row in rows:
        if row["first_reading"] == row["second_reading"]:
            assert row["label"] == row["first_reading"]


def test_the_page_shows_what_the_code_measures(rows: list[dict[str, Any]]) -> None:
    page = (ROOT / "docs" / "prelabels.md").read_text("utf-8")
    assert page == SCRIPT["page"](rows), "run: python benchmarks/prelabel_precision.py --write docs/prelabels.md"


def test_pre_labels_are_worth_having(rows: list[dict[str, Any]]) -> None:
    given = [row for row in rows if row["prelabel"] is not None]
    right = sum(row["prelabel"] == row["label"] for row in given)
    assert right / len(given) >= 0.8
