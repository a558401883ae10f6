from __future__ import annotations

import json
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
    assert "c1/fr-en.parquet: 72 rows" in done.stderr
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
    assert [(job["input"], job["output"], job["rows"], job["state"]) for job in plan["jobs"]] == [
        ("fr", "en", 72, "todo"),
        ("en", "fr", 88, "todo"),
    ]
    assert [path.name for path in study.folder.iterdir()] == ["study.yaml"]
    shown = RUN.invoke(app, ["generate", str(study.folder), "--dry-run"])
    assert "todo" in shown.stdout
    RUN.invoke(app, ["generate", str(study.folder)])
    done = RUN.invoke(app, ["generate", str(study.folder), "--dry-run", "--json"])
    assert {job["state"] for job in json.loads(done.stdout)["jobs"]} == {"done"}
    bad = maker.study([maker.model("c2", tokenizer=False)], "bad")
    assert isinstance(RUN.invoke(app, ["generate", str(bad.folder), "--dry-run"]).exception, UserError)


@pytest.mark.parametrize("option", [["--device", "gpu"], ["--dtype", "int8"], ["--batch-size", "0"]])
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
