"""What the demo must show: the whole grid, checkpoints that learn, a split that adds up, no false people."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gainsift.schemas.lock import deviations, lock_file
from gainsift.schemas.study import Study

pytestmark = pytest.mark.demo
ADDENDS = ("human", "undeserved", "missed", "undecided")


@pytest.fixture(scope="module")
def summary(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((study.report_folder / "summary.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def training(summary: dict[str, Any]) -> dict[str, Any]:
    (contrast,) = [contrast for contrast in summary["contrasts"] if contrast["name"] == "training"]
    return dict(contrast)


def test_the_grid_is_whole(study: Study) -> None:
    table = study.translations(
        ["row_id", "checkpoint", "setting", "input_language", "output_language", "layer", "pair_id"]
    )
    rows = table.to_pylist()
    checkpoints = {row["checkpoint"] for row in rows}
    pairs = {(row["input_language"], row["output_language"]) for row in rows}
    assert len(checkpoints) >= 8
    assert len(pairs) >= 4
    assert len({row["pair_id"] for row in rows}) >= 32
    assert len({row["row_id"] for row in rows}) == len(rows)
    cells = Counter(
        (r["checkpoint"], r["input_language"], r["output_language"], r["setting"], r["layer"]) for r in rows
    )
    layers = {row["layer"] for row in rows} - {None}
    assert layers == set(range(4))
    for checkpoint in checkpoints:
        for given, out in pairs:
            units = cells[checkpoint, given, out, "unpatched", None]  # source and target prompts
            assert units >= 2 * 30, "more than two of 32 prompt pairs were refused"
            for setting in ("tgt", "seen", "en_en", "tgt_tgt") + (() if out == "en" else ("self",)):
                assert {cells[checkpoint, given, out, setting, layer] for layer in layers} == {units // 2}


def test_the_controls_change_nothing(study: Study) -> None:
    """`tgt_tgt` at every layer, and every setting at the last one, answer as the unpatched target prompt does."""
    rows = study.translations().to_pylist()
    key = lambda r: (r["checkpoint"], r["input_language"], r["output_language"], r["pair_id"])  # noqa: E731
    plain = {key(r): r for r in rows if r["setting"] == "unpatched" and r["prompt"] == "target"}
    compared = 0
    for row in rows:
        if row["setting"] == "tgt_tgt" or row["layer"] == 3:
            other = plain[key(row)]
            assert math.isclose(row["p_source"], other["p_source"], abs_tol=1e-5)
            assert math.isclose(row["p_target"], other["p_target"], abs_tol=1e-5)
            compared += row["raw"] != other["raw"]
    assert compared <= 2, "texts may differ at exact ties alone"


def test_the_checkpoints_learn(study: Study, training: dict[str, Any]) -> None:
    assert training["parts"]["success_a"]["point"] < 0.25
    assert training["parts"]["success_b"]["point"] > 0.5


def test_the_split_adds_up(summary: dict[str, Any]) -> None:
    assert summary["contrasts"]
    for contrast in summary["contrasts"]:
        parts = contrast["parts"]
        assert math.isclose(sum(parts[name]["point"] for name in ADDENDS), parts["apparent"]["point"], abs_tol=1e-12)
        for way in ("flow", "share"):
            total = sum(part["point"] for part in contrast[way].values())
            assert math.isclose(total, parts["human"]["point"], abs_tol=1e-12)


def test_the_chain_shows_copying_come_and_go(study: Study) -> None:
    """The share split of each step: plain copying takes the place of other errors, then gives way to right answers."""
    table = json.loads((study.report_folder / "tables" / "chain.json").read_text("utf-8"))
    steps = [row for row in table["rows"] if row["way"] == "share split"]
    copying = [row["bucket_plain_copying"]["point"] for row in steps]
    assert copying[0] < -0.3 < 0.3 < copying[1]
    assert math.isclose(sum(copying[:3]), copying[-1], abs_tol=1e-12)
    assert steps[0]["units"] < 128, "units outside the sample are left out"


def test_every_table_of_the_report_is_told_in_the_docs(study: Study) -> None:
    docs = (Path(__file__).resolve().parents[2] / "docs" / "analysis.md").read_text("utf-8")
    tables = {path.stem for path in study.report_folder.glob("tables/*.json")}
    assert len(tables) > 30
    assert not [name for name in sorted(tables) if f"`{name}`" not in docs]


def test_what_is_locked_still_holds(study: Study) -> None:
    assert lock_file(study).is_file()
    assert deviations(study) == []


def test_the_sample_is_weighed_back_and_the_rest_predicted(study: Study, summary: dict[str, Any]) -> None:
    links = study.links().to_pandas()
    assert set(links.groupby("trajectory")["trajectory_probability"].first()) == {0.75}
    table = json.loads((study.report_folder / "tables" / "beyond_verdicts.json").read_text("utf-8"))
    powered = [row for row in table["rows"] if row["method"] == "prediction-powered"]
    steps = {row["contrast"] for row in powered} - {"training", "patching"}
    assert len(steps) == 1, "the whole way of the series; its steps stand in the chain"
    assert steps < {contrast["name"] for contrast in summary["contrasts"]}
    assert all(row["corrected"]["low"] < row["corrected"]["high"] for row in powered)
    assert {row["basis"].split(" of ")[0] for row in powered} == {"Automatic labels"}
    assert {"human", "plain_copying"} <= {row["part"] for row in powered if row["contrast"] == "training"}
    by_model = [row for row in table["rows"] if row["method"].endswith("dawid-skene") and row["part"] == "human"]
    assert by_model
    assert all(abs(row["corrected"]["point"] - row["verdicts"]["point"]) < 0.1 for row in by_model)


def test_controls_and_repeats_tell_on_annotators(study: Study) -> None:
    roles = Counter(line.role for line in study.annotations())
    assert roles["control"] == 3 * 24
    assert roles["repeat"] > 100
    table = json.loads((study.report_folder / "tables" / "agreement_annotators.json").read_text("utf-8"))
    assert len(table["rows"]) >= 3


def test_every_bucket_has_an_interval_and_plain_copying_is_not_zero(training: dict[str, Any]) -> None:
    for bucket in ("ability", "plain_copying", "homograph_copying", "sense_selection"):
        part = training["flow"][bucket]
        assert part["low"] <= part["point"] <= part["high"], bucket
    assert training["flow"]["plain_copying"]["low"] > 0


def test_simulated_is_said_wherever_it_shows(study: Study, summary: dict[str, Any]) -> None:
    assert summary["annotators"] == "simulated"
    assert {line.source for line in study.annotations()} == {"simulated", "auto"}
    texts = [study.report_folder / "report.html", *study.report_folder.glob("tables/*.tex")]
    texts += study.report_folder.glob("tables/*.csv")
    assert len(texts) > 5
    for path in texts:
        if "mass" not in path.name and "emergence" not in path.name:  # these rest on no judgement
            assert "simulated" in path.read_text("utf-8").casefold(), path


def test_tasks_tell_nothing_of_their_origin(study: Study) -> None:
    hidden = {checkpoint.name for checkpoint in study.config.model.checkpoints} | {study.config.model.name}
    hidden |= {"unpatched", "en_en", "tgt_tgt", "checkpoint", "layer", "setting", study.config.name}
    tasks = sorted(study.tasks_folder.glob("a*.json"))
    assert len(tasks) == 3 * 4  # annotators, language pairs
    for path in tasks:
        text = path.read_text("utf-8")
        assert not [word for word in hidden if re.search(rf"\b{re.escape(word)}\b", text)]
        assert json.loads(text)
