"""The stage in a notebook: each function takes a study, or its folder, or a table of anybody's judgements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from gainsift.analysis import report, results, tidy_analysis
from gainsift.analysis.agreement import Agreement, agreement
from gainsift.analysis.contrast_results import contrast_results
from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.findings import Findings
from gainsift.analysis.levels import NUMERIC, Level
from gainsift.analysis.results import Results
from gainsift.analysis.split import Split
from gainsift.analysis.study_design import study_design
from gainsift.analysis.study_evidence import study_evidence
from gainsift.analysis.tables import Table
from gainsift.analysis.tidy_table import read_tidy_table
from gainsift.schemas.config import AnalysisSpec
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.study import Study, as_study
from gainsift.schemas.taxonomy import load_taxonomy

__all__ = [
    "analyse", "analyse_judgements", "frame_of", "load_rows", "measure_agreement", "split_gain", "write_report",
]  # fmt: skip


def load_rows(study: Study | Path | str) -> pd.DataFrame:
    """Every output that is analysed beside what people say of it: one row an output.

    Columns, among others: `checkpoint`, `setting`, `layer`, `condition`, `unit` (pair|input|output), `family` (word
    family, the cluster of every interval), `shown_word`, `answer`, `success` (the listed word), `label`, `kind`,
    `bucket`, `correct` (1, 0, NaN while undecided), `undecided` (why), `identical` (a pure copier gets it right),
    `probability` (that its item is judged; NaN outside the sample). Where `analysis.verdict` is dawid-skene or soft an
    output has one row for each label that it may have, and `mass` is that label's share. Raises UserError where files
    are missing or disagree.
    """
    return study_evidence(as_study(study)).rows.reset_index(drop=True)


def measure_agreement(
    judgements: pd.DataFrame,
    level: Level = "nominal",
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 12345,
) -> Agreement:
    """How far annotators agree: `judgements` has the columns `item`, `annotator`, `label`, a row for each judgement.

    Krippendorff's alpha and its relatives (see `gainsift.analysis.agreement.NAMES`), for all, each pair and each label,
    with intervals that resample items. Coefficients are at most 1, `percent` is 0 to 100. A missing label is a gap;
    every other one counts, `unsure` too, unless you take it out before. What is undefined is an Estimate
    without a point that says why. Raises UserError for a missing column, an item that an annotator labels twice, or
    labels that are no numbers where `level` needs them.
    """
    needed = ["item", "annotator", "label"]
    if absent := [name for name in needed if name not in judgements.columns]:
        raise UserError("judgements", f"no column {absent[0]!r}", f"expected {', '.join(needed)}")
    given = judgements.loc[judgements["label"].notna(), needed].astype(str)
    if (twice := given[given.duplicated(["item", "annotator"])]).size:
        item, annotator = twice.iloc[0][["item", "annotator"]]
        raise UserError("judgements", f"{annotator} labels item {item!r} twice", "keep the latest")
    labels: dict[str, dict[str, str]] = {}
    for item, annotator, label in given.itertuples(index=False):
        labels.setdefault(item, {})[annotator] = label
    if level in NUMERIC and (odd := given["label"][pd.to_numeric(given["label"], "coerce").isna()]).size:
        raise UserError("judgements", f"label {odd.iloc[0]!r} is no number", f"level {level!r} needs numbers")
    try:
        return agreement(labels, level, resamples, confidence, generator(seed, "agreement"))
    except ValueError as error:
        raise UserError("judgements", str(error), "check the labels") from None


def split_gain(study: Study | Path | str, contrast: str | None = None) -> Split:
    """The split of one contrast of study.yaml (default: the first), as the report has it.

    Figures are rates of units (0.31 is 31 points): `parts["apparent"]` = human + undeserved + missed + undecided, and
    `flow_buckets` add up to `parts["human"]`; each is an Estimate with point and limits. Raises UserError for an
    unknown contrast.
    """
    opened = as_study(study)
    known = study_evidence(opened)
    design = study_design(opened, known.judged.frame)
    names = [one.name for one in design.contrasts]
    if not names:
        raise UserError(str(opened.config_file), "no contrasts", "name one under `contrasts`")
    wanted = names[0] if contrast is None else contrast
    if wanted not in names:
        raise UserError(str(opened.config_file), f"no contrast {wanted!r}", did_you_mean(wanted, names))
    alone = replace(design, contrasts=[one for one in design.contrasts if one.name == wanted])
    frame = known.evidence.frame(design)
    return contrast_results(alone, frame, known.evidence.inclusion, {}, lambda step: None)[0].split


def analyse(study: Study | Path | str, progress: Callable[[str], None] = lambda step: None) -> Results:
    """The whole analysis of a study that was judged; nothing is written.

    `tables` holds every table of the report by its name (see `frame_of`), `contrasts` the splits, `shares` those of
    each condition, `agreement` the coefficients. `progress` hears each step. Raises UserError.
    """
    return results.analyse(as_study(study), progress)


def analyse_judgements(
    table: Path | str,
    contrasts: Sequence[str] = (),
    spec: AnalysisSpec | None = None,
    taxonomy: Path | str | None = None,
) -> Findings:
    """The same analysis of anybody's judgements: a csv or Parquet file with the columns unit, cluster, condition,
    annotator, label, and optional ones such as success and weight.

    `contrasts` as `A -> B` or `name: A -> B`; none: all consecutive conditions. `spec`: resamples, confidence, rules.
    `taxonomy`: a file of categories, by default the built-in ones. Raises UserError with file and line.
    """
    known = load_taxonomy(None if taxonomy is None else Path(taxonomy))
    return tidy_analysis.analyse_table(read_tidy_table(Path(table), known), known, contrasts, spec)


def frame_of(table: Table) -> pd.DataFrame:
    """A table of `Results.tables` as a frame: a column for each of its columns, two more for the limits of intervals.

    Rates are 0 to 1 and points differences of them, from -1 to 1, both unrounded; what is undefined is NaN.
    `attrs` of the frame holds title, notes and signature.
    """
    data: dict[str, pd.Series[Any]] = {}
    for column in table.columns:
        values = [row[column.key] for row in table.rows]
        if column.kind == "text":  # as objects: a name may hold what is no valid Unicode, which strings refuse
            data[column.key] = pd.Series(values, dtype=object)
            continue
        data[column.key] = pd.Series([value.point if isinstance(value, Estimate) else value for value in values])
        for limit in ("low", "high") if column.interval else ():
            data[f"{column.key}_{limit}"] = pd.Series([getattr(value, limit, None) for value in values], dtype=float)
    frame = pd.DataFrame(data)
    frame.attrs |= {"title": table.title, "notes": table.all_notes(), "signature": table.signature}
    return frame


def write_report(study: Study | Path | str, found: Results) -> Path:
    """Write tables, figures and `report.html` of an analysis to `report/` of the study; the path of the page."""
    opened = as_study(study)
    return report.write_report(opened, found, f"gainsift.analysis.write_report({str(opened.folder)!r})")
