"""How much work shards are: counted from the lengths of their prompts and the algebra of the sweep, without a model.

The unit is a *token-forward*: one token through all layers; a token that goes through some of the layers counts for its
share. A prompt goes up to its word once. There, each of the S sources adds one token. Of what follows the word, layer l
computes one row for all cut-offs that are not below it and one for each that is, so that its T tokens cost

    T · Σ_l (1 + S · |{cut-offs below l}|) / L                  (= T · (1 + S (L - 1) / 2) for all L cut-offs).

Then answers are decoded, a token a step, each row for itself (rows that say the same share layers: an estimate from
above). An answer is as long as the word that is asked for, or, at most, as `max_new_tokens` allows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gainsift.generation.preparation import bank_keys, settings_of
from gainsift.generation.ready import Ready, rows_each
from gainsift.generation.shards import Shard
from gainsift.schemas.settings import UNPATCHED, LanguagePair

UTILISATION = {"cpu": 0.4, "cuda": 0.17}
FLOAT32_ON_GPU = 0.55
"""What generation reaches of the speed of matrix products, as measured: on CPUs .2 to 1; on an H200, with a model of
1.7 billion weights, .17 and .20 in half precision and .57 in float32 (docs/performance.md)."""
ROW_BYTES, MASS_BYTES, FILE_BYTES = 31, 8, 6_000
"""Of a compressed row, of its masses for each language, and of a file beside its rows: measured on real outputs."""


@dataclass(frozen=True)
class Work:
    """What shards cost: rows, prompts run, token-forwards (expected, and at most), and how often the head runs."""

    rows: int = 0
    prompts: int = 0
    forwards: float = 0.0
    at_most: float = 0.0
    heads: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.rows + other.rows, self.prompts + other.prompts, self.forwards + other.forwards,
            self.at_most + other.at_most, self.heads + other.heads,
        )  # fmt: skip


@dataclass(frozen=True)
class Size:
    """A model by its configuration: weights inside its layers, of its head, and all of them; its shape."""

    body: int
    head: int
    weights: int
    layers: int
    width: int

    def flops(self, work: Work) -> float:
        """Two operations for each weight that a token meets; attention, over some dozens of tokens, is left out."""
        return 2 * (self.body * work.forwards + self.head * work.heads)


def size_of(config: Any, trust_code: bool = False) -> Size:
    """The size of a model of this transformers configuration, built without memory for its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=trust_code)
    text = config.get_text_config()
    head = int(text.vocab_size) * int(text.hidden_size)
    every = sum(part.numel() for part in model.parameters())
    outside = {id(part): part.numel() for part in model.get_input_embeddings().parameters()}
    if model.get_output_embeddings() is not None:
        outside |= {id(part): part.numel() for part in model.get_output_embeddings().parameters()}
    return Size(every - sum(outside.values()), head, every, int(text.num_hidden_layers), int(text.hidden_size))


def work_of(one: Ready, shards: Sequence[Shard], layers: int) -> Work:
    """What `shards` of a checkpoint with so many `layers` cost one worker that makes them all."""
    total = Work()
    collected: dict[Any, set[int]] = {}
    for shard in shards:
        total += _of_targets(one, shard, layers)
        for key in bank_keys(one.preparation.config, shard.pair):
            collected.setdefault(key, set()).update(shard.part)
    for key, indices in collected.items():
        total += _of_sources(one, key[1], indices)
    return total


def _of_sources(one: Ready, pair: LanguagePair, indices: Iterable[int]) -> Work:
    """Source prompts of a language pair, with their own answers where a shard holds them."""
    preparation = one.preparation
    prompts = preparation.accepted(("source", pair))
    own = pair in preparation.config.language_pairs and UNPATCHED in settings_of(preparation.config, pair)
    usable = set(preparation.usable(pair)) if own else set()
    total = Work()
    for index in indices:
        prompt = prompts[index]
        if prompt is not None:
            total += Work(prompts=1, forwards=len(prompt.prefix), at_most=len(prompt.prefix))
            if index in usable:
                suffix = len(prompt.suffix)
                total += Work(forwards=suffix, at_most=suffix) + _of_answers(one, pair, index, 1)
    return total


