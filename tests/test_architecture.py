"""The arrows of the house: schemas <- generation | annotation | analysis <- cli."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "schemas": {"schemas"},
    "generation": {"schemas", "generation"},
    "annotation": {"schemas", "annotation"},
    "analysis": {"schemas", "analysis"},
    "cli": {"schemas", "generation", "annotation", "analysis", "cli"},
}


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, module) of every import in a file, inside functions too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(node.lineno, node.module or "")]
            if node.module == "gainsift":
                found += [(node.lineno, f"gainsift.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("stage", ALLOWED)
def test_arrows_run_one_way(stage: str) -> None:
    files = sorted((ROOT / stage).rglob("*.py"))
    assert files
    for path in files:
        for line, module in imported(path):
            if module.startswith("gainsift."):
                assert module.split(".")[1] in ALLOWED[stage], f"{path}:{line}: {stage} imports {module}"
            assert module.split(".")[0] not in ALLOWED, f"{path}:{line}: write gainsift.{module}"


def test_an_arrow_against_the_stream_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f():\n    from gainsift.analysis import split\n")
    assert (2, "gainsift.analysis") in imported(path)
