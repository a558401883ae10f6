"""The report of a tidy table: tables (csv, json, tex), figures (pdf, png), summary.json, run.json and report.html."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.house_style import rendered
from gainsift.analysis.latex_tables import to_latex
from gainsift.analysis.page import template
from gainsift.analysis.tables import Column, Table, display, plain, to_csv, to_json
from gainsift.analysis.tidy_analysis import TidyContrast, TidyResults
from gainsift.analysis.tidy_figures import tidy_figures
from gainsift.analysis.tidy_result_tables import MARK, bucket_name, result_tables
from gainsift.analysis.wording import counted
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.files import atomic, write_json, write_text
from gainsift.schemas.provenance import Run, write_run
from gainsift.schemas.taxonomy import Taxonomy

SUMMARY_FORMAT = "table_summary/1"


def write_tidy_report(
    results: TidyResults, taxonomy: Taxonomy, inputs: dict[str, Path], folder: Path, spec: AnalysisSpec, command: str,
    started: str,
) -> Path:  # fmt: skip
    """Write everything into `folder`, report.html last, and return its path; all is made before a file is written."""
    tables = result_tables(results, taxonomy)
    products = {f"tables/{name}": content for name, content in _files(tables).items()}
    images: list[tuple[str, bytes]] = []
    for stem, (title, figure) in tidy_figures(results, taxonomy).items():
        products |= {f"figures/{stem}.{kind}": rendered(figure, kind) for kind in ("pdf", "png")}
        images.append((title, rendered(figure, "svg")))
    for name, content in products.items():
        with atomic(folder / name) as file:
            file.write(content)
    run = write_run(
        folder / "run.json", "report of a table", command, started, inputs, {"analysis": spec.seed},
        {"bootstrap": spec.bootstrap, "confidence": spec.confidence, "taxonomy": taxonomy.version},
        {"items": results.agreement.items, "judgements": results.agreement.judgements},
    )  # fmt: skip
    write_json(folder / "summary.json", summary(results, taxonomy))
    page = folder / "report.html"
    write_text(page, _html(next(iter(inputs)), results, taxonomy, tables, images, run))
    return page


def _files(tables: dict[str, Table]) -> dict[str, bytes]:
    made = {}
    for name, table in tables.items():
        text = json.dumps(to_json(table), ensure_ascii=False, indent=2) + "\n"
        for kind, content in (("csv", to_csv(table)), ("json", text), ("tex", to_latex(table))):
            made[f"{name}.{kind}"] = content.encode("utf-8", "replace")
    return made


def _html(
    name: str, results: TidyResults, taxonomy: Taxonomy, tables: dict[str, Table], images: list[tuple[str, bytes]],
    run: Run,
) -> str:  # fmt: skip
    return template("tidy_report.html.j2").render(
        name=name,
        mark=MARK if results.simulated else "",
        taxonomy=taxonomy,
        tables=tables,
        figures=images,
        sentences=[(one, sentence(one, results.scored, taxonomy)) for one in results.contrasts],
        run=run,
    )


def sentence(contrast: TidyContrast, scored: bool, taxonomy: Taxonomy) -> str:
    """The contrast in plain words: `Apparent gain +31.0 [..] points; human gain +18.2 [..] (Ability +9.1; ...)`."""
    split = contrast.split
    if not split.units:
        return "No unit is present in both conditions with two usable verdicts: there is nothing to split."
    told = f"Apparent gain {_points(split.parts['apparent'])} points over {counted(split.units, 'unit')}; " * scored
    if not split.decided:
        return told + "no unit has two usable verdicts."
    told += f"{'h' if scored else 'H'}uman gain {_points(split.parts['human'])}"
    buckets = [
        f"{bucket_name(taxonomy, bucket)} {_points(one)}" for bucket, one in split.flow_buckets.items() if one.point
    ]
    told += f" ({'; '.join(buckets)})" if buckets else ""
    rest = {"undeserved": "undeserved credit", "missed": "missed", "undecided": "undecided"} if scored else {}
    parts = [f"{name} {_points(split.parts[key])}" for key, name in rest.items() if split.parts[key].point]
    told += f"; {', '.join(parts)}" if parts else ""
    return told + "."


def _points(one: Estimate) -> str:
    return display(Column("", "", "points", interval=True), one)


def summary(results: TidyResults, taxonomy: Taxonomy) -> dict[str, Any]:
    """summary.json: rates, not points."""

    def plainly(estimates: dict[str, Estimate]) -> dict[str, Any]:
        return {key: plain(one) for key, one in estimates.items()}

    return {
        "format": SUMMARY_FORMAT,
        "annotators": "simulated" if results.simulated else "human",
        "agreement": {"alpha": plain(results.agreement.alpha), "alpha_kind": plain(results.agreement_kind.alpha),
                      "items": results.agreement.items, "judgements": results.agreement.judgements,
                      "signature": results.signature},
        "conditions": [one.name for one in results.conditions],
        "contrasts": [
            {"name": one.name, "from": one.a, "to": one.b, "sentence": sentence(one, results.scored, taxonomy),
             "units": one.split.units, "decided": one.split.decided, "clusters": one.split.clusters,
             "parts": plainly({k: v for k, v in one.split.parts.items() if results.scored or k.startswith("human")}),
             "flow": plainly(one.split.flow_buckets), "share": plainly(one.split.share_buckets),
             "signature": one.signature}
            for one in results.contrasts
        ],
        "left_out": dict(sorted(results.left_out.items())),
    }  # fmt: skip
