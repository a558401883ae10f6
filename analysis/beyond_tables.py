"""The table of gains with unjudged outputs and annotators' errors taken into account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gainsift.analysis.annotator_error import Corrected
from gainsift.analysis.beyond_verdicts import Beyond
from gainsift.analysis.confusion import SOURCES
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.intervals import told
from gainsift.analysis.result_tables import bucket_name, part_id
from gainsift.analysis.tables import MARK, Column, Table
from gainsift.analysis.unjudged_units import Unjudged

if TYPE_CHECKING:
    from gainsift.analysis.contrast_results import ContrastResult

BOUNDS = (
    f"{MARK} marks a bound of another kind than the intervals beside it: it knows the number of clusters alone, and may"
    " be the wider one although nothing was seen to move; the corrected figure has an interval of its own."
)
RATES = {"human_a": "Called correct before", "human_b": "Called correct after", "human": "Human gain"}


def beyond_table(design: Design, found: Sequence[Beyond], contrasts: Sequence[ContrastResult], recipe: str) -> Table:
    by_name = {result.contrast.name: result for result in contrasts}
    rows: list[dict[str, Any]] = []
    for one in found:
        result = by_name[one.contrast]
        if one.unjudged:
            rows += _of_unjudged(design, one, one.unjudged)
        for errors in one.errors:
            rows += _of_errors(design, result, errors)
    left = [
        f"{one.contrast}: with automatic {one.unjudged.by} {100 * one.unjudged.figures.variance_left:.0f} % of the"
        " variance is left."
        for one in found
        if one.unjudged and one.unjudged.figures.variance_left is not None
    ]
    spec = design.spec
    sizes = [
        f"{result.contrast.name}: {result.split.decided:,} decided units of {result.units.size:,} in"
        f" {result.split.clusters:,} {design.clusters}."
        for result in contrasts
        if result.contrast.name in {one.contrast for one in found}
    ]
    return Table(
        "beyond_verdicts",
        "Unjudged outputs and wrong judgements taken into account",
        [Column("contrast", "Contrast"), Column("method", "Method"), Column("basis", "Rests on", finding=True),
         Column("part", "Id", printed=False),
         Column("name", "Part"), Column("verdicts", "Verdicts alone, points", "points", interval=True),
         Column("corrected", "Corrected, points", "points", interval=True)],
        rows,
        ["Prediction-powered: among decided units; stands only where outputs were sampled. Its verdicts alone"
         " are those of `levels`, and by bucket of the split where every unit is decided. Without annotators' errors:"
         " from soft labels on items, before they are fanned out, flows by bucket of all units; errors are supposed to"
         " depend on nothing but the true label. Beside it stands the split as reported.",
         BOUNDS,
         *(f"{name}: {what}." for name, what in SOURCES.items()), *left, *sizes, told(spec, design.clusters)],
        recipe,
    )  # fmt: skip


def _of_unjudged(design: Design, one: Beyond, found: Unjudged) -> list[dict[str, Any]]:
    how = f"Automatic {found.by} of all {one.population} units beside the verdicts of {one.sample}"
    rows = []
    for part, alone, powered in zip(found.parts, found.figures.alone, found.figures.estimates, strict=True):
        if part in RATES or alone.point or powered.point:
            bucket = f"– {bucket_name(design.taxonomy, part)}" if part not in RATES else ""
            key, name = (part, RATES[part]) if part in RATES else (part_id(part), bucket)
            rows.append(_row(one.contrast, "prediction-powered", how, key, name, alone, powered))
    return rows


def _of_errors(design: Design, result: ContrastResult, errors: Corrected) -> list[dict[str, Any]]:
    split = result.split
    parts: list[tuple[str, str, Estimate]] = [("human", RATES["human"], split.parts["human"])]
    parts += [
        (bucket, f"– {bucket_name(design.taxonomy, bucket)}", split.flow_buckets[bucket])
        for bucket in design.taxonomy.buckets
    ]
    name, rows = result.contrast.name, []
    for part, label, verdicts in parts:
        corrected = errors.figures.get("human" if part == "human" else f"flow:{part}")
        if corrected is not None and (part == "human" or verdicts.point or corrected.point):
            key = part if part == "human" else part_id(part)
            rows.append(_row(name, f"without errors, {errors.source}", errors.about, key, label, verdicts, corrected))
    return rows


def _row(
    contrast: str, method: str, basis: str, part: str, name: str, verdicts: Estimate, corrected: Estimate
) -> dict[str, Any]:
    return {
        "contrast": contrast,
        "method": method,
        "basis": basis,
        "part": part,
        "name": name,
        "verdicts": verdicts,
        "corrected": corrected,
    }
