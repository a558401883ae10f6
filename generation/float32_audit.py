"""The float32 audit: a share of a study's outputs in half precision is made again in float32, and compared.

Half precision rounds, and how it rounds depends on how rows are batched, so that a greedy choice falls the other way
here and there. How often is measured, not guessed: for each checkpoint and language pair a share of the prompt pairs,
with all settings and layers, goes through the same engine and the same kind of shards a second time, into a folder of
its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gainsift.generation.checkpoints import Dtype
from gainsift.generation.engines import Engine, Watch
from gainsift.generation.float32_comparison import compare
from gainsift.generation.making import clear, make_shards
from gainsift.generation.plan import PRECISION, Plan, job_of, strays_among
from gainsift.generation.ready import Ready, prepare
from gainsift.generation.shards import files_of
from gainsift.generation.writing import writing_alone
from gainsift.schemas.atomic import remove_leftovers
from gainsift.schemas.errors import UserError
from gainsift.schemas.float32_audit import FLOAT32
from gainsift.schemas.provenance import write_run
from gainsift.schemas.record import fingerprint

OPTION = "--audit-float32"
RECORD = "float32_audit.run.json"


@dataclass(frozen=True)
class Audit:
    """What is to be made again: `plan` and `ready` are as those of the study, for the drawn prompt pairs.

    `dtypes` are the precisions of the study by checkpoint; `exact` are checkpoints in float32 already: not audited.
    """

    share: float
    plan: Plan
    ready: list[Ready]
    dtypes: dict[str, str]
    exact: list[str]


@dataclass(frozen=True)
class AuditSummary:
    """What an audit did. `rows` are outputs made twice, by this run or an earlier one; `text_differs` of them."""

    share: float
    checkpoints: int
    rows: int
    rows_written: int
    files: int
    files_written: int
    text_differs: int
    exact: list[str]


def check_share(share: float) -> None:
    """Raises UserError unless it is a share."""
    if not 0 < share <= 1:  # nan is none either
        raise UserError(f"{OPTION} {share:g}", "expected a share above 0, at most 1", f"for instance {OPTION} 0.05")


def plan_audit(plan: Plan, ready: Sequence[Ready], dtype: Dtype, share: float, shard_rows: int, redo: bool) -> Audit:
    """What an audit of the study's `plan` has to make, after every check that needs no weights. Writes nothing.

    Files of an earlier audit stay, also those of prompt pairs beyond the share. Without `redo` files that answer
    another request are refused. Raises UserError, also where all outputs are float32 already.
    """
    check_share(share)
    dtypes = {one.name: one.dtype(dtype, plan.device) for one in plan.checkpoints()}
    exact = [name for name, found in dtypes.items() if found == FLOAT32]
    if len(exact) == len(dtypes):
        raise UserError(
            OPTION, "the outputs are float32 already: there is nothing to measure",
            "leave it out, or name the half precision of the study with --dtype",
        )  # fmt: skip
    root, pairs, jobs = plan.study.float32_folder, len(plan.pairs), []
    for job in plan.jobs:
        if job.checkpoint.name not in exact:
            content = {**job.content, PRECISION: FLOAT32}
            files = files_of(root / job.checkpoint.name, job.pair)
            wanted = drawn(pairs, share, plan.study.config.prompts.seed, job.checkpoint.name, *job.pair)
            jobs.append(job_of(job.checkpoint, job.pair, content, files, pairs, wanted))
    strays = strays_among(sorted(root.glob("**/*.parquet")), jobs)
    again = Plan(plan.study, plan.words, plan.pairs, jobs, strays, plan.device, root)
    if not redo:
        again.refuse_stale()
    return Audit(share, again, prepare(again, shard_rows, ready), dtypes, exact)


def drawn(pairs: int, share: float, *names: object) -> list[range]:
    """The prompt pairs that are audited, by their index: a run of them that begins where `names` decide.

    Prompt pairs stand in random order (pairing.make_pairs), so a run of them is a random sample; it goes on at the
    first one after the last, so that each is as likely. At least one; a larger share holds the smaller.
    """
    number = number_drawn(pairs, share)
    first = int(fingerprint(["float32 audit", *names]), 16) % pairs
    beyond = first + number - pairs
    return [range(first, first + number)] if beyond <= 0 else [range(beyond), range(first, pairs)]


def number_drawn(pairs: int, share: float) -> int:
    """How many of so many prompt pairs an audit takes."""
    return max(1, round(share * pairs))


def run_audit(
    audit: Audit, batch_size: int | None, engine: Engine, watch: Watch, started: str, command: str
) -> AuditSummary:
    """Make what lacks and compare all with the study's outputs, which must stand. Raises the first error, if any."""
    plan, study = audit.plan, audit.plan.study
    with writing_alone(plan.root):
        clear(plan)
        for name in (study.float32_file.name, RECORD):
            remove_leftovers(study.folder, name)
        written = make_shards(plan, audit.ready, FLOAT32, batch_size, engine, _by_name(watch))
        if written.error is not None:
            raise written.error
        compared = compare(plan, audit.dtypes)
        summary = AuditSummary(
            share=audit.share,
            checkpoints=len(plan.checkpoints()),
            rows=compared.rows,
            rows_written=written.rows,
            files=sum(len(job.done) for job in plan.jobs) + written.files,
            files_written=written.files,
            text_differs=compared.text_differs,
            exact=audit.exact,
        )
        if compared.changed:
            files = (study.config_file, study.concepts_file, study.prompts_file)
            write_run(
                study.folder / RECORD, study.float32_file.name, command, started,
                {file.name: file for file in files},
                seeds={"prompts": study.config.prompts.seed},
                settings={
                    "device": plan.device, **engine.recorded(), "batch_size": batch_size, "share": audit.share,
                    "checkpoints": {c.name: c.recorded(FLOAT32, plan.device) for c in plan.checkpoints()},
                },
                counts={"rows": summary.rows, "files": summary.files, "text_differs": summary.text_differs},
            )  # fmt: skip
    return summary


def _by_name(watch: Watch) -> Watch:
    """The same, with lines that say that they are of the audit."""
    return replace(
        watch,
        say=lambda line: watch.say(f"float32 audit: {line}"),
        warn=lambda line: watch.warn(f"float32 audit: {line}"),
    )
