"""The notes of every table: interval and its method, correction of tests, n, denominator, signature."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gainsift.analysis.results import analyse
from gainsift.analysis.tables import Table
from gainsift.schemas.concepts import Concept

AT_B = {"setting": "tgt", "layer": 1}
RESAMPLED = (
    r"\d[\d.]* % intervals?: .*(resamples|Clopper-Pearson|bootstrap)|Exact \d[\d.]* % interval|intervals are those of"
    " the split"
)
DENOMINATOR = r"\b([Oo]ver|divided by|of all|of those|of the|[Aa]mong|[Pp]er cent of|[Mm]eans? over|within units)\b"
SIZE = r"\bn = [\d,]+|\b[\d,]+ (decided )?(units|items|outputs|judgements|families)\b"
LABELS = ("correct", "plain_copy", "other_concept", "wrong_language", "unrelated", "hypernym")


@pytest.fixture
def tables(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> dict[str, Table]:
    """Every table of a study with a series, agreement, adjudication and layers."""
    names = ["c1", "c2", "c3"]
    contrasts = [{"name": "training", "from": {"checkpoint": "c1"}, "to": {"checkpoint": "c3"}},
                 {"name": "patching", "from": {"checkpoint": "c3"}, "to": {"checkpoint": "c3", **AT_B}}]  # fmt: skip
    maker = make_study(contrasts=contrasts, contrasts_along=[{"checkpoints": names}])
    for number in range(6):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for place, checkpoint in enumerate(names):
            where = f"P{number}", ("en", "de"), checkpoint
            shown = maker.row(*where, f"a {place} {number}"), maker.row(*where, f"b {place} {number}", **AT_B)
            for item in shown:
                for voice, annotator in enumerate(("ann", "bob", "cyd")):
                    maker.vote(item, annotator, LABELS[(number + place + (voice == number)) % len(LABELS)])
    return analyse(maker.write()).tables


def test_every_table_says_what_a_reviewer_asks(tables: dict[str, Table]) -> None:
    assert len(tables) > 20
    wanting = []
    for name, table in tables.items():
        notes = " ".join(table.all_notes())
        kinds = {column.kind for column in table.columns}
        if any(column.interval for column in table.columns) and not re.search(RESAMPLED, notes):
            wanting.append(f"{name}: interval")
        if "p" in kinds and not re.search(r"Corrected within families", notes):
            wanting.append(f"{name}: correction")
        if kinds & {"rate", "points", "percent", "coefficient"} and not re.search(DENOMINATOR, notes):
            wanting.append(f"{name}: denominator")
        if not kinds & {"count", "weight"} and not re.search(SIZE, notes):
            wanting.append(f"{name}: n")
        if "|v:" not in table.signature:
            wanting.append(f"{name}: signature")
    assert wanting == []
