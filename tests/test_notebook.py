"""docs/notebook.ipynb runs, and prints what is stored in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).resolve().parent.parent / "docs"
STORED = nbformat.read(DOCS / "notebook.ipynb", as_version=4)


def printed(cell: Any) -> list[str]:
    """The text of a cell's outputs."""
    return [one.get("text") or one["data"]["text/plain"] for one in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def run() -> Any:
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(DOCS)}}).execute()
    return notebook


def test_it_prints_what_is_stored(run: Any) -> None:
    assert [printed(cell) for cell in run.cells] == [printed(cell) for cell in STORED.cells]
    assert sum(bool(printed(cell)) for cell in STORED.cells) > 8
