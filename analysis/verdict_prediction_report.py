"""Probability and string match beside the verdicts of people: the rows, the tables and the figure."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.house_style import STYLE, TWO, drawn, frame
from gainsift.analysis.judged import Judged
from gainsift.analysis.linked_outputs import masses_of
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.shares import series_name
from gainsift.analysis.signature import signature
from gainsift.analysis.simultaneous import FEWEST, METHOD
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.verdict_prediction import by_category, predict
from gainsift.analysis.wording import MADE_UP, SIMULATED
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import Study

ALL = "all judged outputs"
PROBABILITY = (
    "Probability: next-token mass on the first tokens of the intended concept's words in the output language. String"
    " match: the automatic success of study.yaml. Outputs with a verdict only, each weighing one over the probability"
    " that its item was judged."
)

RARE = (
    "Intervals of a rate near 0 or 100 % are too short where all exceptions stand in a few clusters: in simulations of"
    " 60 clusters of 60 outputs, with a rate of 99.5 %, they then held it in some 85 % of studies instead of 95 %."
)


def verdict_rows(study: Study, judged: Judged) -> pd.DataFrame:
    """Judged outputs with a usable verdict: p, success, correct, label, weight, family, series, checkpoint.

    Where the rule for verdicts gives distributions, an output has one row for each label, with its share as weight.
    """
    frame = judged.frame
    frame = frame[frame["selected"].astype(bool) & frame["correct"].notna()]
    frame = frame[~frame["concept"].isin(list(excluded_concepts(study)))].reset_index(drop=True)
    masses = masses_of(study, frame["row_id"]).loc[frame["row_id"]]
    about = [is_about_source(*asked) for asked in zip(frame["setting"], frame["prompt"], strict=True)]
    layers = [None if pd.isna(layer) else int(layer) for layer in frame["layer"]]
    series = map(series_name, frame["setting"], frame["prompt"], layers)
    return pd.DataFrame(
        {
            "p": np.where(about, masses["p_source"].to_numpy(), masses["p_target"].to_numpy()),
            "success": frame["success"].astype(float),
            "correct": frame["correct"].astype(float),
            "label": frame["label"],
            "row_id": frame["row_id"],
            "weight": (frame["mass"] / frame["probability"]).to_numpy(float),
            "family": frame["family"],
            "series": list(series),
            "checkpoint": frame["checkpoint"],
        }
    )


def prediction_tables(study: Study, rows: pd.DataFrame, simulated: bool) -> list[Table]:
    """How well both predict the verdict: overall, by condition, by checkpoint, and by category."""
    spec = study.config.analysis
    how = f"{METHOD}; of AUC and r percentile limits, {spec.bootstrap:,} resamples of word families"
    notes = [*([MADE_UP] if simulated else []), PROBABILITY, f"{100 * spec.confidence:g} % intervals: {how}."]
    mark = SIMULATED if simulated else ""
    recipe = signature(
        prediction="auc+r+match", outputs=rows["row_id"].nunique(),
        boot=spec.bootstrap, ci=f"{spec.confidence:g}", rs=spec.seed,
        tax=study.taxonomy.version, source="simulated" if simulated else None,
    )  # fmt: skip
    sizes = [Column("outputs", "Outputs", "count"), Column("clusters", "Clusters", "count")]
    first = [
        Column("group", "Outputs of"), Column("correct", "Called correct", "rate", interval=True),
        Column("auc", "Probability: AUC", "coefficient", interval=True),
        Column("correlation", "… point-biserial r", "coefficient", interval=True),
        Column("accuracy", "String match agrees", "rate", interval=True),
        Column("hits", "Match if correct", "rate", interval=True),
        Column("false", "Match if not", "rate", interval=True), *sizes,
    ]  # fmt: skip
    checkpoints = [checkpoint.name for checkpoint in study.config.model.checkpoints]
    groups: dict[str, pd.DataFrame] = {ALL: rows}
    groups |= {str(name): rows[rows["series"] == name] for name in sorted(set(rows["series"]))}
    groups |= {name: rows[rows["checkpoint"] == name] for name in checkpoints if (rows["checkpoint"] == name).any()}
    found = {
        name: predict(part, spec.bootstrap, spec.confidence, generator(spec.seed, "prediction", name))
        for name, part in groups.items()
    }
    clusters = found[ALL].clusters
    few = f"{clusters} clusters: with fewer than {FEWEST} the intervals are unreliable."
    whole = Table(
        "prediction",
        "How well probability and string match predict the verdict" + mark,
        first,
        [{"group": name, **vars(value)} for name, value in found.items()],
        [*notes, RARE, *[few] * (clusters < FEWEST)],
        recipe,
    )
    second = [
        Column("category", "Category"), Column("name", "Label"),
        Column("probability", "Mean probability", "coefficient", interval=True),
        Column("matches", "String matches", "rate", interval=True),
        Column("auc", "AUC: correct against it", "coefficient", interval=True), *sizes,
    ]  # fmt: skip
    categories = by_category(
        rows, study.taxonomy.ids, spec.bootstrap, spec.confidence, generator(spec.seed, "prediction", "categories")
    )
    split = Table(
        "prediction_categories",
        "Probability and string match by category of the verdict" + mark,
        second,
        [{"name": study.taxonomy.category(one.category).label, **vars(one)} for one in categories],
        [*notes, "AUC: the chance that an output called correct has a higher probability than one of the category."],
        recipe,
    )
    return [whole, split]


def prediction_figures(study: Study, tables: list[Table], simulated: bool) -> dict[str, tuple[str, Figure]]:
    """Mean probability and share of string matches of each category, with intervals."""
    table = next(table for table in tables if table.name == "prediction_categories")
    title = table.title
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(TWO, 0.28 * len(table.rows) + 1.2))
        panel = figure.subplots()
        looks = (("probability", "mean probability", "#0072B2", "o", -0.14),
                 ("matches", "share of string matches", "#D55E00", "s", 0.14))  # fmt: skip
        for key, label, colour, marker, shift in looks:
            for place, row in enumerate(table.rows):
                value: Estimate = row[key]
                if value.point is None:
                    continue
                panel.plot(value.point, place + shift, marker, color=colour, markersize=5, zorder=3, clip_on=False,
                           markerfacecolor="white" if key == "matches" else colour,
                           label=label if place == 0 else None)  # fmt: skip
                if value.low is not None and value.high is not None:
                    panel.hlines(place + shift, value.low, value.high, color=colour, linewidth=1.1)
        panel.set_yticks(range(len(table.rows)), [f"{drawn(row['name'])} ({row['outputs']:,})" for row in table.rows])
        panel.set_xlim(-0.02, 1.02)
        panel.invert_yaxis()
        panel.set_xlabel("mean probability, or share, of the outputs of the category (number in brackets)")
        entries: tuple[Any, Any] = panel.get_legend_handles_labels()
        frame(figure, title, table.signature, entries)
    return {"prediction_categories": (title, figure)}
