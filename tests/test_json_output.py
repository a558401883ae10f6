"""Every command that prints a table has --json, found by reading which code it can reach."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.main import get_command

from gainsift.cli import demo
from gainsift.cli.main import app

CLI = Path(__file__).resolve().parent.parent / "cli"
CSV = {"gainsift annotate table"}
"""Prints its table as csv, without a rich Table."""


def commands(group: Any, name: str = "gainsift") -> Iterator[tuple[str, Any]]:
    """(`gainsift annotate plan`, the command) of every command, in groups too."""
    for part, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{name} {part}")
        else:
            yield f"{name} {part}", one


ALL = dict(commands(get_command(app)))


def trees() -> dict[str, ast.Module]:
    return {file.stem: ast.parse(file.read_text("utf-8")) for file in sorted(CLI.glob("*.py"))}


def names(modules: dict[str, ast.Module]) -> dict[str, dict[str, tuple[str, str]]]:
    """By module, what each name in it stands for: (module of gainsift.cli, function); ("rich", "Table") for one."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for module, tree in modules.items():
        known = found[module] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                known[node.name] = (module, node.name)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gainsift.cli"):
                _, _, source = (node.module or "").removeprefix("gainsift.").partition(".")
                for alias in node.names:
                    known[alias.asname or alias.name] = (source or alias.name, alias.name if source else "")
            elif isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                known.update({alias.asname or alias.name: ("rich", alias.name) for alias in node.names})
    return found


def called(function: ast.FunctionDef, known: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """What a function names: functions, and functions of modules as in `plan.plan`."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in known:
            found.add(known[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            found.add((known[node.value.id][0], node.attr))
    return found


def prints_tables(modules: dict[str, ast.Module]) -> Callable[[str, str], bool]:
    """Whether a function of gainsift.cli can come to a rich Table."""
    known = names(modules)
    functions = {
        (module, node.name): node
        for module, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }

    def can(module: str, name: str) -> bool:
        todo, seen = [(module, name)], set()
        while todo:
            one = todo.pop()
            if one[0] == "rich":
                return True
            if one not in seen and one in functions:
                seen.add(one)
                todo += called(functions[one], known[one[0]])
        return False

    return can


def where(command: Any) -> tuple[str, str]:
    function = inspect.unwrap(command.callback)
    return function.__module__.removeprefix("gainsift.cli."), function.__name__


CAN = prints_tables(trees())
TABLES = sorted({name for name, command in ALL.items() if CAN(*where(command))} | CSV)


def test_commands_that_are_known_to_print_tables_are_seen() -> None:
    assert {
        "gainsift demo", "gainsift doctor", "gainsift status", "gainsift analyze", "gainsift agreement",
        "gainsift power", "gainsift checkpoints", "gainsift concepts check", "gainsift annotate plan",
        "gainsift annotate status", "gainsift annotate serve", "gainsift annotate push", "gainsift annotate pull",
        "gainsift annotate import", "gainsift annotate adjudicate",
    } <= set(TABLES)  # fmt: skip
    assert "gainsift init" not in TABLES


@pytest.mark.parametrize("name", TABLES)
def test_a_command_that_prints_a_table_has_json(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    assert "--json" in options


def test_the_demo_prints_the_summary_and_tells_of_its_steps_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its steps print with typer, with rich and with print; none of it may get into the JSON."""

    def steps(folder: Path, pairs: int) -> Path:
        typer.echo("generated")
        Console().print("planned")
        print("analysed")
        (folder / "report").mkdir()
        (folder / "report" / "summary.json").write_text('{"contrasts": []}\n')
        return folder

    monkeypatch.setattr(demo, "_run", steps)
    demo.demo(tmp_path, as_json=True)
    said = capsys.readouterr()
    assert said.out == '{"contrasts": []}\n'
    assert said.err.split() == ["generated", "planned", "analysed"]
