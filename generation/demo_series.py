"""A series of checkpoints that really learn: the demo's own little model, trained here, on the CPU, from words.

A demo can rely neither on a model hub nor on a GPU, so it trains a Llama of about one million weights on
few-shot lines made of a lexicon, and keeps checkpoints on the way. **The mixture of the training lines was
chosen so that copying comes first and translation later**, as in large models: early lines mostly repeat the
asked word, later ones mostly translate it, and the share of each ambiguous word's main sense rises as training
goes on, so that the preferred sense moves too. Nothing else is arranged: what a checkpoint answers, right or
wrong, is the model's own output. The course of this series therefore shows what the tool measures; it is no
finding about large models.

A finished series is kept and found again under the hash of all that decides it: recipe, concepts, versions.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from gainsift.generation.demo_lines import LineSource, tokenizer_text
from gainsift.generation.demo_recipe import SeriesRecipe
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError, WorkError
from gainsift.schemas.files import write_json
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.provenance import file_hash, now, write_run
from gainsift.schemas.record import Record, fingerprint

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

MANIFEST = "series.json"
CHECKPOINT_NAME = re.compile(r"step-\d{5,}")
TEXT_VERSION = 1
"""Raised whenever the code changes what a recipe trains, so that older series are not taken for it."""
DECISIVE = ("torch", "transformers", "tokenizers")
FEWEST = 4
"""Concepts below which few-shot lines would only repeat themselves."""

Progress = Callable[[int, int], None]


class SeriesManifest(Record):
    """series.json: written last; a folder without it holds no finished series."""

    format: Literal["demo-series/1"] = "demo-series/1"
    key: str = Field(description="Hash of recipe, concepts and versions.")
    recipe: SeriesRecipe
    versions: dict[str, str]
    weights: int = Field(description="Trained numbers of the model, tied ones counted once.")
    checkpoints: list[CheckpointSpec] = Field(description="In training order; paths relative to this folder.")
    losses: list[float] = Field(description="Mean loss per answer token over the steps up to each checkpoint.")
    files: dict[str, str] = Field(description="SHA-256 of every file of the checkpoints.")


def train_series(
    folder: Path,
    recipe: SeriesRecipe | None = None,
    progress: Progress | None = None,
    *,
    concepts: Sequence[Concept] | None = None,
) -> list[CheckpointSpec]:
    """The checkpoints of a recipe in training order, under `folder`, with absolute paths.

    Trains them unless `folder` already holds exactly this series, whole. An older series there is replaced;
    anything else in the way is left alone and refused (UserError). `progress(done, total)` counts steps and is
    not called when nothing is trained. Without `concepts` the embedded lexicon is used. The same recipe gives
    the same bytes on the same machine and versions. Raises UserError, or WorkError when writing fails.
    """
    recipe = recipe or SeriesRecipe()
    chosen = usable_concepts(_lexicon(recipe) if concepts is None else concepts, recipe)
    versions = _versions()
    key = series_key(recipe, chosen, versions)
    folder = folder.resolve()
    if (found := finished_series(folder, key)) is None:
        _refuse_foreign(folder)
        with _appearing(folder) as partial:
            _train_into(partial, recipe, chosen, key, versions, progress)
        if (found := finished_series(folder, key)) is None:
            raise WorkError(str(folder), "the series just trained cannot be read back", "check the disk")
    return [spec.model_copy(update={"path": str(folder / spec.path)}) for spec in found.checkpoints]


def finished_series(folder: Path, key: str) -> SeriesManifest | None:
    """The manifest of a folder that holds the series of this key with every file as it was written, else None."""
    try:
        manifest = SeriesManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    if manifest.key != key:
        return None
    whole = all((folder / name).is_file() and file_hash(folder / name) == sum for name, sum in manifest.files.items())
    return manifest if whole else None


def series_key(recipe: SeriesRecipe, concepts: Sequence[Concept], versions: dict[str, str]) -> str:
    """The hash under which a finished series is found again."""
    return fingerprint(
        [
            TEXT_VERSION,
            recipe.model_dump(mode="json"),
            [concept.model_dump(mode="json") for concept in concepts],
            versions,
        ]
    )


def usable_concepts(concepts: Sequence[Concept], recipe: SeriesRecipe) -> list[Concept]:
    """The first concepts, as many as the recipe wants, that have a word in each of its languages."""
    usable = [concept for concept in concepts if all(concept.reference.get(code) for code in recipe.languages)]
    usable = usable[: recipe.concepts]
    if len(usable) < FEWEST:
        raise UserError(
            "demo series",
            f"only {len(usable)} concepts have words in {', '.join(recipe.languages)}",
            f"at least {FEWEST} are needed",
        )
    return usable


def _lexicon(recipe: SeriesRecipe) -> Sequence[Concept]:
    from gainsift.generation.lexicon import embedded_concepts

    return embedded_concepts(list(recipe.languages))


def _versions() -> dict[str, str]:
    try:
        return {package: metadata.version(package) for package in DECISIVE}
    except metadata.PackageNotFoundError as error:
        raise UserError(
            "demo series", f"{error.name} is not installed", "run `pip install 'gainsift[generation]'`"
        ) from None


def _refuse_foreign(folder: Path) -> None:
    """Only nothing, an empty folder or an older series may be replaced: never a file that others put there."""
    try:
        names = {entry.name for entry in folder.iterdir()}
        manifest = (folder / MANIFEST).read_text("utf-8") if names else ""
    except FileNotFoundError:
        ours = not folder.exists()
    except (OSError, UnicodeDecodeError):
        ours = False
    else:
        strange = [name for name in names - {MANIFEST, "run.json"} if not CHECKPOINT_NAME.fullmatch(name)]
        ours = not names or ('"demo-series/' in manifest and not strange)
    if not ours:
        raise UserError(str(folder), "holds something else than a demo series", "remove it or choose a new folder")


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place when the block ends, and goes away when it raises."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    except OSError as error:
        raise UserError(str(folder.parent), f"cannot be written ({error.strerror})", "choose another folder") from None
    try:
        yield partial
        partial.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        raise WorkError(str(folder), f"writing failed ({error.strerror or error})", "check space and rights") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _train_into(
    folder: Path,
    recipe: SeriesRecipe,
    concepts: list[Concept],
    key: str,
    versions: dict[str, str],
    progress: Progress | None,
) -> None:
    """Train and write checkpoints, run.json and, last, the manifest."""
    from gainsift.generation.demo_tokenizer import train_tokenizer
    from gainsift.generation.demo_training import fixed_arithmetic, new_model, train

    started = now()
    specs: list[CheckpointSpec] = []
    with fixed_arithmetic(recipe.threads):
        source = LineSource(concepts, recipe, random.Random(recipe.seed))
        tokenizer = train_tokenizer(tokenizer_text(concepts, recipe.languages), recipe.vocabulary)
        model = new_model(recipe, len(tokenizer), tokenizer.pad_token_id, tokenizer.eos_token_id)

        def keep(step: int, tokens: int) -> None:
            name = f"step-{step:05d}"
            _save(folder / name, model, tokenizer, {"step": step, "tokens": tokens, "series": key})
            specs.append(CheckpointSpec(name=name, path=name, step=step, tokens=tokens))

        losses = train(model, source, tokenizer, recipe, keep, progress)
    weights = model.num_parameters()
    write_run(
        folder / "run.json",
        product="demo series",
        command="gainsift demo",
        started=started,
        inputs={},
        seeds={"series": recipe.seed},
        settings={
            "recipe": recipe.model_dump(mode="json"),
            "concepts": fingerprint([c.fingerprint() for c in concepts]),
        },
        counts={"weights": weights, "concepts": len(concepts), "steps": recipe.steps, "tokens": specs[-1].tokens},
    )
    files = sorted(path for spec in specs for path in (folder / spec.path).iterdir())
    manifest = SeriesManifest(
        key=key,
        recipe=recipe,
        versions=versions,
        weights=weights,
        checkpoints=specs,
        losses=_means(losses, recipe.checkpoints),
        files={path.relative_to(folder).as_posix(): file_hash(path) for path in files},
    )
    write_json(folder / MANIFEST, manifest)


def _means(losses: Sequence[float], checkpoints: Sequence[int]) -> list[float]:
    """The mean of the losses since the checkpoint before, for each checkpoint."""
    starts = [0, *checkpoints[:-1]]
    return [sum(losses[a:b]) / (b - a) for a, b in zip(starts, checkpoints, strict=True)]


def _save(folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, note: dict[str, Any]) -> None:
    """An ordinary Hugging Face folder, and checkpoint.json with step and tokens seen."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # transformers would draw a bar for every file
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    finally:
        if shown:
            logging.enable_progress_bar()
    (folder / "checkpoint.json").write_text(
        json.dumps({"format": "demo-checkpoint/1", **note}, indent=2) + "\n", "utf-8"
    )
