"""The stage in a notebook: each function takes a study, or its folder."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from gainsift.annotation.accounts import accounts, private_map
from gainsift.annotation.current import current_judgements
from gainsift.annotation.export import Exported, export
from gainsift.annotation.homecoming import Imported
from gainsift.annotation.label_studio_export import import_exports
from gainsift.annotation.one_at_a_time import one_at_a_time
from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.plan_summary import Summary
from gainsift.annotation.progress import Status
from gainsift.annotation.progress import status as _status
from gainsift.annotation.recording import record_import, record_machine
from gainsift.annotation.simulated import Simulated
from gainsift.annotation.simulated import simulate as _simulate
from gainsift.schemas.provenance import now
from gainsift.schemas.rows import Source
from gainsift.schemas.study import Study, as_study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export_tasks", "load_judgements", "plan_items", "simulate", "status", "take_home"]


def plan_items(study: Study | Path | str, write: bool = True) -> Summary:
    """Choose outputs, merge equal ones into items, share the items out to annotators; the figures of that plan.

    Hours are hours of work; `widths` say how wide (± rates of units) the interval of each human gain will be. With
    `write` off nothing is written. Planning again keeps what was given out. Raises UserError, as for a study
    without outputs.
    """
    started, opened = now(), as_study(study)
    with one_at_a_time(opened, "plan") if write else nullcontext():
        plan = make_plan(opened)
        if write:
            write_plan(opened, plan, f"gainsift.annotation.plan_items({str(opened.folder)!r})", started)
    return plan.summary


def export_tasks(study: Study | Path | str) -> Exported:
    """Write `label_config.xml`, `guidelines.html` and `tasks/ANNOTATOR.en-de.json`, a Label Studio project each.

    Returns the paths and the number of tasks in each file. Raises UserError before `plan_items`.
    """
    opened = as_study(study)
    return export(opened, f"gainsift.annotation.export_tasks({str(opened.folder)!r})", now())


def take_home(study: Study | Path | str, *exports: Path | str, strict: bool = False) -> Imported:
    """Take in Label Studio exports (format JSON); what is new is appended to `annotations.jsonl`, each judgement once.

    `findings` lists what cannot be counted, and why. Raises UserError for a damaged export or one of another study,
    and with `strict` for any finding; nothing is written then.
    """
    started, opened = now(), as_study(study)
    files = [Path(file) for file in exports]
    known = {one.email: one.name for one in accounts(opened)} if private_map(opened).exists() else None
    found = import_exports(opened, files, accounts=known, strict=strict)
    command = f"gainsift.annotation.take_home({', '.join(repr(str(one)) for one in (opened.folder, *files))})"
    record_import(opened, command, started, found, {str(file): file for file in files})
    return found


def simulate(study: Study | Path | str) -> Simulated:
    """Make up a judgement for every planned task, stored as `simulated` and called so wherever it shows.

    Raises UserError where people have judged already, or nothing is planned.
    """
    started, opened = now(), as_study(study)
    found = _simulate(opened)
    command = f"gainsift.annotation.simulate({str(opened.folder)!r})"
    record_machine(opened, command, started, found.appended, simulated=True)
    return found


def load_judgements(study: Study | Path | str) -> pd.DataFrame:
    """The judgements that hold: one row for each item and annotator, the latest; those of people if there are any.

    Columns: `item` (content key), `annotator`, `label`, `sense` (with other_sense), `comment`, `seconds` on the page
    (NaN if unknown), `source` (human or simulated), and of the item `input_language`, `output_language`,
    `intended_concept`, `other_concept`, `shown_word`, `answer`, `closed`. Second looks, controls, skipped tasks and
    judgements under an earlier definition are not among them. Fit for `gainsift.analysis.measure_agreement`.
    """
    import pandas as pd

    opened = as_study(study)
    lines = opened.annotations()
    source: Source = "simulated" if all(line.source != "human" for line in lines) else "human"
    shown = ("input_language", "output_language", "intended_concept", "other_concept", "shown_word", "answer", "closed")
    columns = ["item", "annotator", "label", "sense", "comment", "seconds", "source", *shown]
    rows = [
        [key, name, line.label, line.sense, line.comment, line.lead_time, line.source,
         *(getattr(line.item, field) for field in shown)]
        for key, votes in current_judgements(opened, lines, source).items()
        for name, line in votes.items()
    ]  # fmt: skip
    # texts as objects: an answer or a comment may hold what is no valid Unicode, which a column of strings refuses
    return pd.DataFrame(rows, columns=columns, dtype=object).astype({"seconds": float, "closed": bool})


def status(study: Study | Path | str) -> Status:
    """How far the judging has come, by annotator and role, with pace (judgements an hour), reliability and alarms."""
    return _status(as_study(study))
