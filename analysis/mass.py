"""Mean next-token probability mass on the source concept's words, by checkpoint, setting and layer."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gainsift.analysis.outputs import excluded_concepts
from gainsift.schemas.study import Study

KEYS = ["checkpoint", "setting", "prompt", "layer"]


def mean_mass(study: Study) -> pd.DataFrame:
    """Columns: checkpoint, setting, prompt, layer (NA if unpatched), mass (mean of p_source), rows.

    The mean is over the prompt pairs and language pairs of the study, without concepts that it excludes; no
    judgement enters. Checkpoints in training order.
    """
    excluded = pa.array(sorted(excluded_concepts(study)), pa.string())
    parts = []
    for file in study.translation_tables([*KEYS, "input_language", "output_language", "intended_concept", "p_source"]):
        table, _ = study.named(file)
        table = table.filter(pc.invert(pc.is_in(table["intended_concept"], excluded)))
        parts.append(table.group_by(KEYS).aggregate([("p_source", "sum"), ("p_source", "count")]))
    sums = [(name, "sum") for name in ("p_source_sum", "p_source_count")]
    names = {"p_source_sum_sum": "mass", "p_source_count_sum": "rows"}
    grouped = pa.concat_tables(parts).group_by(KEYS).aggregate(sums)
    frame: pd.DataFrame = grouped.to_pandas().rename(columns=names).astype({"layer": "Int64"})
    frame["mass"] /= frame["rows"]
    order = {checkpoint.name: place for place, checkpoint in enumerate(study.config.model.checkpoints)}
    frame["place"] = frame["checkpoint"].map(order)
    frame = frame.sort_values(["place", "setting", "prompt", "layer"])
    return frame.drop(columns="place").reset_index(drop=True)
