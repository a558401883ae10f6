"""`gainsift analyze --table`: the analysis of anyone's tidy table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console


def analyze_table(
    table: Path, taxonomy: Path | None, out: Path | None, contrasts: Sequence[str], boot: int | None, seed: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Read, analyse, write the report into `out`, print the split of every contrast. Raises UserError."""
    from gainsift.analysis.tidy_analysis import analyse_table
    from gainsift.analysis.tidy_report import write_tidy_report
    from gainsift.analysis.tidy_table import read_tidy_table
    from gainsift.schemas.config import AnalysisSpec
    from gainsift.schemas.errors import UserError
    from gainsift.schemas.provenance import now
    from gainsift.schemas.taxonomy import load_taxonomy

    started = now()
    if out is None:
        raise UserError("--table", "it needs --out", "name the folder of the report: --out DIR")
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}", "expected a folder, found a file", "name another")
    asked = {"bootstrap": boot, "seed": seed}
    spec = AnalysisSpec.model_validate({key: value for key, value in asked.items() if value is not None})
    known = load_taxonomy(taxonomy)
    with Console(stderr=True).status("reading") as status:

        def progress(step: str) -> None:
            status.update(step)

        results = analyse_table(read_tidy_table(table, known), known, contrasts, spec, progress)
        progress("report")
        inputs = {table.name: table} | ({taxonomy.name: taxonomy} if taxonomy else {})
        command = " ".join(["gainsift analyze --table", str(table), "--out", str(out)])
        page = write_tidy_report(results, known, inputs, out, spec, command, started)
    if as_json:
        typer.echo((out / "summary.json").read_text("utf-8"), nl=False)
        return
    _show(out, page)


def _show(out: Path, page: Path) -> None:
    import json

    from rich.text import Text

    from gainsift.analysis.wording import visible

    found = json.loads((out / "summary.json").read_text("utf-8"))
    console = Console(highlight=False, soft_wrap=True)
    mark = " (simulated annotators)" if found["annotators"] == "simulated" else ""
    for contrast in found["contrasts"]:
        console.print(Text(visible(contrast["name"]) + mark, style="bold"))
        console.print(Text(visible(contrast["sentence"])))
    if not found["contrasts"]:
        console.print("No series has two conditions, and --contrast names none: nothing to split.")
    alpha = found["agreement"]["alpha"]
    told = alpha.get("reason", "") if alpha["point"] is None else f"{alpha['point']:.3f}"
    console.print(Text(f"Krippendorff's alpha: {told} ({found['agreement']['items']} items)"))
    for what, count in found["left_out"].items():
        console.print(Text(f"{count:6,}  {visible(what)}"))
    typer.echo(f"report: {page}")
