"""`generate`: from concepts to patched translations, one file for each checkpoint and language pair.

A file appears whole or not at all, so a run that was stopped goes on with the first file that is missing.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from gainsift.generation.checkpoints import Checkpoint, Device, Dtype, require_generation, resolve_device
from gainsift.generation.plan import Job, Plan, make_plan
from gainsift.generation.preparation import Preparation, settings_of
from gainsift.generation.store import CheckpointStore, bring_description
from gainsift.schemas.concepts import PromptPair
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import json_line, parquet_records, refuse_newer, write_json, write_jsonl, write_parquet
from gainsift.schemas.fixed_checkpoints import fixed_file
from gainsift.schemas.provenance import now, write_run
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import CONCEPTS_FORMAT, PROMPTS_FORMAT, Study

SMALL_WIDTH = 256


@dataclass
class Watch:
    """Called as the work goes on: `total(rows, rows already there)`, `advance(rows)`, `say(line)`.

    `wait(line)` tells of a download that is waited for, `warn(line)` what must be seen.
    """

    total: Callable[[int, int], None] = lambda rows, there: None
    advance: Callable[[int], None] = lambda rows: None
    say: Callable[[str], None] = lambda line: None
    wait: Callable[[str], None] = lambda line: None
    warn: Callable[[str], None] = lambda line: None


@dataclass
class Summary:
    """What a run did. `refused` counts units (prompt pair × language pair × checkpoint) without rows."""

    rows: int = 0
    rows_written: int = 0
    files: int = 0
    files_written: int = 0
    prompt_pairs: int = 0
    concepts: int = 0
    refused: int = 0
    overlapping: int = 0
    seconds: float = 0.0
    left_out: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Ready:
    """A checkpoint that passed every check that needs no weights."""

    checkpoint: Checkpoint
    preparation: Preparation
    layers: list[int]
    jobs: list[Job]

    def rows(self, job: Job) -> int:
        """How many rows the job's file will have."""
        settings = settings_of(self.preparation.config, job.pair)
        patched = len([name for name in settings if name != UNPATCHED])
        return len(self.preparation.usable(job.pair)) * (2 * (UNPATCHED in settings) + patched * len(self.layers))


def generate(
    study: Study,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: int | None = None,
    redo: bool = False,
    watch: Watch | None = None,
    command: str = "gainsift generate",
) -> Summary:
    """Write concepts.jsonl, prompts.parquet and every missing file under translations/.

    `batch_size` is the number of rows that run together (default: what fits 256 MB of keys and values); it
    does not change the rows. With `redo`, files that answer another request are made anew and files that
    belong to no job are deleted; without, they are refused. Raises UserError before anything is written, and
    WorkError when the work itself fails.
    """
    started, clock, watch = now(), time.monotonic(), watch or Watch()
    require_generation()
    plan = make_plan(study, resolve_device(device), dtype)
    if not redo:
        plan.refuse_stale()
    ready = prepare(plan)
    _clear(plan)
    _write_words(plan, started, command)
    there = sum(job.rows for job in plan.jobs if job.state == "done")
    todo = sum(one.rows(job) for one in ready for job in one.jobs)
    watch.total(there + todo, there)
    if ready and study.config.model.trust_remote_code:
        watch.warn("warning: model.trust_remote_code: Python code that comes with the model is run")
    with CheckpointStore([one.checkpoint for one in ready], study.config.model.evict, watch.wait) as store:
        for one in ready:
            with store.local(one.checkpoint):
                _run_checkpoint(plan, one, dtype, batch_size, watch)
    summary = _summary(plan, ready, there, todo, time.monotonic() - clock)
    if ready or not (study.translations_folder / "run.json").exists():
        _write_record(plan, dtype, batch_size, summary, started, command)
    return summary


