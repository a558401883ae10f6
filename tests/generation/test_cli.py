from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.cli.main import app
from gainsift.schemas.errors import UserError

RUN = CliRunner()


def test_generate_prints_what_it_did_and_writes_the_rows(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    done = RUN.invoke(app, ["generate", str(study.folder), "--batch-size", "9", "--device", "cpu"])
    assert done.exit_code == 0
    assert "160 rows in 2 files" in done.stdout
    assert "4 prompt pairs from 20 concepts" in done.stdout
    assert re.search(r"^c1/fr-en\.0000-0003\.[0-9a-f]{12}\.parquet: 72 rows$", done.stderr, re.M)
    assert study.translations().num_rows == 160


def test_json(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    done = RUN.invoke(app, ["generate", str(study.folder), "--json"])
    assert json.loads(done.stdout)["rows_written"] == 160
    assert done.stderr == ""


def test_dry_run_checks_everything_and_writes_nothing(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    done = RUN.invoke(app, ["generate", str(study.folder), "--dry-run", "--json"])
    plan = json.loads(done.stdout)
    assert [(job["input"], job["output"], job["rows"], job["state"]) for job in plan["shards"]] == [
        ("fr", "en", 72, "todo"),
        ("en", "fr", 88, "todo"),
    ]
    assert [path.name for path in study.folder.iterdir()] == ["study.yaml"]
    shown = RUN.invoke(app, ["generate", str(study.folder), "--dry-run"])
    assert "160 rows to make" in shown.stdout
    assert "an estimate" in shown.stdout
    RUN.invoke(app, ["generate", str(study.folder)])
    done = RUN.invoke(app, ["generate", str(study.folder), "--dry-run", "--json"])
    assert {job["state"] for job in json.loads(done.stdout)["shards"]} == {"done"}
    bad = maker.study([maker.model("c2", tokenizer=False)], "bad")
    assert isinstance(RUN.invoke(app, ["generate", str(bad.folder), "--dry-run"]).exception, UserError)


@pytest.mark.parametrize(
    "option",
    [
        ["--device", "gpu"], ["--dtype", "int8"], ["--batch-size", "0"], ["--shard-size", "0"], ["--engine", "slurm"],
        ["--engine", "ray", "--cpus", "0"],
    ],
)  # fmt: skip
def test_options_are_checked(maker: Any, option: list[str]) -> None:
    study = maker.study([maker.model("c1")])
    assert RUN.invoke(app, ["generate", str(study.folder), *option]).exit_code == 2


def test_cuda_that_is_not_there_is_named(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    study = maker.study([maker.model("c1")])
    error = RUN.invoke(app, ["generate", str(study.folder), "--device", "cuda"]).exception
    assert isinstance(error, UserError)
    assert "--device cuda: torch sees no CUDA device" in str(error)


def test_without_torch_the_install_line_is_given(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = maker.study([maker.model("c1")])
    monkeypatch.setitem(sys.modules, "torch", None)
    error = RUN.invoke(app, ["generate", str(study.folder)]).exception
    assert isinstance(error, UserError)
    assert "pip install 'gainsift[generation]'" in str(error)


@pytest.mark.parametrize("option", [["--address", "127.0.0.1:6379"], ["--cpus", "2"]])
def test_options_of_the_cluster_need_the_cluster(maker: Any, option: list[str]) -> None:
    study = maker.study([maker.model("c1")])
    error = RUN.invoke(app, ["generate", str(study.folder), *option]).exception
    assert isinstance(error, UserError)
    assert f"{option[0]}: is an option of --engine ray" in str(error)


def test_without_ray_the_install_line_is_given(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study = maker.study([maker.model("c1")])
    monkeypatch.setitem(sys.modules, "ray", None)
    error = RUN.invoke(app, ["generate", str(study.folder), "--engine", "ray"]).exception
    assert isinstance(error, UserError)
    assert "pip install 'gainsift[ray]'" in str(error)


def test_shards_of_a_size(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    RUN.invoke(app, ["generate", str(study.folder), "--shard-size", "50"])
    assert len(study.translation_files()) == 4


# --- gainsift status -------------------------------------------------------------------------------------


def test_status_tells_what_is_there_and_what_is_missing_and_why(maker: Any) -> None:
    broken = maker.model("c2", seed=5)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[:-100])
    study = maker.study([maker.model("c1"), broken])
    asked = ["status", str(study.folder)]
    before = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)
    assert [(one["name"], one["units_done"], one["units"]) for one in before["checkpoints"]] == [
        ("c1", 0, 8),
        ("c2", 0, 8),
    ]
    assert {part["reason"] for one in before["checkpoints"] for part in one["missing"]} == {"not made yet"}
    assert isinstance(RUN.invoke(app, ["generate", str(study.folder)]).exception, UserError)
    shown = RUN.invoke(app, asked).stdout
    assert re.search(r"^c1 +2 +160 +100 % *$", shown, re.M)
    assert re.search(r"^c2 +0 +0 +0 % +2$", shown, re.M)
    assert re.search(r"^c2 fr-en, prompt pairs 0–3: checkpoint c2: .*cannot load its weights", shown, re.M)
    (broken / "model.safetensors").write_bytes(weights)
    RUN.invoke(app, ["generate", str(study.folder), "--shard-size", "50"])
    assert "All outputs are there." in RUN.invoke(app, asked).stdout
    (gone,) = study.translations_folder.glob("c2/fr-en.0002-*")
    gone.unlink()
    part = json.loads(RUN.invoke(app, [*asked, "--json"]).stdout)["checkpoints"][1]["missing"]
    assert [(one["input"], one["first"], one["last"], one["reason"]) for one in part] == [("fr", 2, 3, "not made yet")]
    assert re.search(r"^c2 +3 +\d+ +75 % *$", RUN.invoke(app, asked).stdout, re.M)


def test_status_does_not_ask_for_a_precision_and_names_other_files(maker: Any) -> None:
    study = maker.study([maker.model("c1")])
    RUN.invoke(app, ["generate", str(study.folder), "--dtype", "bfloat16"])
    assert "All outputs are there." in RUN.invoke(app, ["status", str(study.folder)]).stdout
    (study.translations_folder / "failures.json").write_text("[]")
    error = RUN.invoke(app, ["status", str(study.folder)]).exception
    assert isinstance(error, UserError)
    assert "failures.json: not a list of failures; delete it" in str(error)
    (study.translations_folder / "failures.json").unlink()
    other = maker.study([maker.root / "models" / "c1"], generation={"max_new_tokens": 2})
    shown = RUN.invoke(app, ["status", str(other.folder)]).stdout
    assert re.search(r"^c1/en-fr\.\S+: of another request", shown, re.M)
    assert re.search(r"^c1 +0 +0 +0 % *$", shown, re.M)
