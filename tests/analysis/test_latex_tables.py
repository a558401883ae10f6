"""Tables for the paper, as text: escapes, siunitx cells, headings, panels and parts; what LaTeX makes of them is in
test_paper.py."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.latex_fields import field_of, number_format
from gainsift.analysis.latex_names import naming
from gainsift.analysis.latex_tables import to_latex
from gainsift.analysis.latex_text import SIGN, breakable, latex_escape, width, wrapped
from gainsift.analysis.tables import Column, Table

COLUMNS = [Column("name", "Name_of %"), Column("gain", "Points", "points", interval=True), Column("n", "N", "count")]


def table(*rows: tuple[Any, ...], columns: list[Column] = COLUMNS, **changes: Any) -> Table:
    named = [dict(zip((column.key for column in columns), row, strict=True)) for row in rows]
    values: dict[str, Any] = {"notes": ["50 % of $x$"], "signature": "alpha:nominal|rs:1"}
    return Table("a_b", "Title & more", columns, named, **values | changes)


def test_a_table_of_a_column() -> None:
    text = to_latex(table((r"\input{x} 5% & #1_2^3 ~ $a$ {b}", Estimate(0.5, 0.25, 0.75), 12345)))
    assert r"\begin{table}[tp]" in text
    assert r"\caption{Title \& more}\label{tab:a-b}" in text
    assert r"{Name\_of \%} & \multicolumn{3}{c}{Points} & {N} \\" in text
    assert (
        r"\textbackslash{}input\{x\} 5\% \& \#1\_2\textasciicircum{}3 \textasciitilde{} \$a\$ \{b\}"
        r" & +50.0 & {[}25.0{,} & 75.0{]} & 12345 \\"
    ) in text
    assert r"S[table-format=+2.1]@{\hspace{0.35em}}S[table-format={{[}2.1{,}}]" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert r"50 \% of \$x\$." in text
    assert r"alpha:nominal\textbar{}\allowbreak{}rs:1" in text


def test_what_is_undefined_or_a_bound_stands_in_braces() -> None:
    bound = Estimate(0.0, -0.112, 0.112, "all alike", bounded=True)
    cells = [("a", Estimate(0.5, 0.25, 0.75), 1), ("b", undefined("why"), 2), ("c", bound, 3), ("d", Estimate(0.1), 4)]
    text = to_latex(table(*cells))
    assert r"b & \multicolumn{3}{c}{undefined} & 2 \\" in text
    assert r"c & 0.0 & {[}-11.2{,} & 11.2{{]}\textdagger} & 3 \\" in text
    assert r"d & +10.0 &  &  & 4 \\" in text
    assert "undefined: why." in text
    swapped = [(name, count, gain) for name, gain, count in cells]
    last = to_latex(table(*swapped, columns=[COLUMNS[0], COLUMNS[2], COLUMNS[1]]))
    assert r"b & 2 & \multicolumn{3}{c@{}}{undefined} \\" in last  # nothing beyond the end of the rule
    plain = [Column("name", "Name"), Column("alpha", "α", "coefficient")]
    text = to_latex(table(("a", Estimate(0.5)), ("b", undefined("why")), columns=plain))
    assert r"b & {undefined} \\" in text


@pytest.mark.parametrize(
    ("shown", "form"),
    [
        (["+18.2", "-5.0"], "+2.1"), (["-0.123", "1.000"], "-1.3"), (["<0.001", "0.040"], "<1.3"),
        (["12345", "1"], "5.0"), ([], "1.0"), (["100.0"], "3.1"),
    ],
)  # fmt: skip
def test_the_format_holds_all_numbers(shown: list[str], form: str) -> None:
    assert number_format(shown) == form


def test_small_p_values_keep_their_sign() -> None:
    field = field_of(Column("p", "p", "p"), [{"p": 0.0001}, {"p": 0.04}, {"p": None}])
    assert (field.spec, list(field.texts)) == ("S[table-format=<1.3]", ["<0.001", "0.040", ""])


def test_ids_stay_out_and_what_is_the_same_in_every_row_is_told_beneath() -> None:
    columns = [Column("contrast", "Contrast"), Column("part", "Id", printed=False), Column("name", "Part"),
               Column("none", "Nothing"), Column("n", "N", "count")]  # fmt: skip
    text = to_latex(table(("one", "h", "Human", "", 1), ("one", "u", "Undecided", "", 2), columns=columns))
    assert "Contrast: one in every row." in text
    assert "{Part} & {N}" in text
    assert "Id" not in text
    assert "Nothing" not in text


def test_slow_columns_become_headings_with_the_numbers_that_they_fix() -> None:
    columns = [Column("checkpoint", "Checkpoint"), Column("step", "Step", "count"), Column("name", "Category"),
               Column("share", "Share, %", "rate")]  # fmt: skip
    rows = [
        (f"c{step}", step * 100, name, Estimate(0.5))
        for step in (1, 2)
        for name in ("x", "y", "the last of the categories")
    ]
    text = to_latex(table(*rows, columns=columns))
    assert text.count(r"{\rlap{\itshape Checkpoint c1 · Step 100}} \\") == 1
    assert text.index("Checkpoint c2") > text.index("categories & 50.0")
    assert "{Category} & {Share, \\%}" in text
    named = naming(columns, [dict(zip((c.key for c in columns), row, strict=True)) for row in rows])
    assert [column.key for column in named.names] == ["name"]
    assert [column.key for column in named.values] == ["share"]


def test_many_columns_stand_in_panels_that_repeat_the_names_of_rows() -> None:
    columns = [COLUMNS[0], *(Column(f"v{n}", f"Value {n}", "points", interval=True) for n in range(9))]
    rows = [(name, *(Estimate(n / 20, n / 40, n / 10) for n in range(9))) for name in ("first", "second")]
    text = to_latex(table(*rows, columns=columns))
    panels = text.count(r"\begin{tabular}{@{}l")
    assert r"\begin{table*}" in text
    assert panels == 3
    assert text.count("first & ") == text.count("second & ") == panels
    assert [text.count(f"Value {n}") for n in range(9)] == [1] * 9


def test_long_tables_break_into_parts_that_repeat_the_head() -> None:
    text = to_latex(table(*[(f"row{n}", Estimate(0.5), n) for n in range(100)]))
    parts = re.findall(r"\\begin\{table\}.*?\\end\{table\}", text, re.DOTALL)
    assert len(parts) == 3
    assert [r"\caption" in part for part in parts] == [True, False, False]
    assert rf"\tablename~\thetable, part 3 of {len(parts)}" in parts[-1]
    assert all("{N}" in part for part in parts)
    assert re.findall(r"^(row\d+) & ", text, re.MULTILINE) == [f"row{n}" for n in range(100)]
    assert ["alpha:nominal" in part for part in parts] == [False, False, True]


def test_notes_that_fill_a_page_stand_on_pages_of_their_own() -> None:
    notes = [f"Note {number} says " + "something " * 60 + "." for number in range(60)]
    text = to_latex(table(("a", Estimate(0.5), 1), notes=notes))
    assert all(f"Note {number} says" in text for number in range(60))
    assert text.count(r"\begin{table}") > 2


def test_a_table_without_rows_is_a_head_with_notes() -> None:
    text = to_latex(table())
    assert "{N}" in text
    assert "alpha:nominal" in text


# --- text ------------------------------------------------------------------------------------------------


@given(st.text())
def test_latex_never_lets_a_special_character_through(text: str) -> None:
    """What remains after taking out the escapes we write holds no character that LaTeX reads, and none unseen."""
    escaped = latex_escape(text)
    sign = re.escape(SIGN) + r"\{[0-9A-F]{4,6}\}\{[^\x00-\xff]\}"
    known = r"\\text[a-z]+\{\}|\\[{}$&#%_]|\\,|\{(?:[-\[\]]|--|---)\}|\$(?:-|\\[a-zA-Z]+)\$|" + sign
    rest = re.sub(known, "", escaped)
    assert not set(rest) & set("\\{}$&#%_^~<>|\"'`[]-\n\r\t\0")
    assert all(ord(char) < 0x100 for char in rest)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\u202eb\0", r"aU+202E\,bU+0000\,"),
        ("α of λα", r"$\alpha$ of \gainsiftsign{03BB}{λ}\gainsiftsign{03B1}{α}"),
        ("u\u0308ber", "über"),
        ("中", r"\gainsiftsign{4E2D}{中}"),
        ("a\u2028b\u00a0c\td", "a b c d"),
        ("–", "{--}"),
    ],
)
def test_signs_are_shown(text: str, escaped: str) -> None:
    assert latex_escape(text) == escaped


def test_only_words_that_are_too_wide_get_places_to_break() -> None:
    assert breakable("a-b cd", 100) == "a{-}b cd"
    assert breakable("abc d", 5) == r"a\allowbreak{}b\allowbreak{}c d"


@given(st.text(), st.floats(20, 200))
def test_wrapped_lines_hold_all_words(text: str, room: float) -> None:
    lines = wrapped(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= room or len(line) == 1 for line in lines)
