"""The functions of gainsift.analysis for notebooks say what the report of the hand-made study says."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from gainsift import analysis
from gainsift.analysis.results import Results
from gainsift.schemas import UserError
from gainsift.schemas.study import Study


@pytest.fixture(scope="module")
def hand_made(study_elsewhere: Callable[..., Any], plain_concept: Any, hand_worked: ModuleType) -> Study:
    study = study_elsewhere()
    hand_worked.build(study, plain_concept)
    return study.write()


@pytest.fixture(scope="module")
def results(hand_made: Study) -> Results:
    return analysis.analyse(str(hand_made.folder))


def test_a_split_is_that_of_the_report(hand_made: Study, results: Results) -> None:
    assert analysis.split_gain(hand_made) == results.contrasts[0].split
    with pytest.raises(UserError, match="did you mean c1 to patched c2"):
        analysis.split_gain(hand_made, "c1 to patched c3")


def test_a_frame_holds_points_and_limits(results: Results) -> None:
    frame = analysis.frame_of(results.tables["split"])
    apparent = frame[frame["part"] == "apparent"].iloc[0]
    point = results.contrasts[0].split.parts["apparent"]
    assert (apparent["flow"], apparent["flow_low"], apparent["flow_high"]) == (point.point, point.low, point.high)
    assert frame.attrs["signature"] == results.tables["split"].signature


def test_rows_are_those_that_the_report_counts(hand_made: Study, results: Results) -> None:
    rows = analysis.load_rows(hand_made)
    assert rows["row_id"].is_unique
    units = results.contrasts[0].units
    assert set(units.frame["unit"]) <= set(rows["unit"])


def test_a_report_is_written(hand_made: Study, results: Results) -> None:
    page = analysis.write_report(hand_made, results)
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert (hand_made.report_folder / "tables" / "split.tex").is_file()
