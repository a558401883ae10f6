"""Rows that continue behind the word of their prompt: with the prefix shared, or with a copy of it for each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from transformers.cache_utils import Cache

from gainsift.generation.decoder import Decoder, roomy_cache
from gainsift.generation.joining import Indices, regroup, rows_by_layer
from gainsift.generation.shared_prefix import SharedPrefix, TailLayer


@dataclass(frozen=True)
class NextLogits:
    """Logits `values` [A, V] in float32, and which of them is whose: `of_row` [R].

    Rows that are the same in every layer share one, so that the head, most of a small model's work, runs once for them.
    """

    values: torch.Tensor
    of_row: torch.Tensor

    def of_rows(self) -> torch.Tensor:
        """[R, V]"""
        return self.values[self.of_row]

    def greedy(self) -> torch.Tensor:
        """The likeliest token of each row [R], the first of several."""
        if self.values.device.type == "cpu":  # where numpy finds it in a quarter of torch's time
            return torch.from_numpy(self.values.numpy().argmax(-1))[self.of_row]
        return self.values.argmax(-1)[self.of_row]


def own_logits(values: torch.Tensor) -> NextLogits:
    """Logits [R, V] of rows of which each has its own."""
    return NextLogits(values, torch.arange(len(values), device=values.device))


class Continuation(Protocol):
    """R rows of a batch whose past is kept."""

    def next_logits(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> NextLogits:
        """What comes after the last of `ids`; `ids`, `mask` (padding is 0) and `positions` are [R, T]."""

    def keep(self, rows: torch.Tensor) -> None:
        """Keep only `rows` [R], a mask, of the batch."""


@dataclass(frozen=True)
class PatchedWords:
    """Words of C prompts with vectors of S sources patched in: `cache` of one token, and `logits` [S * C, V]."""

    cache: Cache
    logits: torch.Tensor


@dataclass(frozen=True)
class Prefix:
    """The clean run of C prompts up to the word.

    `cache` has the keys and values of n tokens, `mask` [C, n] is 0 at padding, `vectors` [C, L, D] are every layer's
    output at the word, `logits` [C, V] what would come next.
    """

    cache: Cache
    mask: torch.Tensor
    vectors: torch.Tensor
    logits: torch.Tensor


@dataclass(frozen=True)
class BatchRows:
    """R rows: which of C prompts each continues, which of S sources is patched into it, and above which layer.

    `source` is -1 and `cutoff` L - 1 where nothing is patched in: no layer is above that.
    """

    prompt: Indices
    source: Indices
    cutoff: Indices

    def states(self, prompts: int) -> Indices:
        """Place of each row's patched word among S × C."""
        return np.maximum(self.source, 0) * prompts + self.prompt


class SharedRun:
    """Rows with one prefix for each prompt; layers compute what differs between rows (see `joining`)."""

    def __init__(
        self, decoder: Decoder, prefix: Prefix, patched: PatchedWords | None, rows: BatchRows, room: int
    ) -> None:
        self._decoder, self._prompt, self._cutoff = decoder, rows.prompt, rows.cutoff
        self._group = rows.prompt
        self._prefix_mask = prefix.mask[:, :-1]
        at = torch.from_numpy(rows.prompt).to(decoder.device)
        states = torch.from_numpy(rows.states(len(prefix.mask))).to(decoder.device)
        layers = []
        for index, clean in enumerate(prefix.cache.layers):
            words = []
            above = torch.from_numpy(rows.cutoff < index).to(decoder.device)[:, None, None]
            for name in ("keys", "values"):
                word = getattr(clean, name)[at, :, -1]
                if patched is not None:
                    word = torch.where(above, getattr(patched.cache.layers[index], name)[states, :, 0], word)
                words.append(word)
            before = clean.keys[:, :, :-1].contiguous(), clean.values[:, :, :-1].contiguous()
            layers.append(TailLayer(before, (words[0], words[1]), 1 + room))
        self._shared = SharedPrefix(layers)
        self._tail_mask = torch.ones_like(at)[:, None]  # [R, t]: the word counts

    def next_logits(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> NextLogits:
        self._group = regroup(self._group, ids[:, -1].tolist())  # what follows the word is the same for all cut-offs
        decoder = self._decoder
        by_layer = rows_by_layer(self._prompt, self._cutoff, self._group, len(decoder.layers), decoder.device)
        for layer, now in zip(self._shared.layers, by_layer, strict=True):
            layer.now = now
        self._tail_mask = torch.cat([self._tail_mask, mask], dim=1)
        self._shared.bias = self._bias(ids.shape[1])
        with decoder.computing(by_layer), self._shared.attending(decoder.config):
            return NextLogits(decoder.next_logits(ids, None, positions, self._shared.cache), by_layer[-1].stands_for)

    def _bias(self, tokens: int) -> torch.Tensor | None:
        """[R, T, n + t]: minus infinity at padding and at later tokens; None if every key counts."""
        at = torch.from_numpy(self._prompt).to(self._decoder.device)
        counts = torch.cat([self._prefix_mask[at], self._tail_mask], dim=1).bool()[:, None].repeat(1, tokens, 1)
        counts[:, :, -tokens:] &= torch.ones(tokens, tokens, dtype=torch.bool, device=counts.device).tril()
        if bool(counts.all()):
            return None
        empty = torch.zeros(counts.shape, dtype=self._decoder.dtype, device=counts.device)
        return empty.masked_fill(~counts, -torch.inf)

    def keep(self, rows: torch.Tensor) -> None:
        chosen = rows.cpu().numpy()
        self._prompt, self._cutoff, self._group = self._prompt[chosen], self._cutoff[chosen], self._group[chosen]
        self._tail_mask = self._tail_mask[rows]
        for layer in self._shared.layers:
            layer.keep(rows)
        left, renamed = np.unique(self._prompt, return_inverse=True)
        if 2 * len(left) <= len(self._prefix_mask):  # prompts without rows are answered for nothing
            there = torch.from_numpy(left).to(rows.device)
            self._prompt, self._prefix_mask = renamed, self._prefix_mask[there]
            for layer in self._shared.layers:
                layer.prefix_keys, layer.prefix_values = layer.prefix_keys[there], layer.prefix_values[there]


class CopiedRun:
    """Rows with a copy of the prefix each, for models whose attention cannot be exchanged."""

    def __init__(
        self, decoder: Decoder, prefix: Prefix, patched: PatchedWords | None, rows: BatchRows, room: int
    ) -> None:
        self._decoder = decoder
        at = torch.from_numpy(rows.prompt).to(decoder.device)
        states = torch.from_numpy(rows.states(len(prefix.mask))).to(decoder.device)
        length = prefix.mask.shape[1]
        self._mask = prefix.mask[at]
        self._cache = roomy_cache(len(decoder.layers), length + room)
        for index, (clean, own) in enumerate(zip(prefix.cache.layers, self._cache.layers, strict=True)):
            own.update(clean.keys[at], clean.values[at])
            above = torch.from_numpy(np.flatnonzero(rows.cutoff < index)).to(decoder.device)
            if patched is not None and len(above):
                own.keys[above, :, length - 1] = patched.cache.layers[index].keys[states[above], :, 0]
                own.values[above, :, length - 1] = patched.cache.layers[index].values[states[above], :, 0]

    def next_logits(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor) -> NextLogits:
        self._mask = torch.cat([self._mask, mask], dim=1)
        return own_logits(self._decoder.next_logits(ids, self._mask, positions, self._cache))

    def keep(self, rows: torch.Tensor) -> None:
        self._mask = self._mask[rows]
        for layer in self._cache.layers:
            layer.keep(rows)
