"""The float32 audit: some outputs of a study in half precision, each beside what float32 makes of the same request."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from gainsift.schemas.record import Record
from gainsift.schemas.rows import item_answer
from gainsift.schemas.settings import Prompt

FLOAT32: Final = "float32"
FLOAT32_FORMAT = "float32_audit/1"


class Float32Audit(Record):
    """One output that was made twice. What differs between the two is noise of the precision, not of the model."""

    row_id: str = Field(description="Of the study's output; that of float32 has the same.")
    checkpoint: str = Field(description="Its name in study.yaml.")
    setting: str = Field(description="Where the vector comes from, as in translations.")
    prompt: Prompt = Field(description="Which prompt was continued.")
    input_language: str = Field(description="Language of the word that is translated.")
    output_language: str = Field(description="Language that it is to be translated into.")
    pair_id: str = Field(description="The prompt pair.")
    layer: int | None = Field(
        description="First patched layer; empty for unpatched rows.", json_schema_extra={"unit": "layer"}
    )
    intended_concept: str = Field(description="As in translations.")
    dtype: str = Field(description="Precision of the study's output: bfloat16 or float16.")
    answer: str = Field(description="The study's, exactly as decoded.")
    closed: bool = Field(description="Whether the study's reached the closing quote.")
    p_source: float = Field(
        description="Next-token mass on the source concept's words, output language.",
        json_schema_extra={"unit": "probability"},
    )
    p_target: float = Field(description="The same for the target concept.", json_schema_extra={"unit": "probability"})
    answer_float32: str = Field(description="What float32 says instead.")
    closed_float32: bool = Field(description="Whether that reached the closing quote.")
    p_source_float32: float = Field(
        description="Mass on the source concept's words in float32.", json_schema_extra={"unit": "probability"}
    )
    p_target_float32: float = Field(
        description="The same for the target concept.", json_schema_extra={"unit": "probability"}
    )


def text_differs(table: pa.Table) -> pa.ChunkedArray:
    """Which rows of a float32 audit have another answer, to the sign."""
    return pc.not_equal(table["answer"], table["answer_float32"])


def item_differs(table: pa.Table) -> pa.Array:
    """Which rows would be another item for annotators: another answer as items hold it, or another ending."""
    pairs = zip(
        *(table[name].to_pylist() for name in ("answer", "answer_float32", "closed", "closed_float32")), strict=True
    )
    return pa.array(
        [closed != again or (one != other and item_answer(one) != item_answer(other))
         for one, other, closed, again in pairs],
        pa.bool_(),
    )  # fmt: skip
