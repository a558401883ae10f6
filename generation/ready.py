"""Every check that needs no weights, and the cutting of what is missing into shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gainsift.generation.checkpoints import Checkpoint, Dtype
from gainsift.generation.plan import Job, Plan, make_plan
from gainsift.generation.preparation import Preparation, settings_of
from gainsift.generation.shards import Shard
from gainsift.generation.store import bring_description
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import UNPATCHED, LanguagePair
from gainsift.schemas.study import Study

SHARD_ROWS = 20_000
"""Rows of a shard where nobody says: some minutes of work, and what a crash may cost."""


@dataclass(frozen=True)
class Ready:
    """A checkpoint that passed every check that needs no weights, with the shards that it still lacks."""

    checkpoint: Checkpoint
    preparation: Preparation
    layers: list[int]
    shards: list[Shard]

    def rows(self, shard: Shard) -> int:
        """How many rows the shard will have."""
        usable = self.preparation.usable(shard.pair)
        each = rows_each(self.preparation.config, shard.pair, len(self.layers))
        return each * sum(index in shard.part for index in usable)


def rows_each(config: StudyConfig, pair: LanguagePair, layers: int) -> int:
    """Rows of one prompt pair in a language pair."""
    settings = settings_of(config, pair)
    patched = len([name for name in settings if name != UNPATCHED])
    return 2 * (UNPATCHED in settings) + patched * layers


def plan_work(study: Study, device: str, dtype: Dtype, shard_rows: int, redo: bool) -> tuple[Plan, list[Ready]]:
    """What there is to do, after every check that needs no weights. Without `redo` other files are refused.

    Raises UserError.
    """
    plan = make_plan(study, device, dtype)
    if not redo:
        plan.refuse_stale()
    return plan, prepare(plan, shard_rows)


def prepare(plan: Plan, shard_rows: int = SHARD_ROWS, before: Sequence[Ready] = ()) -> list[Ready]:
    """Tokenize and check every checkpoint that still has work. Loads no weights. Raises UserError.

    What was tokenized `before`, for the same words and prompt pairs, is used again.
    """
    from gainsift.generation.precondition import check_architecture

    by_tokenizer = {one.checkpoint.tokenizer_fingerprint: one.preparation for one in before}
    ready = []
    for checkpoint in plan.checkpoints():
        jobs = [job for job in plan.jobs_of(checkpoint) if job.missing]
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
        _refuse_unusable(checkpoint, preparation, jobs)
        shards = cut(jobs, plan.folder(checkpoint), len(layers), shard_rows, plan.study.config)
        ready.append(Ready(checkpoint, preparation, layers, shards))
    return ready


def _refuse_unusable(checkpoint: Checkpoint, preparation: Preparation, jobs: list[Job]) -> None:
    for job in jobs:
        if not preparation.usable(job.pair):
            reason = preparation.refusals()[0]["reason"]
            raise UserError(
                f"checkpoint {checkpoint.name}", f"no prompt of {job.pair[0]}-{job.pair[1]} can be cut: {reason}",
                "this tokenizer cannot be used for patching these words",
            )  # fmt: skip


def cut(jobs: list[Job], folder: Path, layers: int, shard_rows: int, config: StudyConfig) -> list[Shard]:
    """Shards of at most about `shard_rows` rows, those of the same prompt pairs one after the other.

    All language pairs are cut at the same prompt pairs, so that a shard finds the source vectors of its prompt pairs
    collected by the one before.
    """
    most = max(rows_each(config, pair, layers) for pair in config.language_pairs)
    step = max(1, shard_rows // max(1, most))
    shards = []
    for job in jobs:
        for gap in job.missing:
            edges = [gap.start, *range(gap.start - gap.start % step + step, gap.stop, step), gap.stop]
            for start, stop in pairwise(edges):
                shards.append(Shard(job.checkpoint, job.pair, range(start, stop), job.content, folder))
    return sorted(shards, key=lambda shard: shard.part.start)  # stable: language pairs stay in order


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
