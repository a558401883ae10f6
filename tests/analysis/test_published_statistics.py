"""Published figures that belong to no module of their own, and the list of all of them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"


def test_wilson_limits_of_newcombe() -> None:
    """By the function that gives Wilson's intervals of pre-labels and Clopper and Pearson's of controls."""
    with (REFERENCE / "21_newcombe1998_wilson_intervals.csv").open(encoding="utf-8", newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 4
    for row in rows:
        found = proportion_confint(row["x"], row["n"], 0.05, "wilson")
        assert found == pytest.approx((row["low"], row["high"]), abs=5e-5)


def test_the_list_names_every_table_and_tests_that_exist() -> None:
    text = (REFERENCE / "README.md").read_text("utf-8")
    for file in REFERENCE.glob("*.csv"):
        assert f"`{file.name}`" in text
    for name in re.findall(r"`(\w+\.csv)`", text):
        assert (REFERENCE / name).is_file(), name
    tests = re.findall(r"`(test_\w+)::(test_\w+)`", text)
    assert len(tests) > 20
    for file, test in tests:
        assert re.search(rf"^def {test}\(", (HERE / f"{file}.py").read_text("utf-8"), re.MULTILINE), (file, test)
