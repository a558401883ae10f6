"""`generate --audit-float32`: a share of outputs in half precision, made again in float32 and compared."""

from __future__ import annotations

import json
import os
import signal
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gainsift.cli.main import app
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.engines import Watch
from gainsift.generation.float32_audit import drawn, number_drawn, plan_audit
from gainsift.generation.float32_comparison import compare
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.plan import make_plan
from gainsift.generation.run import generate
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import parquet_records, read_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit, item_differs, text_differs
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study

RUN = CliRunner()
TEN = {"pairs": 10, "shots": 3, "seed": 7}


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Every row of the Parquet files under a folder, by id. Fails if an id comes twice."""
    rows = [row for path in folder.rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
    by_id = {row["row_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def audited(study: Study) -> list[Float32Audit]:
    return parquet_records(study.float32_file, Float32Audit, FLOAT32_FORMAT, "generate")


# --- half precision --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance", "alike"), [("bfloat16", 0.1, 0.5), ("float16", 0.02, 0.9)])
def test_half_precision_runs_and_comes_near_float32(maker: Any, dtype: Any, tolerance: float, alike: float) -> None:
    """bfloat16 keeps 8 bits of a number, float16 11; random models have no favourite words, so that texts flip."""
    model = maker.model("c1")
    exact, coarse = maker.study([model], "exact"), maker.study([model], "coarse")
    generate(exact)
    generate(coarse, dtype=dtype)
    one, other = (rows_in(study.translations_folder) for study in (exact, coarse))
    assert one.keys() == other.keys()
    moved = [abs(one[name][key] - other[name][key]) for name in one for key in ("p_source", "p_target")]
    moved += [
        abs(a - b)
        for name in one
        for key in ("source_mass", "target_mass")
        for a, b in zip(one[name][key], other[name][key], strict=True)
    ]
    assert 0 < max(moved) < tolerance
    same = sum(one[name]["answer"] == other[name]["answer"] for name in one)
    assert alike * len(one) < same < len(one)


# --- what is audited -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_comparison_equals_a_slow_recount(maker: Any, dtype: Any) -> None:
    study = maker.study([maker.model("c1"), maker.model("c2", seed=5)], prompts=TEN)
    found = generate(study, dtype=dtype, audit_share=0.3).float32_audit
    assert found is not None
    own, again = rows_in(study.translations_folder), rows_in(study.float32_folder)
    listed = audited(study)
    assert {row.row_id for row in listed} == set(again) < set(own)
    assert len(listed) == len(again) == found.rows == found.rows_written
    for row in listed:
        here, there = own[row.row_id], again[row.row_id]
        for name in ("checkpoint", "setting", "prompt", "input_language", "output_language", "pair_id", "layer",
                     "intended_concept"):  # fmt: skip
            assert getattr(row, name) == here[name] == there[name]
        assert row.dtype == dtype
        for name in ("answer", "closed", "p_source", "p_target"):
            assert getattr(row, name) == here[name]
            assert getattr(row, f"{name}_float32") == there[name]
    differing = [name for name in again if own[name]["answer"] != again[name]["answer"]]
    assert 0 < len(differing) == found.text_differs
    table = read_parquet(study.float32_file, Float32Audit, FLOAT32_FORMAT, "generate")
    ids = table["row_id"].to_pylist()
    assert {name for name, differs in zip(ids, text_differs(table).to_pylist(), strict=True) if differs} == set(
        differing
    )

    def item(row: dict[str, Any]) -> tuple[str, bool]:
        return unicodedata.normalize("NFC", row["answer"]).strip(), row["closed"]

    others = {name for name in again if item(own[name]) != item(again[name])}
    assert {name for name, differs in zip(ids, item_differs(table).to_pylist(), strict=True) if differs} == others


def test_the_audit_equals_a_study_in_float32(maker: Any) -> None:
    """Row for row what the same study gives in float32: nothing of half precision is left in it."""
    model = maker.model("c1")
    study, exact = maker.study([model], "coarse", prompts=TEN), maker.study([model], "exact", prompts=TEN)
    generate(study, dtype="bfloat16", audit_share=0.4)
    generate(exact)
    whole = rows_in(exact.translations_folder)
    for name, row in rows_in(study.float32_folder).items():
        for key in ("answer", "raw", "closed"):
            assert row[key] == whole[name][key]
        assert row["p_source"] == pytest.approx(whole[name]["p_source"], abs=1e-5)
        assert row["source_mass"] == pytest.approx(whole[name]["source_mass"], abs=1e-5)


def test_whole_units_are_drawn_the_same_each_time(maker: Any) -> None:
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    drawn_pairs = []
    for name in ("one", "two"):
        study = maker.study(models, name, prompts=TEN)
        generate(study, dtype="bfloat16", audit_share=0.3, shard_rows=50 if name == "one" else 20_000)
        units = Counter(
            (row.checkpoint, row.input_language, row.output_language, row.pair_id) for row in audited(study)
        )
        drawn_pairs.append(units)
        # all settings and layers: 2 + 4 layers x 4 settings into English, 5 settings from it
        assert all(count == (18 if unit[1] == "fr" else 22) for unit, count in units.items())
        assert Counter(unit[:3] for unit in units) == Counter(
            {(c, *pair): 3 for c in ("c1", "c2") for pair in (("fr", "en"), ("en", "fr"))}
        )
    assert drawn_pairs[0] == drawn_pairs[1]
    by_place = {unit[:3]: {u[3] for u in drawn_pairs[0] if u[:3] == unit[:3]} for unit in drawn_pairs[0]}
    assert len({frozenset(pairs) for pairs in by_place.values()}) > 1  # not the same ones everywhere


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 1.0])
def test_each_prompt_pair_is_as_likely(share: float) -> None:
    """Over many seeds each of 10 is drawn about share × seeds times (5 standard deviations), always as many."""
    times: Counter[int] = Counter()
    for seed in range(4000):
        parts = drawn(10, share, seed, "c1", "en", "fr")
        indices = [index for part in parts for index in part]
        assert len(set(indices)) == len(indices) == number_drawn(10, share)
        assert set(indices) <= set(range(10))
        times.update(indices)
    expected = number_drawn(10, share) / 10
    for index in range(10):
        assert abs(times[index] / 4000 - expected) <= 5 * (expected * (1 - expected) / 4000) ** 0.5


def test_a_larger_share_holds_the_smaller() -> None:
    for seed in range(50):
        inside: set[int] = set()
        for share in (0.01, 0.1, 0.35, 0.8, 1):
            now = {index for part in drawn(23, share, seed, "c1") for index in part}
            assert inside <= now
            inside = now
        assert inside == set(range(23))


# --- files -----------------------------------------------------------------------------------------------


def test_the_study_is_what_it_is_without_an_audit(maker: Any, row_set: Callable[[Study], str]) -> None:
    model = maker.model("c1")
    study, alone = maker.study([model], "audited"), maker.study([model], "alone")
    generate(study, dtype="bfloat16", audit_share=0.5)
    generate(alone, dtype="bfloat16")
    assert row_set(study) == row_set(alone)
    assert [p.name for p in study.translation_files()] == [p.name for p in alone.translation_files()]
    assert generate(study, dtype="bfloat16").rows_written == 0  # the folder of the audit disturbs nobody


def test_a_second_audit_keeps_every_byte_and_a_larger_one_adds(maker: Any) -> None:
    study = maker.study([maker.model("c1")], prompts=TEN)
    generate(study, dtype="bfloat16", audit_share=0.3)
    before = content(study.folder)
    for share in (0.3, 0.1):  # what is there of a larger share stays, and counts
        found = generate(study, dtype="bfloat16", audit_share=share).float32_audit
        assert found is not None
        assert (found.rows, found.rows_written) == (3 * 40, 0)
        assert content(study.folder) == before
    found = generate(study, dtype="bfloat16", audit_share=0.8).float32_audit
    assert found is not None
    assert (found.rows, found.rows_written) == (8 * 40, 5 * 40)
    after = content(study.float32_folder)
    assert all(after[name.removeprefix("float32_audit/")] == text for name, text in before.items()
               if name.startswith("float32_audit/") and name.endswith(".parquet"))  # fmt: skip
    assert len(audited(study)) == 8 * 40


def test_an_audit_that_was_stopped_goes_on(maker: Any) -> None:
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    whole, study = maker.study(models, "whole", prompts=TEN), maker.study(models, "stopped", prompts=TEN)
    generate(whole, dtype="bfloat16", audit_share=0.5)

    class Stop(Exception):
        pass

    said: list[str] = []

    def advance(rows: int) -> None:
        if len([line for line in said if line.startswith("float32 audit: ")]) == 2:
            raise Stop

    with pytest.raises(Stop):
        generate(study, dtype="bfloat16", audit_share=0.5, watch=Watch(advance=advance, say=said.append))
    there = {path: path.read_bytes() for path in study.float32_folder.rglob("*.parquet")}
    assert len(there) == 2
    assert not study.float32_file.exists()
    shown = RUN.invoke(app, ["status", str(study.folder)]).stdout
    assert "outputs made again, 0 of them compared: run it again to end it" in shown
    (study.float32_folder / "c1" / ".fr-en.0000-0003.abc.parquet.xyz.tmp").write_bytes(b"half")
    found = generate(study, dtype="bfloat16", audit_share=0.5).float32_audit
    assert found is not None
    assert found.files == found.files_written + 2
    assert all(path.read_bytes() == text for path, text in there.items())
    assert not list(study.folder.rglob("*.tmp"))
    assert audited(study) == audited(whole)
    assert "outputs made again, compared" in RUN.invoke(app, ["status", str(study.folder)]).stdout


def test_kills_at_random_moments_change_nothing(maker: Any) -> None:
    """SIGKILL while it makes or compares: no row is lost or doubled, and no temporary file stays."""
    model = maker.model("c1")
    whole, study = maker.study([model], "whole", prompts=TEN), maker.study([model], "killed", prompts=TEN)
    asked: dict[str, Any] = {"dtype": "bfloat16", "audit_share": 0.5, "shard_rows": 1}
    generate(whole, **asked)
    generate(study, dtype="bfloat16", shard_rows=1)
    random = np.random.default_rng(5)
    context = get_context("fork")  # torch is loaded here already; it computes in one thread
    grown = [0]
    for more in (0, 1, 2, 3):
        process = context.Process(target=generate, args=(study,), kwargs=asked)
        process.start()
        deadline = time.monotonic() + 120
        while len(list(study.float32_folder.rglob("*.parquet"))) < grown[-1] + more and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(float(random.uniform(0, 0.05)))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        grown.append(len(list(study.float32_folder.rglob("*.parquet"))))
    assert grown == sorted(grown)
    assert grown[-1] >= 6
    generate(study, **asked)
    assert audited(study) == audited(whole)
    assert len(rows_in(study.float32_folder)) == 5 * 40
    assert not list(study.folder.rglob("*.tmp"))


def test_a_shard_that_fails_is_told_and_nothing_is_compared(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gainsift.generation import making

    study = maker.study([maker.model("c1")])
    write = making.write_shard

    def full(shard: Any, *rest: Any) -> None:
        if shard.folder.parent == study.float32_folder and shard.pair == ("en", "fr"):
            raise OSError(28, "No space left on device")
        write(shard, *rest)

    monkeypatch.setattr(making, "write_shard", full)
    warned: list[str] = []
    with pytest.raises(WorkError, match="No space left on device"):
        generate(study, dtype="bfloat16", audit_share=0.5, watch=Watch(warn=warned.append))
    assert warned[0].startswith("float32 audit: not made: c1/en-fr.")
    assert not study.float32_file.exists()
    assert re_status(study).startswith("c1 en-fr: ")
    monkeypatch.undo()
    found = generate(study, dtype="bfloat16", audit_share=0.5).float32_audit
    assert found is not None
    assert found.files_written == 1
    assert not (study.float32_folder / "failures.json").exists()


def re_status(study: Study) -> str:
    """The last line of `gainsift status`."""
    return RUN.invoke(app, ["status", str(study.folder)]).stdout.splitlines()[-1]


def test_an_audit_of_another_request_is_refused_and_redone(maker: Any) -> None:
    model = maker.model("c1")
    generate(maker.study([model]), dtype="bfloat16", audit_share=0.5)
    study = maker.study([model], generation={"max_new_tokens": 2})
    generate(study, dtype="bfloat16", redo=True)
    before = content(study.folder)
    with pytest.raises(UserError, match=r"float32_audit/c1/.*: was generated with other .*max_new_tokens.*--redo"):
        generate(study, dtype="bfloat16", audit_share=0.5)
    assert content(study.folder) == before
    generate(study, dtype="bfloat16", audit_share=0.5, redo=True)
    own = rows_in(study.translations_folder)
    assert all(row.answer == own[row.row_id]["answer"] for row in audited(study))


def test_rows_that_the_study_lacks_are_named(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    generate(study, dtype="bfloat16", audit_share=1)
    plan = make_plan(study, "cpu", "bfloat16")
    audit = plan_audit(plan, [], "bfloat16", 1, 20_000, redo=False)
    (path,) = (study.translations_folder / "c1").glob("fr-en.*")
    table = pq.read_table(path)
    pq.write_table(table.slice(5), path)
    with pytest.raises(UserError, match=r"float32_audit/c1: 5 rows are not in .*translations; run again with --redo"):
        compare(audit.plan, audit.dtypes)


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", ["0", "1.01", "-0.05", "nan", "inf"])
def test_what_is_no_share_is_refused(maker: Any, share: str) -> None:
    study = maker.study([maker.model("c1")])
    asked = ["generate", str(study.folder), "--dtype", "bfloat16", f"--audit-float32={share}"]
    for more in ([], ["--dry-run"]):
        error = RUN.invoke(app, [*asked, *more]).exception
        assert isinstance(error, UserError)
        assert "expected a share above 0, at most 1; for instance --audit-float32 0.05" in str(error)
    assert [path.name for path in study.folder.iterdir()] == ["study.yaml"]
    assert RUN.invoke(app, [*asked[:-1], "--audit-float32", "5%"]).exit_code == 2


def test_a_study_in_float32_is_refused_in_one_line(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    for dtype in ("auto", "float32"):
        error = RUN.invoke(app, ["generate", str(study.folder), "--dtype", dtype, "--audit-float32", ".5"]).exception
        assert isinstance(error, UserError)
        assert "the outputs are float32 already: there is nothing to measure" in str(error)
        assert "\n" not in str(error)
    assert [path.name for path in study.folder.iterdir()] == ["study.yaml"]
    generate(study, dtype="bfloat16")  # a study in half precision that is continued without saying so
    with pytest.raises(UserError, match="was generated with other precision"):
        generate(study, audit_share=0.5)


def test_checkpoints_in_float32_are_left_out_and_told(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where `auto` on a GPU finds both precisions among the weights of one study."""
    monkeypatch.setattr(Checkpoint, "dtype", lambda self, asked, device: {"c1": "float32"}.get(self.name, "bfloat16")
                        if asked == "auto" else asked)  # fmt: skip
    study = maker.study([maker.model("c1"), maker.model("c2", seed=5)])
    asked = ["generate", str(study.folder), "--audit-float32", "0.5"]
    done = RUN.invoke(app, asked)
    assert "not audited, float32 already: c1" in done.stdout
    assert {row.checkpoint for row in audited(study)} == {"c2"}
    assert [path.name for path in study.float32_folder.iterdir() if path.is_dir()] == ["c2"]


