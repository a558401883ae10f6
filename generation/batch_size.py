"""How many rows run together: as many as free memory holds, and fewer once it turned out too small."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import psutil
import torch

from gainsift.generation.decoder import Decoder

T = TypeVar("T")
SHARE = 0.25
"""Of the free memory: the rest is for activations, and for others on the machine."""
FEWEST = 8
MOST = {"cpu": 160, "cuda": 4096}
"""Beyond these, matrices are large enough to keep the processor busy; on the CPU, the logits of more rows fall out of
its cache."""
TOKENS = {"cpu": 1024, "cuda": 32768}
"""The same for prompts that run whole; more of them only take more padding, and fall out of the processor's cache."""


@dataclass(frozen=True)
class Room:
    """How much memory a batch may take, and what it takes: `row` bytes for each row, `prompt` for each prompt of them.

    `most` rows keep the processor busy.
    """

    free: float
    row: int
    prompt: int
    most: int

    def rows(self, each: int) -> int:
        """How many rows run together where each prompt has `each` of them."""
        return max(FEWEST, min(self.most, int(self.free / (self.row + self.prompt / each))))


def room_for(decoder: Decoder, whole: int, rest: int) -> Room:
    """The room for rows of `whole` tokens, of which `rest` belong to the row alone, in the memory that is free now.

    A row takes its keys and values, and its logits (twice, in float32). A prompt takes those of its prefix, twice where
    rows share it: the run up to the word is kept beside what they attend to.
    """
    config = decoder.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token = 2 * len(decoder.layers) * int(heads) * int(width) * decoder.dtype.itemsize
    own, prefixes = (rest, 2) if decoder.shares_prefix else (whole, 1)
    return Room(
        free=SHARE * free_bytes(decoder.device),
        row=token * own + 2 * 4 * int(config.vocab_size),
        prompt=token * prefixes * whole,
        most=MOST.get(decoder.device.type, MOST["cpu"]),
    )


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


class Halving(Generic[T]):
    """Tasks one after the other. Where one does not fit, it goes on in halves, and so do all that are left.

    `halves` gives the two halves of a task, or the task alone where it has none.
    """

    def __init__(self, tasks: Iterable[T], halves: Callable[[T], Sequence[T]], device: torch.device) -> None:
        self._tasks, self._halves, self._device = deque(tasks), halves, device
        self._tight = False

    def __iter__(self) -> Iterator[T]:
        while self._tasks:
            if self._tight:  # here nobody handles the error any more, which held what did not fit
                give_back(self._device)
                self._tight = False
            yield self._tasks.popleft()

    def halve(self, task: T, error: Exception) -> None:
        """What is left of `task` did not fit. Raises `error` again if it says something else, or one cannot halve."""
        if not is_out_of_memory(error) or len(self._halves(task)) < 2:
            raise error
        self._tasks = deque(half for one in (task, *self._tasks) for half in self._halves(one))
        self._tight = True


def even_parts(things: Sequence[T], most: int) -> list[Sequence[T]]:
    """`things` in as few parts of at most `most` as possible, of nearly equal size."""
    if not things:
        return []
    number = -(-len(things) // most)
    edges = [len(things) * part // number for part in range(number + 1)]
    return [things[a:b] for a, b in pairwise(edges)]


def give_back(device: torch.device) -> None:
    """Free what nobody uses any more, after something did not fit or a model was let go."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
