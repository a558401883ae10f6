"""docs/methods.md tells every statistic of the analysis and defines its symbols; its examples come out as told."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from gainsift.analysis.agreement import NAMES
from gainsift.analysis.confusion import SOURCES
from gainsift.analysis.distances import METRICS
from gainsift.analysis.intervals import METHODS as INTERVALS
from gainsift.analysis.levels import LEVELS
from gainsift.analysis.misclassification import METHODS as CORRECTIONS_OF_ERRORS
from gainsift.analysis.transition_tests import CLASSIC
from gainsift.analysis.trend_tables import NAMES as TRENDS
from gainsift.analysis.verdict_rules import METHODS as RULES
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.settings import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "methods.md").read_text("utf-8")
HEAD, *PARTS = re.split(r"^(##+ .*)$", PAGE, flags=re.M)
SECTIONS = dict(zip((title.lstrip("# ") for title in PARTS[::2]), PARTS[1::2], strict=True))
METHODS = [title.lstrip("# ") for title in PARTS[::2] if title.startswith("### ")]
BLOCK = re.compile(r"```(text|python)\n(.*?)```\n", re.S)


def told_in(section: str, *ids: str) -> None:
    for name in ids:
        assert f"`{name}`" in SECTIONS[section] or f"{name}:" in SECTIONS[section], f"{section} lacks {name}"


def test_every_choice_that_the_analysis_offers_is_told() -> None:
    told_in("Verdict rules", *RULES)
    told_in("Studentised cluster bootstrap", "studentised")
    told_in("BCa and percentile bootstrap", *(set(INTERVALS) - {"studentised"}))
    told_in("Correction for many tests", *get_args(AnalysisSpec.model_fields["correction"].annotation))
    told_in("Misclassification", *CORRECTIONS_OF_ERRORS, *SOURCES)
    told_in("Distances between labels", *LEVELS, *METRICS)
    told_in("Crosslingual concept patching", *(set(SETTINGS) - {"unpatched"}))
    assert set(CLASSIC) == {"stuart_maxwell", "bhapkar", "bowker"}  # a new one needs its line, as these have
    assert set(TRENDS) == {"flips", "gee", "mann_kendall", "cochran"}


def test_every_coefficient_of_agreement_is_told() -> None:
    agreement = PAGE.partition("\n## Agreement\n")[2].partition("\n## What people did not judge")[0]
    for name in NAMES:
        assert f"`{name}`" in agreement, name


ANALYSIS = (ROOT / "docs" / "analysis.md").read_text("utf-8")
TABLES = {
    name for part in re.findall(r"^Tables? ([^.:]*)[.:]", ANALYSIS, re.M) for name in re.findall("`([a-z_]+)`", part)
} - {"contrasts_along"}
"""Every table that docs/analysis.md tells; a test of the demo's report sees to it that none is missing there."""


def test_every_table_of_a_report_is_led_to_its_method() -> None:
    led = SECTIONS["Which table holds what"]
    assert len(TABLES) > 25
    for name in TABLES:
        assert f"`{name}`" in led, name
    for name in re.findall(r"`([a-z_]+)`", led):
        assert any(f'"{name}"' in text for text in SOURCE.values()), name


SOURCE = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "analysis").glob("*.py"))}
CITED = re.compile(r"\b(?:18|19|20)\d\d\b")


