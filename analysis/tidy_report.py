"""The report of a tidy table: tables (csv, json, tex), figures (pdf, png), summary.json, run.json and report.html."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gainsift.analysis.figures import figures
from gainsift.analysis.findings import Findings
from gainsift.analysis.page import template
from gainsift.analysis.report import on_page
from gainsift.analysis.report_files import figure_files, write_files
from gainsift.analysis.reproduce import history_of
from gainsift.analysis.summary import of_findings
from gainsift.analysis.table_files import table_files
from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import write_run

SUMMARY_FORMAT = "table_summary/2"


def write_tidy_report(
    results: Findings,
    inputs: dict[str, Path],
    folder: Path,
    command: str,
    started: str,
    progress: Callable[[str], None] = lambda step: None,
) -> Path:
    """Write everything into `folder`, report.html last, and return its path; all is made before a file is written.

    `inputs`: the table first, then the taxonomy if one was given.
    """
    spec, taxonomy = results.design.spec, results.design.taxonomy
    products = table_files(results.tables)
    progress("figures")
    pictures, images = figure_files(figures(results), progress)
    write_files(folder, products | pictures)
    run = write_run(
        folder / "run.json", "report of a table", command, started, inputs, {"analysis": spec.seed},
        {**spec.model_dump(mode="json"), "taxonomy": taxonomy.version,
         "annotators": "simulated" if results.simulated else "human"},
        {"items": results.agreement.items, "judgements": results.agreement.judgements,
         **{f"units of {one.contrast.name}": one.units.size for one in results.contrasts}},
    )  # fmt: skip
    conditions = {"conditions": [one.name for one in results.design.conditions]}
    write_json(folder / "summary.json", {"format": SUMMARY_FORMAT, **of_findings(results, conditions)})
    progress("report.html")
    page = folder / "report.html"
    name = next(iter(inputs))
    shown = on_page(results, images, run)
    write_text(page, template("tidy_report.html.j2").render(**shown, name=name, history=history_of([run])))
    return page
