"""Every command of the README exists as printed, and what it says about the project is so."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ "), comments=True)
    for block in re.findall(r"```console\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.startswith("$ ")
]


def test_the_two_commands_are_the_first() -> None:
    assert COMMANDS[:2] == [["make", "demo"], ["make", "test"]]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "gainsift"], ids=" ".join)
def test_a_gainsift_command_of_the_readme_exists(gainsift: Run, command: list[str]) -> None:
    names = [word for word in command[1:3] if re.fullmatch(r"[a-z]+", word)]
    done = gainsift(*names, "--help")
    assert done.returncode == 0, done.stderr
    options = [word for word in command if word.startswith("--")]
    given = len(command) - 1 - len(names) - len(options)
    usage = " ".join(done.stdout.split("\n\n")[0].split())
    places = usage.split("[OPTIONS]")[-1].split()
    assert len(places) >= given, usage  # every printed argument has a place in the command
    for option in options:
        assert option.split("=")[0] in done.stdout


def test_init_runs_as_printed(gainsift: Run, tmp_path: Path) -> None:
    assert gainsift("init", str(tmp_path / "my-study")).returncode == 0
    spaced = tmp_path / "my other study"
    assert f"then: gainsift generate '{spaced}'" in gainsift("init", str(spaced)).stdout
    assert (tmp_path / "my-study" / "study.yaml").is_file()
    again = gainsift("init", str(tmp_path / "my-study"))
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "make"], ids=" ".join)
def test_a_make_target_of_the_readme_exists(command: list[str]) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--directory", str(ROOT), command[1]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] == "pip"], ids=" ".join)
def test_an_extra_of_the_readme_exists(command: list[str]) -> None:
    assert command[:4] == ["pip", "install", "-c", "constraints.txt"]
    assert (ROOT / "constraints.txt").is_file()
    extras = re.fullmatch(r"\.\[([\w,]+)\]", command[4])
    assert extras
    for extra in extras[1].split(","):
        assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_files_and_pictures_of_the_readme_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^(\w+)/  ", README, re.M):
        assert (ROOT / folder).is_dir(), folder


def test_the_readme_counts_the_lexicon_right() -> None:
    from gainsift.generation.lexicon import lexicon_rows

    concepts = sum(row.role == "concept" for row in lexicon_rows())
    assert f"{concepts} noun concepts" in README
