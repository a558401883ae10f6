"""The table of trends over checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.sign_flip import EXACT_UP_TO, FLIPS
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.transition_tables import correction_in_words
from gainsift.analysis.trends import Trend


def trend_table(design: Design, found: Sequence[Trend], recipe: str) -> Table:
    names = {category.id: category.label for category in design.taxonomy.categories}
    columns = [
        Column("series", "Condition"), Column("level", "Level"), Column("outcome", "Id", printed=False),
        Column("name", "Outcome"),
        Column("checkpoints", "Checkpoints", "count"), Column("first", "First, %", "rate"),
        Column("last", "Last, %", "rate"),
        Column("slope", "Slope, points", "points"), Column("p", "p, sign flips", "p"),
        Column("adjusted", "corrected", "p"), Column("gee_slope", "GEE slope, logit", "coefficient"),
        Column("gee_p", "p, GEE", "p"), Column("gee_adjusted", "corrected", "p"),
        Column("mann_kendall_p", "p, Mann-Kendall ‡", "p"), Column("cochran_p", "p, Cochran’s Q ‡", "p"),
        Column("note", "Note"),
    ]  # fmt: skip
    notes = [
        f"Slope: least squares within units over {' and '.join(sorted({one.axis for one in found}))}, from the first"
        f" {design.noun} to the last. Sign flips of {design.clusters}:"
        f" {FLIPS:,} random patterns, all of them up to {EXACT_UP_TO} that moved. GEE: logistic,"
        f" bias-reduced, by {design.clusters}. First and last: shares of decided rows. All are weighted by inclusion"
        " probabilities. p-values are two-sided.",
        correction_in_words(design, "series", "kinds, and the categories,"),
        "‡ For comparison only: Cochran's Q assumes independent units, Mann-Kendall independent checkpoints (from five"
        " on); neither is corrected, and Q is not weighted.",
    ] if found else ["No series was judged at two checkpoints or more."]  # fmt: skip
    return Table("trends", "Trends over checkpoints", columns, [_row(one, names) for one in found], notes, recipe)


def _row(one: Trend, names: dict[str, str]) -> dict[str, Any]:
    said = {name: test for name, test in one.tests.items() if test.reason or test.note}
    gee = one.tests["gee"]
    return {
        "series": one.series or "all",
        "level": one.level,
        "outcome": one.outcome,
        "name": names.get(one.outcome, one.outcome) if one.level == "category" else one.outcome.replace("_", " "),
        "checkpoints": len(one.checkpoints),
        "first": _share(one.shares[0]),
        "last": _share(one.shares[-1]),
        "slope": None if one.slope is None else Estimate(one.slope),
        "p": one.tests["flips"].p,
        "adjusted": one.adjusted["flips"],
        "gee_slope": None if gee.effect is None else Estimate(gee.effect),
        "gee_p": gee.p,
        "gee_adjusted": one.adjusted["gee"],
        "mann_kendall_p": one.tests["mann_kendall"].p,
        "cochran_p": one.tests["cochran"].p,
        "note": "; ".join(f"{NAMES[name]}: {test.reason or test.note}" for name, test in said.items()),
    }


NAMES = {"flips": "sign flips", "gee": "GEE", "mann_kendall": "Mann-Kendall", "cochran": "Cochran’s Q"}


def _share(value: float | None) -> Estimate:
    return undefined("nothing decided there") if value is None else Estimate(value)
