"""The tables of transitions between categories and of the tests beside each split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gainsift.analysis.corrections import IN_WORDS
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.result_tables import PARTS, bucket_name, of_contrasts, part_id
from gainsift.analysis.significance import Significance
from gainsift.analysis.split_tests import SplitTest
from gainsift.analysis.tables import Column, Table
from gainsift.schemas.taxonomy import Taxonomy

if TYPE_CHECKING:
    from gainsift.analysis.contrast_results import ContrastResult

MAX_T = "step-down max-T by sign flips of {} (Westfall & Young 1993), by Holm (1979) where tests differ"


SIGNIFICANCE = [
    Column("test", "Test"),
    Column("effect", "Change, points", "points"),
    Column("statistic", "Statistic", "coefficient"),
    Column("df", "df"),
    Column("p", "p", "p"),
    Column("adjusted", "p, corrected", "p"),
    Column("note", "Note"),
]


def transition_tables(design: Design, contrasts: Sequence[ContrastResult]) -> list[Table]:
    recipes = [result.signature for result in contrasts]
    sizes = [
        f"{result.contrast.name}: n = {result.split.decided:,} decided units of {result.units.size:,} in"
        f" {result.split.clusters:,} {design.clusters}."
        for result in contrasts
    ]
    moved = of_contrasts(
        "transitions",
        "Transitions between categories",
        [Column("contrast", "Contrast"), Column("before", "Before, id", printed=False), Column("before_name", "Before"),
         Column("after", "After, id", printed=False), Column("after_name", "After"), Column("units", "Units", "weight"),
         Column("weight", "Weighted units", "weight"), Column("share", "% of decided", "rate"),
         Column("of_before", "% of those before", "rate")],
        [_cells(design.taxonomy, result) for result in contrasts],
        ["Decided units alone: per cent of the weighted ones, of all and of those with the same category before. Pairs"
         " of categories that no unit went through are left out.", *sizes],
        recipes,
    )  # fmt: skip
    tests = of_contrasts(
        "split_tests",
        "Tests beside the split",
        [Column("contrast", "Contrast"), Column("part", "Id", printed=False), Column("name", "What is tested"),
         *SIGNIFICANCE],
        [[_test_row(design.taxonomy, test) for test in result.tests] for result in contrasts],
        ["Change: as in the split, in points of all units of the contrast.",
         correction_in_words(design, "contrast", "buckets"),
         f"Tests by {design.clusters} allow for correlated units; those marked `assumes independent units` do not, are"
         " not weighted, and stand for comparison only.", *sizes],
        recipes,
    )  # fmt: skip
    return [moved, tests]


def correction_in_words(design: Design, of: str, subject: str) -> str:
    """What a family is and how it is corrected; `of` is contrast or series."""
    spec = design.spec
    family = f"the {subject} of one {of}" if spec.family == "each" else f"the {subject} of all {of}s together"
    how = MAX_T.format(design.clusters) if spec.correction == "max_t" else IN_WORDS[spec.correction]
    return f"Corrected within families: {family}, one family for each method; {how}."


def _cells(taxonomy: Taxonomy, result: ContrastResult) -> list[dict[str, Any]]:
    found = result.transitions
    names = {category.id: category.label for category in taxonomy.categories}
    shares, totals = found.shares, found.weights.sum(1)
    return [
        {
            "contrast": result.contrast.name,
            "before": found.categories[row],
            "before_name": names[found.categories[row]],
            "after": found.categories[column],
            "after_name": names[found.categories[column]],
            "units": float(found.counts[row, column]),
            "weight": float(found.weights[row, column]),
            "share": Estimate(float(shares[row, column])),
            "of_before": Estimate(float(found.weights[row, column] / totals[row])),
        }
        for row, column in np.argwhere(found.counts)
    ]


def _test_row(taxonomy: Taxonomy, one: SplitTest) -> dict[str, Any]:
    if one.what == "bucket":
        part, name = part_id(one.part), f"Flow: {bucket_name(taxonomy, one.part).lower()}"
    else:
        part, name = one.part, PARTS.get(one.part, "All categories as frequent as before")
    return {"contrast": one.contrast, "part": part, "name": name, **significance_cells(one.test, one.adjusted)}


def significance_cells(test: Significance, adjusted: float | None) -> dict[str, Any]:
    """What a row of a table says of a test."""
    return {
        "test": test.method,
        "effect": None if test.effect is None else Estimate(test.effect),
        "statistic": None if test.statistic is None else Estimate(test.statistic),
        "df": ", ".join(f"{value:g}" for value in test.df),
        "p": test.p,
        "adjusted": adjusted,
        "note": "; ".join(part for part in (test.reason, test.warning, test.note) if part),
    }
