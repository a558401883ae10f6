"""The training loop of the demo's model: a small Llama on the CPU, answers only, the same bits every time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import torch

from gainsift.generation.demo_lines import LineSource
from gainsift.generation.demo_optimiser import Muon
from gainsift.generation.demo_recipe import SeriesRecipe

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

IGNORED = -100
BUCKET = 16
"""Batches drawn together and sorted by length, so that little is padding."""

Encoded = tuple[list[int], list[int]]
"""Ids of a sequence, and its labels: the id where it belongs to an answer or closes one, else IGNORED."""


def new_model(recipe: SeriesRecipe, vocabulary: int, pad: int, end: int) -> LlamaForCausalLM:
    """A Llama with random weights drawn from the recipe's seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        attn_implementation="sdpa",
        dtype=torch.float32,
    )
    return LlamaForCausalLM(config)


def encode(parts: Sequence[tuple[str, str, str]], ids_of: Callable[[str], Sequence[int]]) -> Encoded:
    """Ids and labels of one sequence; each part is encoded alone, as the tokenizer splits there anyway."""
    ids: list[int] = []
    labels: list[int] = []
    for before, answer, after in parts:
        asked, told = ids_of(before), [*ids_of(answer), *ids_of(after)]
        ids += [*asked, *told]
        labels += [IGNORED] * len(asked) + told
    return ids, labels


def batches(source: LineSource, tokenizer: PreTrainedTokenizerFast, recipe: SeriesRecipe) -> Iterator[list[Encoded]]:
    """The batches of a run in order, each of sequences of similar length."""

    @lru_cache(maxsize=50_000)
    def ids_of(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False))

    for start in range(0, recipe.steps, BUCKET):
        count = min(BUCKET, recipe.steps - start)
        drawn = []
        for step in range(start, start + count):
            mixture = recipe.mixture_at(step)
            drawn += [encode(source.sequence(mixture), ids_of) for _ in range(recipe.batch)]
        drawn.sort(key=lambda encoded: len(encoded[0]))
        cut = [drawn[place : place + recipe.batch] for place in range(0, len(drawn), recipe.batch)]
        source.rng.shuffle(cut)
        yield from cut


def padded(batch: Sequence[Encoded], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels, padded on the right: [B, T] each. A causal model never sees the padding."""
    width = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in batch])
    labels = torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in batch])
    return ids, labels


def learning_rate(recipe: SeriesRecipe, step: int) -> float:
    """Linear warm-up, then half a cosine down to a tenth of the peak."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def train(
    model: LlamaForCausalLM,
    source: LineSource,
    tokenizer: PreTrainedTokenizerFast,
    recipe: SeriesRecipe,
    at_checkpoint: Callable[[int, int], None],
    progress: Callable[[int, int], None] | None = None,
) -> list[float]:
    """Train in place and return the loss of every step.

    `at_checkpoint(step, tokens)` is called when `step` steps are done and `tokens` tokens seen, padding apart.
    """
    pad = tokenizer.pad_token_id
    optimiser = Muon.of(model, recipe.weight_decay)
    losses: list[float] = []
    tokens = 0
    model.train()
    for step, batch in enumerate(batches(source, tokenizer, recipe)):
        ids, labels = padded(batch, pad)
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1]  # [B, T-1, V]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(learning_rate(recipe, step))
        losses.append(loss.item())
        tokens += sum(len(sequence) for sequence, _ in batch)
        if step + 1 in recipe.checkpoints:
            at_checkpoint(step + 1, tokens)
        if progress:
            progress(step + 1, recipe.steps)
    return losses


@contextmanager
def fixed_arithmetic(threads: int) -> Iterator[None]:
    """Fixed threads and deterministic kernels inside, the caller's settings and random state afterwards."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        torch.set_rng_state(before[2])
