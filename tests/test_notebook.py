"""docs/notebook.ipynb runs, and prints what is stored in it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).resolve().parent.parent / "docs"
STORED = nbformat.read(DOCS / "notebook.ipynb", as_version=4)


def printed(cell: Any) -> list[str]:
    """The text of a cell's outputs; what it prints may arrive in several pieces."""
    found = []
    for stream, pieces in groupby(cell.get("outputs", []), lambda one: one.get("name", "")):
        texts = [one["text"] if stream else one["data"]["text/plain"] for one in pieces]
        found += ["".join(texts)] if stream else texts
    return found


@pytest.fixture(scope="module")
def run() -> Any:
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(DOCS)}}).execute()
    return notebook


def test_it_prints_what_is_stored(run: Any) -> None:
    assert [printed(cell) for cell in run.cells] == [printed(cell) for cell in STORED.cells]
    assert sum(bool(printed(cell)) for cell in STORED.cells) > 8


def test_pieces_of_what_is_printed_are_one_text() -> None:
    pieces = [{"name": "stdout", "text": "levels"}, {"name": "stdout", "text": "\nsplit"}]
    assert printed({"outputs": [*pieces, {"data": {"text/plain": "4"}}]}) == ["levels\nsplit", "4"]
