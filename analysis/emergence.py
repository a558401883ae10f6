"""Emergence and alignment: what the outputs show without people, and how well that predicts what people say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from gainsift.analysis.emergence_bands import find
from gainsift.analysis.emergence_figures import emergence_figures
from gainsift.analysis.emergence_language_tables import language_tables
from gainsift.analysis.emergence_tables import emergence_tables, first_sentences
from gainsift.analysis.judged import Judged, judge
from gainsift.analysis.judgements import gather
from gainsift.analysis.tables import Table
from gainsift.analysis.verdict_prediction_report import prediction_figures, prediction_tables, verdict_rows
from gainsift.schemas.study import Study


@dataclass(frozen=True)
class Emergence:
    """`tables` by name, `figures` by file stem: (title, figure); `sentences` say from when on differences stand."""

    tables: dict[str, Table]
    figures: dict[str, tuple[str, Figure]]
    sentences: list[str]


def of_outputs(study: Study, progress: Callable[[str], None] = lambda step: None) -> Emergence:
    """What rests on outputs alone, from one pass over them. Raises UserError where there are none."""
    found = find(study, progress)
    tables = emergence_tables(found) + language_tables(found)
    return Emergence({table.name: table for table in tables}, emergence_figures(found), first_sentences(found))


def emergence(
    study: Study,
    judged: Judged | None = None,
    simulated: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Emergence:
    """The same with verdicts beside it, where there are any.

    `judged`, `simulated`: outputs joined with their judgements, and whether the annotators were made up, where that
    is known already; else they are read. Raises UserError where outputs or judgements cannot be used.
    """
    found = of_outputs(study, progress)
    if judged is None:
        judged, simulated = _judged(study)
    rows = verdict_rows(study, judged) if judged is not None else pd.DataFrame()
    if not len(rows):
        return found
    progress("probability and verdict")
    tables = prediction_tables(study, rows, simulated)
    return Emergence(
        found.tables | {table.name: table for table in tables},
        found.figures | prediction_figures(study, tables, simulated),
        found.sentences,
    )


def _judged(study: Study) -> tuple[Judged | None, bool]:
    """Outputs with judgements, if anybody real or simulated has judged any."""
    lines = study.annotations() if study.links_file.exists() else []
    if not any(
        line.study == study.id and line.role != "control" and line.source != "auto" and line.status == "judged"
        for line in lines
    ):
        return None, False
    items = study.items()
    keys = {item.content_key for item in items}
    judgements = gather(lines, keys, study.id, study.taxonomy, study.concepts, str(study.annotations_file))
    return judge(study, items, judgements), judgements.simulated
