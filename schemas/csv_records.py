"""The records of a csv that somebody names, each with its line, or one line that says what is wrong with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from gainsift.schemas.errors import UserError
from gainsift.schemas.given_text import given_text


def csv_records(path: Path, remedy: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, cells) of every record that is not blank: the header, then others of its width.

    Raises UserError with file and line for a file that is missing, not UTF-8 or broken, and for a record of another
    width; `remedy` says what to name instead, such as `name a csv of words`.
    """
    reader = csv.reader(io.StringIO(given_text(path, remedy), newline=""), strict=True)
    start, width = 1, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}:{start}", f"broken row ({error})", "mend the quotes of that row") from None
        if any(cell.strip() for cell in cells):
            width = width or len(cells)
            if len(cells) != width:
                raise UserError(
                    f"{path}:{start}",
                    f"expected {width} fields as in the header, found {len(cells)}",
                    "mend that row (quote fields that hold commas)",
                )
            yield start, cells
        start = reader.line_num + 1
