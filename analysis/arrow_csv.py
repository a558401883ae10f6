"""Arrow tables as csv that R, spreadsheets and databases read alike.

Text stands in quotes, a missing value is nothing at all, truth is 1 and 0, numbers have all their digits. Text that a
spreadsheet would run gets a leading apostrophe; the character NUL, at which readers stop, becomes U+FFFD.
"""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.csv

from gainsift.schemas.spreadsheet import guarded


class ArrowCsv:
    """Writes tables of one schema, one after the other, under one header."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        fields = [
            pa.field(field.name, pa.int8() if pa.types.is_boolean(field.type) else field.type) for field in schema
        ]
        self._schema = pa.schema(fields)
        options = pyarrow.csv.WriteOptions(quoting_style="needed")  # all text, no number
        self._writer = pyarrow.csv.CSVWriter(file, self._schema, write_options=options)

    def write(self, table: pa.Table) -> None:
        columns = [_safe(column) if pa.types.is_string(column.type) else column for column in table.columns]
        self._writer.write_table(pa.table(columns, names=table.column_names).cast(self._schema))

    def close(self) -> None:
        self._writer.close()


def _safe(column: pa.ChunkedArray) -> pa.Array:
    """Each distinct text is looked at once."""
    coded = column.combine_chunks().dictionary_encode()
    texts = [guarded(text.replace("\0", "\ufffd")) for text in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(texts, pa.string())).cast(pa.string())
