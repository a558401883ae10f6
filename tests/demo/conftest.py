"""The study that `make demo` wrote: these tests read it, they do not make it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gainsift.schemas.study import Study

DEMO = Path(__file__).resolve().parents[2] / "demo" / "study"


@pytest.fixture(scope="session")
def study() -> Study:
    assert (DEMO / "report" / "report.html").is_file(), "run `make demo` first"
    return Study.open(DEMO)
