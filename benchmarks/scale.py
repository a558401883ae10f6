"""What the whole published grid takes: token-forwards from prompts under a real tokenizer, hours, bytes, memory.

    python benchmarks/scale.py FOLDER --run 2

FOLDER holds a model with its tokenizer (benchmarks/layer_sweep.py makes one of SmolLM2-135M). With `--run` that many
prompt pairs of two language pairs are generated with it, and the token-forwards that happen are counted beside those
that were foretold. Prints the tables of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from sweep_request import ALL_PAIRS, LANGUAGES
from token_forwards import counting
from transformers import ApertusConfig, AutoTokenizer, LlamaConfig, Olmo2Config

from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.forecast import BYTES, forecast
from gainsift.generation.lexicon import embedded_concepts
from gainsift.generation.local_engine import LocalEngine
from gainsift.generation.pairing import make_pairs
from gainsift.generation.plan import make_plan
from gainsift.generation.preparation import Preparation
from gainsift.generation.ready import SHARD_ROWS, Ready, prepare, rows_each
from gainsift.generation.run import generate
from gainsift.generation.shards import Shard
from gainsift.generation.work_estimate import Size, Work, bank_bytes, disk_bytes, size_of, work_of
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.study import Study

SETTINGS = ["unpatched", "tgt", "seen", "en_en", "self", "tgt_tgt"]
PROMPT_PAIRS = 256
PEAK = {"bfloat16": 989e12, "float16": 989e12, "float32": 67e12}
"""Operations a second of an H100 SXM without sparsity, by NVIDIA's data sheet."""
SHARE = {"bfloat16": 0.146, "float16": 0.109, "float32": 0.42}
"""Of these, what a whole language pair reached on an H200, whose arithmetic units are the same: device_sweep.py."""
MODELS: dict[str, tuple[Any, str, int]] = {
    "EuroLLM-1.7B": (
        LlamaConfig(hidden_size=2048, intermediate_size=5632, num_hidden_layers=24, num_attention_heads=16,
                    num_key_value_heads=8, vocab_size=128000), "float16", 26),
    "OLMo-2-7B": (
        Olmo2Config(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
                    num_key_value_heads=32, vocab_size=100352), "float16", 1),
    "Apertus-8B": (
        ApertusConfig(hidden_size=4096, intermediate_size=21504, num_hidden_layers=32, num_attention_heads=32,
                      num_key_value_heads=8, vocab_size=131072), "float32", 1),
}  # fmt: skip
"""Shape, the precision that was published, and how many checkpoints (1: the figures are for each)."""


def study_of(folder: Path, pairs: list[tuple[str, str]], prompts: int) -> dict[str, Any]:
    return {
        "name": "scale",
        "model": {"name": "scale", "checkpoints": [{"name": "c", "path": str(folder), "step": 1, "tokens": 1}]},
        "trained_languages": LANGUAGES,
        "language_pairs": [list(pair) for pair in pairs],
        "prompts": {"pairs": prompts, "shots": 5, "seed": 42},
        "generation": {"settings": SETTINGS, "max_new_tokens": 10},
    }


def grid(folder: Path) -> Preparation:
    """The prompts of the whole grid under the folder's tokenizer."""
    config = StudyConfig.model_validate(study_of(folder, ALL_PAIRS, PROMPT_PAIRS))
    concepts = embedded_concepts(LANGUAGES)
    pairs = make_pairs(concepts, LANGUAGES, PROMPT_PAIRS, 5, 42, "the embedded lexicon")
    return Preparation(AutoTokenizer.from_pretrained(folder), config, pairs, {one.id: one for one in concepts})


def lengths(preparation: Preparation) -> tuple[float, float]:
    """Mean tokens up to the word, and behind it, of target prompts."""
    prompts = [one for pair in ALL_PAIRS for one in preparation.accepted(("target", pair)) if one is not None]
    return tuple(sum(len(getattr(one, part)) for one in prompts) / len(prompts) for part in ("prefix", "suffix"))  # type: ignore[return-value]


def one_checkpoint(preparation: Preparation, layers: int, folder: Path) -> tuple[Work, Ready]:
    spec = preparation.config.model.checkpoints[0]
    checkpoint = Checkpoint(spec, folder)
    most = max(rows_each(preparation.config, pair, layers) for pair in ALL_PAIRS)
    step = max(1, SHARD_ROWS // most)
    shards = [
        Shard(checkpoint, pair, range(start, min(start + step, PROMPT_PAIRS)), {}, folder)
        for start in range(0, PROMPT_PAIRS, step)
        for pair in ALL_PAIRS
    ]
    ready = Ready(checkpoint, preparation, list(range(layers)), shards)
    return work_of(ready, shards, layers), ready


def estimates(folder: Path) -> list[dict[str, Any]]:
    preparation = grid(folder)
    print("mean tokens up to the word, behind it: {:.1f}, {:.1f}".format(*lengths(preparation)), flush=True)
    found = []
    for name, (config, dtype, checkpoints) in MODELS.items():
        size: Size = size_of(config)
        work, ready = one_checkpoint(preparation, size.layers, folder)
        operations = size.flops(work) * checkpoints
        hours = operations / (PEAK[dtype] * SHARE[dtype]) / 3600
        found.append({
            "model": name, "precision": dtype, "checkpoints": checkpoints, "rows": work.rows * checkpoints,
            "forwards": work.forwards * checkpoints, "at most": work.at_most * checkpoints,
            "heads": work.heads * checkpoints, "body": size.body, "head": size.head, "operations": operations,
            "hours": hours, "hours of 8": hours / 8, "shards": len(ready.shards) * checkpoints,
            "disk": disk_bytes(work.rows, len(ready.shards), len(LANGUAGES)) * checkpoints,
            "weights": size.weights * BYTES[dtype], "bank": bank_bytes(ready, size, BYTES[dtype]),
        })  # fmt: skip
    return found


def run_some(folder: Path, prompts: int) -> dict[str, Any]:
    """Generate a part of the grid, and compare with what was foretold."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "study.yaml"
        path.write_text(yaml.safe_dump(study_of(folder.resolve(), [("en", "de"), ("fr", "en")], prompts)))
        study, engine = Study.open(Path(place)), LocalEngine()
        plan = make_plan(study, engine.device("auto"), "auto")
        told = forecast(plan, prepare(plan), engine, "auto")
        start = time.perf_counter()
        with counting() as counted:
            rows = generate(study).rows
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in study.translation_files())
    return {
        "rows": rows, "foretold": told.total("token_forwards"), "at most": told.total("token_forwards_at_most"),
        "counted": round(counted.forwards), "seconds foretold": round(told.seconds, 1), "seconds": round(seconds, 1),
        "bytes foretold": told.total("disk_bytes"), "bytes": size,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", type=int, default=0, metavar="PROMPT_PAIRS")
    asked = parser.parse_args()
    for one in estimates(asked.folder):
        print(json.dumps(one), flush=True)
    if asked.run:
        print(json.dumps(run_some(asked.folder, asked.run)))


if __name__ == "__main__":
    main()
