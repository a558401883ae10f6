"""What tests of every folder share: the hostile outputs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


def _hostile() -> dict[str, str]:
    file = Path(__file__).parent / "annotation" / "hostile.py"
    spec = importlib.util.spec_from_file_location("hostile_outputs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs: dict[str, str] = module.HOSTILE
    return outputs


HOSTILE = _hostile()


@pytest.fixture(scope="session")
def hostile() -> dict[str, str]:
    """Every hostile output by the name of its kind."""
    return dict(HOSTILE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `hostile_output` runs once for each of them."""
    if "hostile_output" in metafunc.fixturenames:
        metafunc.parametrize("hostile_output", HOSTILE.values(), ids=HOSTILE.keys())
