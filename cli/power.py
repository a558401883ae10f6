"""`gainsift power`: how many items, annotators and judgements an item a study needs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gainsift.cli.terminal import Console, print_json, say

if TYPE_CHECKING:
    from gainsift.analysis.planned_study import Population
    from gainsift.analysis.power import Plan, Wanted

MOST_OVERLAP = 5


def power(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="A judged study as the pilot; else give --gained, --lost.")
    ] = None,
    contrast: Annotated[str | None, typer.Option(help="Of the pilot; the first if not named.")] = None,
    bucket: Annotated[
        str | None, typer.Option(help="Of the pilot: a bucket's id, or human for the whole gain, as if none is named.")
    ] = None,
    gained: Annotated[float, typer.Option(min=0, max=1, help="Share of units from the bucket to correct.")] = 0.0,
    lost: Annotated[float, typer.Option(min=0, max=1, help="Share from correct to the bucket.")] = 0.0,
    correct: Annotated[float, typer.Option(min=0, max=1, help="Share correct in both conditions.")] = 0.3,
    family: Annotated[int, typer.Option(min=1, help="Units in a word family, without a pilot.")] = 1,
    icc: Annotated[float, typer.Option(min=0, max=1, help="Correlation of units of a family, without a pilot.")] = 0.0,
    alpha: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Annotators' agreement to expect; the pilot's if not given, else 1."),
    ] = None,
    half_width: Annotated[
        float | None, typer.Option(min=0.001, max=1, help="Wanted: half the width of the interval.")
    ] = None,
    wanted_power: Annotated[
        float | None, typer.Option("--power", min=0.05, max=0.999, help="Wanted; .8 if no half-width is.")
    ] = None,
    overlap: Annotated[str, typer.Option(metavar="N,N", help="Annotators an item, parted by commas.")] = "1,2,3",
    annotators: Annotated[int, typer.Option(min=1, help="People who share the work.")] = 3,
    pace: Annotated[int, typer.Option(min=1, help="Judgements that one person makes in an hour.")] = 300,
    hours: Annotated[
        float | None, typer.Option(min=0.1, help="Hours that one person has: says how many people are needed.")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(metavar="N,N", help="Units to try, rounded up to whole families; 50 to 6400 if not given."),
    ] = None,
    simulations: Annotated[int, typer.Option(min=20, help="Studies simulated for each size.")] = 1000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the interval and the test.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulations.")] = 12345,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the table and the curves (json, pdf, png).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """How many items and annotators a study needs.

    For a wanted interval or to see a move of a given size, by simulation from a pilot or from assumed shares.
    """
    from gainsift.analysis.power import SIZES, Wanted
    from gainsift.cli.power_output import recipe, show, with_work, write
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now

    started = now()
    overlaps = _numbers(overlap, "--overlap", MOST_OVERLAP)
    asked = _numbers(sizes, "--sizes", 1_000_000) if sizes else list(SIZES)
    wanted = Wanted(half_width, 0.8 if wanted_power is None and half_width is None else wanted_power)
    if max(overlaps) > annotators and hours is None:
        raise UserError(
            "--overlap", f"{max(overlaps)} annotators an item of {annotators} people", "raise --annotators"
        )  # fmt: skip
    if study is not None and (gained or lost):
        raise UserError("--gained", "a pilot says how many units move", "give a study or shares, not both")
    if study is not None:
        population, alpha, about = _pilot(study, contrast, bucket or "human", alpha)
    else:
        _of_a_pilot_alone({"--contrast": contrast, "--bucket": bucket})
        population, alpha, about = _assumed(gained, lost, correct, family, icc, alpha)
    plan = _simulate(population, alpha, overlaps, wanted, simulations, confidence, seed, asked)
    signature = recipe(study is not None, alpha, simulations, confidence, seed)
    data: dict[str, Any] = {
        **about,
        "alpha": alpha,
        "wanted": asdict(wanted),
        "sizes": [with_work(size, annotators, pace, hours) for size in plan.sizes],
        "needed": {
            str(number): with_work(size, annotators, pace, hours) if size else None
            for number, size in plan.needed.items()
        },
        "signature": signature,
    }
    if out is not None:
        for line in write(out, data, plan, wanted, study, seed, started):
            say(line, err=True)
    if as_json:
        print_json(data)
    else:
        show(data, wanted)


def _numbers(text: str, option: str, most: int) -> list[int]:
    from gainsift.schemas.errors import UserError

    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UserError(option, f"expected whole numbers parted by commas, found {text!r}", "such as 1,2,3") from None
    if not found or found[0] < 1 or found[-1] > most:
        raise UserError(option, f"expected numbers from 1 to {most:,}, found {text!r}", "such as 1,2,3")
    return found


def _of_a_pilot_alone(options: dict[str, str | None]) -> None:
    """Raises UserError if one of the options is given."""
    from gainsift.schemas.errors import UserError

    for option, given in options.items():
        if given is not None:
            raise UserError(option, "it names a part of a pilot, and there is none", "name a study, or leave it out")


def _pilot(study: Path, contrast: str | None, bucket: str, alpha: float | None) -> tuple[Population, float, Any]:
    from gainsift.analysis.pilot import read_pilot
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.study import Study

    with Console(stderr=True).status("reading the pilot"):
        found = read_pilot(Study.open(study), contrast, bucket)
    if alpha is None:
        if found.alpha is None:
            raise UserError(str(study), "no item of the pilot was judged twice", "say with --alpha what to expect")
        alpha = min(max(found.alpha, 0.0), 1.0)
    about = {"source": "pilot", "contrast": found.contrast, "bucket": bucket,
             "pilot_units": found.units, "pilot_decided": found.decided}  # fmt: skip
    return found.population, alpha, about


def _assumed(
    gained: float, lost: float, correct: float, family: int, icc: float, alpha: float | None
) -> tuple[Population, float, Any]:
    from gainsift.analysis.planned_study import Assumed
    from gainsift.schemas.errors import UserError

    if not gained + lost:
        raise UserError(
            "gainsift power", "neither a pilot nor shares", "name a judged study, or give --gained and --lost"
        )  # fmt: skip
    if gained + lost + correct > 1 + 1e-9:
        raise UserError("--gained", "--gained, --lost and --correct add up to more than 1", "lower --correct")
    about = {"source": "assumed", "gained": gained, "lost": lost, "correct": correct, "family": family, "icc": icc}
    return Assumed.of(gained, lost, correct, family, icc), 1.0 if alpha is None else alpha, about


def _simulate(
    population: Population,
    alpha: float,
    overlaps: list[int],
    wanted: Wanted,
    simulations: int,
    confidence: float,
    seed: int,
    sizes: list[int],
) -> Plan:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gainsift.analysis.power import plan, whole_sizes

    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=len(overlaps) * len(whole_sizes(population, sizes)))
        return plan(
            population, alpha, overlaps, wanted, simulations, confidence, seed, sizes, lambda: bar.advance(task)
        )  # fmt: skip
