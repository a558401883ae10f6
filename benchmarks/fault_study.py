"""The study that faults are injected into: real outputs of two tiny random models, judged by people who are drawn."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from gainsift.annotation.tasks import Pages, task
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import Study

NAMES = ("step10-tokens1B", "step20-tokens2B")
"""Checkpoints, called as the revisions of a series on the hub are."""
PEOPLE = ("ann", "ben")
PAIRS = [["en", "de"], ["de", "en"]]
SHARD_ROWS = 40
LABELS = ("correct", "plain_copy", "related", "non_word", "unsure")
ALIKE = 0.8
"""Share of tasks that everybody labels alike; the rest are for the lead to settle."""


def models(folder: Path) -> list[Path]:
    """Two small Llamas of random weights, large enough that their answers differ from word to word."""
    import torch

    from gainsift.generation.demo_recipe import SeriesRecipe
    from gainsift.generation.demo_tokenizer import train_tokenizer
    from gainsift.generation.demo_training import new_model

    lines = ['English: "dog" - Deutsch: "Hund"\n', 'Deutsch: "Haus" - English: "house"\n'] * 4
    tokenizer = train_tokenizer(lines, 300)
    for seed, name in enumerate(NAMES, start=1):
        recipe = SeriesRecipe(seed=seed, hidden=32, feed_forward=64, layers=3)
        model = new_model(recipe, len(tokenizer), tokenizer.pad_token_id, tokenizer.eos_token_id)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.mul_(12)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    return [folder / name for name in NAMES]


def config(model: dict[str, Any], study: str = "0123456789abcdef") -> dict[str, Any]:
    """study.yaml; `model` is its section of that name."""
    return {
        "format": 1, "name": "faults", "id": study, "model": {"name": "tiny", **model},
        "trained_languages": ["en", "de"], "language_pairs": PAIRS,
        "words": {"source": "embedded", "limit": 40}, "prompts": {"pairs": 8, "shots": 2, "seed": 3},
        "generation": {"max_new_tokens": 4, "settings": ["unpatched", "tgt", "seen"]},
        "annotation": {"rows": {"settings": ["unpatched", "seen"], "layers": [0]},
                       "annotators": [{"name": name} for name in PEOPLE]},
        "contrasts": [{"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}}],
        "analysis": {"bootstrap": 30},
    }  # fmt: skip


def new_study(folder: Path, model: dict[str, Any], study: str = "0123456789abcdef") -> Path:
    """A folder with study.yaml alone."""
    folder.mkdir(parents=True)
    text = yaml.safe_dump(config(model, study), allow_unicode=True, sort_keys=False)
    (folder / "study.yaml").write_text(text, "utf-8")
    return folder


def in_folders(models: Sequence[Path]) -> dict[str, Any]:
    """The section `model` for checkpoints that lie here."""
    listed = [{"name": one.name, "path": str(one), "step": 10 * n} for n, one in enumerate(models, start=1)]
    return {"checkpoints": listed}


def answer(seed: int, line: Assignment) -> tuple[str, str]:
    """The label that an annotator gives, and a comment; the same whenever it is asked for."""
    alike = random.Random(f"{seed}/{line.item.item_id}")
    own = random.Random(f"{seed}/{line.uid}")
    label = alike.choice(LABELS) if alike.random() < ALIKE else own.choice(LABELS)
    return label, f"{line.annotator}: \u202eß🙂 {own.random()}"


def result(label: str, comment: str) -> list[dict[str, Any]]:
    """What the page sends for them."""
    values = (("label", "choices", {"choices": [label]}), ("comment", "textarea", {"text": [comment]}))
    return [
        {"id": name, "type": kind, "value": value, "origin": "manual", "to_name": "answer", "from_name": name}
        for name, kind, value in values
    ]


def write_exports(folder: Path, out: Path, seed: int) -> list[Path]:
    """What Label Studio would export of each annotator's project once all tasks of a planned study are judged."""
    study = Study.open(folder)
    pages, files = Pages(study), []
    for person in PEOPLE:
        tasks = []
        for number, line in enumerate((one for one in study.assignments() if one.annotator == person), start=1):
            made = {
                "id": number, "completed_by": {"id": 7, "email": f"{person}@annotators.example"},
                "result": result(*answer(seed, line)), "was_cancelled": False, "ground_truth": False,
                "created_at": "2026-02-01T10:59:00.000000Z", "updated_at": "2026-02-01T11:00:00.000000Z",
                "lead_time": 4.5, "unique_id": f"{person}{number:032x}", "updated_by": 7,
            }  # fmt: skip
            tasks.append({
                "id": number, "annotations": [made], "drafts": [], "meta": {}, "predictions": [],
                "data": task(pages, line)["data"], "created_at": "2026-02-01T10:00:00.000000Z",
                "updated_at": "2026-02-01T11:00:00.000000Z", "inner_id": number, "total_annotations": 1,
            })  # fmt: skip
        files.append(out / f"{person}.json")
        files[-1].write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    return files


def copy(state: Path, folder: Path) -> Path:
    """A state of the study to be harmed."""
    shutil.copytree(state, folder, copy_function=shutil.copyfile)
    return folder
