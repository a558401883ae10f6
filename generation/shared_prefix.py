"""Attention of many rows to the one prefix of their prompt, kept once, and to what each row has of its own.

All cut-offs and settings of a prompt see the same keys and values up to the word; only from the word on do they
differ. Copying the prefix for every row would take most of the memory and, while decoding, most of the time. Here the
rows of a prompt ask its prefix together, as one product of matrices, and their own tail apart; both scores go through
one softmax, so nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from gainsift.generation.joining import LayerRows

NAME = "gainsift_shared_prefix"


class TailLayer(DynamicLayer):  # type: ignore[misc]
    """One layer: keys and values of C prefixes [C, H, n, D], and the tails [R, H, room, D] of R rows.

    A tail begins with the word. `now` says which rows the layer computes in the coming forward.
    """

    def __init__(self, prefix: tuple[torch.Tensor, torch.Tensor], word: tuple[torch.Tensor, torch.Tensor], room: int):
        super().__init__()
        self.prefix_keys, self.prefix_values = prefix
        rows, heads, width = word[0].shape
        self.keys, self.values = (state.new_empty(rows, heads, room, width) for state in word)
        self.keys[:, :, 0], self.values[:, :, 0] = word
        self.dtype, self.device, self.is_initialized, self.filled = word[0].dtype, word[0].device, True, 1
        self.now: LayerRows | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states [A, H, T, D] of the rows computed now to the tails of all rows they stand for.

        Returns the tails of the rows computed now, as far as they are filled: [A, H, t, D].
        """
        assert self.now is not None
        end = self.filled + key_states.shape[2]
        self.keys[:, :, self.filled : end] = key_states[self.now.stands_for]
        self.values[:, :, self.filled : end] = value_states[self.now.stands_for]
        self.filled = end
        return self.keys[self.now.rows, :, :end], self.values[self.now.rows, :, :end]

    def get_seq_length(self) -> int:
        return self.filled

    def keep(self, rows: torch.Tensor) -> None:
        """Keep only `rows` of the batch."""
        self.keys, self.values = self.keys[rows], self.values[rows]


class SharedPrefix:
    """The layers of a batch, and which of its keys count: `bias` [R, T, n + t] is added to the scores, if any."""

    def __init__(self, layers: Sequence[TailLayer]) -> None:
        self.layers, self.cache = layers, Cache(layers=list(layers))
        self.bias: torch.Tensor | None = None

    @contextmanager
    def attending(self, config: Any) -> Iterator[None]:
        """While open, a model with this `config` attends through this batch."""
        before = config._attn_implementation
        ALL_ATTENTION_FUNCTIONS[NAME] = self._attend
        config._attn_implementation = NAME
        try:
            yield
        finally:
            config._attn_implementation = before
            del ALL_ATTENTION_FUNCTIONS[NAME]

    def _attend(
        self, module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any,
        scaling: float | None = None, softcap: float | None = None, s_aux: Any = None, **kwargs: Any,
    ) -> tuple[torch.Tensor, None]:  # fmt: skip
        """Attention as transformers asks for it: `query` [A, heads, T, D], `key` and `value` the tails [A, H, t, D].

        Returns [A, T, heads, D]. Heads that share keys stand side by side: they ask as so many tokens.
        """
        if s_aux is not None:
            raise NotImplementedError("attention sinks")
        layer = self.layers[module.layer_idx]
        assert layer.now is not None
        rows, heads, tokens, width = query.shape
        group = heads // key.shape[1]
        asked = (query * (width**-0.5 if scaling is None else scaling)).reshape(rows, key.shape[1], -1, width)
        before = _gather(_spread(asked, layer) @ layer.prefix_keys.mT, layer.now)
        scores = torch.cat([before, asked @ key.mT], dim=-1)  # [A, H, group * T, n + t]
        if softcap is not None:
            scores = (scores / softcap).tanh() * softcap
        if self.bias is not None:
            by_token = scores.view(rows, key.shape[1], group, tokens, -1)
            scores = (by_token + self.bias[layer.now.rows][:, None, None]).flatten(2, 3)
        shares = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
        first, own = shares[..., : before.shape[-1]], shares[..., before.shape[-1] :]
        result = _gather(_spread(first, layer) @ layer.prefix_values, layer.now) + own @ value
        return result.reshape(rows, heads, tokens, width).transpose(1, 2), None


def _spread(rows: torch.Tensor, layer: TailLayer) -> torch.Tensor:
    """[A, H, Q, X] of rows to [C, H, W * Q, X] of prompts, where a prompt has up to W rows; gaps hold zeros."""
    now, prompts = layer.now, len(layer.prefix_keys)
    assert now is not None
    table = rows.new_zeros(prompts * now.width, *rows.shape[1:])
    table[now.slots] = rows
    return table.view(prompts, now.width, *rows.shape[1:]).transpose(1, 2).flatten(2, 3)


def _gather(prompts: torch.Tensor, now: LayerRows) -> torch.Tensor:
    """Back from [C, H, W * Q, X] to [A, H, Q, X]."""
    count, heads, asked, width = prompts.shape
    return prompts.view(count, heads, now.width, asked // now.width, width).transpose(1, 2).flatten(0, 1)[now.slots]
