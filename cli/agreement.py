"""`gainsift agreement`: agreement measures of anyone's long table of judgements."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from gainsift.analysis.agreement import Agreement


class Level(StrEnum):
    """Level of measurement of the labels."""

    nominal = "nominal"
    ordinal = "ordinal"
    interval = "interval"
    ratio = "ratio"


def agreement(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="csv with the columns item,annotator,label; an empty label is a gap.")
    ],
    level: Annotated[Level, typer.Option(help="All but nominal need labels that are numbers.")] = Level.nominal,
    boot: Annotated[int, typer.Option(min=1, help="Bootstrap resamples of items.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 12345,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """How far annotators agree, for any table of labels.

    Krippendorff's alpha, percent agreement, Cohen's kappa of each pair, alpha of each label.
    """
    from gainsift.analysis.agreement import agreement as measure
    from gainsift.analysis.estimate import FEW, few_resamples, generator
    from gainsift.analysis.long_table import read_long_table
    from gainsift.analysis.signature import signature

    table = read_long_table(file, numeric=level is not Level.nominal)
    found = measure(table.labels, level.value, boot, 0.95, generator(seed, "agreement"))
    counts = {
        "items": len(table.labels),
        "annotators": len(found.annotators),
        "labels": len(found.labels),
        "skipped": table.skipped,
    }
    recipe = signature(
        alpha=level.value, level="label", items=counts["items"], raters=counts["annotators"],
        skipped=table.skipped, boot=boot, rs=seed,
    )  # fmt: skip
    if boot < FEW:
        typer.echo(few_resamples(boot), err=True)
    if found.alpha.point is None:
        typer.echo(f"alpha is undefined: {found.alpha.reason}", err=True)
    if as_json:
        typer.echo(json.dumps(as_data(found, counts, recipe), ensure_ascii=False, indent=2))
    else:
        show(found, counts, recipe)


def as_data(found: Agreement, counts: dict[str, int], recipe: str) -> dict[str, Any]:
    """The JSON: counts, `percent` from 0 to 100, null where a figure is undefined."""
    return {
        **counts,
        "alpha": {"point": found.alpha.point, "low": found.alpha.low, "high": found.alpha.high},
        "percent": found.percent.point,
        "pairwise": [
            {"a": pair.a, "b": pair.b, "n": pair.n, "cohen_kappa": pair.cohen_kappa.point} for pair in found.pairwise
        ],
        "per_label": {
            one.label: {
                "alpha": one.alpha.point,
                "low": one.alpha.low,
                "high": one.alpha.high,
                "support": one.support,
            }
            for one in found.per_label
        },
        "signature": recipe,
    }


def show(found: Agreement, counts: dict[str, int], recipe: str) -> None:
    from rich.table import Table as RichTable
    from rich.text import Text

    from gainsift.analysis.tables import Column, display
    from gainsift.analysis.wording import counted

    console = Console(highlight=False)
    coefficient = Column("", "", "coefficient", interval=True)
    named = ", ".join(  # `skipped` is no noun
        f"{count} {name}" if name == "skipped" else counted(count, name.removesuffix("s"))
        for name, count in counts.items()
    )
    console.print(named)
    console.print(f"Krippendorff's alpha: {display(coefficient, found.alpha)}", markup=False)
    percent = display(Column("", "", "percent", interval=True), found.percent)
    console.print(f"agreeing pairs, %: {percent}", markup=False)
    labels = RichTable(title="Each label against the rest", title_justify="left", box=None)
    for head in ("label", "alpha", "support"):
        labels.add_column(head, justify="left" if head == "label" else "right")
    for one in found.per_label:
        labels.add_row(Text(one.label), Text(display(coefficient, one.alpha)), str(one.support))
    pairs = RichTable(title="Cohen's kappa of each pair", title_justify="left", box=None)
    for head in ("annotator", "annotator", "items", "kappa"):
        pairs.add_column(head, justify="left" if head == "annotator" else "right")
    for pair in found.pairwise:
        pairs.add_row(Text(pair.a), Text(pair.b), str(pair.n), display(coefficient, pair.cohen_kappa))
    for grid in (labels, pairs):
        if grid.row_count:
            console.print(grid)
    console.print(Text(recipe, style="dim"))
