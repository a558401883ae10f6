"""How many rows run together: as many as free memory holds, and fewer once it turned out too small."""

from __future__ import annotations

import gc

import psutil
import torch

from gainsift.generation.decoder import Decoder

SHARE = 0.25
"""Of the free memory: the rest is for activations, and for others on the machine."""
FEWEST = 8
MOST = {"cpu": 512, "cuda": 4096}
"""Beyond these, matrices are large enough to keep the processor busy."""
TOKENS = {"cpu": 1024, "cuda": 32768}
"""The same for prompts that run whole; more of them only take more padding, and fall out of the processor's cache."""


def rows_that_fit(decoder: Decoder, whole: int, rest: int) -> int:
    """Rows of `whole` tokens, of which `rest` belong to the row alone, whose states fit the free memory.

    A row takes its keys and values, and its logits (twice, in float32).
    """
    config = decoder.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token = 2 * len(decoder.layers) * heads * width * decoder.dtype.itemsize
    row = int(token) * (rest if decoder.shares_prefix else whole) + 2 * 4 * int(config.vocab_size)
    most = MOST.get(decoder.device.type, MOST["cpu"])
    return max(FEWEST, min(most, int(SHARE * free_bytes(decoder.device) / row)))


def tokens_together(device: torch.device) -> int:
    """Tokens of prompts that run as one batch."""
    return TOKENS.get(device.type, TOKENS["cpu"])


def free_bytes(device: torch.device) -> int:
    """Memory that can still be taken, in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether something did not fit; on the CPU, torch says so in a RuntimeError's text alone."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error)


def give_back(device: torch.device) -> None:
    """Free what nobody uses any more, after something did not fit or a model was let go."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
