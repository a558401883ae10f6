"""The pages of reports: their templates, what these may call, and the policy that lets in nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from gainsift.analysis.cell_addresses import has_address, row_addresses
from gainsift.analysis.house_style import TWO
from gainsift.analysis.tables import Table, display, reasons
from gainsift.schemas.visible_text import visible

_INERT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def template(name: str) -> jinja2.Template:
    """A page of templates/, in which all text is escaped."""
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gainsift.analysis", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"display": display, "table_rows": table_rows, "notes_of": notes_of, "reasons": reasons,
                            "policy": policy, "script": script, "addressed": addressed,
                            "has_address": has_address}  # fmt: skip
    environment.filters |= {
        "visible": visible,
        "data_uri": data_uri,
        "page_width": page_width,
        "json_block": json_block,
    }
    return environment


def policy(own_script: str = "") -> str:
    """The Content-Security-Policy of a page: its own pictures and styles, and of scripts this very one, if any.

    `own_script`: name of a file of templates/; the page must hold its text (`script`) as a script element, no sign
    more.
    """
    allowed = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    if not own_script:
        return allowed
    digest = base64.b64encode(hashlib.sha256(script(own_script).encode("utf-8")).digest()).decode("ascii")
    return f"{allowed}; script-src 'sha256-{digest}'"


def script(name: str) -> Markup:
    """The text of our own script `name` of templates/, as it stands: it is not escaped."""
    return Markup(resources.files("gainsift.analysis").joinpath("templates", name).read_text("utf-8"))


def json_block(data: object) -> Markup:
    """JSON for the inside of a script element: no sign in it can end the element, a line or the string."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_INERT))


def table_rows(table: Table, key: str | None = None, value: Any = None) -> list[Mapping[str, Any]]:
    """The rows of a table, those of one contrast if `key` and `value` are given."""
    return [row for row in table.rows if key is None or row[key] == value]


def addressed(table: Table, rows: Sequence[Mapping[str, Any]] | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """The rows of a table, or those of them that are given, each with its address."""
    wanted = None if rows is None else {id(row) for row in rows}
    return [
        (address, row)
        for address, row in zip(row_addresses(table), table.rows, strict=True)
        if wanted is None or id(row) in wanted
    ]


def notes_of(table: Table, contrast: str) -> list[str]:
    """The notes of a table that speak of all contrasts or of this one."""
    others = {str(row["contrast"]) for row in table.rows} - {contrast}
    return [note for note in table.notes if not note.startswith(tuple(f"{name}: n = " for name in others))]


def unbroken(sentence: str) -> str:
    """Keep a figure, its sign for per cent and its interval on one line."""
    return re.sub(r" (\[[^][]*\]|%)", lambda found: found.group().replace(" ", "\u00a0"), sentence)


def page_width(image: bytes) -> float:
    """How wide an svg is shown, in rem: as wide for its points as a figure over two columns that fills the page."""
    found = re.search(rb'<svg[^>]*\bwidth="([0-9.]+)pt"', image)
    return round(min(54.0, 54.0 * float(found[1]) / (72 * TWO)), 1) if found else 54.0


def data_uri(image: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(image).decode("ascii")
