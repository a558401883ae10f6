"""`gainsift annotate table`: anyone's Label Studio export becomes the long table of `gainsift agreement`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gainsift.cli.terminal import print_csv, print_json, say

if TYPE_CHECKING:
    from gainsift.annotation.foreign import Table


class PathPart(StrEnum):
    """Which step of a tree's path is the label."""

    FULL = "full"
    LEAF = "leaf"
    TOP = "top"


class Multiple(StrEnum):
    """What becomes of a judgement with several labels."""

    JOIN = "join"
    LEAVE_OUT = "leave-out"


def table(
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT...", help="Label Studio exports, format JSON.")],
    from_name: Annotated[
        str | None, typer.Option("--from-name", metavar="NAME", help="The field, if there are several.")
    ] = None,
    path: Annotated[PathPart, typer.Option(help="Of a Taxonomy path: all steps, the last or the first.")] = (
        PathPart.FULL
    ),
    multiple: Annotated[
        Multiple, typer.Option(help="Several labels of one judgement become one label, or it is left out.")
    ] = Multiple.JOIN,
    item_key: Annotated[
        str | None,
        typer.Option("--item-key", metavar="KEY", help="Key of the task data that names the item; else its number."),
    ] = None,
    ground_truth: Annotated[
        bool, typer.Option("--ground-truth", help="Take in annotations that are marked as ground truth.")
    ] = False,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="The server's numbers of annotators instead of 1, 2, ...")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="Instead of the standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print rows and counts as JSON instead of csv.")] = False,
) -> None:
    """Any Label Studio export -> item,annotator,label.

    For `gainsift agreement`: one row for each annotator and item, the latest judgement. What is left out is counted.
    """
    from gainsift.annotation.foreign import long_table, to_csv
    from gainsift.annotation.label_studio_json import read_tasks
    from gainsift.schemas.atomic import atomic
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now, write_run

    started = now()
    if out is not None and out.resolve() in [file.resolve() for file in exports]:
        raise UserError("--out", f"{out} is one of the exports", "name another file")
    made = long_table(
        [task for file in exports for task in read_tasks(file)],
        from_name=from_name,
        path=path.value,
        multiple=multiple.value,
        item_key=item_key,
        ground_truth=ground_truth,
        keep_ids=keep_ids,
    )
    counts = [f"{number:,} {reason}" for reason, number in made.counts.items()]
    if not made.rows:
        raise UserError(str(exports[0]), f"no judgement is left: {'; '.join(counts) or 'nobody has judged'}")
    if as_json:
        print_json(_as_dict(made))
    elif out is None:
        print_csv(to_csv(made))
    if out is not None:
        with atomic(out) as file:
            file.write(to_csv(made))
        command = " ".join(["gainsift annotate table", *map(str, exports)])
        settings = {"from_name": from_name, "path": path.value, "multiple": multiple.value, "item_key": item_key,
                    "ground_truth": ground_truth, "keep_ids": keep_ids}  # fmt: skip
        inputs = {str(file): file for file in exports}
        write_run(out.with_suffix(".run.json"), out.name, command, started, inputs, None, settings,
                  {"judgements": len(made.rows), **made.counts})  # fmt: skip
    judged = f"{len(made.rows):,} judgements of {made.items:,} items by {made.annotators:,} annotators"
    say(f"{judged}, from {made.tasks:,} tasks", err=True)
    for line in counts:
        say(line, err=True)
    if not made.shared:
        remedy = "where each annotator has a project, --item-key tells which tasks show the same"
        say(f"no item was judged by two annotators: {remedy}", err=True)


def _as_dict(made: Table) -> dict[str, Any]:
    rows = [{"item": item, "annotator": annotator, "label": label} for item, annotator, label in made.rows]
    counts = {"tasks": made.tasks, "items": made.items, "annotators": made.annotators}
    return {"rows": rows, **counts, "counts": made.counts}
