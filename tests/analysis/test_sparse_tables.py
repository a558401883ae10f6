"""Tables from elsewhere with little in them: every figure has a value, or says that it is undefined and why."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.findings import Findings
from gainsift.analysis.tidy_analysis import analyse_table
from gainsift.analysis.tidy_table import read_tidy_table
from gainsift.cli.main import app
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.taxonomy import load_taxonomy

LABELS = ("plain_copy", "other_sense", "correct")
NEEDED = ["unit", "cluster", "condition", "annotator", "label"]


def five_columns(conditions: int = 5, annotators: int = 3) -> pd.DataFrame:
    """Twelve units in six clusters that become right one after the other; a3 errs now and then."""
    rows = []
    for unit, condition, annotator in itertools.product(range(12), range(conditions), range(1, annotators + 1)):
        label = "correct" if unit < 2 + 2 * condition else LABELS[unit % 2]
        if annotator == 3 and (unit + condition) % 4 == 0:
            label = LABELS[(unit + condition) % 3]
        rows.append((f"u{unit}", f"k{unit // 2}", f"system {condition}", f"a{annotator}", label))
    return pd.DataFrame(rows, columns=NEEDED)


def with_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """A unit without its second condition, a quarter of the labels skipped, a unit that nobody labelled anywhere."""
    frame = frame[(frame["unit"] != "u1") | (frame["condition"] != "system 1")].reset_index(drop=True)
    frame.loc[frame.index % 4 == 0, "label"] = None
    frame.loc[frame["unit"] == "u7", "label"] = None
    return frame


SPARSE: dict[str, Callable[[], pd.DataFrame]] = {
    "five columns": five_columns,
    "gaps": lambda: with_gaps(five_columns()),
    "one annotator": lambda: five_columns(annotators=1),
    "two annotators": lambda: five_columns(annotators=2),
    "one condition": lambda: five_columns(conditions=1),
    "two conditions": lambda: five_columns(conditions=2),
    "one label": lambda: five_columns().assign(label="correct"),
    "one wrong label": lambda: five_columns().assign(label="plain_copy"),
    "missing labels alone": lambda: five_columns().assign(label="unsure"),
    "no label": lambda: five_columns().assign(label=None),
    "one row": lambda: five_columns(1, 1).head(1),
    "one unit": lambda: five_columns().head(15),
    "one cluster": lambda: five_columns().assign(cluster="k"),
    "success, and nobody judged": lambda: five_columns().assign(label=None, success=1),
    "success everywhere": lambda: five_columns().assign(success=1),
    "nothing in the sample": lambda: five_columns().assign(weight=None, draws=None, success=0),
    "weights": lambda: five_columns().assign(weight=lambda f: 1.0 + (f["condition"] == "system 1")),
    "verdicts of a lead": lambda: five_columns().assign(verdict=lambda f: f["label"].where(f["unit"] > "u3")),
}  # fmt: skip


def analysed(frame: pd.DataFrame, folder: Path, **spec: object) -> Findings:
    if "verdict" in frame:
        frame["verdict"] = frame.groupby(["unit", "condition"])["verdict"].transform("first")
    frame.to_csv(folder / "table.csv", index=False)
    taxonomy = load_taxonomy()
    asked = AnalysisSpec.model_validate({"bootstrap": 40, **spec})
    return analyse_table(read_tidy_table(folder / "table.csv", taxonomy), taxonomy, (), asked)


UNDER = [(name, "adjudicated") for name in SPARSE] + [(name, "dawid-skene") for name in ("gaps", "no label", "one row")]


@pytest.mark.parametrize(("name", "verdict"), UNDER)
def test_every_figure_is_stated_or_undefined(name: str, verdict: str, tmp_path: Path) -> None:
    found = analysed(SPARSE[name](), tmp_path, verdict=verdict)
    for table in found.tables.values():
        for row, column in itertools.product(table.rows, table.columns):
            value, where = row[column.key], f"{table.name}: {column.key} of {row}"
            if isinstance(value, Estimate):
                assert (value.point is not None) or value.reason, where
                numbers = [one for one in (value.point, value.low, value.high) if one is not None]
                assert all(math.isfinite(one) for one in numbers), where
                assert value.low is None or value.low <= (value.point or 0) + 1e-9 <= (value.high or 0) + 2e-9, where
            elif isinstance(value, float):
                assert math.isfinite(value), where


def test_five_columns_are_enough_for_everything(tmp_path: Path) -> None:
    """The trend of `correct` by hand: 2, 4, 6, 8, 10 of 12 units are right by the two annotators who do not err."""
    found = analysed(five_columns(), tmp_path)
    assert [one.contrast.name for one in found.contrasts] == [
        *(f"system {n} to system {n + 1}" for n in range(4)), "system 0 to system 4",
    ]  # fmt: skip
    whole = found.contrasts[-1].split
    assert whole.parts["human"].point == pytest.approx(8 / 12)
    assert whole.flow_buckets["plain_copying"].point == pytest.approx(4 / 12)
    (chain,) = found.chains
    steps = [split.parts["human"].point for _, split in chain.steps]
    assert steps == pytest.approx([2 / 12] * 4)
    (trend,) = [one for one in found.trends if (one.level, one.outcome) == ("category", "correct")]
    assert trend.shares == pytest.approx([2 / 12, 4 / 12, 6 / 12, 8 / 12, 10 / 12])
    assert trend.slope == pytest.approx(8 / 12)
    # Mann-Kendall: ten pairs that all rise, S = 10, var 5 * 4 * 15 / 18; by continuity (10 - 1) / sqrt(50 / 3)
    assert trend.tests["mann_kendall"].p == pytest.approx(math.erfc(9 / math.sqrt(50 / 3) / math.sqrt(2)), abs=0.03)
    for name in ("gee", "flips", "cochran"):
        assert trend.tests[name].p is not None, name
    rules = {row["variant"] for row in found.tables["sensitivity"].rows}
    assert {"main", "rule majority", "rule soft", "rule dawid-skene", "kind plain_copy", "family lowest"} <= rules
    assert {row["method"] for row in found.tables["beyond_verdicts"].rows} == {"without errors, dawid-skene"}
    people = {row["annotator"]: row for row in found.tables["agreement_annotators"].rows}
    assert people["a3"]["without"].point == 1  # a1 and a2 never differ
    assert {row["what"] for row in found.tables["agreement_parts"].rows} == {"all", "condition", "drift"}


def test_errors_of_two_annotators_are_not_estimable(tmp_path: Path) -> None:
    found = analysed(five_columns(annotators=2), tmp_path)
    rows = found.tables["beyond_verdicts"].rows
    assert rows
    assert all(row["corrected"].reason.startswith("not estimable") for row in rows)


@pytest.mark.parametrize("name", ["gaps", "one label", "one row", "success, and nobody judged", "one condition"])
def test_the_command_makes_a_report_of_it(name: str, tmp_path: Path) -> None:
    frame = SPARSE[name]()
    frame.to_parquet(tmp_path / "table.parquet")
    arguments = ["analyze", "--table", str(tmp_path / "table.parquet"), "--out", str(tmp_path / "out")]
    arguments += ["--boot", "40", "--seed", "3", "--interval", "percentile", "--confidence", "0.9", "--verdict", "soft",
                  "--correction", "fdr_bh", "--family", "all"]  # fmt: skip
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{done.output} {done.exception!r}"
    run = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    told = {name: run["settings"][name] for name in ("interval", "confidence", "verdict", "correction", "family")}
    assert told == {"interval": "percentile", "confidence": 0.9, "verdict": "soft", "correction": "fdr_bh",
                    "family": "all"}  # fmt: skip
    assert "--verdict soft" in run["command"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for part in ("summary", "split", "outcomes", "agreement", "left-out", "made"):
        assert f'<section id="{part}">' in page


@pytest.mark.parametrize(("option", "value"), [("--interval", "bootstrap"), ("--confidence", "95"), ("--verdict", "x")])
def test_an_option_that_is_none_is_named(option: str, value: str, tmp_path: Path) -> None:
    five_columns().to_csv(tmp_path / "table.csv", index=False)
    arguments = ["analyze", "--table", str(tmp_path / "table.csv"), "--out", str(tmp_path / "out"), option, value]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code != 0
    assert option in str(done.exception)
    assert not (tmp_path / "out").exists()
