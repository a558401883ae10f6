"""A causal language model seen as a stack of layers whose outputs can be read and replaced."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicLayer

from gainsift.generation.joining import LayerRows
from gainsift.schemas.errors import UserError


class Decoder:
    """Runs a transformers decoder-only model; always with the whole mask, and position ids where it takes them.

    `layers` are its L decoder layers in order. The residual stream after layer l is that layer's output.
    `shares_prefix`: its attention can be exchanged for one that keeps the prefix of a prompt once.
    """

    def __init__(self, model: Any, name: str) -> None:
        self.model, self.name = model, name
        self.config = model.config.get_text_config()
        self.layers = find_layers(model, int(self.config.num_hidden_layers), name)
        self.device = next(model.parameters()).device
        self.dtype = next(model.parameters()).dtype
        self._body = model.base_model
        self.shares_prefix = bool(getattr(model, "_supports_attention_backend", False))
        # the last of several tokens is a slice, which torch multiplies with a copy of the head for every row
        model.get_output_embeddings().register_forward_pre_hook(lambda head, given: (given[0].contiguous(),))
        self._takes = {id(part): set(inspect.signature(part.forward).parameters) for part in (model, self._body)}

    def run_body(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Cache | None = None
    ) -> None:
        """Run without the head, for what hooks and the cache catch. Shapes as in `next_logits`."""
        self._forward(self._body, ids, mask, positions, cache)

    def next_logits(
        self, ids: torch.Tensor, mask: torch.Tensor | None, positions: torch.Tensor, cache: Cache
    ) -> torch.Tensor:
        """Logits [B, V] in float32 after the last of `ids` [B, T]; `mask` [B, past + T], `positions` [B, T].

        No mask: attention is taken care of elsewhere (`SharedPrefix.attending`). Within `computing`, [A, V].
        """
        logits: torch.Tensor = self._forward(self.model, ids, mask, positions, cache).logits[:, -1]
        return logits.float()

    def _forward(
        self,
        part: nn.Module,
        ids: torch.Tensor,
        mask: torch.Tensor | None,
        positions: torch.Tensor,
        cache: Cache | None,
    ) -> Any:
        arguments: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": mask,
            "past_key_values": cache,
            "use_cache": cache is not None,
        }
        if "position_ids" in self._takes[id(part)]:
            arguments["position_ids"] = positions
        if "logits_to_keep" in self._takes[id(part)]:
            arguments["logits_to_keep"] = 1
        with torch.no_grad():
            return part(**arguments)

    @contextmanager
    def reading(self, into: list[torch.Tensor]) -> Iterator[None]:
        """While open, a forward appends every layer's output at the last token, [B, D], to `into`."""

        def read(module: nn.Module, inputs: Any, output: Any) -> None:
            into.append(_hidden(output)[:, -1].clone())

        with _hooks([layer.register_forward_hook(read) for layer in self.layers]):
            yield

    @contextmanager
    def replacing(self, vectors: torch.Tensor) -> Iterator[None]:
        """While open, the output of layer l at the last token becomes `vectors[:, l]`; `vectors` is [B, L, D]."""

        def replacement(layer: int) -> Any:
            def replace(module: nn.Module, inputs: Any, output: Any) -> Any:
                hidden = _hidden(output).clone()
                hidden[:, -1] = vectors[:, layer]
                return hidden if isinstance(output, torch.Tensor) else (hidden, *output[1:])

            return replace

        with _hooks([layer.register_forward_hook(replacement(i)) for i, layer in enumerate(self.layers)]):
            yield

    @contextmanager
    def computing(self, by_layer: Sequence[LayerRows]) -> Iterator[None]:
        """While open, each layer computes its own rows of the batch alone; the head gets those of the last layer."""

        def entering(now: LayerRows) -> Any:
            def enter(module: nn.Module, inputs: Any, named: Any) -> Any:
                batch = len(now.stands_for)
                hidden, *others = inputs if inputs else (named["hidden_states"],)
                hidden = hidden[now.enter]
                named = {name: _of_rows(value, now.rows, batch) for name, value in named.items()}
                if not inputs:
                    return (), {**named, "hidden_states": hidden}
                return (hidden, *(_of_rows(value, now.rows, batch) for value in others)), named

            return enter

        handles = [
            layer.register_forward_pre_hook(entering(now), with_kwargs=True)
            for layer, now in zip(self.layers, by_layer, strict=True)
        ]
        with _hooks(handles):
            yield


def _of_rows(value: Any, rows: torch.Tensor, batch: int) -> Any:
    """The part of a layer's argument that belongs to `rows` of the batch; what has no row a batch stays."""
    if isinstance(value, torch.Tensor):
        return value[rows] if value.dim() > 1 and len(value) == batch else value
    if isinstance(value, tuple):
        return tuple(_of_rows(part, rows, batch) for part in value)
    return value


def _hidden(output: Any) -> torch.Tensor:
    """The residual stream [B, T, D] in a layer's output: some layers return it alone, others in a tuple."""
    hidden: torch.Tensor = output if isinstance(output, torch.Tensor) else output[0]
    return hidden


@contextmanager
def _hooks(handles: Sequence[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def find_layers(model: nn.Module, count: int, name: str) -> list[nn.Module]:
    """The decoder layers: the outermost list of as many modules as the configuration has layers."""
    lists = [
        (path.count("."), path, module)
        for path, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count
    ]
    if not lists:
        raise UserError(
            f"checkpoint {name}", f"{type(model).__name__} has no list of {count} decoder layers",
            "only decoder-only transformers can be patched",
        )  # fmt: skip
    return list(min(lists, key=lambda entry: entry[:2])[2])


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values [B, H, room, D], allocated once, so that a longer sequence copies nothing."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room, self.filled = room, 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.dtype, self.device = key_states.dtype, key_states.device
        self.keys, self.values = (
            state.new_empty((*state.shape[:2], self.room, state.shape[3])) for state in (key_states, value_states)
        )
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states of [B, H, T, D]; returns all that are filled."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.filled + key_states.shape[2]
        self.keys[:, :, self.filled : end] = key_states
        self.values[:, :, self.filled : end] = value_states
        self.filled = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        return self.filled

    def keep(self, rows: torch.Tensor) -> None:
        """Keep only `rows` of the batch."""
        self.keys, self.values = self.keys[rows], self.values[rows]


def roomy_cache(layers: int, room: int) -> Cache:
    """An empty cache with room for `room` tokens."""
    return Cache(layers=[RoomyLayer(room) for _ in range(layers)])


def pad_left(prompts: Sequence[Sequence[int]], device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask [B, T] with the padding, of token 0, on the left."""
    longest = max(len(ids) for ids in prompts)
    padded = [[0] * (longest - len(ids)) + list(ids) for ids in prompts]
    mask = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts]
    return torch.tensor(padded, device=device), torch.tensor(mask, device=device)


def positions_of(mask: torch.Tensor) -> torch.Tensor:
    """Position of every token among those that count; padding gets 0."""
    return (mask.cumsum(-1) - 1).clamp(min=0)
