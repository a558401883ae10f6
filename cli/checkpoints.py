"""`gainsift checkpoints`: what there is of a model's series, and what a study takes of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import print_json, say
from gainsift.schemas.errors import UserError

if TYPE_CHECKING:
    from gainsift.generation.hub import Hub
    from gainsift.generation.resolution import News
    from gainsift.schemas.errors import GainsiftError
    from gainsift.schemas.fixed_checkpoints import FixedCheckpoints
    from gainsift.schemas.model import SeriesSpec
    from gainsift.schemas.study import Study


def checkpoints(
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="A hub repository (owner/name), a folder of model folders, or a study."),
    ] = None,
    family: Annotated[str | None, typer.Option(help="Row of the table of families; default: by the names.")] = None,
    policy: Annotated[str | None, typer.Option(help="Which to take: published, all, every:5, log:12, …")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all of a long series, not only what is taken.")
    ] = False,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="Print the section model for study.yaml.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Resolve a study's checkpoints anew, as of today.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """The checkpoints of a model, and which of them a policy takes.

    Of a study: what its series was resolved to (the first time it is resolved, into checkpoints.json), what of it is
    in the cache, and what the hub has more.

    Without MODEL: the table of families, and the policies.
    """
    from gainsift.cli import checkpoints_output as output
    from gainsift.generation.hub import Hub

    if as_json and as_yaml:
        raise UserError("--yaml", "JSON was asked for too", "give one of the two")
    if model is None:
        output.show_families(as_json)
    elif (Path(model) / "study.yaml").is_file():
        if family or policy or as_yaml:
            option = "--family" if family else "--policy" if policy else "--yaml"
            raise UserError(option, f"{model} is a study", "its model.series in study.yaml says it; edit that")
        _study(Path(model), Hub(), update, as_json)
    else:
        if update:
            raise UserError("--update", f"{model} is no study", "name a folder with a study.yaml")
        _model(model, family, policy, everything, as_yaml, as_json)


def _model(model: str, family: str | None, policy: str | None, everything: bool, as_yaml: bool, as_json: bool) -> None:
    """A repository or a folder, without a study."""
    from gainsift.cli import checkpoints_output as output
    from gainsift.generation.hub import Hub
    from gainsift.generation.series import list_series, size_of_one, specs_of

    hub = Hub()
    place = str(Path(model).resolve()) if as_yaml and Path(model).is_dir() else model  # study.yaml lies elsewhere
    listing = list_series(_source(place, family, policy), [], Path(), hub)
    if as_yaml:
        say(output.model_section(listing, specs_of(listing, hub)), nl=False)
    elif as_json:
        print_json(output.listing_data(listing))
    else:
        output.show_listing(listing, everything, size_of_one(listing, hub))


def _source(model: str, family: str | None, policy: str | None) -> SeriesSpec:
    """MODEL as a series: a folder that is there, else a repository."""
    from gainsift.schemas.model import SeriesSpec

    asked = {"family": family, "policy": policy or "published"}
    if Path(model).is_dir():
        return SeriesSpec.model_validate({"folder": model, **asked})
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", model):
        raise UserError(model, "no such folder", "give a folder, a study, or a hub repository as owner/name")
    return SeriesSpec.model_validate({"repo": model, **asked})


def _study(folder: Path, hub: Hub, update: bool, as_json: bool) -> None:
    from gainsift.cli import checkpoints_output as output
    from gainsift.generation.checkpoints import open_checkpoints
    from gainsift.generation.resolution import open_study
    from gainsift.schemas.fixed_checkpoints import read_fixed

    before = read_fixed(folder) if not update else None
    study = open_study(folder, hub=hub, update=update)
    fixed = read_fixed(folder)
    news, unasked = _news(study, fixed, hub) if before else (None, None)
    opened = open_checkpoints(study, hub)
    if as_json:
        told = output.study_data(study, opened, fixed, news, unasked)
        print_json(told)
    else:
        output.show_study(study, opened, fixed, news, unasked, fixed is not None and before is None)


def _news(study: Study, fixed: FixedCheckpoints | None, hub: Hub) -> tuple[News | None, GainsiftError | None]:
    """What there is today that the list has not; or why that cannot be said."""
    from gainsift.generation.resolution import news_of, news_of_list
    from gainsift.generation.series import list_series
    from gainsift.schemas.errors import GainsiftError

    model = study.config.model
    if fixed is None:
        return None, None
    try:
        if model.series is None:
            return news_of_list(fixed, hub), None
        return news_of(fixed, list_series(model.series, model.families, study.folder, hub)), None
    except GainsiftError as error:
        return None, error
