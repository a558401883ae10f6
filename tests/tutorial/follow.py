"""Follows docs/tutorial.md to the letter: writes its files, types its commands, and stands in for its annotators.

    python tests/tutorial/follow.py FOLDER            with the gainsift that runs this, from the section Words on
    python tests/tutorial/follow.py FOLDER --install  from the first line on, in a new environment

FOLDER takes the place of the home folder. What each command printed goes into FOLDER/transcript.txt.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
SERVE = "gainsift annotate serve"
READY = "Ctrl+C stops the server."


@dataclass(frozen=True)
class Step:
    """A file to write (`name`), or commands to type (no name). `section` is the heading above."""

    section: str
    text: str
    name: str = ""

    @property
    def commands(self) -> list[str]:
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]

    @property
    def shown(self) -> dict[str, list[str]]:
        """Command -> the lines that the page shows beneath it."""
        found: dict[str, list[str]] = {}
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found[line.removeprefix("$ ")] = []
            elif found:
                found[list(found)[-1]].append(line)
        return found


def steps(text: str) -> Iterator[Step]:
    """What the page asks for, in its order."""
    section = ""
    pattern = r"^## (?P<section>[^\n]+)$|(?:^Write `(?P<name>[^`]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$"
    for found in re.finditer(pattern, text, re.M | re.S):
        if found["section"]:
            section = found["section"]
        elif found["name"]:
            yield Step(section, found["text"], found["name"])
        elif found["kind"] == "console":
            yield Step(section, found["text"])


def same_but_for_figures(shown: list[str], printed: str) -> list[str]:
    """The shown lines that the command did not print, in this order; figures and spaces may differ, `…` is anything."""

    def plain(line: str) -> str:
        return re.sub(r"[\d.,−±%-]+", "#", " ".join(line.split()))

    left = iter([plain(line) for line in printed.splitlines()])
    wanted = [line for line in shown if line.strip() and line.strip() != "…"]
    return [line for line in wanted if not any(plain(line) == one for one in left)]


class Terminal:
    """A shell that keeps its folder and environment from one command to the next."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.shell = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
            env={**os.environ, "HOME": str(home), "COLUMNS": "120", **environment},
        )  # fmt: skip

    def type(self, command: str) -> str:
        """What it printed. Raises SystemExit if it failed."""
        printed = self._until(command, 'echo; echo "end of command: $?"', "end of command: ")
        *lines, end = printed.splitlines()
        if end != "end of command: 0":
            raise SystemExit(f"$ {command}\n" + "\n".join(lines) + f"\nexit status {end.split()[-1]}")
        return "\n".join(lines).rstrip()

    def leave_running(self, command: str, until: str) -> str:
        """Start a command that does not end by itself; what it has printed up to the line `until`."""
        return self._until(f"exec {command}", "", until)

    def _until(self, command: str, then: str, last: str) -> str:
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f"{command}\n{then}\n")
        self.shell.stdin.flush()
        printed = ""
        for line in self.shell.stdout:
            printed += line
            if line.startswith(last):
                return printed
        raise SystemExit(f"$ {command}\n{printed}\nit ended")

    def close(self) -> None:
        """As closing the window does."""
        self.shell.terminate()
        self.shell.wait(120)


def follow(home: Path, install: bool = False) -> list[str]:
    """Follow the page; what it shows of outputs and the commands did not print. Raises SystemExit where one fails."""
    from people import judge_everything

    work = home / "gainsift-tutorial"
    first, second = Terminal(home), None
    if not install:
        work.mkdir(parents=True)
        (work / "env").symlink_to(sys.prefix)
        first.type(f"PATH={work}/env/bin:$PATH; cd {work}")
    missing: list[str] = []
    try:
        for step in steps(TUTORIAL.read_text("utf-8")):
            if step.name:
                (work / step.name).write_text(step.text, "utf-8")
            for command in step.commands if install or step.section != "Install" else []:
                say(home, f"$ {command}")
                if command.startswith(SERVE):
                    second = Terminal(home, PATH=first.type("echo $PATH"))
                    second.type(f"cd {work}")
                    printed = second.leave_running(command, READY)
                    judge_everything(printed, work / command.split()[-1])
                else:
                    printed = first.type(command)
                say(home, printed)
                missing += [f"{command}: {line}" for line in same_but_for_figures(step.shown[command], printed)]
    finally:
        first.close()
        if second:
            second.close()
    return missing


def say(home: Path, text: str) -> None:
    print(text, flush=True)
    with (home / "transcript.txt").open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--install", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if missing := follow(given.folder.resolve(), given.install):
        raise SystemExit("not printed, but shown in docs/tutorial.md:\n" + "\n".join(missing))


if __name__ == "__main__":
    main()