def docstrings(source: str) -> str:
    found = [ast.parse(source)]
    found += [node for node in ast.walk(found[0]) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return "\n".join(ast.get_docstring(node) or "" for node in found)


CITING = {name: set(CITED.findall(docstrings(text))) for name, text in SOURCE.items()}


@pytest.mark.parametrize("module", sorted(name for name, years in CITING.items() if years))
def test_a_module_with_a_formula_from_somewhere_is_told_with_its_reference(module: str) -> None:
    """Whoever writes a statistic cites it in its docstring; then it must have its section here, and the reference."""
    assert re.search(rf"\[[^\]]*`{module}`[^\]]*\]", PAGE), f"no section of docs/methods.md names {module}"
    assert CITING[module] <= set(CITED.findall(PAGE)), module


def test_modules_that_are_named_are_there() -> None:
    for group in re.findall(r"\[((?:`[a-z_]+`(?:, )?)+)\]", PAGE):
        for name in re.findall(r"`([a-z_]+)`", group):
            assert name in SOURCE, name


WITHOUT_FORMULA = {"Sensitivity"}
WITHOUT_SOURCE = {"Verdict rules", "Sensitivity"}


@pytest.mark.parametrize("title", METHODS)
def test_a_section_says_what_a_reviewer_asks(title: str) -> None:
    section = SECTIONS[title]
    if title not in WITHOUT_FORMULA:
        assert "```text" in section
        assert re.search(r"^- `", section, re.M), "no symbols"
    assert "**Assumes**" in section or "**Not when**" in section
    if title not in WITHOUT_SOURCE:
        assert "**Reference**" in section


SYMBOL = re.compile(r"[^\W\d_]+[_\w]*")
EVERYWHERE = set(SYMBOL.findall(" ".join(re.findall(r"`([^`]+)`", HEAD)))) | {
    "Σ", "Π", "log", "exp", "min", "max", "sign", "median", "var", "sd",
}  # fmt: skip


def defined(section: str) -> set[str]:
    """The symbols in the lines of a section's lists."""
    lines = re.findall(r"^- (.*)$", section, re.M)
    found = {symbol for line in lines for code in re.findall(r"`([^`]+)`", line) for symbol in SYMBOL.findall(code)}
    return found | {base for symbol in found for base in [symbol.split("_")[0]]}


WORDS = {"all", "with", "the", "table", "under", "which", "is", "most", "likely", "where"}
"""Words of formulas that say in words what they take."""


def used(formula: str) -> set[str]:
    """What stands in a formula but indices: the base of `n_ik` is `n`. What is far behind a formula is a remark."""
    lines = [re.split(r" {4,}", line)[0] for line in formula.splitlines()]
    text = re.sub(r"[_^]\{[^}]*\}|[⁻¹²³]", "", "\n".join(lines))
    return {symbol.split("_")[0].removeprefix("Δ") for symbol in SYMBOL.findall(text)} - {""}


@pytest.mark.parametrize("title", [title for title in METHODS if title not in WITHOUT_FORMULA])
def test_every_symbol_of_a_formula_is_defined(title: str) -> None:
    section = SECTIONS[title]
    formula = "\n".join(text for kind, text in BLOCK.findall(section) if kind == "text")
    lacking = used(formula) - defined(section) - {symbol.split("_")[0] for symbol in EVERYWHERE} - WORDS
    assert not lacking, f"{title}: {sorted(lacking)}"


def test_the_examples_come_out_as_worked_out_by_hand() -> None:
    """All blocks in one namespace, from top to bottom, as a reader types them."""
    blocks = [found for found in BLOCK.finditer(PAGE) if found[1] == "python"]
    assert len(blocks) > 20
    names: dict[str, object] = {}
    for block in blocks:
        above = "\n" * PAGE.count("\n", 0, block.start(2))  # so that an error names the line of the page
        exec(compile(above + block[2], str(ROOT / "docs" / "methods.md"), "exec"), names)


def test_examples_would_notice_a_wrong_figure() -> None:
    blocks = [text for kind, text in BLOCK.findall(PAGE) if kind == "python"]
    names: dict[str, object] = {}
    exec(compile(blocks[0], "docs/methods.md", "exec"), names)
    with pytest.raises(AssertionError):
        exec("same(F(1, 3), F(1, 2))", names)


def test_links_lead_somewhere() -> None:
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in SECTIONS}
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", PAGE):
        assert not target or (ROOT / "docs" / target).exists(), target
        assert target or anchor in anchors, anchor
