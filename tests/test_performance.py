"""The committed page of speed is that of the committed figures, which keep every target."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOUND: dict[str, Any] = json.loads((ROOT / "docs" / "performance.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def performance(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("performance")


def test_the_page_is_that_of_the_figures(performance: ModuleType) -> None:
    shown = performance.page(FOUND)
    assert (ROOT / "docs" / "performance.md").read_text("utf-8") == shown, "run: python benchmarks/performance.py"
    assert shown.count(" ✓ |") == 13
    assert "✗" not in shown


def test_the_figures_are_those_that_were_asked_for() -> None:
    agreement, analysis = FOUND["agreement"], FOUND["analysis"]
    assert agreement["missed"] == analysis["missed"] == []
    assert {(race["annotators"], race["units"]) for race in agreement["races"]} == {(3, 500), (5, 5000)}
    for race in agreement["races"]:
        assert race["times_krippendorff"] >= 60
        assert race["times_evalaudit"] >= 3
        assert race["times_krippendorff"] == pytest.approx(race["krippendorff_s"] / race["gainsift_s"], rel=0.05)
    assert agreement["large"]["units"] == 1_000_000
    assert [one["rows"] for one in analysis["studies"]] == [10**4, 10**5, 10**6, 10**7]
    assert analysis["studies"][-1]["peak_gb"] < 8
    assert agreement["resamples"] == analysis["resamples"] == 1000


def test_the_sweep_keeps_its_targets_and_says_what_others_say() -> None:
    sweep = FOUND["layer_sweep"]
    pair, study, memory = sweep["pair"], sweep["study"], sweep["memory"]
    for version in ("0.5.5", "0.8.1"):
        times = pair["seconds"][f"nnsight {version}"] / pair["seconds"]["ours"]
        assert pair["times nnsight"][version] == pytest.approx(times, rel=0.01)
        assert times >= 12
        assert pair["agreement"][version]["same"] == pair["agreement"][version]["texts"] == 480
        for kind in ("seconds", "processor"):
            assert study[kind][f"nnsight {version}"] / study[kind]["ours"] >= 20
    assert pair["ours / floor"] <= 1.6
    assert memory["ours / one clean batched generate"] <= 1.5
    assert pair["rounds"] >= 3


def test_a_missed_target_is_shown(performance: ModuleType) -> None:
    slow = json.loads(json.dumps(FOUND))
    slow["agreement"]["races"][0]["times_krippendorff"] = 59.0
    assert performance.page(slow).count("✗") == 1


def test_cost_grows_no_faster_than_what_it_is_measured_by() -> None:
    growth = FOUND["layer_sweep"]["growth"]
    for name, power in (("cut-offs", 1), ("prompt pairs", 1), ("target pairs", 1), ("depth", 2)):
        seconds = {int(count): value for count, value in growth[name].items()}
        least = min(seconds)
        for count, value in seconds.items():
            assert value / seconds[least] <= 1.1 * (count / least) ** power, (name, count)


def test_push_keeps_half_of_the_bare_imports_rate() -> None:
    found = FOUND["annotation"]
    assert [one["tasks"] for one in found["timings"]] == [500, 2000, 8000]
    for one in found["timings"]:
        assert one["against_sdk"] == pytest.approx(one["sdk_import"] / one["push"])
    assert found["timings"][-1]["against_sdk"] >= found["target"]
