"""What `generate` has to do: one job for each checkpoint and language pair, and whether its file stands already."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from gainsift.generation.checkpoints import Checkpoint, Dtype, open_checkpoints
from gainsift.generation.pairing import make_pairs
from gainsift.generation.words import Words, load_words, needed_languages
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import FORMAT_KEY, refuse_newer
from gainsift.schemas.record import fingerprint
from gainsift.schemas.settings import LanguagePair
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study

GENERATOR = "1"
"""Raise it when the same request would give other rows: finished files then count as stale."""
CONTENT_KEY = b"content"
State = Literal["todo", "done", "stale"]


@dataclass(frozen=True)
class Job:
    """One file of translations. `content` holds a fingerprint of each thing that decides what is in it."""

    checkpoint: Checkpoint
    pair: LanguagePair
    path: Path
    content: dict[str, str]
    state: State
    rows: int
    changed: str

    @property
    def name(self) -> str:
        return f"{self.checkpoint.name}/{self.path.name}"


@dataclass(frozen=True)
class Plan:
    """The words, the prompt pairs and the jobs of a study; `strays` are files that belong to no job."""

    study: Study
    words: Words
    pairs: list[PromptPair]
    jobs: list[Job]
    strays: list[Path]
    device: str

    @property
    def concepts(self) -> dict[str, Concept]:
        return {concept.id: concept for concept in self.words.concepts}

    def jobs_of(self, checkpoint: Checkpoint) -> list[Job]:
        return [job for job in self.jobs if job.checkpoint is checkpoint]

    def checkpoints(self) -> list[Checkpoint]:
        return list({job.checkpoint.name: job.checkpoint for job in self.jobs}.values())

    def refuse_stale(self) -> None:
        """Raises UserError if a finished file answers another request than study.yaml makes now."""
        stale = [job for job in self.jobs if job.state == "stale"]
        again = "put things back as they were, or run again with --redo to make"
        if stale:
            raise UserError(
                str(stale[0].path), f"was generated with other {stale[0].changed}", f"{again} {_files(len(stale))} anew"
            )
        if self.strays:
            raise UserError(
                str(self.strays[0]), "belongs to no checkpoint and language pair of study.yaml",
                f"move it away, or run again with --redo to delete {_files(len(self.strays))}",
            )  # fmt: skip


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def make_plan(study: Study, device: str, dtype: Dtype) -> Plan:
    """Choose the prompt pairs and look at what is there. Writes nothing. Raises UserError."""
    words = load_words(study)
    spec = study.config.prompts
    pairs = make_pairs(words.concepts, needed_languages(study), spec.pairs, spec.shots, spec.seed, words.where)
    checkpoints = open_checkpoints(study)
    shared = _shared_content(study, words, pairs)
    jobs = [
        _job(study, checkpoint, pair, {**shared, **_own_content(checkpoint, dtype, device)})
        for checkpoint in checkpoints
        for pair in dict.fromkeys(study.config.language_pairs)
    ]
    known = {job.path for job in jobs}
    strays = [path for path in study.translation_files() if path not in known]
    return Plan(study, words, pairs, jobs, strays, device)


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


def _own_content(checkpoint: Checkpoint, dtype: Dtype, device: str) -> dict[str, str]:
    spec = checkpoint.spec
    return {
        "model files": checkpoint.fingerprint,
        "step or tokens": fingerprint([spec.step, spec.tokens]),
        "precision (dtype)": checkpoint.dtype(dtype, device),
    }


def _job(study: Study, checkpoint: Checkpoint, pair: LanguagePair, content: dict[str, str]) -> Job:
    path = study.translations_folder / checkpoint.name / f"{pair[0]}-{pair[1]}.parquet"
    if not path.exists():
        return Job(checkpoint, pair, path, content, "todo", 0, "")
    refuse_newer(path, TRANSLATIONS_FORMAT)
    try:
        footer = pq.read_metadata(path)
        found = {
            key: value.decode() for key, value in (footer.metadata or {}).items() if key in (FORMAT_KEY, CONTENT_KEY)
        }
        before = json.loads(found.get(CONTENT_KEY, "{}"))
    except (pa.ArrowInvalid, OSError, ValueError):
        return Job(checkpoint, pair, path, content, "stale", 0, "or damaged content")
    before["format"] = found.get(FORMAT_KEY, "none")
    now = {**content, "format": TRANSLATIONS_FORMAT}
    changed = [part for part in now if before.get(part) != now[part]]
    return Job(checkpoint, pair, path, content, "stale" if changed else "done", footer.num_rows, ", ".join(changed))
