"""The source bank: the residual stream at the asked word, collected once for each checkpoint and prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.decoder import Decoder, pad_left, positions_of
from gainsift.schemas.settings import LanguagePair, Prompt

Key = tuple[Prompt, LanguagePair]
Prompts = Sequence[TokenPrompt | None]


class SourceBank:
    """Vectors by prompt kind and language pair, shared by all target pairs and settings of a checkpoint.

    `collect` makes the vectors of a key, [N, L, D] in the order of the study's prompt pairs: every layer's output at
    the last token of each prompt cut after its word. It is asked once for each key. `dtype` is the model's.
    """

    def __init__(self, collect: Callable[[Key], torch.Tensor], dtype: torch.dtype) -> None:
        self._collect, self._dtype = collect, dtype
        self._held: dict[Key, torch.Tensor] = {}

    def vectors(self, key: Key) -> torch.Tensor:
        """[N, L, D] on the CPU."""
        if key not in self._held:
            self._held[key] = self._collect(key)
        return self._held[key]

    def mean(self, keys: Sequence[Key]) -> torch.Tensor:
        """[N, L, D]: the mean over several keys, summed in float32, in the model's precision."""
        if len(keys) == 1:
            return self.vectors(keys[0])
        total = self.vectors(keys[0]).float()
        for key in keys[1:]:
            total = total + self.vectors(key)
        return (total / len(keys)).to(self._dtype)


def collect_vectors(decoder: Decoder, prompts: Prompts, batch_size: int) -> torch.Tensor:
    """[N, L, D] on the CPU. Prompts of like length share a batch, padded on the left.

    A prompt that was refused is None and its vectors are zero (its pair has no rows that use them).
    """
    layers, width = len(decoder.layers), int(decoder.config.hidden_size)
    result = torch.zeros(len(prompts), layers, width, dtype=decoder.dtype)
    usable = [(i, prompt.prefix) for i, prompt in enumerate(prompts) if prompt is not None]
    usable.sort(key=lambda entry: len(entry[1]))
    for start in range(0, len(usable), batch_size):
        batch = usable[start : start + batch_size]
        ids, mask = pad_left([prefix for _, prefix in batch], decoder.device)
        outputs: list[torch.Tensor] = []
        with decoder.reading(outputs):
            decoder.run_body(ids, mask, positions_of(mask))
        result[[i for i, _ in batch]] = torch.stack(outputs, dim=1).cpu()
    return result
