"""The split of real outputs labelled by hand, against a recount of the csv that uses nothing of the analysis."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONDITIONS = ("step-00300 unpatched", "step-01500 unpatched", "step-01500 patched")
CONTRASTS = [CONDITIONS[:2], CONDITIONS[1:]]


@pytest.fixture(scope="module")
def script(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("real_outputs")


@pytest.fixture(scope="module")
def tables(script: ModuleType) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = script.analysed()
    return found


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], dict[str, str]]:
    """(unit, condition) -> its row."""
    with (ROOT / "docs" / "real_outputs.csv").open(encoding="utf-8", newline="") as file:
        return {(row["unit"], row["condition"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def bucket() -> dict[str, str]:
    """Category -> bucket; no category of these outputs has another one where nothing is patched."""
    taxonomy = yaml.safe_load((ROOT / "schemas" / "taxonomy.yaml").read_text("utf-8"))
    return {one["id"]: one.get("bucket", "") for one in taxonomy["categories"]}


def of(tables: dict[str, list[dict[str, Any]]], name: str, a: str, b: str, part: str, kind: str) -> float:
    (row,) = (row for row in tables[name] if row["contrast"] == f"{a} → {b}" and row["part"] == part)
    return float(row[kind]["point"])


@pytest.mark.parametrize(("a", "b"), CONTRASTS)
@pytest.mark.parametrize("name", ["split", "split_without_identical"])
def test_the_split_is_a_count(
    tables: dict[str, list[dict[str, Any]]],
    rows: dict[tuple[str, str], dict[str, str]],
    bucket: dict[str, str],
    a: str,
    b: str,
    name: str,
) -> None:
    pairs = [(rows[unit, a], rows[unit, b]) for unit, condition in rows if condition == a]
    if name != "split":
        pairs = [pair for pair in pairs if "1" not in (pair[0]["identical"], pair[1]["identical"])]
    sums: Counter[tuple[str, str]] = Counter()
    for before, after in pairs:
        (s_a, h_a), (s_b, h_b) = ((int(row["success"]), int(row["label"] == "correct")) for row in (before, after))
        sums["apparent", "flow"] += s_b - s_a
        sums["human", "flow"] += h_b - h_a
        sums["undeserved", "flow"] += s_b * (1 - h_b) - s_a * (1 - h_a)
        sums["missed", "flow"] -= (1 - s_b) * h_b - (1 - s_a) * h_a
        for row, sign, other in ((before, 1, h_b), (after, -1, h_a)):
            if row["label"] != "correct":
                sums[bucket[row["label"]], "flow"] += sign * other
                sums[bucket[row["label"]], "share"] += sign
    for (part, kind), total in sums.items():
        assert of(tables, name, a, b, part, kind) == pytest.approx(float(Fraction(total, len(pairs))), abs=1e-12)
    named = {row["part"] for row in tables[name]} - {part for part, _ in sums}
    assert named <= {"undecided", *bucket.values()}
    assert all(of(tables, name, a, b, part, "flow") == 0 for part in named)


@pytest.mark.parametrize(("a", "b"), CONTRASTS)
def test_transitions_are_counts(
    tables: dict[str, list[dict[str, Any]]], rows: dict[tuple[str, str], dict[str, str]], a: str, b: str
) -> None:
    counts = Counter((rows[unit, a]["label"], rows[unit, b]["label"]) for unit, condition in rows if condition == a)
    found = {
        (row["before"], row["after"]): row["units"] for row in tables["transitions"] if row["contrast"] == f"{a} → {b}"
    }
    assert found == counts


def test_one_answer_has_one_label_and_the_page_describes_the_file(rows: dict[tuple[str, str], dict[str, str]]) -> None:
    assert len({(row["item"], row["label"]) for row in rows.values()}) == len({row["item"] for row in rows.values()})
    text = (ROOT / "docs" / "real_outputs.md").read_text("utf-8")
    assert f"holds {len(rows)} outputs" in text
    assert f"the {len({row['item'] for row in rows.values()})} distinct answers" in text
    pairs = Counter(
        row["input_language"] + row["output_language"] for (_, at), row in rows.items() if at == CONDITIONS[0]
    )
    assert set(pairs.values()) == {16}


def test_the_page_shows_what_the_analysis_finds(script: ModuleType, tables: dict[str, list[dict[str, Any]]]) -> None:
    page = (ROOT / "docs" / "real_outputs.md").read_text("utf-8")
    assert page == script.page(tables), "run: python benchmarks/real_outputs.py --write"


def limits(value: dict[str, Any]) -> tuple[float, float, float]:
    return value["point"], value["low"], value["high"]


@pytest.mark.parametrize(("a", "b"), CONTRASTS)
def test_a_figure_has_one_interval_in_whatever_table_it_stands(
    tables: dict[str, list[dict[str, Any]]], a: str, b: str
) -> None:
    """Every unit is decided and there at every condition, so that these tables count the same."""
    name = f"{a} → {b}"
    split = {row["part"]: row["flow"] for row in tables["split"] if row["contrast"] == name}
    (reported,) = (row for row in tables["sensitivity"] if (row["contrast"], row["variant"]) == (name, "main"))
    levels = {row["measure"]: row for row in tables["levels"] if row["contrast"] == name}
    outcomes = {row["checkpoint"]: row for row in tables["outcomes"]}
    for measure, part, outcome in (("success", "apparent", "success"), ("human", "human", "correct")):
        assert limits(reported[part]) == pytest.approx(limits(split[part]), abs=1e-12)
        assert limits(levels[measure]["change"]) == pytest.approx(limits(split[part]), abs=1e-12)
        for side, condition in (("before", a), ("after", b)):
            assert limits(levels[measure][side]) == pytest.approx(limits(outcomes[condition][outcome]), abs=1e-12)
