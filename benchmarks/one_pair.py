"""One language pair, one setting, three source languages: by the layer sweep, and what any way has to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from sweep_request import NEW_TOKENS, Request

from gainsift.generation.decoder import pad_left, positions_of
from gainsift.generation.source_bank import collect_vectors
from gainsift.generation.sweep import Block, Sweep

PAIR = ("en", "fr")
SOURCES = [("source", ("de", "es")), ("source", ("es", "it")), ("source", ("it", "de"))]


def one_pair(request: Request, model: Any, to_the_end: bool = True) -> tuple[Callable[[], list[Block]], Any]:
    """Ours: the sweep of one setting with its source vectors; what it needs is loaded before."""
    translator = request.translator(model, to_the_end)
    prompts = translator._prompts("target", PAIR, range(len(translator.pairs)))

    def run() -> list[Block]:
        vectors = [collect_vectors(translator.decoder, request.preparation.accepted(key), translator.batch_size)
                   for key in SOURCES]  # fmt: skip
        mean = torch.stack(vectors).mean(0)
        return list(translator._sweep(Sweep(prompts, mean[None], translator.layers)))

    return run, translator


def floor(translator: Any, blocks: list[Block]) -> Callable[[], None]:
    """Plain transformers: the prompts once, then the new tokens of `blocks` for all rows of each prompt at once."""
    device, accepted = translator.decoder.device, translator.preparation.accepted
    model, prompts = translator.decoder.model, translator._prompts("target", PAIR, range(len(translator.pairs)))
    targets = [(*one.prefix, *one.suffix) for one in prompts]
    sources = [one.prefix for key in SOURCES for one in accepted(key)]
    count = len(translator.layers)
    tokens = torch.zeros(len(prompts), count, NEW_TOKENS, dtype=torch.long)
    for block in blocks:
        for cell, ids in zip(block.cells, block.tokens, strict=True):
            tokens[cell.prompt, cell.layer] = torch.tensor(ids)
    tokens = tokens.flatten(0, 1).to(device)

    def run() -> None:
        with torch.no_grad():
            for start in range(0, len(sources), 32):
                ids, mask = pad_left(sources[start : start + 32], device)
                model.base_model(input_ids=ids, attention_mask=mask, use_cache=False)
            ids, mask = pad_left(targets, device)
            past = model(input_ids=ids, attention_mask=mask, use_cache=True, logits_to_keep=1).past_key_values
            past.batch_repeat_interleave(count)
            mask, at = mask.repeat_interleave(count, 0), positions_of(mask)[:, -1:].repeat_interleave(count, 0)
            for step in range(NEW_TOKENS - 1):
                mask, at = torch.cat([mask, mask.new_ones(len(mask), 1)], 1), at + 1
                model(input_ids=tokens[:, step : step + 1], attention_mask=mask, position_ids=at,
                      past_key_values=past, use_cache=True, logits_to_keep=1)  # fmt: skip

    return run
