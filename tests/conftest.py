"""What tests of every folder share: the hostile outputs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _module(file: Path) -> ModuleType:
    """A module of tests, which are no package."""
    spec = importlib.util.spec_from_file_location(f"tests_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
HOSTILE: dict[str, str] = _module(HERE / "annotation" / "hostile.py").HOSTILE


@pytest.fixture(scope="session")
def paper() -> ModuleType:
    """What sets tables in LaTeX and reads them back: tests/paper.py."""
    return _module(HERE / "paper.py")


@pytest.fixture(scope="session")
def hostile() -> dict[str, str]:
    """Every hostile output by the name of its kind."""
    return dict(HOSTILE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `hostile_output` runs once for each of them."""
    if "hostile_output" in metafunc.fixturenames:
        metafunc.parametrize("hostile_output", HOSTILE.values(), ids=HOSTILE.keys())
