"""The analysis of a tidy table: which conditions are compared, and what is found by the path of every input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gainsift.analysis.design import Condition, Contrast, Design, Series
from gainsift.analysis.findings import Findings, findings
from gainsift.analysis.tidy_evidence import tidy_evidence, uneven
from gainsift.analysis.tidy_table import TidyTable
from gainsift.analysis.wording import counted
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.taxonomy import Taxonomy

ARROW = "->"
NAMED = ": "
UNEVEN = (
    "{} that weigh differently at their two conditions: the larger weight counts, as if the rarer draw were made among"
    " the other."
)


def analyse_table(
    table: TidyTable,
    taxonomy: Taxonomy,
    contrasts: Sequence[str] = (),
    spec: AnalysisSpec | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Findings:
    """Analyse a table that was read. `contrasts` as `A -> B` or `name: A -> B`; none: along every series.

    Raises UserError for a contrast of unknown conditions.
    """
    design = tidy_design(table, taxonomy, contrasts, spec or AnalysisSpec())
    progress("verdicts")
    evidence = tidy_evidence(table, taxonomy)
    found = findings(design, evidence, progress)
    units = sum(uneven(evidence, one.units.frame) for one in found.contrasts)
    if not units:
        return found
    split = found.tables["split"]
    note = UNEVEN.format(counted(units, "unit"))
    return replace(found, tables={**found.tables, "split": replace(split, notes=[*split.notes, note])})


def tidy_design(table: TidyTable, taxonomy: Taxonomy, contrasts: Sequence[str], spec: AnalysisSpec) -> Design:
    """Chains and trends go along every series; so do contrasts, unless some are named."""
    along = [
        Series(name, [one for one in table.conditions if one.series == name])
        for name in dict.fromkeys(one.series for one in table.conditions)
    ]
    steps = [contrast for series in along if len(series.conditions) > 1 for contrast in series.contrasts()]
    return Design(
        taxonomy=taxonomy,
        spec=spec,
        conditions=table.conditions,
        contrasts=_distinct([_named(one, table) for one in contrasts]) if contrasts else steps,
        chains=[series for series in along if len(series.conditions) > 2],
        trends=along,
        scored="success" in table.has,
        identical="identical" in table.has,
        in_senses=False,
        clusters="clusters",
    )


def _distinct(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Raises UserError for two of one name."""
    names = [one.name for one in contrasts]
    for name in names:
        if names.count(name) > 1:
            raise UserError("--contrast", f"{name!r} stands twice", "leave one out, or name them: 'NAME: A -> B'")
    return list(contrasts)


def _named(contrast: str, table: TidyTable) -> Contrast:
    """The two conditions of `A -> B`, or `name: A -> B`; the names of conditions may hold arrow and colon, too."""
    known = {one.name: one for one in table.conditions}
    whole = _sides(contrast, known)
    if whole:
        return Contrast(f"{whole[0].name} → {whole[1].name}", *whole)
    parts = contrast.split(NAMED)
    for cut in range(1, len(parts)):
        sides = _sides(NAMED.join(parts[cut:]), known)
        name = NAMED.join(parts[:cut]).strip()
        if sides and name:
            return Contrast(name, *sides)
    unknown = next((part.strip() for part in contrast.split(ARROW) if part.strip() not in known), contrast)
    remedy = did_you_mean(unknown, list(known))
    if ARROW not in contrast or {part.strip() for part in contrast.split(ARROW)} <= {*known}:
        remedy = f"name two different ones, with {ARROW} between them"
    raise UserError(f"--contrast {contrast!r}", f"expected two conditions of {table.path} as `A {ARROW} B`", remedy)


def _sides(text: str, known: dict[str, Condition]) -> tuple[Condition, Condition] | None:
    parts = text.split(ARROW)
    for cut in range(1, len(parts)):
        a, b = ARROW.join(parts[:cut]).strip(), ARROW.join(parts[cut:]).strip()
        if a in known and b in known and a != b:
            return known[a], known[b]
    return None
