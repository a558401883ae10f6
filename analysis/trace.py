"""From a number of the report back to the outputs and judgements that it was made of, and forward to it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from gainsift.analysis import (
    trace_agreement,
    trace_contrasts,
    trace_emergence,
    trace_precision,
    trace_shares,
)
from gainsift.analysis.report_cells import Cell
from gainsift.analysis.reproduce import read_run
from gainsift.analysis.trace_known import Known
from gainsift.analysis.trace_terms import Entering
from gainsift.schemas.errors import UserError
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.rows import Annotation

TRACERS: dict[str, Callable[[Known, Mapping[str, Any], str], Entering]] = {
    **trace_contrasts.TRACERS,
    **trace_shares.TRACERS,
    **trace_agreement.TRACERS,
    **trace_emergence.TRACERS,
    **trace_precision.TRACERS,
}
"""How each table is walked back: from the study, a row as the table's JSON has it, and a column."""
OUTPUT = ["row_id", "checkpoint", "setting", "prompt", "layer", "input_language", "output_language", "pair_id",
          "intended_concept", "shown_word", "answer", "closed"]  # fmt: skip
CLOSE = 1e-9


@dataclass(frozen=True)
class Traced:
    """`outputs`: the rows of translations with OUTPUT, item_id and probability (of its item to be judged, if it is).

    `judgements`: the lines that count for the items, or that the number is of. `agrees`: whether the number made again
    is the one in the report; None where it is not made again. `changed`: inputs of the report that are others now.
    """

    cell: Cell
    entering: Entering
    outputs: pd.DataFrame
    judgements: list[Annotation]
    agrees: bool | None
    seed: int
    resamples: int
    changed: list[str]


def trace(known: Known, cell: Cell) -> Traced:
    """Walk one number back. Raises UserError if the study no longer holds what it speaks of, or cannot be read."""
    entering, spec = entering_of(known, cell), known.study.config.analysis
    agrees = None
    if entering.again is not None and cell.value is not None:
        agrees = abs(entering.again - cell.value) <= CLOSE * max(1.0, abs(cell.value))
    judgements = _judgements(known, entering) if entering.judged else []
    return Traced(
        cell, entering, _outputs(known, entering), judgements, agrees, spec.seed, spec.bootstrap, _changed(known)
    )


def entering_of(known: Known, cell: Cell) -> Entering:
    """What enters a number. Raises UserError as `trace` does."""
    try:
        entering = TRACERS[str(cell.table["name"])](known, cell.row, cell.column)
    except (LookupError, StopIteration):
        raise UserError(
            cell.address, "the study's files no longer hold what this number speaks of",
            f"run `gainsift analyze {known.study.folder}` again",
        ) from None  # fmt: skip
    if cell.limit:
        how = next((note for note in cell.table["notes"] if "nterval" in note), "An interval.")
        return entering.without_figure(f"a limit of an interval over the clusters of these terms. {how}")
    return entering.without_figure(cell.reason) if cell.value is None else entering


def _outputs(known: Known, entering: Entering) -> pd.DataFrame:
    """In the order of the terms."""
    ids = list(dict.fromkeys(row_id for rows in entering.terms["rows"] for row_id in rows if row_id))
    if not ids:
        return pd.DataFrame(columns=[*OUTPUT, "item_id", "probability"])
    found: pd.DataFrame = known.study.translations_of(pa.array(ids, pa.string()), OUTPUT).to_pandas()
    found["layer"] = found["layer"].astype("Int64")
    found = found.drop_duplicates("row_id").set_index("row_id", drop=False).loc[ids].reset_index(drop=True)
    if not entering.judged:
        return found.assign(item_id=None, probability=None)
    about = known.frame[["row_id", "item_id", "probability"]].drop_duplicates("row_id")
    return found.merge(about, on="row_id", how="left")


def _judgements(known: Known, entering: Entering) -> list[Annotation]:
    if entering.lines is not None:
        passed = [line for lines in known.all.judgements.passed_over.values() for line in lines]
        every = {line.judgement_id: line for line in [*known.study.annotations(), *passed]}
        return [every[name] for name in sorted(entering.lines)]
    wanted = dict.fromkeys(item for items in entering.terms["items"] for item in items if item)
    keys = {item.item_id: item.content_key for item in known.all.items}
    votes, settled = known.all.judgements.votes, known.all.judgements.adjudicated
    found: list[Annotation] = []
    for key in (keys[item] for item in wanted if item in keys):
        found += [*votes.get(key, {}).values(), *([settled[key]] if key in settled else [])]
    return found


def _changed(known: Known) -> list[str]:
    """Inputs of the report, by its run record, whose content is another by now."""
    run = read_run(known.study.report_folder / "run.json")
    if run is None:
        return []
    found = []
    for name, digest in run.inputs.items():
        file = known.study.folder / name
        if not file.is_file() or file_hash(file) != digest:
            found.append(name)
    return found
