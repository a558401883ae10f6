"""How fast a device makes rows: beside the published way, beside the floor, and beside its own matrix products.

    python benchmarks/device_sweep.py TOKENIZER [--device cuda] [--prompts 64] [--json FILE]

TOKENIZER is a folder with a tokenizer. The models have the shape of EuroLLM-1.7B and random weights, since time does
not depend on what they say; every answer has ten tokens. The published way is a loop over layers, a patched forward and
a patched `generate` for each, with plain hooks. The floor is one clean forward over all prompts and the batched
decoding of the same new tokens. Times are the median of rounds. `share` is what a whole language pair, all settings,
reaches of the operations a second of a large matrix product.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import machine
from one_pair import PAIR, SOURCES, floor, one_pair
from sweep_request import NEW_TOKENS, Request
from token_forwards import counting
from transformers import AutoModelForCausalLM, LlamaConfig

from gainsift.generation.decoder import pad_left
from gainsift.generation.work_estimate import product_speed, size_of

SHAPE = LlamaConfig(
    hidden_size=2048, intermediate_size=5632, num_hidden_layers=24, num_attention_heads=16, num_key_value_heads=8,
    vocab_size=128000, bos_token_id=None, eos_token_id=None, pad_token_id=None,
)  # fmt: skip


def random_model(device: str, dtype: str, layers: int) -> Any:
    config = LlamaConfig.from_dict({**SHAPE.to_dict(), "num_hidden_layers": layers})
    torch.manual_seed(1)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    return model.eval().requires_grad_(False)


def published(translator: Any) -> Callable[[], None]:
    """For every layer a patched forward and a patched `generate` over all prompts, after the source prompts once."""
    model, device = translator.decoder.model, translator.decoder.device
    prompts = translator._prompts("target", PAIR, range(len(translator.pairs)))
    ids, mask = pad_left([(*one.prefix, *one.suffix) for one in prompts], device)
    at = -1 - len(prompts[0].suffix)  # the same for all: see Request

    def run() -> None:
        hidden = sum(collect(key) for key in SOURCES) / len(SOURCES)
        for first in range(len(translator.layers)):
            with patching(translator.decoder.layers, hidden, first, at), torch.no_grad():
                model(input_ids=ids, attention_mask=mask).logits[:, -1].float().softmax(-1).cpu()
                model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, pad_token_id=0,
                               min_new_tokens=NEW_TOKENS, do_sample=False)  # fmt: skip

    def collect(key: Any) -> torch.Tensor:
        found: list[torch.Tensor] = []
        sources, counts = pad_left([one.prefix for one in translator.preparation.accepted(key)], device)
        with translator.decoder.reading(found), torch.no_grad():
            model.base_model(input_ids=sources, attention_mask=counts, use_cache=False)
        return torch.stack(found)  # [L, N, D]

    return run


class patching:
    """While open, layers from `first` on have `hidden` [L, N, D] at place `at` of a whole prompt."""

    def __init__(self, layers: Any, hidden: torch.Tensor, first: int, at: int) -> None:
        self._handles = [
            layer.register_forward_hook(self._patch(hidden[index], at))
            for index, layer in enumerate(layers)
            if index >= first
        ]

    @staticmethod
    def _patch(vectors: torch.Tensor, at: int) -> Any:
        def patch(module: Any, inputs: Any, output: Any) -> Any:
            states = output if isinstance(output, torch.Tensor) else output[0]
            if states.shape[1] > 1:
                states[:, at] = vectors
            return output

        return patch

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()


def clock(task: Callable[[], object], device: str, rounds: int) -> float:
    """Median seconds; the device has finished at each end. One round before does not count."""
    times = []
    for _ in range(1 + rounds):
        start = time.perf_counter()
        task()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def measure(request: Request, device: str, dtype: str, layers: int, rounds: int) -> dict[str, Any]:
    model = random_model(device, dtype, layers)
    run, translator = one_pair(request, model)
    seconds = {
        "ours": clock(run, device, rounds),
        "floor": clock(floor(translator, run()), device, rounds),
        "published": clock(published(translator), device, 1),
    }
    count = len(translator.pairs)
    made: list[int] = []
    with counting() as counted:
        whole = clock(lambda: made.append(whole_pair(translator)), device, 1)
    rows = made[-1]
    size, speed = size_of(model.config), product_speed(device, dtype)
    operations = 2 * (size.body * counted.forwards / len(made) + size.head * rows * NEW_TOKENS)
    peak = torch.cuda.max_memory_allocated() if device != "cpu" else 0
    return {
        "dtype": dtype, "prompts": count, "rounds": rounds, "batch": translator.batch_size,
        "one setting, s": {name: round(value, 2) for name, value in seconds.items()},
        "times published": round(seconds["published"] / seconds["ours"], 1),
        "ours / floor": round(seconds["ours"] / seconds["floor"], 2),
        "all settings, s": round(whole, 2), "rows": rows, "rows a second": round(rows / whole),
        "product, TFLOP/s": round(speed / 1e12, 1), "share": round(operations / whole / speed, 3),
        "peak GB": round(peak / 2**30, 1),
    }  # fmt: skip


def whole_pair(translator: Any) -> int:
    """Rows of the language pair, all settings; source prompts go through the model anew."""
    translator.bank.forget()
    translator._unpatched_sources.clear()
    return len(translator.table(PAIR, range(len(translator.pairs)), lambda rows: None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", type=lambda text: text.split(","), default=["bfloat16", "float16", "float32"])
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--layers", type=int, default=SHAPE.num_hidden_layers)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    request = Request(asked.tokenizer, [PAIR], asked.prompts)
    found: dict[str, Any] = {**machine("torch", "transformers"), "device": asked.device}
    if asked.device != "cpu":
        found["device"] = torch.cuda.get_device_name()
    for dtype in asked.dtype:
        found[dtype] = measure(request, asked.device, dtype, asked.layers, asked.rounds)
        print(json.dumps({dtype: found[dtype]}, indent=2), flush=True)
        if asked.json:  # at once, since a longer precision may not come to its end
            asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
