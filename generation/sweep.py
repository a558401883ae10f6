"""The exact shared-prefix sweep: every cut-off of every setting of a prompt from one run of its prefix.

Patching from layer j on replaces the outputs of layers j … L-1 at the word's last token. What later tokens see
of that token is, in each layer, one key and one value, computed from the input of that layer alone. So

1. one clean run up to the word gives keys and values of the prefix, the same for every j;
2. one run of the word's last token with every layer's output replaced by the source vectors gives the patched
   key and value of every layer l ≥ 1 (its input is the vector of layer l-1; attention plays no part in it);
3. cut-off j keeps the clean key and value in layers ≤ j and takes the patched ones in layers > j.

All cut-offs become rows of one batch that runs only what follows the word. Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from transformers.cache_utils import Cache

from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.decoder import Decoder, pad_left, positions_of, roomy_cache
from gainsift.generation.decoding import AnswerReader, decode_greedily


@dataclass(frozen=True)
class Cell:
    """One output to make: the prompt, which of the sources is patched in, and from which layer on."""

    prompt: int
    source: int | None = None
    layer: int | None = None


@dataclass(frozen=True)
class Prefix:
    """Clean keys and values of a chunk of prompts up to the word; `mask` is [C, n]."""

    first: int
    mask: torch.Tensor
    cache: Cache


@dataclass(frozen=True)
class Block:
    """The outputs of some cells: next-token logits [R, V] and the answers' tokens."""

    cells: list[Cell]
    logits: torch.Tensor
    tokens: list[list[int]]


def sweep(
    decoder: Decoder,
    reader: AnswerReader,
    prompts: Sequence[TokenPrompt],
    sources: torch.Tensor | None,
    cutoffs: Sequence[int],
    max_new_tokens: int,
    batch_size: int,
) -> Iterator[Block]:
    """Outputs of N `prompts`, at most `batch_size` rows at a time, prompt by prompt.

    `sources` is [S, N, L, D]: row [s, n] is patched into prompt n at every cut-off. Without sources each prompt
    is continued as it is.
    """
    kinds: list[tuple[int | None, int | None]] = [(None, None)]
    if sources is not None:
        kinds = list(product(range(len(sources)), cutoffs))
    step = max(1, batch_size // max(1, len(kinds)))
    for start in range(0, len(prompts), step):
        chunk = prompts[start : start + step]
        prefix = _run_prefix(decoder, chunk, start)
        patched = None if sources is None else _word_states(decoder, chunk, sources[:, start : start + len(chunk)])
        cells = [Cell(start + i, source, layer) for i in range(len(chunk)) for source, layer in kinds]
        for batch in _even_parts(cells, batch_size):
            suffixes = [prompts[cell.prompt].suffix for cell in batch]
            cache = _assemble(prefix, patched, len(chunk), batch, max(map(len, suffixes)) + max_new_tokens)
            ids, suffix_mask = pad_left(suffixes, decoder.device)
            rows = torch.tensor([cell.prompt - start for cell in batch], device=decoder.device)
            mask = torch.cat([prefix.mask[rows], suffix_mask], dim=1)
            positions = positions_of(mask)[:, -ids.shape[1] :]
            yield Block(batch, *decode_greedily(decoder, reader, cache, ids, mask, positions, max_new_tokens))


def _even_parts(cells: list[Cell], most: int) -> list[list[Cell]]:
    """`cells` in as few parts of at most `most` as possible, of nearly equal size."""
    parts = -(-len(cells) // most)
    size = -(-len(cells) // parts)
    return [cells[i : i + size] for i in range(0, len(cells), size)]


def _run_prefix(decoder: Decoder, chunk: Sequence[TokenPrompt], first: int) -> Prefix:
    """Step 1: the clean run up to and including the word."""
    ids, mask = pad_left([prompt.prefix for prompt in chunk], decoder.device)
    cache = roomy_cache(len(decoder.layers), ids.shape[1])
    decoder.run_body(ids, mask, positions_of(mask), cache)
    return Prefix(first, mask, cache)


def _word_states(decoder: Decoder, chunk: Sequence[TokenPrompt], sources: torch.Tensor) -> Cache:
    """Step 2: keys and values of one token for S × C rows, source by source, with every output replaced.

    The token stands alone: its keys and values depend on the replaced inputs and on its position only.
    """
    word = torch.tensor([[prompt.prefix[-1]] for prompt in chunk], device=decoder.device)
    position = torch.tensor([[len(prompt.prefix) - 1] for prompt in chunk], device=decoder.device)
    count = len(sources)
    cache = roomy_cache(len(decoder.layers), 1)
    with decoder.replacing(sources.flatten(0, 1).to(decoder.device)):
        ids, positions = word.repeat(count, 1), position.repeat(count, 1)  # [S * C, 1]
        decoder.run_body(ids, torch.ones_like(ids), positions, cache)
    return cache


def _assemble(prefix: Prefix, patched: Cache | None, width: int, batch: Sequence[Cell], room: int) -> Cache:
    """Step 3: a cache of R rows: the clean prefix, with the word's patched states in the layers above the cut-off."""
    clean = prefix.cache.layers
    device = prefix.mask.device
    rows = torch.tensor([cell.prompt - prefix.first for cell in batch], device=device)
    length = prefix.mask.shape[1]
    cache = roomy_cache(len(clean), length + room)
    for index, (layer, own) in enumerate(zip(clean, cache.layers, strict=True)):
        own.update(layer.keys[rows], layer.values[rows])
        if patched is None:
            continue
        above = [i for i, cell in enumerate(batch) if cell.layer is not None and cell.layer < index]
        states = [(batch[i].source or 0) * width + batch[i].prompt - prefix.first for i in above]
        if above:
            own.keys[above, :, length - 1] = patched.layers[index].keys[states, :, 0]
            own.values[above, :, length - 1] = patched.layers[index].values[states, :, 0]
    return cache
