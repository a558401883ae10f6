"""Hostile tables in a real LaTeX, in one column and in two: nothing sticks out, nothing runs, every number is there."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.house_style import TWO, rendered
from gainsift.analysis.latex_tables import to_latex
from gainsift.analysis.tables import Column, Kind, Table, to_csv, to_json

pytestmark = pytest.mark.system
LAYOUTS = ["one column", "two columns", "two columns, 11 pt Times"]
KINDS: tuple[Kind, ...] = ("points", "rate", "coefficient", "percent", "weight", "p", "count")


def some_value(kind: Kind, interval: bool, rng: np.random.Generator) -> Any:
    """A value of a kind: at times undefined, absent, without an interval, or with a bound."""
    chance = rng.random()
    value = float(rng.choice([0.0, 1e-9, 0.00049, 0.5, 0.12345, 1.0])) * (100 if kind == "percent" else 1)
    if kind in ("points", "coefficient"):
        value *= float(rng.choice([-1, 1]))
    if kind in ("weight", "count"):
        value = float(rng.integers(0, 12_345_678))
    if chance < 0.1:
        return None
    if kind in ("p", "count"):
        return int(value) if kind == "count" else value
    if chance < 0.2:
        return undefined(str(rng.choice(["no unit is decided", "not estimable: the interval of the gain holds 0"])))
    if not interval or chance < 0.3:
        return Estimate(value)
    return Estimate(value, value - 0.3, value + 0.2, "all alike" if chance < 0.4 else "", bounded=chance < 0.4)


def wide_and_long(rng: np.random.Generator) -> Table:
    """Every kind, with and without intervals, over 70 rows."""
    columns = [Column("contrast", "Contrast"), Column("name", "What")]
    columns += [Column(f"{kind}{n}", f"{kind} {n}", kind, interval=n > 0 and kind not in ("p", "count"))
                for kind in KINDS for n in range(2)]  # fmt: skip
    rows = [
        {"contrast": f"contrast {number // 9}", "name": f"row {number}",
         **{one.key: some_value(one.kind, one.interval, rng) for one in columns[2:]}}
        for number in range(70)
    ]  # fmt: skip
    return Table("wide", "Every kind of number", columns, rows, ["n = 70 rows."], "kinds:all|rs:7|v:0")


def of_hostile_text(hostile: dict[str, str], rng: np.random.Generator) -> Table:
    """Hostile text in cells, heads, headings, title, notes, signature."""
    texts = list(hostile.values())
    columns = [Column("group", texts[0]), Column("name", "What models say"),
               Column("gain", texts[41], "points", interval=True), Column("more", texts[50], "rate"),
               Column("last", "Note")]  # fmt: skip
    rows = [
        {"group": texts[number // 8], "name": text, "gain": some_value("points", True, rng), "more": Estimate(0.25),
         "last": texts[-1 - number]}
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return Table("of $x$ & #", "".join(texts)[:900], columns, rows, texts, "|".join(texts[:20]))


def of_other_scripts(rng: np.random.Generator) -> Table:
    words = ["čeština żółć ő ğ ı ł", "Ελληνικά", "русский язык", "中文文字", "日本語", "한국어", "العربية", "עברית",
             "हिन्दी", "ไทย", "Việt", "IJsland ĳ ŋ Ħ ŧ ĸ", "¡¿§¶©®°±²³¼½¾÷×ªº", "emoji 👍🏽"]  # fmt: skip
    columns = [Column("name", "Script"), Column("gain", "Gain", "points", interval=True)]
    rows = [{"name": word, "gain": some_value("points", True, rng)} for word in words]
    return Table("scripts", "Scripts: " + " ".join(words), columns, rows, words, "scripts:all")


def bare() -> list[Table]:
    """No rows, one row without a name, one column only."""
    count = Column("n", "Items asked about", "count")
    return [
        Table("none", "No rows", [Column("name", "Name"), count], [], ["Nothing."], "none:0"),
        Table("nameless", "One row", [count], [{"n": 12}], [], "one:1"),
        Table("names", "Names alone", [Column("name", "Name")], [{"name": "x" * 300}, {"name": "y z " * 100}]),
    ]


@pytest.fixture(scope="module")
def tables(hostile: dict[str, str]) -> list[Table]:
    rng = np.random.default_rng(5)
    return [wide_and_long(rng), of_hostile_text(hostile, rng), of_other_scripts(rng), *bare()]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hostile_tables_fit_and_say_what_the_csv_says(
    tables: list[Table], paper: ModuleType, tmp_path: Path, layout: str
) -> None:
    made = paper.set_in_latex([to_latex(table) for table in tables], layout, tmp_path)
    assert made.complaints == []
    texts = paper.of_each_table(made, len(tables))
    for table, text in zip(tables, texts, strict=True):
        if table.name.startswith("of"):
            continue  # its texts hold numbers of their own
        data = json.loads(json.dumps(to_json(table)))
        rows = list(csv.DictReader(io.StringIO(to_csv(table), newline="")))
        assert paper.differences(data, rows, text) == []
    assert "root:" not in made.text  # \input{/etc/passwd} is text
    assert r"\input{/etc/passwd}" in made.text
    assert "U+4E2D" in made.text.replace("\n", "")


@pytest.mark.parametrize("number", [0, 1])
def test_the_papers_of_the_documentation_compile(paper: ModuleType, tmp_path: Path, number: int) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "paper.md").read_text("utf-8")
    source = re.findall(r"```latex\n(.*?)```", text, re.DOTALL)[number]
    for folder in ("tables", "figures"):
        (tmp_path / "report" / folder).mkdir(parents=True)
    table = Table("split", "The split", [Column("a", "Part"), Column("x", "Points", "points", interval=True)],
                  [{"a": "Human gain", "x": Estimate(0.5, 0.25, 0.75)}])  # fmt: skip
    (tmp_path / "report" / "tables" / "split.tex").write_text(to_latex(table), "utf-8")
    figure = Figure(figsize=(TWO, 2))
    figure.subplots().set_title("A figure")
    (tmp_path / "report" / "figures" / "split_1.pdf").write_bytes(rendered(figure, "pdf"))
    made = paper.compiled(source, "lualatex" if "fontspec" in source else "pdflatex", tmp_path)
    assert made.complaints == []
    assert "+50.0 [25.0, 75.0]" in made.text
    assert ("A figure" in made.text) == (number == 0)


def test_a_font_of_many_scripts_shows_them(paper: ModuleType, tmp_path: Path) -> None:
    """LuaLaTeX with DejaVu Sans, which lacks Chinese: that alone is spelled out."""
    made = paper.set_in_latex([to_latex(of_other_scripts(np.random.default_rng(1)))], paper.LUA, tmp_path)
    assert [line for line in made.complaints if "Missing" in line] == []
    for word in ("čeština", "Ελληνικά", "русский", "Việt"):
        assert word in made.text
    assert "U+4E2D" in made.text
    assert "U+0440" not in made.text


def test_a_number_that_is_not_that_of_the_csv_is_noticed(paper: ModuleType) -> None:
    """The check itself."""
    table = Table("t", "T", [Column("a", "A"), Column("x", "X", "points", interval=True)],
                  [{"a": "b", "x": Estimate(0.5, 0.25, 0.75)}])  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert paper.differences(to_json(table), rows, "b +50.0 [25.0, 75.0]") == []
    for wrong in ("b +50.1 [25.0, 75.0]", "b +50.0 [25.0, 75.1]", "b 50.0 [25.0, 75.0]", "b +50.0", ""):
        assert paper.differences(to_json(table), rows, wrong)


def test_the_log_is_read(paper: ModuleType) -> None:
    overfull = "Overfull \\hbox ({}pt too wide) in"
    log = ["TABLE 1", overfull.format(5.2), "TABLE 2", overfull.format(4.9), "TABLE 3", "Missing character: z"]
    assert [re.sub(":.*", "", line) for line in paper.complaints("\n".join(log))] == ["1", "3"]