def prepare(plan: Plan) -> list[Ready]:
    """Tokenize and check every checkpoint that still has work. Loads no weights. Raises UserError."""
    from gainsift.generation.precondition import check_architecture

    by_tokenizer: dict[str, Preparation] = {}
    ready = []
    for checkpoint in plan.checkpoints():
        jobs = [job for job in plan.jobs_of(checkpoint) if job.state != "done"]
        if not jobs:
            continue
        bring_description(checkpoint, plan.checkpoints())
        config = checkpoint.load_config()
        key = checkpoint.tokenizer_fingerprint
        if key not in by_tokenizer:
            tokenizer = checkpoint.load_tokenizer()
            by_tokenizer[key] = Preparation(tokenizer, plan.study.config, plan.pairs, plan.concepts)
        preparation = by_tokenizer[key]
        text = config.get_text_config()
        layers = resolve_layers(plan.study.config, int(text.num_hidden_layers), checkpoint.name)
        if len(preparation.tokenizer) > int(text.vocab_size):
            raise UserError(
                f"checkpoint {checkpoint.name}: {checkpoint.folder}",
                f"the tokenizer has {len(preparation.tokenizer)} tokens, the model {text.vocab_size}",
                "put the model's own tokenizer into the folder",
            )
        check_architecture(config, checkpoint.name, preparation.longest())
        for job in jobs:
            if not preparation.usable(job.pair):
                reason = preparation.refusals()[0]["reason"]
                raise UserError(
                    f"checkpoint {checkpoint.name}", f"no prompt of {job.pair[0]}-{job.pair[1]} can be cut: {reason}",
                    "this tokenizer cannot be used for patching these words",
                )  # fmt: skip
        ready.append(Ready(checkpoint, preparation, layers, jobs))
    return ready


def resolve_layers(config: StudyConfig, count: int, name: str) -> list[int]:
    """Cut-off layers in order, each once. Raises UserError if a layer that study.yaml names does not exist."""
    asked = [] if config.generation.layers == "all" else sorted(set(config.generation.layers))
    for key, layers in (("generation.layers", asked), ("contrasts or annotation.rows", sorted(config.judged_layers()))):
        if layers and layers[-1] >= count:
            raise UserError(
                f"study.yaml: {key}", f"layer {layers[-1]} is out of range for checkpoint {name}",
                f"its layers are 0 to {count - 1}",
            )  # fmt: skip
    return asked or list(range(count))


def _clear(plan: Plan) -> None:
    """Take stale and stray files away first: no reader may mix them with new ones."""
    for path in [*plan.strays, *(job.path for job in plan.jobs if job.state == "stale")]:
        path.unlink(missing_ok=True)


def _write_words(plan: Plan, started: str, command: str) -> None:
    """concepts.jsonl and prompts.parquet, unless they stand as they should."""
    study = plan.study
    spec = study.config.words
    own_input = spec.file is not None and study.path(spec.file) == study.concepts_file.resolve()
    lines = b"".join(json_line(concept, CONCEPTS_FORMAT) for concept in plan.words.concepts)
    changed = False
    if not own_input and not (study.concepts_file.exists() and study.concepts_file.read_bytes() == lines):
        write_jsonl(study.concepts_file, plan.words.concepts, CONCEPTS_FORMAT)
        changed = True
    if not study.prompts_file.exists() or _prompts_before(study) != plan.pairs:
        write_parquet(study.prompts_file, PromptPair, plan.pairs, PROMPTS_FORMAT)
        changed = True
    if changed:
        write_run(
            study.folder / "prompts.run.json", "prompts.parquet and concepts.jsonl", command, started, _inputs(study),
            seeds={"prompts": study.config.prompts.seed}, settings={"words": spec.model_dump(mode="json")},
            counts={"concepts": len(plan.words.concepts), "prompt_pairs": len(plan.pairs), **plan.words.left_out},
        )  # fmt: skip


