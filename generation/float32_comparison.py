"""Outputs that were made again in float32, each beside the study's own, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gainsift.generation.plan import Plan
from gainsift.generation.shards import files_of
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import arrow_schema, read_parquet, refuse_newer, write_parquet
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit, text_differs
from gainsift.schemas.rows import Translation
from gainsift.schemas.study import TRANSLATIONS_FORMAT

TWICE = ("answer", "closed", "p_source", "p_target")
"""What each of the two outputs says; the other columns are the same of both."""
SHARED = [name for name in Float32Audit.model_fields if name in Translation.model_fields and name not in TWICE]
AGAIN = "gainsift generate with --audit-float32"


@dataclass(frozen=True)
class Compared:
    """Rows of the file, those whose text differs, and whether the file is another than before."""

    rows: int
    text_differs: int
    changed: bool


def compare(plan: Plan, dtypes: dict[str, str]) -> Compared:
    """Write the study's float32_audit.parquet from all rows under the root of the audit's `plan`.

    `dtypes` are the precisions of the study by checkpoint. Raises UserError if the study lacks one of the rows.
    """
    study = plan.study
    parts = []
    for job in plan.jobs:
        name = job.checkpoint.name
        again = _rows(files_of(plan.folder(job.checkpoint), job.pair))
        own = _rows(files_of(study.translations_folder / name, job.pair), again["row_id"])
        place = pc.index_in(again["row_id"], value_set=own["row_id"])
        if place.null_count:
            raise UserError(
                str(plan.folder(job.checkpoint)), f"{place.null_count} rows are not in {study.translations_folder}",
                "run again with --redo to make the files anew",
            )  # fmt: skip
        parts.append(_beside(own.take(place), again, dtypes[name]))
    table = pa.concat_tables(parts).combine_chunks().cast(arrow_schema(Float32Audit, FLOAT32_FORMAT))
    changed = table != _before(study.float32_file)
    if changed:
        write_parquet(study.float32_file, Float32Audit, table, FLOAT32_FORMAT)
    return Compared(len(table), pc.sum(text_differs(table)).as_py() or 0, changed)


def _rows(files: list[Path], ids: pa.ChunkedArray | None = None) -> pa.Table:
    """The rows of some files, of those `ids` if any are given."""
    columns = [*SHARED, *TWICE]
    tables = [arrow_schema(Float32Audit, FLOAT32_FORMAT).remove_metadata().empty_table().select(columns)]
    for file in files:
        table = read_parquet(file, Translation, TRANSLATIONS_FORMAT, AGAIN, columns).replace_schema_metadata(None)
        tables.append(table if ids is None else table.filter(pc.is_in(table["row_id"], value_set=ids)))
    return pa.concat_tables(tables)


def _beside(own: pa.Table, again: pa.Table, dtype: str) -> pa.Table:
    columns = {name: own[name] for name in [*SHARED, *TWICE]}
    columns |= {f"{name}_float32": again[name] for name in TWICE}
    columns["dtype"] = pa.array([dtype] * len(own), pa.string())
    schema = arrow_schema(Float32Audit, FLOAT32_FORMAT)
    return pa.table([columns[name] for name in schema.names], names=schema.names)


def _before(path: Path) -> pa.Table | None:
    """What the file holds already; None where it cannot be read. Raises UserError if a newer version wrote it."""
    refuse_newer(path, FLOAT32_FORMAT)
    try:
        return read_parquet(path, Float32Audit, FLOAT32_FORMAT, AGAIN).combine_chunks()
    except UserError:
        return None