def _of_targets(one: Ready, shard: Shard, layers: int) -> Work:
    """Target prompts of a shard with everything that is patched into them."""
    preparation = one.preparation
    config = preparation.config
    settings = settings_of(config, shard.pair)
    clean = UNPATCHED in settings
    sources = len([name for name in settings if name != UNPATCHED])
    prompts = preparation.accepted(("target", shard.pair))
    share = shared(one.layers, sources, clean, layers)
    rows = rows_each(config, shard.pair, len(one.layers))
    total = Work()
    for index in preparation.usable(shard.pair):
        prompt = prompts[index]
        if index in shard.part and prompt is not None:
            clear = len(prompt.prefix) + sources + len(prompt.suffix) * share
            total += Work(rows, 1, clear, clear) + _of_answers(one, shard.pair, index, rows - clean)
    return total


def shared(cutoffs: Sequence[int], sources: int, clean: bool, layers: int) -> float:
    """Rows that a layer computes of a prompt with the same past, on average over the layers."""
    rows = 0
    for layer in range(layers):
        alone = sources * len([cutoff for cutoff in cutoffs if cutoff < layer])
        rows += alone + (clean or (sources > 0 and max(cutoffs, default=-1) >= layer))
    return rows / layers


def _of_answers(one: Ready, pair: LanguagePair, index: int, rows: int) -> Work:
    """Steps of decoding: the first token comes with the prompt, so one less than there are tokens."""
    preparation = one.preparation
    most = preparation.config.generation.max_new_tokens
    prompt_pair = preparation.pairs[index]
    word = preparation.concepts[prompt_pair.source_concept].word(pair[1])
    tokens = min(most, preparation.length_of(word) + 1)  # and the closing quote
    return Work(forwards=rows * (tokens - 1), at_most=rows * (most - 1), heads=rows * tokens)


def bank_bytes(one: Ready, size: Size, item: int) -> int:
    """What the vectors of one shard's prompt pairs take, all source language pairs together."""
    keys = {key for shard in one.shards for key in bank_keys(one.preparation.config, shard.pair)}
    longest = max((len(shard.part) for shard in one.shards), default=0)
    return len(keys) * longest * size.layers * size.width * item


def disk_bytes(rows: int, files: int, languages: int) -> int:
    """What so many rows take on the disk."""
    return rows * (ROW_BYTES + MASS_BYTES * languages) + files * FILE_BYTES


def bytes_to_write(ready: Iterable[Ready]) -> int:
    """What the missing files of these checkpoints will take on the disk."""
    return sum(
        disk_bytes(one.rows(shard), 1, len(one.preparation.config.languages())) for one in ready for shard in one.shards
    )


def utilisation(device: str, dtype: str) -> float:
    """What generation on this kind of device reaches of `product_speed`."""
    return FLOAT32_ON_GPU if (device, dtype) == ("cuda", "float32") else UTILISATION[device]


def product_speed(device: str, dtype: str) -> float:
    """Operations a second of a large matrix product, measured for a quarter of a second, as models get it here."""
    import torch
    from torch import nn

    from gainsift.generation.packed_linear import pack_linears

    side = 512 if device == "cpu" else 4096
    product = nn.Sequential(nn.Linear(side, side, bias=False, device=device, dtype=getattr(torch, dtype)))
    pack_linears(product.requires_grad_(False))
    inputs = torch.ones(side, side, device=device, dtype=getattr(torch, dtype))
    float(product(inputs)[0, 0])
    times, start = 0, time.perf_counter()
    while time.perf_counter() - start < 0.25:
        float(product(inputs)[0, 0])  # reading a number waits for the device
        times += 1
    return 2 * side**3 * times / (time.perf_counter() - start)
