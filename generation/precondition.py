"""Checked once a model: whether the shared-prefix sweep is exact for it. If not, it is refused by name.

Each layer must own one key and value per position, computed from its own input. Recurrent and linear-attention
layers, layers that share keys and values, and windows shorter than the prompts break that.
"""

from __future__ import annotations

from typing import Any

import torch

from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.decoder import Decoder, pad_left, positions_of, roomy_cache
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.source_bank import collect_vectors
from gainsift.generation.sweep import Sweep, sweep
from gainsift.schemas.errors import UserError

FULL = {"full_attention", "attention"}
WINDOWED = {"sliding_attention", "chunked_attention"}
TOLERANCE = {torch.float32: 1e-3}
COARSE_TOLERANCE = 0.1


def check_architecture(config: Any, name: str, longest: int) -> None:
    """Raises UserError if the configuration tells that the sweep is not exact for prompts of `longest` tokens.

    `longest` counts prompt and answer.
    """
    config = config.get_text_config()
    kind = str(config.model_type)
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and longest > positions:
        raise UserError(
            f"checkpoint {name}", f"prompt and answer take up to {longest} tokens, the model has {positions} positions",
            "lower prompts.shots or generation.max_new_tokens",
        )  # fmt: skip
    others = sorted({str(layer) for layer in getattr(config, "layer_types", None) or []} - FULL - WINDOWED)
    if others:
        raise _refused(name, kind, f"layers of type {', '.join(others)}")
    if getattr(config, "num_kv_shared_layers", 0):
        raise _refused(name, kind, "layers that share keys and values")
    for key in ("sliding_window", "attention_chunk_size"):
        window = getattr(config, key, None)
        if window is not None and getattr(config, "use_sliding_window", True) and longest > window:
            raise _refused(name, kind, f"a {key} of {window}, shorter than prompts of {longest} tokens")


def _refused(name: str, kind: str, reason: str) -> UserError:
    return UserError(
        f"checkpoint {name}", f"model type {kind} has {reason}: the shared-prefix sweep is not exact for it",
        "only decoders whose layers each keep one key and value per position can be patched",
    )  # fmt: skip


def check_exactness(decoder: Decoder, reader: AnswerReader) -> None:
    """Compare the sweep with a plain patched run on random tokens. Raises UserError if they differ.

    Where rows cannot share the prefix of their prompt, they are given copies of it.
    """
    if decoder.shares_prefix:
        try:
            return _compare(decoder, reader)
        except UserError:
            decoder.shares_prefix = False
    _compare(decoder, reader)


def _compare(decoder: Decoder, reader: AnswerReader) -> None:
    kind = str(decoder.config.model_type)
    generator = torch.Generator().manual_seed(0)
    vocabulary = int(decoder.config.vocab_size)

    def random_prompt(before: int, after: int) -> TokenPrompt:
        ids = torch.randint(vocabulary, (before + after,), generator=generator).tolist()
        return TokenPrompt(tuple(ids[:before]), tuple(ids[before:]))

    targets = [random_prompt(7, 3), random_prompt(5, 3)]
    layers = len(decoder.layers)
    cutoffs = sorted({0, layers // 2, layers - 1})
    try:
        vectors = collect_vectors(decoder, [random_prompt(4, 1), random_prompt(6, 1)], 2)
        blocks = list(sweep(decoder, reader, Sweep(targets, vectors[None], cutoffs), 3, 2 * len(cutoffs)))
    except Exception as error:
        raise _refused(
            decoder.name, kind, f"a forward that does not fit ({' '.join(str(error).split())[:150]})"
        ) from error
    worst = 0.0
    for block in blocks:
        for cell, logits, tokens in zip(block.cells, block.logits, block.tokens, strict=True):
            prompt, patch, layer = targets[cell.prompt], vectors[cell.prompt], cell.layer or 0
            plain = _plain_run(decoder, prompt, patch, layer).softmax(-1)
            worst = max(worst, float((plain - logits.softmax(-1)).abs().max()))
            for step, token in enumerate(tokens):  # greedy: no other token is more probable, up to rounding
                so_far = TokenPrompt(prompt.prefix, (*prompt.suffix, *tokens[:step]))
                plain = _plain_run(decoder, so_far, patch, layer).softmax(-1)
                worst = max(worst, float(plain.max() - plain[token]))
    if not worst <= TOLERANCE.get(decoder.dtype, COARSE_TOLERANCE):
        raise _refused(decoder.name, kind, f"probabilities that differ by {worst:.1e} from a plain patched run")


def _plain_run(decoder: Decoder, prompt: TokenPrompt, vectors: torch.Tensor, layer: int) -> torch.Tensor:
    """Next-token logits [V] of the whole prompt, the outputs of `layer` and above replaced at the word."""
    ids, mask = pad_left([(*prompt.prefix, *prompt.suffix)], decoder.device)
    at = len(prompt.prefix) - 1

    def replacement(index: int) -> Any:
        def replace(module: Any, inputs: Any, output: Any) -> Any:
            hidden = (output if isinstance(output, torch.Tensor) else output[0]).clone()
            hidden[:, at] = vectors[index].to(hidden)
            return hidden if isinstance(output, torch.Tensor) else (hidden, *output[1:])

        return replace

    chosen = list(enumerate(decoder.layers))[layer:]
    handles = [module.register_forward_hook(replacement(index)) for index, module in chosen]
    try:
        cache = roomy_cache(len(decoder.layers), ids.shape[1])
        return decoder.next_logits(ids, mask, positions_of(mask), cache)[0]
    finally:
        for handle in handles:
            handle.remove()
