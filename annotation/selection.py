"""The population of a plan: the output rows that study.yaml (`annotation.rows`) asks to judge."""

from __future__ import annotations

import pandas as pd

from gainsift.schemas.config import Condition
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study

COLUMNS = [
    "row_id", "checkpoint", "setting", "prompt", "input_language", "output_language", "pair_id", "layer",
    "intended_concept", "other_concept", "shown_word", "answer", "closed",
]  # fmt: skip
CONTROL = "tgt_tgt"


def select(study: Study) -> tuple[pd.DataFrame, int]:
    """(the rows to judge, the number of rows on disk that are none of the study's).

    The rows have COLUMNS, `pair` ("en-de") and `trajectory` ("pair_id|input|output"). Outputs of a checkpoint or
    language pair that is no longer in study.yaml stay on disk, but are no part of the study.

    Empty lists in `annotation.rows` mean all, but the control settings (`tgt_tgt`, unpatched target prompts) come
    in only by name. Raises UserError for a name that no output carries, and when nothing is selected.
    """
    table, left_out = study.named(study.translations(COLUMNS))
    foreign = left_out.total()
    if not len(table):
        raise UserError(
            str(study.translations_folder),
            f"none of its {foreign} rows is of a checkpoint and language pair of study.yaml",
            f"mend study.yaml or run `gainsift generate {study.folder}`",
        )
    rows = table.to_pandas()
    rows["pair"] = rows["input_language"] + "-" + rows["output_language"]
    rows["trajectory"] = rows["pair_id"] + "|" + rows["input_language"] + "|" + rows["output_language"]
    if rows["row_id"].duplicated().any():
        twice = rows.loc[rows["row_id"].duplicated(), "row_id"].iloc[0]
        raise UserError(str(study.translations_folder), f"row {twice} stands twice", "remove the extra Parquet file")

    asked = study.config.annotation.rows
    checkpoints = [study.config.checkpoint(name).name for name in asked.checkpoints]
    settings = asked.settings or [name for name in study.config.generation.settings if name != CONTROL]
    prompts = asked.prompts or ["source"]
    pairs = [f"{given}-{out}" for given, out in asked.language_pairs]
    _must_occur(study, "checkpoints", checkpoints, rows["checkpoint"])
    _must_occur(study, "language_pairs", pairs, rows["pair"])
    unpatched = rows["setting"] == UNPATCHED
    _must_occur(study, "layers", asked.layers, rows.loc[~unpatched, "layer"])

    chosen = rows["setting"].isin(settings)
    chosen &= (unpatched & rows["prompt"].isin(prompts)) | (
        ~unpatched & (rows["layer"].isin(asked.layers) if asked.layers else True)
    )
    if checkpoints:
        chosen &= rows["checkpoint"].isin(checkpoints)
    if pairs:
        chosen &= rows["pair"].isin(pairs)
    if not chosen.any():
        raise UserError(
            str(study.config_file), "annotation.rows selects no output", "widen settings, prompts or layers"
        )
    selected: pd.DataFrame = rows[chosen].reset_index(drop=True)
    return selected, foreign


def _must_occur(study: Study, key: str, wanted: list[str] | list[int], column: pd.Series) -> None:
    found = column.dropna().unique()
    for name in wanted:
        if name not in found:
            known = sorted(found)
            have = f"{known[0]:g} to {known[-1]:g}" if key == "layers" and known else ", ".join(map(str, known[:8]))
            raise UserError(
                str(study.config_file),
                f"annotation.rows.{key} names {name}, of which there is no output (there is: {have or 'none'})",
                f"mend the key or run `gainsift generate {study.folder}`",
            )


def uncovered(study: Study, rows: pd.DataFrame) -> list[str]:
    """Conditions of the contrasts that have no row in the population, each in words."""
    missing = []
    for contrast in study.config.contrasts:
        for side, condition in (("from", contrast.a), ("to", contrast.b)):
            if not of_condition(study, rows, condition).any():
                missing.append(f"contrast {contrast.name!r}, {side}: none of its rows is among annotation.rows")
    return missing


def of_condition(study: Study, rows: pd.DataFrame, condition: Condition) -> pd.Series[bool]:
    """Which rows are those of one condition of a contrast."""
    hits: pd.Series[bool] = rows["checkpoint"] == study.config.checkpoint(condition.checkpoint).name
    hits &= (rows["setting"] == condition.setting) & (rows["prompt"] == condition.asked())
    if condition.layer is not None:
        hits &= rows["layer"] == condition.layer
    return hits
