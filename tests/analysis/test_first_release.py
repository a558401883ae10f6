"""A whole study as gainsift 0.1.0 wrote it opens, goes on and gives its figures again. Its files are never made anew.

When a format gets a new version, the study that the release with that version writes is laid beside this one, and this
one stays.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from gainsift.analysis.results import Results, analyse
from gainsift.analysis.tables import plain
from gainsift.analysis.tidy_analysis import analyse_table
from gainsift.analysis.tidy_table import read_tidy_table
from gainsift.schemas.lock import deviations
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import load_taxonomy

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ROOT / "tests" / "schemas"
FIRST = STUDIES / "release_0_1_0"
SUMMARY: dict[str, Any] = json.loads((FIRST / "report" / "summary.json").read_text("utf-8"))
PASSING = {"failures/1", "server/1"}
"""Formats of files that tell of a run in progress or gone wrong, and go with it."""


def formats_of(folder: Path) -> Iterator[str]:
    """What each file of a study says that it is."""
    for file in folder.rglob("*"):
        if file.suffix == ".parquet":
            yield (pq.read_schema(file).metadata[b"gainsift_format"]).decode()
        elif file.suffix == ".jsonl":
            yield json.loads(file.read_text("utf-8").splitlines()[0])["format"]
        elif file.suffix == ".json":
            data = json.loads(file.read_text("utf-8"))
            if isinstance(data, dict) and "format" in data:  # a table of the report names its recipe instead
                yield data["format"]
        elif file.name == "taxonomy.yaml":
            yield yaml.safe_load(file.read_text("utf-8"))["format"]


def formats_of_the_code() -> set[str]:
    """Every versioned format that a module names."""
    found = set()
    for stage in ("schemas", "generation", "annotation", "analysis"):
        for file in (ROOT / stage).glob("*.py"):
            if re.search(r'"[a-z_0-9]+/\d"', file.read_text("utf-8")):
                module = importlib.import_module(f"gainsift.{stage}.{file.stem}")
                found |= {value for name, value in vars(module).items() if name.endswith("_FORMAT")}
    return {name for name in found if isinstance(name, str)}


def numbers(estimate: Any) -> dict[str, float]:
    """Point and interval, without the words around them."""
    return {name: value for name, value in estimate.items() if name in ("point", "low", "high")}


@pytest.fixture(scope="module")
def results() -> Results:
    return analyse(Study.open(FIRST))


def test_it_holds_every_format_of_its_release() -> None:
    assert set(formats_of(FIRST)) == {
        "annotation/2", "assignment/1", "checkpoints/1", "concept/1", "float32_audit/1", "items/1", "links/2", "lock/1",
        "outputs/1", "prelabels/1", "preparation/1", "prompts/1", "run/1", "summary/1", "taxonomy/1", "tidy/1",
        "translations/1",
    }  # fmt: skip


def test_every_format_that_is_written_today_lies_in_some_old_study() -> None:
    kept = {name for study in STUDIES.iterdir() if study.is_dir() for name in formats_of(study)}
    assert {"translations/1", "links/2", "tidy/1"} <= formats_of_the_code()
    # of `analyze --table` the summary is for programs and never read again
    assert formats_of_the_code() - PASSING - {"table_summary/2"} <= kept


def test_its_contrasts_have_the_figures_of_then(results: Results) -> None:
    assert [one.contrast.name for one in results.contrasts] == ["training", "patching"]
    for one, then in zip(results.contrasts, SUMMARY["contrasts"], strict=True):
        assert (one.split.units, one.split.decided, one.split.clusters) == (
            then["units"], then["decided"], then["clusters"],
        )  # fmt: skip
        kinds = {"parts": one.split.parts, "flow": one.split.flow_buckets, "share": one.split.share_buckets}
        for told, estimates in kinds.items():
            for name, value in then[told].items():
                assert numbers(plain(estimates[name])) == pytest.approx(numbers(value), abs=1e-9), (told, name)
    training = {name: value["point"] for name, value in SUMMARY["contrasts"][0]["parts"].items()}
    assert (training["apparent"], training["human"]) == (0.625, 0.5625)


def test_its_agreement_audit_and_noise_of_precision_are_those_of_then(results: Results) -> None:
    then = SUMMARY["agreement"]
    assert results.agreement is not None
    assert numbers(plain(results.agreement.alpha)) == pytest.approx(then["alpha"], abs=1e-9)
    assert (results.agreement.items, results.agreement.judgements) == (then["items"], then["judgements"])
    assert results.audit is not None
    assert (results.audit.asked, results.audit.unasked) == (SUMMARY["audit"]["asked"], SUMMARY["audit"]["unasked"])
    assert results.left_out == SUMMARY["left_out"]
    assert results.precision is not None
    (noise,) = [one for one in results.precision.noise if (one.checkpoint, one.kind) == ("", "all")]
    assert numbers(plain(noise.text)) == pytest.approx(SUMMARY["precision"]["text"], abs=1e-9)


def test_its_tidy_table_gives_the_same_gain() -> None:
    taxonomy = load_taxonomy(FIRST / "export" / "taxonomy.yaml")
    found = analyse_table(read_tidy_table(FIRST / "export" / "tidy.parquet", taxonomy), taxonomy)
    training = found.contrasts[0].split.parts
    assert (training["apparent"].point, training["human"].point) == pytest.approx((0.625, 0.5625))


def test_its_lock_holds_and_its_campaign_goes_on(
    tmp_path: Path, gainsift: Callable[..., CompletedProcess[str]]
) -> None:
    """The plan, made anew, keeps every task that was given out: none is new, none is retired."""
    study = tmp_path / "study"
    shutil.copytree(FIRST, study)
    assert deviations(Study.open(study)) == []
    before = (study / "assignments.jsonl").read_bytes()
    done = gainsift("annotate", "plan", str(study), "--json")
    assert done.returncode == 0, done.stderr
    assert (study / "assignments.jsonl").read_bytes() == before
    done = gainsift("annotate", "export", str(study))
    assert done.returncode == 0, done.stderr
    for tasks in sorted((FIRST / "tasks").iterdir()):
        assert (study / "tasks" / tasks.name).read_bytes() == tasks.read_bytes(), tasks.name


def test_none_of_its_outputs_is_to_be_made_again(
    gainsift: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """Without the hub: checkpoints.json says what the series is."""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:1", "HF_HUB_CACHE": str(tmp_path)}
    done = gainsift("status", str(FIRST), **nowhere)
    assert done.returncode == 0, done.stderr
    assert "All outputs are there." in done.stdout
