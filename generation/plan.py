"""What `generate` has to do: for each checkpoint and language pair, what stands already and which prompt pairs lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gainsift.generation.checkpoints import Checkpoint, Dtype, open_checkpoints
from gainsift.generation.pairing import make_pairs
from gainsift.generation.shards import Found, files_of, look
from gainsift.generation.words import Words, load_words, needed_languages
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.errors import UserError
from gainsift.schemas.record import fingerprint
from gainsift.schemas.settings import LanguagePair
from gainsift.schemas.study import Study

GENERATOR = "1"
"""Raise it when the same request would give other rows: finished files then count as stale."""
PRECISION = "precision (dtype)"


@dataclass(frozen=True)
class Job:
    """One checkpoint and language pair: its finished files, stale ones, and files whose rows stand twice.

    `content` holds a fingerprint of each thing that decides its rows, `missing` the ranges of prompt pairs without any.
    """

    checkpoint: Checkpoint
    pair: LanguagePair
    content: dict[str, str]
    done: list[Found]
    stale: list[Found]
    double: list[Found]
    missing: list[range]

    @property
    def rows(self) -> int:
        return sum(found.rows for found in self.done)


@dataclass(frozen=True)
class Plan:
    """The words, the prompt pairs and the jobs of a study, whose files lie under `root`.

    `strays` are files there that belong to no job.
    """

    study: Study
    words: Words
    pairs: list[PromptPair]
    jobs: list[Job]
    strays: list[Path]
    device: str
    root: Path

    @property
    def concepts(self) -> dict[str, Concept]:
        return {concept.id: concept for concept in self.words.concepts}

    def folder(self, checkpoint: Checkpoint) -> Path:
        return self.root / checkpoint.name

    def jobs_of(self, checkpoint: Checkpoint) -> list[Job]:
        return [job for job in self.jobs if job.checkpoint is checkpoint]

    def checkpoints(self) -> list[Checkpoint]:
        return list({job.checkpoint.name: job.checkpoint for job in self.jobs}.values())

    def unwanted(self) -> list[Path]:
        """Files that no reader may mix with those of today's request."""
        stale = [found.path for job in self.jobs for found in (*job.stale, *job.double)]
        return [*self.strays, *stale]

    def refuse_stale(self) -> None:
        """Raises UserError if a finished file answers another request than study.yaml makes now."""
        stale = [found for job in self.jobs for found in job.stale]
        again = "put things back as they were, or run again with --redo to make"
        if stale:
            raise UserError(
                str(stale[0].path), f"was generated with other {stale[0].changed}", f"{again} {_files(len(stale))} anew"
            )
        double = [found for job in self.jobs for found in job.double]
        if double:
            raise UserError(
                str(double[0].path), "holds rows that another file holds too",
                f"move it away, or run again with --redo to delete {_files(len(double))}",
            )  # fmt: skip
        if self.strays:
            raise UserError(
                str(self.strays[0]), "belongs to no checkpoint and language pair of study.yaml",
                f"move it away, or run again with --redo to delete {_files(len(self.strays))}",
            )  # fmt: skip


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def make_plan(study: Study, device: str, dtype: Dtype, any_precision: bool = False) -> Plan:
    """Choose the prompt pairs and look at what is there. Writes nothing. Raises UserError.

    With `any_precision`, a file counts whatever precision it was made in: nobody asks for one now.
    """
    words = load_words(study)
    spec = study.config.prompts
    pairs = make_pairs(words.concepts, needed_languages(study), spec.pairs, spec.shots, spec.seed, words.where)
    checkpoints = open_checkpoints(study)
    shared = _shared_content(study, words, pairs)
    jobs = []
    for checkpoint in checkpoints:
        content = {**shared, **_own_content(checkpoint)}
        if not any_precision:
            content[PRECISION] = checkpoint.dtype(dtype, device)
        folder = study.translations_folder / checkpoint.name
        for pair in dict.fromkeys(study.config.language_pairs):
            jobs.append(job_of(checkpoint, pair, content, files_of(folder, pair), len(pairs)))
    strays = strays_among(study.translation_files(), jobs)
    return Plan(study, words, pairs, jobs, strays, device, study.translations_folder)


def strays_among(files: Sequence[Path], jobs: Sequence[Job]) -> list[Path]:
    """The files that no job knows."""
    known = {found.path for job in jobs for found in (*job.done, *job.stale, *job.double)}
    return [path for path in files if path not in known]


def _shared_content(study: Study, words: Words, pairs: list[PromptPair]) -> dict[str, str]:
    """What decides the rows of every file: the request and the words as they stand in prompts."""
    config, by_id = study.config, {concept.id: concept for concept in words.concepts}
    used = sorted(
        {name for p in pairs for name in (p.source_concept, p.target_concept, *p.source_shots, *p.target_shots)}
    )
    layers = config.generation.layers
    return {
        "generator version": GENERATOR,
        "words": fingerprint([[name, by_id[name].reference, by_id[name].accepted] for name in used]),
        "prompt pairs": fingerprint([pair.pair_id for pair in pairs]),
        "languages": fingerprint([config.languages(), config.trained_languages]),
        "settings": fingerprint(sorted(set(config.generation.settings))),
        "layers": fingerprint(layers if isinstance(layers, str) else sorted(set(layers))),
        "max_new_tokens": str(config.generation.max_new_tokens),
    }


def _own_content(checkpoint: Checkpoint) -> dict[str, str]:
    spec = checkpoint.spec
    return {"model files": checkpoint.fingerprint, "step or tokens": fingerprint([spec.step, spec.tokens])}


def job_of(
    checkpoint: Checkpoint,
    pair: LanguagePair,
    content: dict[str, str],
    files: list[Path],
    pairs: int,
    wanted: Sequence[range] | None = None,
) -> Job:
    """What stands in `files` of `pairs` prompt pairs, and what lacks: of those that are `wanted`, if not of all."""
    found = sorted((look(path, content, pairs) for path in files), key=lambda one: (one.part.start, -len(one.part)))
    done: list[Found] = []
    double: list[Found] = []
    for one in found:
        if not one.changed:
            (double if done and one.part.start < done[-1].part.stop else done).append(one)
    missing = _gaps([one.part for one in done], pairs)
    if wanted is not None:
        missing = [part for gap in missing for one in wanted if (part := _both(gap, one))]
    return Job(checkpoint, pair, content, done, [one for one in found if one.changed], double, missing)


def _gaps(parts: Sequence[range], pairs: int) -> list[range]:
    """What ordered `parts`, of which no two overlap, leave of `range(pairs)`."""
    starts = [0, *(part.stop for part in parts)]
    ends = [*(part.start for part in parts), pairs]
    return [range(a, b) for a, b in zip(starts, ends, strict=True) if a < b]


def _both(one: range, other: range) -> range:
    """What two ranges have in common; an empty one if that is nothing."""
    return range(max(one.start, other.start), min(one.stop, other.stop))
