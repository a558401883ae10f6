"""`gainsift agreement`: agreement measures of anyone's long table of judgements."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import Console, print_json, say

if TYPE_CHECKING:
    import numpy as np

    from gainsift.analysis.levels import Scale
    from gainsift.analysis.long_table import Further, LongTable
    from gainsift.cli.agreement_output import Measured
    from gainsift.schemas.taxonomy import Taxonomy

CONFIDENCE = 0.95
BUILT_IN = "built-in"


class Level(StrEnum):
    """What the labels are."""

    nominal = "nominal"
    ordinal = "ordinal"
    interval = "interval"
    ratio = "ratio"
    jaccard = "jaccard"
    masi = "masi"
    path = "path"


def agreement(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="csv with the columns item,annotator,label; an empty label is a gap.")
    ],
    level: Annotated[
        Level,
        typer.Option(
            help="Ordinal, interval and ratio need labels that are numbers; jaccard and masi take sets such as a|b,"
            " path takes places in a tree such as error/copy."
        ),
    ] = Level.nominal,
    distance: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Your own distances between labels: a square csv with labels in first line and column."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every coefficient with its interval; alpha without each annotator.")
    ] = False,
    weight: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="How much an item counts, as the outputs it stands for: weighted beside."),
    ] = None,
    taxonomy: Annotated[
        Path | None,
        typer.Option(
            metavar="YAML",
            help="Labels are its categories: agreement also by kind and by path in its tree; categories of the kind"
            " missing are gaps. `built-in` is that of gainsift.",
        ),
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="A label that says that there is none; may be repeated.")
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Agreement also at each value (checkpoint, language pair): the items that occur there; and its drift"
            " from the first value in the file to the last.",
        ),
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Rows with anything but 0 or no there are hidden repeats: self-agreement, only."
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write figures of pairs and of confused labels (pdf, png).")
    ] = None,
    boot: Annotated[int, typer.Option(min=1, help="Bootstrap resamples of items.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 12345,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """How far annotators agree, for any table of labels.

    Krippendorff's alpha, percent agreement, Cohen's kappa of each pair, alpha of each label; with --all also Fleiss,
    Scott, Bennett and Gwet. Intervals resample items.
    """
    from gainsift.analysis.estimate import FEW, few_resamples
    from gainsift.analysis.long_table import Further, read_long_table
    from gainsift.cli.agreement_json import as_data
    from gainsift.cli.agreement_output import draw, show
    from gainsift.cli.folders import make
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now
    from gainsift.schemas.taxonomy import load_taxonomy

    started = now()
    if distance is not None and level is not Level.nominal:
        raise UserError("--distance", f"it stands beside --level {level.value}", "give one of the two")
    if taxonomy is not None and (distance is not None or level is not Level.nominal):
        other = "--distance" if distance is not None else f"--level {level.value}"
        raise UserError("--taxonomy", f"it stands beside {other}", "give one of the two")
    if figures is not None:
        make(figures, "--figures")
    further = Further(weight, condition, repeat)
    known = None if taxonomy is None else load_taxonomy(None if str(taxonomy) == BUILT_IN else taxonomy)
    gaps = [*(missing or ()), *(one.id for one in (known.missing if known else ()))]
    table = read_long_table(file, level.value, further, gaps, [*dict.fromkeys([*known.ids, *gaps])] if known else None)
    scale = _scale(table, file, level, distance)
    with Console(stderr=True).status("resampling items"):
        found = _measure(table, scale, every, further, boot, seed, known)
    if boot < FEW:
        say(few_resamples(boot), err=True)
    if found.whole.alpha.point is None:
        say(f"alpha is undefined: {found.whole.alpha.reason}", err=True)
    if figures is not None:
        inputs = {one.name: one for one in (file, distance, taxonomy) if one and str(one) != BUILT_IN}
        for line in draw(found, figures, inputs, started):
            say(line, err=True)
    if as_json:
        print_json(as_data(found))
    else:
        show(found)


def _scale(table: LongTable, file: Path, level: Level, distance: Path | None) -> Scale:
    from gainsift.analysis.given_distance import read_distances
    from gainsift.analysis.levels import MOST_LABELS, Scale
    from gainsift.schemas.errors import UserError

    labels = {label for votes in table.labels.values() for label in votes.values()}
    labels |= {label for people in table.repeats.values() for given in people.values() for label in given}
    if len(labels) > MOST_LABELS:
        raise UserError(
            str(file), f"{len(labels):,} different labels are more than {MOST_LABELS:,}", "round or group them"
        )
    if distance is None:
        return Scale.of(level.value)
    metric = read_distances(distance)
    metric(sorted(labels))  # names a label that has none before anything is computed
    return Scale.given("given", metric)


def _measure(
    table: LongTable, scale: Scale, every: bool, further: Further, boot: int, seed: int, taxonomy: Taxonomy | None
) -> Measured:  # fmt: skip
    """Every part has a generator of its own: asking for more changes no figure."""
    from gainsift.analysis.agreement import agreement as measure
    from gainsift.analysis.agreement_drift import drift
    from gainsift.analysis.agreement_parts import at_conditions, by_kind, by_path, self_agreement, without_each
    from gainsift.analysis.estimate import generator
    from gainsift.cli.agreement_output import Measured

    def rng(*names: str) -> np.random.Generator:
        return generator(seed, "agreement", *names)

    weights = table.weights if further.weight else None
    found = Measured(
        measure(table.labels, scale, boot, CONFIDENCE, rng(), weights),
        len(table.labels), table.skipped, table.asked, dict(table.gaps), scale.name, boot, seed, every,
    )  # fmt: skip
    if taxonomy:
        kinds = by_kind(table.labels, taxonomy)
        found = replace(
            found,
            kinds=measure(kinds, "nominal", boot, CONFIDENCE, rng("kinds"), weights),
            paths=by_path(table.labels, taxonomy, boot, CONFIDENCE, rng("paths")),
        )
    if every:
        found = replace(found, without=without_each(table.labels, scale, boot, CONFIDENCE, rng("without")))
    if further.condition:
        conditions = at_conditions(table.labels, table.occurs, scale, boot, CONFIDENCE, rng("conditions"))
        if not further.weight:  # all weights are 1: nothing to show beside
            conditions = {name: replace(one, weighted={}) for name, one in conditions.items()}
        found = replace(found, conditions=conditions)
        if len(conditions) > 1:
            found = replace(found, drift=drift(table.labels, table.occurs, scale, boot, CONFIDENCE, rng("drift")))
    if further.repeat:
        themselves = self_agreement(table.labels, table.repeats, scale, boot, CONFIDENCE, rng("repeats"))
        found = replace(found, themselves=themselves)
    return found
