"""The population of a plan: the output rows that study.yaml (`annotation.rows`) asks to judge."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
    in only by name. Files are read one after the other, so that what nobody judges takes no more room than its ids.
    Raises UserError for a name that no output carries, and when nothing is selected.
    """
    asked, foreign = _Asked(study), 0
    ids: list[pa.ChunkedArray] = []
    chosen: list[pa.Table] = []
    known: dict[str, set[Any]] = {"checkpoints": set(), "language_pairs": set(), "layers": set()}
    for file in study.translation_tables(COLUMNS):
        table, left_out = study.named(file)
        foreign += left_out.total()
        pair = pc.binary_join_element_wise(table["input_language"], table["output_language"], "-")
        table = table.append_column("pair", pair)
        ids.append(table["row_id"])
        known["checkpoints"].update(pc.unique(table["checkpoint"]).to_pylist())
        known["language_pairs"].update(pc.unique(pair).to_pylist())
        patched = pc.not_equal(table["setting"], UNPATCHED)
        known["layers"].update(pc.unique(table["layer"].filter(patched)).drop_null().to_pylist())
        chosen.append(table.filter(asked.of(table, patched)))
    if not any(known.values()):
        raise UserError(
            str(study.translations_folder),
            f"none of its {foreign} rows is of a checkpoint and language pair of study.yaml",
            f"mend study.yaml or run `gainsift generate {study.folder}`",
        )
    _must_be_distinct(study, pa.chunked_array([chunk for part in ids for chunk in part.chunks], pa.string()))
    for key, wanted in (
        ("checkpoints", asked.checkpoints), ("language_pairs", asked.pairs), ("layers", asked.layers)
    ):  # fmt: skip
        _must_occur(study, key, wanted, known[key])
    rows: pd.DataFrame = pa.concat_tables(chosen).to_pandas()
    if rows.empty:
        raise UserError(
            str(study.config_file), "annotation.rows selects no output", "widen settings, prompts or layers"
        )
    rows["trajectory"] = rows["pair_id"] + "|" + rows["input_language"] + "|" + rows["output_language"]
    return rows, foreign


class _Asked:
    """What `annotation.rows` asks for; an empty list is no condition."""

    def __init__(self, study: Study) -> None:
        rows = study.config.annotation.rows
        self.checkpoints: Sequence[str] = [study.config.checkpoint(name).name for name in rows.checkpoints]
        self.settings = rows.settings or [name for name in study.config.generation.settings if name != CONTROL]
        self.prompts = rows.prompts or ["source"]
        self.pairs = [f"{given}-{out}" for given, out in rows.language_pairs]
        self.layers = rows.layers

    def of(self, table: pa.Table, patched: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which rows of a table are asked for: a mask."""

        def among(name: str, values: Sequence[Any]) -> pa.ChunkedArray:
            return pc.is_in(table[name], value_set=pa.array(values, table.schema.field(name).type))

        layer = pc.and_(patched, among("layer", self.layers)) if self.layers else patched
        mask = pc.and_(among("setting", self.settings), pc.if_else(patched, layer, among("prompt", self.prompts)))
        for name, values in (("checkpoint", self.checkpoints), ("pair", self.pairs)):
            if values:
                mask = pc.and_(mask, among(name, values))
        return mask


def _must_be_distinct(study: Study, ids: pa.ChunkedArray) -> None:
    if pc.count_distinct(ids).as_py() < len(ids):
        counts = pc.value_counts(ids)
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))[0].as_py()
        raise UserError(str(study.translations_folder), f"row {twice} stands twice", "remove the extra Parquet file")


def _must_occur(study: Study, key: str, wanted: Sequence[Any], found: Collection[Any]) -> None:
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
