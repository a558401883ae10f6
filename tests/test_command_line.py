"""docs/command_line.md: exit statuses as they are, completion in a real bash, parts as pyproject.toml has them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gainsift.cli.installation import USES

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "command_line.md").read_text("utf-8")
OLD_STUDY = ROOT / "tests" / "schemas" / "version_2"


def rows(heading: str) -> list[list[str]]:
    """Of the table under a heading, without its head."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"][2:]


@pytest.fixture
def bin_folder(tmp_path: Path, gainsift_command: list[str]) -> Path:
    """A folder for PATH in which `gainsift` is the command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gainsift").write_text(f'#!/bin/sh\nexec {shlex.join(gainsift_command)} "$@"\n')
    (folder / "gainsift").chmod(0o755)
    return folder


def test_every_status_of_the_page_is_tested_here() -> None:
    assert [row[0] for row in rows("Exit statuses")] == ["0", "1", "2", "130"]


def test_status_0(gainsift: Run) -> None:
    done = gainsift("--version")
    assert (done.returncode, done.stderr) == (0, "")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert done.stdout == f"gainsift {version}\n"


def test_status_1(gainsift: Run, tmp_path: Path) -> None:
    """A check that finds something, and work that fails: no server is at port 1."""
    study = tmp_path / "study"
    shutil.copytree(OLD_STUDY, study)
    done = gainsift("lock", str(study), "--check")
    assert (done.returncode, done.stderr) == (1, "")  # it was locked late, and says so
    done = gainsift("doctor", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "problem: http://127.0.0.1:1" in done.stdout
    done = gainsift("annotate", "push", str(study), "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert re.fullmatch(r"error: http://127\.0\.0\.1:1: no answer .*\n", done.stderr)


def test_status_2(gainsift: Run, tmp_path: Path) -> None:
    for arguments in (["analyze", str(tmp_path / "none")], ["annotate", "plan"]):
        done = gainsift(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith("error: ")


def test_debug_shows_the_traceback_too(gainsift: Run, tmp_path: Path) -> None:
    plain, told = (gainsift(*option, "agreement", str(tmp_path / "none.csv")) for option in ([], ["--debug"]))
    assert told.returncode == plain.returncode == 2
    assert told.stderr.startswith("Traceback")
    assert told.stderr.splitlines()[-1] == plain.stderr.strip()


def test_no_report_can_lie_in_a_file(gainsift: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = gainsift("analyze", "--table", str(tmp_path / "none.csv"), "--out", str(tmp_path / "file" / "report"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"expected a folder, found {tmp_path / 'file'}, a file" in done.stderr


def test_status_130(gainsift_command: list[str], tmp_path: Path) -> None:
    pipe = tmp_path / "labels.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [*gainsift_command, "annotate", "table", str(pipe)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with pipe.open("wb"):  # open as soon as the command has begun to read
        for _ in range(12):  # a signal just before the read blocks is heard with the next one, as at a keyboard
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
                break
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (130, b"", b"")


def test_a_reader_that_goes_away_is_no_traceback(gainsift_command: list[str], tmp_path: Path) -> None:
    line = f"{shlex.join(gainsift_command)} checkpoints --json | head -c 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "Traceback" not in done.stderr


def test_completion_in_a_real_bash(bin_folder: Path, tmp_path: Path) -> None:
    """Installed as the page says; the next shell completes commands, subcommands and options."""
    environment = {"HOME": str(tmp_path), "PATH": f"{bin_folder}:{os.environ['PATH']}", "TERM": "dumb"}
    environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}

    def bash(script: str) -> str:
        done = subprocess.run(
            ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "bash completion installed" in bash("gainsift --install-completion; true")
    complete = (
        ". ~/.bashrc; COMP_WORDS=({}); COMP_CWORD={}; _gainsift_completion gainsift; printf '%s\\n' ${{COMPREPLY[@]}}"
    )
    assert bash(f"{complete.format('gainsift an', 1)}; complete -p gainsift").splitlines() == [
        "annotate", "analyze", "complete -o default -F _gainsift_completion gainsift",
    ]  # fmt: skip
    assert bash(complete.format("gainsift annotate pu", 2)).split() == ["push", "pull"]
    assert bash(complete.format("gainsift generate --audit", 2)).split() == ["--audit-float32"]
    assert "_gainsift_completion" in bash("gainsift --show-completion; true")


def test_the_parts_are_those_of_pyproject_toml() -> None:
    assert [row[0].strip("`") for row in rows("What is installed")] == list(USES)


def test_json_is_one_document_and_nothing_else(gainsift: Run) -> None:
    done = gainsift("doctor", "--json")
    assert json.loads(done.stdout)["python"] == ".".join(map(str, sys.version_info[:3]))
