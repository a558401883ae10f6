"""`gainsift import`: results of other programs become a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gainsift.cli.terminal import print_json, say

app = typer.Typer(name="import", help="Bring results of other programs into a study.", no_args_is_help=True)


@app.callback()
def importing() -> None:
    """Bring results of other programs into a study."""


@app.command("clap")
def clap(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Results: searched for exp_args.json.")],
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder, with its study.yaml.")],
    prompts: Annotated[Path, typer.Option("--prompts", help="The prompts as csv; docs/words.md says how.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Results of the published concept patching code -> prompts.parquet and translations/.

    study.yaml names the checkpoints, language pairs and words. Of patched runs only the first batch comes in: in later
    ones the source vectors are of other concepts.
    """
    from gainsift.generation.clap_import import import_clap
    from gainsift.generation.clap_rows import LATER_BATCHES
    from gainsift.schemas.study import Study

    opened = Study.open(study)
    done = import_clap(folder, opened, prompts, f"gainsift import clap {folder} {study} --prompts {prompts}")
    if as_json:
        print_json({**vars(done), "left_out": dict(done.left_out)})
        return
    say(f"{done.rows} rows of {done.runs} runs in {done.files} files under {opened.translations_folder}")
    say(f"{done.prompt_pairs} prompt pairs")
    if done.cut:
        say(f"  a prompt tail was taken off {done.cut} answers")
    if done.unlike:
        say(f"  {done.unlike} unpatched answers differ between their repeats; the first was kept")
    for reason, number in done.left_out.items():
        say(f"  left out: {number} {reason}")
    if done.left_out[LATER_BATCHES]:
        say("  notice: generate the rest anew with `gainsift generate` in a study of its own")
