"""What needs no people as a report of its own: tables, figures and emergence.html, from outputs alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gainsift.analysis.emergence import Emergence
from gainsift.analysis.page import template, unbroken
from gainsift.analysis.precision import Precision
from gainsift.analysis.precision_tables import READING, precision_sentence, precision_tables
from gainsift.analysis.report_files import figure_files, write_files
from gainsift.analysis.table_files import table_files
from gainsift.schemas.files import write_text
from gainsift.schemas.lock import deviations, statement
from gainsift.schemas.provenance import write_run
from gainsift.schemas.study import Study


def write_emergence(
    study: Study, found: Emergence, noise: Precision, folder: Path, command: str, started: str,
    progress: Callable[[str], None] = lambda step: None,
) -> Path:  # fmt: skip
    """Write all into `folder`, emergence.html last, and return its path; it is made before a file is written."""
    tables = found.tables | {table.name: table for table in precision_tables(study, noise)}
    products = table_files(tables)
    pictures, images = figure_files(found.figures, progress)
    write_files(folder, products | pictures)
    spec = study.config.analysis
    inputs = {file.relative_to(study.folder).as_posix(): file for file in study.translation_files()}
    inputs |= {file.name: file for file in (study.config_file, study.concepts_file, study.float32_file)}
    run = write_run(
        folder / "emergence.run.json", "emergence", command, started, inputs, seeds={"analysis": spec.seed},
        settings={"bootstrap": spec.bootstrap, "confidence": spec.confidence, "layer": spec.layer},
    )  # fmt: skip
    page = folder / "emergence.html"
    text = template("emergence_report.html.j2").render(
        config=study.config,
        results={"emergence": found},
        precision_sentence=unbroken(precision_sentence(noise)),
        precision_reading=READING,
        said_above=[READING],
        tables=tables,
        figures=images,
        plan=statement(study, deviations(study)),
        run=run,
    )
    write_text(page, text)
    return page