def _prompts_before(study: Study) -> list[PromptPair] | None:
    refuse_newer(study.prompts_file, PROMPTS_FORMAT)
    try:
        return parquet_records(study.prompts_file, PromptPair, PROMPTS_FORMAT, "gainsift generate")
    except (UserError, ValueError):
        return None


def _inputs(study: Study) -> dict[str, Any]:
    named = {name: study.path(name) for name in study.config.words.files()}
    return {"study.yaml": study.config_file, **named}


def _run_checkpoint(plan: Plan, one: Ready, dtype: Dtype, batch_size: int | None, watch: Watch) -> None:
    """Load a checkpoint once and make its files."""
    import torch

    from gainsift.generation.translate import Translator

    checkpoint, preparation = one.checkpoint, one.preparation
    write_json(
        plan.study.translations_folder / checkpoint.name / "preparation.json",
        {
            "format": "preparation/1", "checkpoint": checkpoint.name, "tokenizer": checkpoint.tokenizer_fingerprint,
            "refused": preparation.refusals(), "overlapping": preparation.overlapping,
        },
    )  # fmt: skip
    model = checkpoint.load_model(plan.device, checkpoint.dtype(dtype, plan.device))
    try:
        with _threads_for(model, plan.device):
            wanted = [job.pair for job in one.jobs]
            translator = Translator(model, checkpoint, preparation, one.layers, wanted, batch_size)
            for job in one.jobs:
                translator.write(job.path, job.pair, job.content, watch.advance)
                watch.say(f"{job.name}: {one.rows(job)} rows")
    except torch.OutOfMemoryError as error:
        line = str(error).split(". ")[0]
        raise WorkError(f"checkpoint {checkpoint.name}", f"out of memory: {line}", "lower --batch-size") from None
    finally:
        del model
        gc.collect()
        if plan.device == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def _threads_for(model: Any, device: str) -> Iterator[None]:
    """One thread for a small model on the CPU: on small matrices several threads mostly wait for each other,
    and on a busy machine they take six times as long (measured with width 128 on two cores)."""
    import torch

    before = torch.get_num_threads()
    if device == "cpu" and model.config.get_text_config().hidden_size <= SMALL_WIDTH:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _summary(plan: Plan, ready: list[Ready], there: int, written: int, seconds: float) -> Summary:
    refused = overlapping = 0
    for checkpoint in plan.checkpoints():
        path = plan.study.translations_folder / checkpoint.name / "preparation.json"
        if path.exists():
            listed = json.loads(path.read_text("utf-8"))
            refused += len({(row["pair_id"], row["input"], row["output"]) for row in listed["refused"]})
            overlapping = max(overlapping, len(listed["overlapping"]))
    return Summary(
        rows=there + written,
        rows_written=written,
        files=len(plan.jobs),
        files_written=sum(len(one.jobs) for one in ready),
        prompt_pairs=len(plan.pairs),
        concepts=len(plan.words.concepts),
        refused=refused,
        overlapping=overlapping,
        seconds=round(seconds, 1),
        left_out=plan.words.left_out,
    )


def _write_record(
    plan: Plan, dtype: Dtype, batch_size: int | None, summary: Summary, started: str, command: str
) -> None:
    study = plan.study
    files = {**_inputs(study), "concepts.jsonl": study.concepts_file, "prompts.parquet": study.prompts_file}
    files["checkpoints.json"] = fixed_file(study.folder)
    counts = {key: value for key, value in summary.as_dict().items() if isinstance(value, int)}
    write_run(
        study.translations_folder / "run.json", "translations", command, started, files,
        seeds={"prompts": study.config.prompts.seed},
        settings={
            "device": plan.device, "batch_size": batch_size, "seconds": summary.seconds,
            "trust_remote_code": study.config.model.trust_remote_code,
            "checkpoints": {c.name: c.recorded(dtype, plan.device) for c in plan.checkpoints()},
        },
        counts={**counts, **plan.words.left_out},
    )  # fmt: skip
