"""Results of the published patching code: a folder a run with `exp_args.json` and the outputs, named like the folder.

Of `generated_answers` the axes are batch, layer, prompt; probabilities are prompt × layer, a key for each language.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from gainsift.schemas.config import problems
from gainsift.schemas.errors import UserError
from gainsift.schemas.settings import PATCHED, UNPATCHED, LanguagePair, Prompt

ARGUMENTS = "exp_args.json"
KEYS: dict[Prompt, str] = {"source": "src_unpatched", "target": "tgt_unpatched"}
_SETTING = re.compile(rf"\d+_({'|'.join(sorted(PATCHED, key=len, reverse=True))})")
Floats = npt.NDArray[np.float64]


class Arguments(BaseModel):
    """What we need of exp_args.json; its other keys are ignored."""

    experiment_type: str
    model: str
    revision: str | None = None
    batch_size: int = Field(gt=0)
    seed: int
    obj_patching_langs: Literal["unpatched"] | tuple[list[LanguagePair], str, str]
    unpatched_langs: dict[str, list[str]] | None = None


@dataclass(frozen=True)
class Run:
    """One run: what was patched in where, on which checkpoint and language pair."""

    folder: Path
    arguments: Arguments
    setting: str
    pair: LanguagePair

    @property
    def file(self) -> Path:
        return self.folder / f"{self.folder.name}.json"

    @property
    def source_pairs(self) -> set[LanguagePair]:
        langs = self.arguments.obj_patching_langs
        return set() if isinstance(langs, str) else set(langs[0])

    @property
    def kinds(self) -> list[Prompt]:
        """Which prompts it continued: patched runs the target prompts."""
        listed = next(iter((self.arguments.unpatched_langs or {}).values()), [])
        return [kind for kind in KEYS if kind in listed] if self.setting == UNPATCHED else ["target"]

    @property
    def checkpoint_names(self) -> list[str]:
        """How study.yaml may call the checkpoint: revision, folder, the last two parts of the folder."""
        model = Path(self.arguments.model)
        local = ["/".join(model.parts[-2:]), model.name, self.arguments.model]
        return [self.arguments.revision, *local] if self.arguments.revision else local


@dataclass(frozen=True)
class Outputs:
    """`answers` by batch, layer and prompt; `masses` by key: [prompts, layers]."""

    answers: list[list[list[str]]]
    masses: dict[str, Floats]

    @property
    def layers(self) -> int:
        return len(self.answers[0])

    @property
    def prompts(self) -> int:
        return sum(len(batch[0]) for batch in self.answers)


def find_runs(folder: Path) -> tuple[list[Run], int]:
    """The finished patching runs under a folder, sorted, and how many others there are. Raises UserError."""
    files = sorted(folder.rglob(ARGUMENTS))
    if not files:
        raise UserError(str(folder), f"no {ARGUMENTS} under it", "name the folder of results, such as results/")
    runs, others = [], 0
    for file in files:
        data = _json(file)
        result = file.parent / f"{file.parent.name}.json"
        finished = result.is_file() and result.stat().st_size > 0
        if finished and isinstance(data, dict) and data.get("experiment_type") == "obj_patching":
            runs.append(_run(file, data))
        else:
            others += 1
    return runs, others


def read_outputs(run: Run, kind: Prompt, count: int) -> Outputs:
    """The outputs of a run that had `count` prompts; `kind` matters for unpatched runs, which hold both.

    Raises UserError if the file is not of the published form, or not of so many prompts.
    """
    data = _json(run.file)
    before = f"{KEYS[kind]} " if run.setting == UNPATCHED else ""
    if not isinstance(data, dict):
        raise UserError(str(run.file), "expected a JSON object", "is it a result of the published code?")
    answers = data.get(f"{before}generated_answers")
    where = f"{run.file}: {before}generated_answers"
    outputs = Outputs(_checked(answers, where, count, run.arguments.batch_size), {})
    for key, value in data.items():
        if key.startswith(before) and not key.endswith("generated_answers"):
            outputs.masses[key.removeprefix(before)] = _mass(value, f"{run.file}: {key}", count, outputs.layers)
    return outputs


def _run(file: Path, data: Any) -> Run:
    try:
        arguments = Arguments.model_validate(data)
    except ValidationError as error:
        raise UserError(str(file), problems(error), "is it of the published code?") from None
    langs = arguments.obj_patching_langs
    if not isinstance(langs, str):
        named = _SETTING.fullmatch(file.parent.name)
        if not named:
            raise UserError(
                str(file), f"the folder's name does not end in a setting ({', '.join(PATCHED)})",
                "name it as the published code does: 1700000000_seen",
            )  # fmt: skip
        return Run(file.parent, arguments, named[1], (langs[1], langs[2]))
    pairs = list(arguments.unpatched_langs or {})
    if len(pairs) != 1 or pairs[0].count("_") != 1:
        raise UserError(str(file), f"unpatched_langs names {pairs}", "expected one language pair such as fr_de")
    given, out = pairs[0].split("_")
    return Run(file.parent, arguments, UNPATCHED, (given, out))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(str(path), f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(str(path), f"not JSON ({error})", "was the run stopped while writing? Remove it") from None


def _checked(answers: Any, where: str, count: int, batch_size: int) -> list[list[list[str]]]:
    """`answers` themselves. Raises UserError unless they are strings in batches of `batch_size`, the last smaller."""
    sizes = [min(batch_size, count - start) for start in range(0, count, batch_size)]
    whole = (
        isinstance(answers, list)
        and len(answers) == len(sizes)
        and all(isinstance(batch, list) and batch and len(batch) == len(answers[0]) for batch in answers)
        and all(
            isinstance(layer, list) and len(layer) == size and all(isinstance(text, str) for text in layer)
            for batch, size in zip(answers, sizes, strict=True)
            for layer in batch
        )
    )
    if not whole:
        raise UserError(
            where, f"expected {len(sizes)} batches × layers × up to {batch_size} texts ({count} prompts)",
            "are these the prompts of this run?",
        )  # fmt: skip
    checked: list[list[list[str]]] = answers
    return checked


def _mass(value: Any, where: str, count: int, layers: int) -> Floats:
    """[prompts, layers]; the published code drops an axis of length one."""
    try:
        mass = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError):
        mass = np.empty(0)
    if mass.size != count * layers:
        raise UserError(where, f"expected {count} prompts × {layers} layers of numbers", "the file is damaged")
    return mass.reshape(count, layers)
