"""Names at the top of a package that are imported when they are first asked for, so that the package loads at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any


def names_from(module: str, names: Collection[str]) -> Callable[[str], Any]:
    """The `__getattr__` (PEP 562) of a package whose `names` stand in `module`."""
    package = module.rpartition(".")[0]

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module), name)

    return get
