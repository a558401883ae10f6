"""The report folder: tables, figures, summary.json, run.json, and one report.html to read from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.examples import MISSED, UNDESERVED, Example
from gainsift.analysis.findings import Findings, warnings
from gainsift.analysis.intervals import caution
from gainsift.analysis.item_list import items_table
from gainsift.analysis.item_page import items_on_page
from gainsift.analysis.page import template, unbroken
from gainsift.analysis.precision_tables import READING, precision_sentence
from gainsift.analysis.report_files import Images, figure_files, write_files
from gainsift.analysis.reproduce import history
from gainsift.analysis.results import Results
from gainsift.analysis.sensitivity_tables import sensitivity_sentence
from gainsift.analysis.signature import meanings
from gainsift.analysis.study_figures import study_figures
from gainsift.analysis.summary import (
    agreement_sentence,
    anchoring_sentence,
    audit_sentence,
    chance_sentence,
    contrast_sentence,
    summary,
)
from gainsift.analysis.table_files import table_files
from gainsift.analysis.tables import to_csv
from gainsift.analysis.wording import MADE_UP
from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.lock import deviations, lock_file, statement
from gainsift.schemas.provenance import Run, now, write_run
from gainsift.schemas.study import Study


def write_report(
    study: Study,
    results: Results,
    command: str = "",
    started: str | None = None,
    progress: Callable[[str], None] = lambda step: None,
    changes: Sequence[str] | None = None,
) -> Path:
    """Write everything under report/ and return the path of report.html.

    Everything is made in memory before the first file is written; report.html comes last. Files that an
    earlier analysis left and this one does not make are removed, other people's files are not touched.
    `changes`: `deviations(study)`, of a caller that has them already.
    """
    started = started or now()
    products = table_files(results.tables)
    listed = items_table(results.items, results.signature)
    products["tables/items.csv"] = to_csv(listed).encode("utf-8", "replace")
    progress("figures")
    pictures, images = figure_files(study_figures(study, results), progress)
    products |= pictures
    folder = study.report_folder
    before = _listed(folder)
    write_files(folder, products)
    run = _run(study, results, command or f"gainsift analyze {study.folder}", started)
    write_json(folder / "summary.json", {**summary(study, results), "files": sorted(products)})
    for name in before - products.keys():
        (folder / name).unlink(missing_ok=True)
    progress("report.html")
    page = folder / "report.html"
    changes = deviations(study) if changes is None else changes
    write_text(page, html(study, results, images, run, changes))
    return page


def _listed(folder: Path) -> set[str]:
    """The tables and figures that the earlier summary.json names, if they lie where ours do."""
    try:
        data = json.loads((folder / "summary.json").read_text("utf-8"))
        names = {str(name) for name in data["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if len(parts := name.split("/")) == 2 and parts[0] in ("tables", "figures")}


def _run(study: Study, results: Results, command: str, started: str) -> Run:
    spec = study.config.analysis
    files = [study.config_file, study.concepts_file, study.prompts_file, study.items_file, study.links_file,
             study.prelabels_file, study.float32_file, study.annotations_file, lock_file(study),
             *study.translation_files()]  # fmt: skip
    if study.config.taxonomy:
        files.append(study.path(study.config.taxonomy))
    return write_run(
        study.report_folder / "run.json",
        "report",
        command,
        started,
        {_relative(file, study.folder): file for file in files},
        seeds={"analysis": spec.seed},
        settings={**spec.model_dump(mode="json"), "taxonomy": study.taxonomy.version,
                  "annotators": "simulated" if results.simulated else "human"},
        counts={"items": results.agreement.items, "judgements": results.agreement.judgements,
                **{f"units of {r.contrast.name}": r.units.size for r in results.contrasts}},
    )  # fmt: skip


def _relative(file: Path, folder: Path) -> str:
    inside = file.resolve().is_relative_to(folder.resolve())
    return file.resolve().relative_to(folder.resolve()).as_posix() if inside else str(file)


# --- report.html -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One contrast in words. `number` is that of its figures."""

    result: ContrastResult
    where: str
    sentence: str
    chance: str
    number: str


def html(study: Study, results: Results, images: Images, run: Run, changes: Sequence[str]) -> str:
    """The page, with every figure inside; all text is escaped, nothing is loaded from anywhere."""
    return template("report.html.j2").render(
        **on_page(results, images, run, changes),
        config=study.config,
        anchoring_sentence=unbroken(anchoring_sentence(results)),
        audit_sentence=unbroken(audit_sentence(results)),
        precision_sentence=unbroken(precision_sentence(results.precision)),
        precision_reading=READING,
        examples=list(_by_group(results).items()),
        differing=(UNDESERVED, MISSED),
        listed=items_on_page(results.items, study.taxonomy),
        moved=results.moved,
        history=history(study, run),
        plan=statement(study, changes),
        traceable=True,
    )


def on_page(results: Findings, images: Images, run: Run, further: Sequence[str] = ()) -> dict[str, Any]:
    """What the sections of any input's page need. `further`: warnings of that input alone."""
    return {
        "results": results,
        "design": results.design,
        "spec": results.design.spec,
        "mark": results.mark,
        "tables": results.tables,
        "figures": images,
        "contrasts": [
            Told(
                result,
                result.contrast.where,
                unbroken(contrast_sentence(results.design, result)),
                chance_sentence(results.design, result),
                str(number),
            )
            for number, result in enumerate(results.contrasts, start=1)
            if not result.step
        ],
        "agreement_sentence": unbroken(agreement_sentence(results)),
        "sensitivity_sentences": sensitivity_sentences(results),
        "caution": partial(caution, spec=results.design.spec),
        "labels": {category.id: category.label for category in results.design.taxonomy.categories},
        "warnings": [*further, *warnings(results.design.spec)],
        "said_above": [*warnings(results.design.spec), MADE_UP, READING],
        "run": run,
        "meanings": meanings([table.signature for table in results.tables.values()]),
    }


def sensitivity_sentences(results: Findings) -> list[str]:
    """One for each contrast that has other readings."""
    names = dict.fromkeys(one.contrast for one in results.sensitivity)
    return [told for name in names if (told := unbroken(sensitivity_sentence(results.sensitivity, name)))]


def _by_group(results: Results) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = {}
    for example in results.examples:
        groups.setdefault(example.group, []).append(example)
    return groups
