"""docs/leads.md and docs/why.md: their links, keys and sums hold."""

from __future__ import annotations

import re
from math import comb
from pathlib import Path

import pytest

from gainsift.analysis.planned_study import Assumed
from gainsift.analysis.power import Wanted, simulate
from gainsift.annotation.early_warnings import CHANCE, CONTROLS_WRONG, FAST, SAME, TOO_FAST
from gainsift.schemas.campaign import AnnotationSpec, Rows

DOCS = Path(__file__).resolve().parent.parent / "docs"
LEADS = (DOCS / "leads.md").read_text("utf-8")
WHY = (DOCS / "why.md").read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """Those of its headings, as GitHub and the site make them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"<[^>]*>", "", title).lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_keys_that_leads_are_told_exist() -> None:
    fields = AnnotationSpec.model_fields
    for key in re.findall(r"`annotation\.([a-z_]+)(?:\.([a-z_]+))?`", LEADS):
        assert key[0] in fields, key
        assert not key[1] or key[1] in Rows.model_fields, key
    for key in re.findall(r"`([a-z_]+): [^`]+`", LEADS):
        assert key in fields or key in Rows.model_fields, key


def test_the_sums_of_costs_are_right() -> None:
    pace = AnnotationSpec().pace_per_hour
    assert f"12 seconds ({pace} an hour)" in LEADS
    assert 3600 / pace == 12
    assert 20 * 12 == 4 * 60  # a calibration of twenty items: four minutes
    units, conditions, people = 800, 2, 2
    minutes = units * conditions * people / pace * 60
    assert minutes == 10 * 60 + 40
    assert "800 units at two conditions are 1,600 answers at most" in LEADS
    assert "10 hours and 40 minutes" in LEADS


SIZES = re.findall(
    r"^\| (\d) \| (\d+) \| ([\d,]+), ([\d.]+) h \| (\d+) \| ([\d,]+), ([\d.]+) h \| ([\d.]+) \|", LEADS, re.M
)
"""Annotators; units, judgements and hours for the width, then for the power; what the move is found as."""


def test_the_table_of_sizes_is_what_the_command_finds() -> None:
    assert "--gained .12 --lost .04 --family 5 --icc .1 --alpha .75 --half-width .04 --overlap 1,2,3" in LEADS
    population = Assumed.of(0.12, 0.04, 0.3, size=5, correlation=0.1)
    assert [row[0] for row in SIZES] == ["1", "2", "3"]
    for people, wide, _, _, strong, _, _, found in SIZES:
        wanted = Wanted(half_width=0.04, power=0.8)
        narrow, powerful = (
            simulate(population, 0.75, int(units), int(people), wanted, 1000, 0.95, 12345) for units in (wide, strong)
        )
        assert narrow.half_width == pytest.approx(0.04, abs=0.001)
        assert powerful.power == pytest.approx(0.8, abs=0.03)
        assert narrow.estimate == pytest.approx(float(found) / 100, abs=0.001)
        assert powerful.estimate == pytest.approx(float(found) / 100, abs=0.001)


def test_the_table_of_sizes_adds_up() -> None:
    """A unit has two items; each is judged by so many people; hours at the pace that the page names."""
    for people, *sizes in SIZES:
        for units, judgements, hours in (sizes[:3], sizes[3:6]):
            made = int(units) * 2 * int(people)
            assert judgements == f"{made:,}"
            assert hours == f"{made / AnnotationSpec().pace_per_hour:.1f}"


def test_what_raises_a_warning_is_as_told() -> None:
    assert (TOO_FAST, FAST, SAME) == (1, 3, 0.8)
    assert "a median under 3 seconds a page, where others take longer; under 1 second in any case" in LEADS
    assert "one label for four items of five" in LEADS
    assert CONTROLS_WRONG == 0.1
    four, five = (sum(comb(10, k) * 9 ** (10 - k) for k in range(wrong, 11)) / 10**10 for wrong in (4, 5))
    assert five <= CHANCE < four
    assert 1 / five == pytest.approx(600, rel=0.05)


def test_every_other_tool_is_told_with_what_it_does_better() -> None:
    for name in ("Label Studio alone", "Potato", "Pearmut", "INCEpTION"):
        section = WHY.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert "*Take it" in section, name
    assert "\n## A folder of scripts\n" in WHY
    assert re.search(r"read in [A-Z][a-z]+ 20\d\d", WHY)
