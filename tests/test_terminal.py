"""Whatever a command prints, no text from elsewhere commands the terminal, and no command prints past that rule."""

from __future__ import annotations

import ast
import io
import json
import unicodedata
from pathlib import Path

import pytest
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from gainsift.cli.terminal import Console, print_csv, print_json, print_json_text, say

ROOT = Path(__file__).resolve().parent.parent
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def obeyed(text: str) -> list[str]:
    """What a terminal would obey, or turn, or could not be told of."""
    return [sign for sign in text if unicodedata.category(sign) in OBEYED and sign not in "\n\t"]


def test_no_printed_text_commands_the_terminal(hostile_output: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(hostile_output)
    say(hostile_output, err=True)
    console = Console(markup=False, highlight=False)
    console.print(hostile_output)
    console.print(Text(hostile_output, style="bold"))
    table = Table(title=Text(hostile_output))
    table.add_column(Text(hostile_output))
    table.add_row(Text(hostile_output))
    console.print(table)
    out, err = capsys.readouterr()
    assert not obeyed(out)
    assert not obeyed(err)
    (out + err).encode("utf-8")


def test_colours_and_bars_of_our_own_pass() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system="standard", width=80)
    console.print(Text("red\x1b[2J", style="red"))
    with Progress(TextColumn("{task.description}"), console=console) as progress:
        progress.add_task("pushing \x1b]0;title\x07", total=1)
    told = file.getvalue()
    assert "\x1b[31mred⟨U+001B⟩[2J\x1b[0m" in told
    assert "\x1b[?25l" in told  # the bar hides the cursor
    assert "pushing ⟨U+001B⟩]0;title" in told
    assert "\x1b[2J" not in told
    assert "\x1b]0" not in told


def test_printed_json_is_the_same_data(hostile: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for text in hostile.values():
        print_json({text: [text]})
        told = capsys.readouterr().out
        assert not obeyed(told)
        ((key, (value,)),) = json.loads(told).items()
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        assert (key, value) == (joined, joined)
    print_json({"a": 1}, indent=None)
    print_json_text('{"b": "\x9b1m"}\n')
    assert capsys.readouterr().out == '{"a": 1}\n{"b": "\\u009b1m"}\n'


def test_a_csv_is_as_it_is_unless_a_person_reads_it(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_csv(b"a,\x1b[2J\n")
    assert capsysbinary.readouterr().out == b"a,\x1b[2J\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_csv(b"a,\x1b[2J\n")
    assert capsysbinary.readouterr().out == "a,⟨U+001B⟩[2J\n".encode()


def ways_past(tree: ast.AST) -> list[int]:
    """Lines that print in another way than through gainsift.cli.terminal."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "rich.console":
            found += [node.lineno for alias in node.names if alias.name == "Console"]
        if isinstance(node, ast.ImportFrom) and node.module in ("rich", "typer", "click"):
            found += [node.lineno for alias in node.names if alias.name in ("print", "echo", "secho")]
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write", "rich.print"):
                found.append(node.lineno)
    return found


def test_every_command_prints_through_the_terminal() -> None:
    for stage in ("schemas", "generation", "annotation", "analysis", "cli"):
        for path in (ROOT / stage).rglob("*.py"):
            if path not in (ROOT / "cli" / "terminal.py", ROOT / "annotation" / "patience.py"):  # both spell out
                lines = ways_past(ast.parse(path.read_text("utf-8")))
                assert not lines, f"{path}:{lines[0]}: print through gainsift.cli.terminal"


@pytest.mark.parametrize(
    "text", ["print(1)", "import typer\ntyper.echo(x)", "from rich.console import Console", "from rich import print"]
)
def test_a_way_past_is_seen(text: str) -> None:
    assert ways_past(ast.parse(text))
