"""`gainsift doctor`: what is installed here, and whether it fits together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gainsift.cli.terminal import print_json

if TYPE_CHECKING:
    from gainsift.cli.health import Health

SHOWN = 12


def doctor(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY]", help="Look at its disk and server too.", show_default=False)
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="ADDRESS", help="Another Label Studio than the study's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """What is installed here, and whether it fits together.

    Parts with their versions, versions that differ from those known to work together, cores and GPUs, room on the
    disks, and whether Label Studio answers. Exit status 1 if something has to be mended. No token is ever shown.
    """
    from gainsift.cli.health import examine
    from gainsift.schemas.study import Study

    found = examine(Study.open(study) if study else None, url)
    if as_json:
        print_json(found.as_dict())
    else:
        show(found)
    if found.problems:
        raise typer.Exit(1)


def show(found: Health) -> None:
    """Print the tables, then notes and problems."""
    import platform
    from importlib import metadata

    from gainsift.cli.installation import known_good_file
    from gainsift.cli.terminal import Console
    from gainsift.schemas.visible_text import visible

    console = Console(highlight=False, markup=False, soft_wrap=True)
    version = metadata.version("gainsift")
    console.print(f"gainsift {version}, Python {platform.python_version()}, {platform.platform()}\n")
    _show_parts(found)
    console.print(f"\n{_versions(found)}")
    console.print(f"versions known to work together: {known_good_file()}")
    for name, (here, good) in list(found.different.items())[:SHOWN]:
        console.print(f"  {name} is {here} here, {good} there")
    if len(found.different) > SHOWN:
        console.print(f"  and {len(found.different) - SHOWN} more; --json lists all")
    if not found.different:
        console.print("  none that is installed differs")
    for line in (_machine(found), *_disks(found), _server(found)):
        console.print(visible(line))
    console.print()
    for text in found.notes:
        console.print(visible(f"note: {text}"))
    for text in found.problems:
        console.print(visible(f"problem: {text}"))
    if not found.problems:
        console.print("Nothing has to be mended.")


def _show_parts(found: Health) -> None:
    from rich.table import Table

    from gainsift.cli.installation import USES
    from gainsift.cli.terminal import Console

    table = Table("part", "what for", "state", box=None, pad_edge=False)
    for part in found.parts:
        missing = f"missing: {', '.join(part.missing)}" if part.missing else "unknown"
        table.add_row(part.name, USES[part.name], "complete" if part.complete else missing)
    Console(highlight=False, markup=False).print(table)


def _versions(found: Health) -> str:
    here = {one.name: one.installed for part in found.parts for one in part.packages if one.installed}
    return f"installed: {', '.join(f'{name} {version}' for name, version in here.items())}"


def _machine(found: Health) -> str:
    from gainsift.generation.disk import size_word

    here = found.devices
    cuda = ", ".join(f"{one.name} ({size_word(one.memory_bytes)})" for one in here.cuda) or "no CUDA device"
    return f"machine: {here.cores} cores, {size_word(here.memory_bytes)} memory; {cuda}"


def _disks(found: Health) -> list[str]:
    from gainsift.generation.disk import size_word

    return [f"disk: {size_word(place.free_bytes)} free in {place.folder} ({place.use})" for place in found.places]


def _server(found: Health) -> str:
    if found.server is None:
        return "Label Studio: none was asked; name a study whose server runs, or --url"
    told = f"release {found.server.release}, token {found.server.token}" if found.server.release else "no answer"
    return f"Label Studio: {found.server.url}, {told}"
