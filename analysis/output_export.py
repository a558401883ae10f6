"""Every output of the study as a table, judged or not: success and probability masses, for R and others.

A row is one output; `row_id` joins it to the judgements of tidy_export. Files are read, and written, one after the
other, so that millions of outputs need little memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gainsift.analysis.arrow_csv import ArrowCsv
from gainsift.analysis.outputs import scorer
from gainsift.schemas.atomic import atomic
from gainsift.schemas.families import word_families
from gainsift.schemas.files import FORMAT_KEY, read_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import PATCHED, is_about_source
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study

OUTPUTS_FORMAT = "outputs/1"
TEXT, WHOLE, REAL, TRUTH = pa.string(), pa.int64(), pa.float64(), pa.bool_()
HOW_ASKED: dict[str, tuple[pa.DataType, str]] = {
    "checkpoint": (TEXT, "Name of the checkpoint."),
    "step": (WHOLE, "Optimiser steps of the checkpoint."),
    "tokens": (WHOLE, "Tokens seen by the checkpoint; 0 if unknown."),
    "setting": (TEXT, "Where the vector comes from: unpatched, tgt, seen, en_en, self or tgt_tgt."),
    "prompt": (TEXT, "Which prompt was continued: source or target."),
    "layer": (WHOLE, "First patched layer, from 0; empty for unpatched outputs."),
    "input_language": (TEXT, "Language of the word that is translated."),
    "output_language": (TEXT, "Language that it is translated into."),
    "pair_id": (TEXT, "The prompt pair."),
}
"""Columns that say where an output comes from."""
MASSES: dict[str, tuple[pa.DataType, str]] = {
    "p_source": (REAL, "Next-token mass on the source concept's words in the output language."),
    "p_target": (REAL, "The same for the target concept."),
}
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "row_id": (TEXT, "The output."),
    "unit": (TEXT, "Prompt pair | input language | output language."),
    "cluster": (TEXT, "Word family of the intended concept: outputs that move together."),
    **HOW_ASKED,
    "intended_concept": (TEXT, "The concept that the answer is held against."),
    "other_concept": (TEXT, "The other concept of the pair."),
    "shown_word": (TEXT, "The intended concept's word in the input language."),
    "answer": (TEXT, "The output up to the closing quote, as decoded."),
    "closed": (TRUTH, "Whether the closing quote was reached."),
    "success": (TRUTH, "Whether the answer equals a reference form, by the study's rule."),
    **MASSES,
}  # fmt: skip


ASKED = ("intended_concept", "output_language", "answer", "closed")


def columns_of(study: Study) -> dict[str, tuple[pa.DataType, str]]:
    """The data dictionary: COLUMNS, and the masses of both concepts in each language of the study."""
    masses = {
        f"{side}_{code}": (
            REAL,
            f"Next-token mass on the {side} concept's words in the language {code}; empty: it has none there.",
        )
        for side in ("source", "target")
        for code in study.config.languages()
    }
    return COLUMNS | masses


def schema_of(columns: Mapping[str, tuple[pa.DataType, str]], form: str) -> pa.Schema:
    """The Arrow schema of a data dictionary; each field carries its meaning, and the whole its format."""
    fields = [pa.field(name, kind, metadata={"meaning": meaning}) for name, (kind, meaning) in columns.items()]
    return pa.schema(fields, metadata={FORMAT_KEY: form.encode()})


def write_outputs(study: Study, folder: Path) -> int:
    """Write outputs.csv and outputs.parquet; returns the number of rows. Raises UserError as the analysis does."""
    schema = schema_of(columns_of(study), OUTPUTS_FORMAT)
    families = word_families(study.concepts.values())
    made_by, count = f"gainsift generate {study.folder}", 0
    with atomic(folder / "outputs.csv") as text, atomic(folder / "outputs.parquet") as binary:
        plain = ArrowCsv(text, schema)
        with pq.ParquetWriter(binary, schema, compression="zstd") as packed:
            for file in study.translation_files():
                table, _ = study.named(read_parquet(file, Translation, TRANSLATIONS_FORMAT, made_by))
                if len(table):
                    made = _outputs(study, table, families).select(schema.names).cast(schema)
                    plain.write(made)
                    packed.write_table(made)
                    count += len(made)
        plain.close()
    return count


def _outputs(study: Study, table: pa.Table, families: Mapping[str, str]) -> pa.Table:
    """The rows of one file with everything of `columns_of`."""
    unit = pc.binary_join_element_wise(table["pair_id"], table["input_language"], table["output_language"], "|")
    cluster = pa.array([families[concept] for concept in table["intended_concept"].to_pylist()], TEXT)
    found = table.append_column("unit", unit).append_column("cluster", cluster)
    found = found.append_column("success", pa.array(_success(study, table), TRUTH))
    names = json.loads((table.schema.metadata or {}).get(b"languages", json.dumps(study.config.languages())))
    about_source = pc.or_(pc.equal(table["prompt"], "source"), _about_source(table["setting"]))
    sides = {"source": ("intended_concept", "other_concept"), "target": ("other_concept", "intended_concept")}
    for side, (if_source, if_target) in sides.items():
        concepts = pc.if_else(about_source, table[if_source], table[if_target])
        column = table[f"{side}_mass"].combine_chunks()
        fits = bool(pc.all(pc.equal(pc.list_value_length(column), len(names))).as_py())
        for code in study.config.languages():
            known = fits and code in names  # a language may have been added to study.yaml since
            mass = pc.list_element(column, names.index(code)) if known else pa.nulls(len(table), REAL)
            with_words = [name for name, concept in study.concepts.items() if concept.forms(code)]
            has = pc.is_in(concepts, value_set=pa.array(with_words, TEXT))
            found = found.append_column(f"{side}_{code}", pc.if_else(has, mass, pa.scalar(None, REAL)))
    return found


def _about_source(setting: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether patched rows of these settings are about the source concept."""
    about = [name for name in PATCHED if is_about_source(name, "target")]
    return pc.is_in(setting, value_set=pa.array(about, TEXT))


def _success(study: Study, table: pa.Table) -> list[bool]:
    return list(map(scorer(study), *(table[name].to_pylist() for name in ASKED)))
