"""One table in csv and JSON: hostile text stays text, undefined says so, numbers read as people write them."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.signature import signature
from gainsift.analysis.tables import Column, Table, display, to_csv, to_json

COLUMNS = [Column("name", "Name_of %"), Column("gain", "Points", "points", interval=True), Column("n", "N", "count")]


def table(*rows: tuple[str, Estimate, int]) -> Table:
    return Table("a_b", "Title & more", COLUMNS, [dict(zip(("name", "gain", "n"), row, strict=True)) for row in rows],
                 ["50 % of $x$"], "alpha:nominal|rs:1")  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        (Column("", "", "points", True), Estimate(0.1824, 0.129, 0.234), "+18.2 [12.9, 23.4]"),
        (Column("", "", "points", True), Estimate(-0.05, -0.1, 0.0), "−5.0 [−10.0, 0.0]"),
        (Column("", "", "points"), Estimate(-1e-9), "0.0"),
        (Column("", "", "rate"), Estimate(0.31), "31.0"),
        (Column("", "", "coefficient", True), Estimate(0.7434, None, None), "0.743"),
        (Column("", "", "percent"), Estimate(88.0), "88.0"),
        (Column("", "", "count"), 12345, "12,345"),
        (Column("", "", "points"), undefined("why"), "undefined"),
        (Column("", "", "points"), None, ""),
    ],
)
def test_display(column: Column, value: object, shown: str) -> None:
    assert display(column, value) == shown


def test_csv_keeps_full_precision_and_the_signature() -> None:
    text = to_csv(table(('a,b\n"c"', Estimate(1 / 3, 0.1, 0.5), 7), ("d", undefined("no units"), 0)))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert rows[0] == {
        "name": 'a,b\n"c"', "gain": repr(1 / 3), "gain_low": "0.1", "gain_high": "0.5", "n": "7",
        "signature": "alpha:nominal|rs:1",
    }  # fmt: skip
    assert (rows[1]["gain"], rows[1]["gain_low"]) == ("undefined", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r", "\u00a0=", "＝"])
def test_csv_text_is_no_formula(start: str) -> None:
    text = to_csv(table((start + 'HYPERLINK("x")', Estimate(-0.5), 1)))
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert row["name"].startswith("'")
    assert row["gain"] == "-0.5"  # a number stays a number


@given(st.text())
def test_csv_round_trip_of_any_text(name: str) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(table((name, Estimate(0.5), 1))), newline="")))
    assert len(rows) == 2
    assert rows[1][0].removeprefix("'") == name.removeprefix("'")


def test_json_says_why() -> None:
    data = json.loads(json.dumps(to_json(table(("d", undefined("no units"), 0)))))
    assert data["rows"][0]["gain"] == {"point": None, "low": None, "high": None, "reason": "no units"}
    assert "undefined: no units" in data["notes"]
    assert data["signature"] == "alpha:nominal|rs:1"


def test_signature_keeps_its_order_and_its_separators() -> None:
    text = signature(alpha="nominal", level="kind", items=312, source=None, name="a|b:c")
    assert re.fullmatch(r"alpha:nominal\|level:kind\|items:312\|name:a/b=c\|v:[0-9][^|:]*", text)
