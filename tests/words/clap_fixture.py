"""Results in the layout that the published patching code writes, faults included; written from its documented form.

Tokens are words, runs of spaces and single signs. An output keeps its last ten ids, as that code does: where a whole
batch ends early, they hold prompt text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español", "it": "Italiano"}
LANGUAGES = list(OWN)
TABLE = """dog chien Hund perro cane|cat chat Katze gato gatto|house maison Haus casa casa|water eau Wasser agua acqua
bread pain Brot pan pane|tree arbre Baum árbol albero|night nuit Nacht noche notte|milk lait Milch leche latte
key clé Schlüssel llave chiave|fish poisson Fisch pez pesce|book livre Buch libro libro|sun soleil Sonne sol sole"""
WORDS = {row.split()[0]: dict(zip(LANGUAGES, row.split(), strict=True)) for row in re.split(r"[|\n]", TABLE)}
NAMES = list(WORDS)
PAIRS = [("dog", "tree"), ("cat", "sun"), ("house", "key"), ("water", "fish"), ("bread", "milk")]
LAYERS, KEPT, SHOTS = 3, 10, 2
EOS = ""


def shots(index: int, kind: str) -> list[str]:
    free = [name for name in NAMES if name not in PAIRS[index]]
    start = index if kind == "source" else index + SHOTS
    return [free[(start + n) % len(free)] for n in range(SHOTS)]


def prompt(index: int, kind: str, given: str, out: str) -> str:
    asked = PAIRS[index][kind == "target"]
    lines = [f'{OWN[given]}: "{WORDS[w][given]}" - {OWN[out]}: "{WORDS[w][out]}"\n' for w in shots(index, kind)]
    return "".join(lines) + f'{OWN[given]}: "{WORDS[asked][given]}" - {OWN[out]}: "'


def write_words(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["word_original", *LANGUAGES, "ID", "PoS"])
        for number, (name, forms) in enumerate(WORDS.items()):
            writer.writerow([name, *([forms[code]] for code in LANGUAGES), number, "nouns"])


def write_prompts(
    path: Path, pairs: Sequence[tuple[str, str]], change: Callable[[list[Any]], None] = lambda row: None
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "input", "output", "index", "concept", "examples", "prompt"])
        for kind in ("source", "target"):
            for given, out in pairs:
                for index, ids in enumerate(PAIRS):
                    row = [
                        kind,
                        given,
                        out,
                        index,
                        ids[kind == "target"],
                        shots(index, kind),
                        prompt(index, kind, given, out),
                    ]
                    change(row)
                    writer.writerow(row)


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def decoded(prompts: Sequence[str], continuations: Sequence[str]) -> list[str]:
    """What the published code keeps of a batch: generation stops when all have ended, at the latest after ten."""
    new = [[*tokens(text), EOS][:KEPT] for text in continuations]
    longest = max(map(len, new))
    return [
        "".join([*tokens(text), *ids, *[EOS] * (longest - len(ids))][-KEPT:])
        for text, ids in zip(prompts, new, strict=True)
    ]


@dataclass
class Published:
    """Writes runs. `say(setting, kind, layer, index)` is what the model goes on with."""

    folder: Path
    pair: tuple[str, str]
    say: Callable[[str, str, int, int], str]
    batch_size: int = 2
    clock: int = 1_700_000_000

    def run(self, setting: str, source_pairs: list[tuple[str, str]], revision: str = "step1000", **more: Any) -> Path:
        """A patched run."""
        given, out = self.pair
        data: dict[str, Any] = {out: self._mass(2)}
        data |= {f"tgt_{code}": self._mass(3 + n) for n, code in enumerate(LANGUAGES) if code != out}
        data |= {f"src_{code}": self._mass(20 + n) for n, code in enumerate(LANGUAGES)}
        data["generated_answers"] = self._answers(setting, "target")
        langs = [source_pairs, given, out]
        return self._write(f"{self.clock}_{setting}", revision, data, {"obj_patching_langs": langs, **more})

    def unpatched(self, revision: str = "step1000", **more: Any) -> Path:
        given, out = self.pair
        data: dict[str, Any] = {}
        for key, kind in (("src_unpatched", "source"), ("tgt_unpatched", "target")):
            data[f"{key} {out}"] = self._mass(2)
            names = LANGUAGES if kind == "source" else [f"src_{code}" for code in LANGUAGES]
            data |= {f"{key} {name}": self._mass(20 + n) for n, name in enumerate(names)}
            if kind == "target":
                data |= {f"{key} tgt_{c}": self._mass(3 + n) for n, c in enumerate(LANGUAGES) if c != out}
            data[f"{key} generated_answers"] = self._answers("unpatched", kind)
        langs = {"obj_patching_langs": "unpatched", "unpatched_langs": {f"{given}_{out}": ["source", "target"]}}
        return self._write(f"{self.clock}_brave-otter", revision, data, {**langs, **more})

    def _mass(self, number: int) -> list[list[float]]:
        """[prompt][layer], every number its own."""
        return [[(number + layer / 10 + index / 100) / 100 for layer in range(LAYERS)] for index in range(len(PAIRS))]

    def _answers(self, setting: str, kind: str) -> list[list[list[str]]]:
        parts = [
            range(start, min(start + self.batch_size, len(PAIRS))) for start in range(0, len(PAIRS), self.batch_size)
        ]
        return [
            [
                decoded([prompt(i, kind, *self.pair) for i in part], [self.say(setting, kind, layer, i) for i in part])
                for layer in range(LAYERS)
            ]
            for part in parts
        ]

    def _write(self, name: str, revision: str, data: dict[str, Any], arguments: dict[str, Any]) -> Path:
        self.clock += 1
        path = self.folder / "obj_patching" / "model" / f"slug/{'_'.join(self.pair)}" / revision / name
        path.mkdir(parents=True)
        plain = {
            "experiment_type": "obj_patching", "model": "owner/model", "tokenizer": "owner/model",
            "revision": revision, "batch_size": self.batch_size, "seed": 42, "exp_id": name, "save_path": str(path),
            "slug": "slug", "prompts_cache": "model_42_2_5_prompts.pkl", "unpatched_langs": None,
        }  # fmt: skip
        (path / "exp_args.json").write_text(json.dumps({**plain, **arguments}, indent=2))
        (path / f"{name}.json").write_text(json.dumps(data, indent=4))
        return path