# --- what is printed -------------------------------------------------------------------------------------


def test_the_command_and_its_json(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    asked = ["generate", str(study.folder), "--dtype", "bfloat16", "--audit-float32", ".5"]
    told = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)
    counted = sum(row.answer != row.answer_float32 for row in audited(study))
    files = list(study.float32_folder.rglob("*.parquet"))
    assert told["float32_audit"] == {
        "share": 0.5, "checkpoints": 1, "rows": 80, "rows_written": 80, "files": len(files),
        "files_written": len(files), "text_differs": counted, "exact": [],
    }  # fmt: skip
    assert (
        f"float32 audit: 80 outputs made again in float32 (0 now), the text of {counted} differs"
        in RUN.invoke(app, asked).stdout
    )
    record = json.loads((study.folder / "float32_audit.run.json").read_text())
    assert record["command"] == f"gainsift generate {study.folder} --dtype bfloat16 --audit-float32 0.5"
    assert record["settings"]["checkpoints"]["c1"]["dtype"] == "float32"
    assert record["counts"]["text_differs"] == counted
    assert "float32_audit" not in json.loads(RUN.invoke(app, [*asked[:-2], "--json"]).stdout)


def test_a_dry_run_foretells_the_audit(maker: Any) -> None:
    study = maker.study([maker.model("c1")], prompts=TEN)
    asked = ["generate", str(study.folder), "--dtype", "bfloat16", "--audit-float32", ".3"]
    told = json.loads(RUN.invoke(app, [*asked, "--dry-run", "--json"]).stdout)["float32_audit"]
    assert [path.name for path in study.folder.iterdir()] == ["study.yaml"]
    assert told["share"] == 0.3
    assert [(one["rows"], one["files"]) for one in told["checkpoints"]] == [(3 * 40, len(told["shards"]))]
    assert told["checkpoints"][0]["token_forwards"] > 0
    assert "3 of 10 prompt pairs; " in RUN.invoke(app, [*asked, "--dry-run"]).stdout
    generate(study, dtype="bfloat16", audit_share=0.3)
    made = {path.name for path in study.float32_folder.rglob("*.parquet")}
    assert made == {shard["file"] for shard in told["shards"]}
    again = json.loads(RUN.invoke(app, [*asked, "--dry-run", "--json"]).stdout)["float32_audit"]
    assert {shard["state"] for shard in again["shards"]} == {"done"}
    shown = RUN.invoke(app, [*asked, "--dry-run"]).stdout
    assert shown.count("Nothing is to do: ") == 2


def test_files_of_the_audit_are_those_of_translations(maker: Any) -> None:
    """The same format, so that whatever reads outputs reads them."""
    study = maker.study([maker.model("c1")])
    generate(study, dtype="float16", audit_share=0.5)
    for path in study.float32_folder.rglob("*.parquet"):
        assert len(read_parquet(path, Translation, TRANSLATIONS_FORMAT, "generate"))


def test_two_processes_give_the_same(maker: Any) -> None:
    """The audit goes through the study's own engine: here, a process for each of two devices."""
    models = [maker.model("c1"), maker.model("c2", seed=5)]
    alone, both = maker.study(models, "alone"), maker.study(models, "both")
    generate(alone, dtype="bfloat16", batch_size=8, audit_share=0.5)
    generate(both, dtype="bfloat16", batch_size=8, audit_share=0.5, engine=LocalEngine(["cpu", "cpu"]))
    assert audited(both) == audited(alone)
