"""The source bank: the residual stream at the asked word, collected once for each checkpoint and prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from gainsift.generation.batch_size import Halving, even_parts, tokens_together
from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.decoder import Decoder, pad_left, positions_of
from gainsift.schemas.settings import LanguagePair, Prompt

Key = tuple[Prompt, LanguagePair]
Prompts = Sequence[TokenPrompt | None]


class SourceBank:
    """Vectors by prompt kind and language pair, shared by all target pairs and settings of a checkpoint.

    `collect` makes the vectors of a key for some of the study's prompt pairs, [P, L, D]: every layer's output at the
    last token of each prompt cut after its word. It is asked once for each key and prompt pair. `dtype` is the model's.
    """

    def __init__(self, collect: Callable[[Key, Sequence[int]], torch.Tensor], dtype: torch.dtype) -> None:
        self._collect, self._dtype = collect, dtype
        self._held: dict[Key, dict[int, torch.Tensor]] = {}

    def vectors(self, key: Key, indices: Sequence[int]) -> torch.Tensor:
        """[P, L, D] on the CPU, for the prompt pairs `indices`."""
        held = self._held.setdefault(key, {})
        missing = [index for index in indices if index not in held]
        if missing:
            held.update(zip(missing, self._collect(key, missing), strict=True))
        return torch.stack([held[index] for index in indices])

    def mean(self, keys: Sequence[Key], indices: Sequence[int]) -> torch.Tensor:
        """[P, L, D]: the mean over several keys, summed in float32, in the model's precision."""
        if len(keys) == 1:
            return self.vectors(keys[0], indices)
        total = self.vectors(keys[0], indices).float()
        for key in keys[1:]:
            total = total + self.vectors(key, indices)
        return (total / len(keys)).to(self._dtype)

    def forget(self) -> None:
        """Let all vectors go."""
        self._held.clear()


def collect_vectors(decoder: Decoder, prompts: Prompts, batch_size: int) -> torch.Tensor:
    """[N, L, D] on the CPU. Prompts of like length share a batch, padded on the left; one that does not fit is halved.

    A prompt that was refused is None and its vectors are zero (its pair has no rows that use them).
    """
    layers, width = len(decoder.layers), int(decoder.config.hidden_size)
    result = torch.zeros(len(prompts), layers, width, dtype=decoder.dtype)
    lengths = {i: len(prompt.prefix) for i, prompt in enumerate(prompts) if prompt is not None}
    batches: list[Sequence[int]] = [*by_length(lengths, batch_size, tokens_together(decoder.device))]
    queue = Halving(batches, lambda batch: even_parts(batch, -(-len(batch) // 2)), decoder.device)
    for batch in queue:
        try:
            prefixes = [prompt.prefix for i in batch if (prompt := prompts[i]) is not None]
            result[list(batch)] = _vectors_of(decoder, prefixes)
        except Exception as error:
            queue.halve(batch, error)
    return result


def _vectors_of(decoder: Decoder, prefixes: Sequence[Sequence[int]]) -> torch.Tensor:
    """[B, L, D] on the CPU."""
    ids, mask = pad_left(prefixes, decoder.device)
    outputs: list[torch.Tensor] = []
    with decoder.reading(outputs):
        decoder.run_body(ids, mask, positions_of(mask))
    return torch.stack(outputs, dim=1).cpu()


def by_length(lengths: Mapping[int, int], most: int, tokens: int) -> list[list[int]]:
    """Batches of at most `most` of the keys and, padding counted, `tokens` tokens, but of one key at least."""
    batches: list[list[int]] = []
    for key in sorted(lengths, key=lambda one: lengths[one]):
        if batches and len(batches[-1]) < most and (len(batches[-1]) + 1) * lengths[key] <= tokens:
            batches[-1].append(key)
        else:
            batches.append([key])
    return batches
