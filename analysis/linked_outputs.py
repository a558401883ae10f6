"""The outputs that are linked or stand in a contrast, as numbers: each distinct text is held once.

Files are read one after the other and coded at once, so that ten million rows take little more than their ids.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gainsift.analysis.distinct_rows import DistinctRows, distinct_rows
from gainsift.analysis.inclusion import AGAIN
from gainsift.analysis.outputs import check_contrasts, condition_mask
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

OWN = ["row_id", "checkpoint", "step", "tokens", "layer"]
"""What tells apart rows that are alike in everything that a verdict depends on."""
SHARED = [
    "setting", "prompt", "input_language", "output_language", "pair_id", "intended_concept", "other_concept",
    "shown_word", "answer", "closed",
]  # fmt: skip
ASKED = ["checkpoint", "setting", "prompt", "layer"]
CODED = ("checkpoint", *SHARED[:-1])
_NUMBER = "number"


@dataclass(frozen=True)
class LinkedOutputs:
    """`own` [N]: the columns of OWN. `kinds` [D]: row_id of the first, SHARED and item_id of each distinct kind.

    `kind` [N] numbers the kind of each row; `left_out` counts the outputs that study.yaml does not name.
    """

    own: pd.DataFrame
    kinds: pd.DataFrame
    kind: npt.NDArray[np.intp]
    left_out: Counter[str]


def read_links(study: Study) -> pa.Table:
    """links.parquet, its items and trajectories coded."""
    return _coded(study.links(), ["item_id", "trajectory"])


def distinct_links(links: pa.Table) -> pd.DataFrame:
    """What the links say of items and trajectories, each combination once."""
    frame: pd.DataFrame = links.drop_columns("row_id").to_pandas()
    return frame.drop_duplicates().astype({"item_id": str, "trajectory": str}).reset_index(drop=True)


def linked_outputs(study: Study, links: pa.Table) -> LinkedOutputs:
    """Join outputs and links by row id. Raises UserError where they do not fit, or a row stands twice."""
    ids: list[pa.ChunkedArray] = []
    parts, asked = [], []
    left_out: Counter[str] = Counter()
    for table in study.translation_tables([*OWN, *SHARED]):
        number = pa.array(np.arange(len(table)) + sum(map(len, ids)))
        ids.append(table["row_id"])
        named, left = study.named(table.append_column(_NUMBER, number))
        left_out += left
        asked.append(named.select(ASKED).group_by(ASKED).aggregate([]))
        parts.append(_coded(named.append_column("in_contrast", _in_contrast(named, study)), CODED))
    check_contrasts(pa.concat_tables(asked), study)
    link = _link_of(pa.chunked_array([chunk for part in ids for chunk in part.chunks], pa.string()), links, study)
    del ids
    table = pa.concat_tables(parts).unify_dictionaries()
    del parts
    link = link[table[_NUMBER].to_numpy()]
    kept = (link >= 0) | table["in_contrast"].to_numpy()
    if not kept.all():
        table, link = table.filter(pa.array(kept)), link[kept]
    _check_once(table, link, study)
    items = links["item_id"].combine_chunks()
    item = np.where(link >= 0, items.indices.to_numpy()[link], -1)
    distinct = distinct_rows([*(_codes(table[name]) for name in SHARED), item])
    return LinkedOutputs(_own(table), _kinds(table, items.dictionary, item, distinct), distinct.kind, left_out)


def masses_of(study: Study, row_ids: pd.Series[str]) -> pd.DataFrame:
    """p_source and p_target of some outputs, by row_id."""
    table = study.translations_of(pa.array(row_ids.unique(), pa.string()), ["row_id", "p_source", "p_target"])
    found: pd.DataFrame = table.to_pandas().set_index("row_id")
    return found


def _coded(table: pa.Table, names: list[str] | tuple[str, ...]) -> pa.Table:
    for name in names:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].combine_chunks().dictionary_encode())
    return table


def _in_contrast(table: pa.Table, study: Study) -> pa.Array:
    mask = pa.chunked_array([np.zeros(len(table), bool)])
    for contrast in study.config.every_contrast():
        for condition in (contrast.a, contrast.b):
            mask = pc.or_(mask, condition_mask(table, study.config, condition))
    return mask


def _link_of(ids: pa.ChunkedArray, links: pa.Table, study: Study) -> npt.NDArray[np.int32]:
    """The number of the link of each output, -1 without: [all outputs]."""
    known = links["row_id"].combine_chunks()
    link = np.asarray(pc.fill_null(pc.index_in(ids, value_set=known), -1).to_numpy(), np.int32)
    met = np.zeros(len(known), bool)
    met[link[link >= 0]] = True
    if not met.all():
        lost = len(known) - int(pc.sum(pc.is_in(known, value_set=ids.combine_chunks())).as_py() or 0)
        if lost:
            raise UserError(
                str(study.links_file),
                f"{lost} rows are not in {study.translations_folder}",
                f"if `gainsift generate` is still at work, wait for it; else {AGAIN}",
            )
        raise _twice(study, "links.parquet", known.filter(pa.array(~met))[0].as_py())
    return link


def _check_once(table: pa.Table, link: npt.NDArray[np.int32], study: Study) -> None:
    linked = link[link >= 0]
    alone = table["row_id"].filter(pa.array(link < 0)).to_pandas()
    if len(linked) and np.bincount(linked).max() > 1:
        first = np.flatnonzero(np.bincount(linked) > 1)[0]
        raise _twice(study, "translations", table["row_id"][int(np.flatnonzero(link == first)[0])].as_py())
    if alone.duplicated().any():
        raise _twice(study, "translations", alone[alone.duplicated()].iloc[0])


def _twice(study: Study, name: str, row_id: str) -> UserError:
    return UserError(str(study.folder / name), f"row {row_id} stands twice", "make the files again")


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    if pa.types.is_dictionary(column.type):
        return np.asarray(column.combine_chunks().indices.to_numpy(zero_copy_only=False), np.int32)
    return np.asarray(column.to_numpy(zero_copy_only=False), np.int32)


def _own(table: pa.Table) -> pd.DataFrame:
    """Texts that occur often are objects, each held once."""
    frame: pd.DataFrame = table.select([name for name in OWN if name != "checkpoint"]).to_pandas()
    frame["layer"] = frame["layer"].astype("Int64")
    checkpoint = table["checkpoint"].combine_chunks()
    frame["checkpoint"] = checkpoint.dictionary.to_numpy(zero_copy_only=False)[checkpoint.indices.to_numpy()]
    return frame


def _kinds(table: pa.Table, items: pa.Array, item: npt.NDArray[np.intp], distinct: DistinctRows) -> pd.DataFrame:
    firsts: pd.DataFrame = table.select(["row_id", *SHARED]).take(pa.array(distinct.first)).to_pandas()
    firsts = firsts.astype({name: str for name in SHARED if name in CODED})
    of_kind = item[distinct.first]
    names = pd.Series(items.take(pa.array(np.maximum(of_kind, 0))).to_pandas() if len(items) else "", firsts.index)
    firsts["item_id"] = names.astype(str).where(of_kind >= 0)
    return firsts.rename(columns={"intended_concept": "concept"})
