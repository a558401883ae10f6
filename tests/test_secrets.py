"""A whole run with secrets at hand: nothing that it writes or prints holds one of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gainsift.annotation.connection import TOKEN_VARIABLE
from gainsift.cli import main as front

ENVIRONMENT = {
    "HF_TOKEN": "hf_sEcReTcAnArY0123456789abcdefghij",
    TOKEN_VARIABLE: "5ecre7cana7y5ecre7cana7y5ecre7cana7y5ec7",
    "PGPASSWORD": "geheim-canary-pg",
    "AWS_SECRET_ACCESS_KEY": "canary/of/another/program+1234567",
    "OPENAI_API_KEY": "sk-canary-of-another-program",
}
"""Tokens as their programs look for them, and two that are none of our business."""
PRIVATE = ("Zacharias", "zacharias@verwaltung.example")
"""The name and the address of an annotator, which stand in private/annotators.yaml alone."""
COMMANDS = [
    ["annotate", "plan", "{study}"], ["annotate", "export", "{study}"], ["annotate", "prelabel", "{study}"],
    ["annotate", "simulate", "{study}"], ["annotate", "import", "{study}", "{study}/export.json"],
    ["annotate", "status", "{study}"], ["annotate", "adjudicate", "{study}"], ["analyze", "{study}"],
    ["emergence", "{study}"], ["export", "{study}"], ["release", "{study}", "--out={study}/bundle"],
    ["annotate", "table", "{study}/export.json", "--from-name=label", "--out={study}/labels.csv"],
    ["agreement", "{study}/labels.csv"], ["generate", "{study}"],
]  # fmt: skip


def test_a_whole_run_writes_no_secret(
    benchmark: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    seeds = benchmark("fuzz_seeds")
    study = seeds.study(tmp_path / "study")
    seeds.write_yaml(study.private_folder / "annotators.yaml", {"ann": {"name": PRIVATE[0], "email": PRIVATE[1]}})
    seeds.export(study, study.folder / "export.json", email=PRIVATE[1])
    (study.folder / "export.json").rename(tmp_path / "export.json")
    caplog.set_level(logging.DEBUG)
    ended = {}
    for command in COMMANDS:
        arguments = [part.format(study=study.folder).replace("study/export.json", "export.json") for part in command]
        monkeypatch.setattr("sys.argv", ["gainsift", *arguments])
        with pytest.raises(SystemExit) as end:
            front.main()
        ended[" ".join(command)] = end.value.code or 0
    out, err = capfd.readouterr()
    failed = {command for command, code in ended.items() if code}
    assert failed == {"generate {study}"}, err  # its model folders are not there, which it says
    told = out + err + caplog.text
    written = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
    assert len(written) > 60
    for secret in [*ENVIRONMENT.values(), *PRIVATE]:
        assert secret not in told
        holders = [path for path, content in written.items() if secret.encode() in content]
        assert [path for path in holders if path.parent != study.private_folder] == []
