"""The stage in a notebook: each function takes a study, or its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gainsift.generation.checkpoints import Device, Dtype, require_generation
from gainsift.schemas.study import Study, as_study

if TYPE_CHECKING:
    import pandas as pd

    from gainsift.generation.forecast import Forecast
    from gainsift.generation.run import Summary

__all__ = ["foretell", "generate", "load_outputs"]
OF_NAMES = ("checkpoint", "input_language", "output_language")


def foretell(study: Study | Path | str, device: Device = "auto", dtype: Dtype = "auto") -> Forecast:
    """What `generate` would do: rows, token-forwards, bytes and seconds, by checkpoint. No weights are loaded.

    `total("rows")`, `total("disk_bytes")` and so on add up the checkpoints; `seconds` are of the clock, estimated from
    a test product on this machine. Raises UserError for a study that cannot be generated.
    """
    require_generation()
    from gainsift.generation.forecast import forecast
    from gainsift.generation.local_engine import LocalEngine
    from gainsift.generation.ready import SHARD_ROWS, plan_work

    engine = LocalEngine()
    plan, ready = plan_work(_resolved(study, write=False), engine.device(device), dtype, SHARD_ROWS, False)
    return forecast(plan, ready, engine, dtype)


def generate(
    study: Study | Path | str,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: int | None = None,
    redo: bool = False,
    audit_share: float | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Make every output of study.yaml that is missing: checkpoint × setting × language pair × prompt pair × layer.

    Writes `concepts.jsonl`, `prompts.parquet` and `translations/`, as `gainsift generate` does, and goes on where an
    earlier run was stopped. `device`: auto, cpu or cuda. `dtype`: auto, float32, bfloat16 or float16. `batch_size`:
    rows that run together, by default what fits the memory; it changes no row. `redo`: outputs of an earlier request
    are made anew. `audit_share`: this share (0 to 1) is made again in float32. `say` hears how far it is.

    Raises UserError (study.yaml, words or checkpoints are at fault; nothing was written) or WorkError (the work
    failed; what was finished stands).
    """
    require_generation()
    from gainsift.generation import run
    from gainsift.generation.engines import Watch

    opened = _resolved(study, write=True)
    watch = Watch(say=say, wait=say, warn=say)
    command = f"gainsift.generation.generate({str(opened.folder)!r})"
    return run.generate(opened, device, dtype, batch_size, redo, watch, command, audit_share=audit_share)


def load_outputs(study: Study | Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """One row for each output that study.yaml asks for; `columns` names some, by default all of `Translation`.

    Masses (`p_source`, `p_target`) are probabilities from 0 to 1, NaN where they were not measured; `source_mass` and
    `target_mass` hold one for each language of the study, `[L]`; `layer` is NaN where nothing was patched. Raises
    UserError if there are no outputs.
    """
    opened = as_study(study)
    wanted = None if columns is None else list(columns)
    table, _ = opened.named(opened.translations(wanted and list(dict.fromkeys([*wanted, *OF_NAMES]))))
    frame: pd.DataFrame = (table.select(wanted) if wanted else table).to_pandas()
    return frame


def _resolved(study: Study | Path | str, write: bool) -> Study:
    """With its series of checkpoints resolved, as the command opens it."""
    from gainsift.generation.resolution import open_study

    return open_study(study.folder if isinstance(study, Study) else Path(study), write=write)
