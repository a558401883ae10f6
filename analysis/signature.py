"""The short recipe under every number, as `alpha:nominal|level:kind|items:312|rs:12345|tax:1|v:0.1.0`."""

from __future__ import annotations

from importlib import metadata


def signature(**parts: object) -> str:
    """Keys and values in the order given, then the version of gainsift; parts that are None are left out.

    The separators `|` and `:` cannot occur in a value: they become `/` and `=`.
    """
    shown = {**parts, "v": metadata.version("gainsift")}
    return "|".join(f"{key}:{_plain(value)}" for key, value in shown.items() if value is not None)


def _plain(value: object) -> str:
    return " ".join(str(value).replace("|", "/").replace(":", "=").split())
