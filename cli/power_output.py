"""What `gainsift power` shows: the table, the JSON and the curves."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gainsift.cli.terminal import Console

if TYPE_CHECKING:
    from gainsift.analysis.power import Plan, Size, Wanted

STEM = "power"


def recipe(pilot: bool, alpha: float, simulations: int, confidence: float, seed: int) -> str:
    from gainsift.analysis.signature import signature

    return signature(
        power="cluster-t", source="pilot" if pilot else "assumed", alpha=f"{alpha:.3g}", sims=simulations,
        ci=f"{confidence:g}", rs=seed,
    )  # fmt: skip


def with_work(size: Size, annotators: int, pace: int, hours: float | None) -> dict[str, Any]:
    """A size as plain data, with the people that it needs (where their hours are given) and the work of each."""
    people = annotators
    if hours is not None:
        people = max(size.overlap, math.ceil(size.judgements / (pace * hours)))
    each = math.ceil(size.judgements / people)
    return {**asdict(size), "annotators": people, "judgements_each": each, "hours_each": round(each / pace, 2)}


def show(data: dict[str, Any], wanted: Wanted) -> None:
    """Print the grid, and one sentence for each overlap. Hours are those of each person, half-widths in points."""
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("overlap", "units", "items", "judgements", "people", "hours", "half-width", "power", ""):
        table.add_column(head, justify="right", no_wrap=True)
    for row in data["sizes"]:
        table.add_row(
            str(row["overlap"]), f"{row['units']:,}", f"{row['items']:,}", f"{row['judgements']:,}",
            str(row["annotators"]), f"{row['hours_each']:.1f}", _points(row["half_width"]),
            f"{row['power']:.3f} ±{1.96 * row['power_error']:.3f}", "enough" if row["enough"] else "",
        )  # fmt: skip
    console.print(table)
    console.print(Text("Overlap: annotators an item. Hours: of each person. Half-width of the interval: in points."))
    for line in sentences(data, wanted):
        console.print(Text(line))
    console.print(Text(data["signature"], style="dim"))


def sentences(data: dict[str, Any], wanted: Wanted) -> list[str]:
    """The move that is looked for, and what each overlap needs."""
    first = data["sizes"][0]
    goals = []
    if wanted.half_width is not None:
        goals.append(f"an interval of ±{_points(wanted.half_width)} points")
    if wanted.power is not None:
        goals.append(f"a power of {wanted.power:g}")
    found = [f"The net move is {_points(first['truth'])} points; agreement (alpha) is taken to be {data['alpha']:.2f}."]
    for overlap, size in data["needed"].items():
        who = f"{overlap} annotator{'s' if overlap != '1' else ''} an item"
        if size is None:
            found.append(f"{who}: no size that was tried gives {' and '.join(goals)}.")
            continue
        found.append(
            f"{who}: {size['units']:,} units ({size['families']:,} word families, {size['items']:,} items,"
            f" {size['judgements']:,} judgements, {size['hours_each']:.1f} hours each for {size['annotators']})"
            f" give {' and '.join(goals)}{_pulled(size)}."
        )
    return found


def _pulled(size: dict[str, Any]) -> str:
    """What annotators' errors make of the move, where the simulation can tell it from the truth."""
    told = abs(size["estimate"] - size["truth"]) > 1.96 * size["estimate_error"]
    shown = _points(size["estimate"])
    return f"; the move would be found as {shown}" if told and shown != _points(size["truth"]) else ""


def _points(rate: float) -> str:
    return f"{100 * rate:.1f}"


def write(
    folder: Path, data: dict[str, Any], plan: Plan, wanted: Wanted, study: Path | None, seed: int, started: str
) -> list[str]:
    """power.json, power.pdf, power.png and power.run.json; returns a line for each."""
    from gainsift.analysis.house_style import rendered
    from gainsift.analysis.power_figure import power_curves
    from gainsift.cli.folders import make
    from gainsift.schemas.atomic import atomic
    from gainsift.schemas.files import write_json
    from gainsift.schemas.provenance import write_run

    make(folder)
    sizes = {(size.overlap, size.units): size for size in plan.sizes}
    sizes |= {(size.overlap, size.units): size for size in plan.needed.values() if size}
    title = f"A move of {_points(plan.sizes[0].truth)} points: power and interval"
    figure = power_curves(list(sizes.values()), wanted, title, data["signature"])
    write_json(folder / f"{STEM}.json", data)
    for kind in ("pdf", "png"):
        with atomic(folder / f"{STEM}.{kind}") as file:
            file.write(rendered(figure, kind))
    names = ("study.yaml", "annotations.jsonl", "items.parquet", "links.parquet")
    write_run(
        folder / f"{STEM}.run.json",
        STEM,
        shlex.join(["gainsift", *sys.argv[1:]]),
        started,
        {name: study / name for name in names} if study else {},
        {"simulations": seed},
    )
    return [f"{folder / STEM}.{kind}" for kind in ("json", "pdf", "png", "run.json")]
