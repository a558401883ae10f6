"""What readers are told of intervals over few clusters, against the simulations that are committed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from gainsift.analysis.intervals import caution
from gainsift.schemas.config import AnalysisSpec

MEASURED = Path(__file__).resolve().parent.parent.parent / "docs" / "reliability" / "reliability.json"
IN_DOCS = {"studentised": "studentised", "bca": "BCa", "percentile": "percentile"}


def coverage(method: str, least: int, most: int) -> tuple[int, int]:
    """The lowest and highest measured coverage in per cent, rounded outwards, over all plain cases."""
    rates = json.loads(MEASURED.read_text("utf-8"))["rates"]
    found = [
        100 * one["rate"] for one in rates
        if one["table"] == "coverage" and one["method"] == IN_DOCS[method] and least <= one["clusters"] <= most
        and "moves" not in one["case"]
    ]  # fmt: skip
    return math.floor(min(found)), math.ceil(max(found))


def said(sentence: str) -> tuple[int, int]:
    found = re.search(r"coverage of the 95 % intervals.* is (\d+) to (\d+) %", sentence)
    assert found, sentence
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("method", list(IN_DOCS))
def test_the_caution_tells_what_was_measured_of_the_interval_that_is_used(method: Any) -> None:
    spec = AnalysisSpec(interval=method)
    for clusters in (20, 49):
        assert caution(clusters, spec).startswith(f"{clusters} clusters: simulated coverage")
        assert said(caution(clusters, spec)) == coverage(method, 20, 49)
    if method == "studentised":
        assert caution(50, spec) == ""
    else:
        assert said(caution(50, spec)) == coverage(method, 50, 100)
    assert caution(19, spec) == "19 clusters: with fewer than 20 the intervals are unreliable."


def test_the_caution_names_the_interval_and_says_where_nothing_was_measured() -> None:
    told = caution(31, AnalysisSpec(interval="bca", confidence=0.9))
    assert "BCa" in told
    assert "It was not measured at 90 %." in told
    assert "not measured" not in caution(31, AnalysisSpec(interval="bca"))
