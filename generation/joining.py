"""Which rows each layer has to compute: rows whose past is the same share the layers up to their cut-offs.

Patching from layer j on changes what later tokens see in layers above j only. Two rows of a prompt that have
decoded the same tokens so far therefore have the same states in every layer up to the lower of their cut-offs,
whatever is patched into them. In such a group one row stands for all that are not yet past their cut-off; the
others join at the layer where their own patch begins to count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class LayerRows:
    """The A rows that one layer computes, of R in the batch.

    `rows` [A] names them, `enter` [A] says where each was among the rows of the layer before, `stands_for` [R] which
    of the A stands for a row. `slots` [A] is the place of each in a table of prompts × `width`, for attention.
    """

    rows: torch.Tensor
    enter: torch.Tensor
    stands_for: torch.Tensor
    slots: torch.Tensor
    width: int


def rows_by_layer(
    prompt: Indices, cutoff: Indices, group: Indices, layers: int, device: torch.device
) -> list[LayerRows]:
    """What each of `layers` layers computes for R rows with a `prompt`, a `cutoff` layer and a `group` each: [R].

    Rows of a group have the same prompt and the same tokens so far. Layers with the same rows share their entry,
    but for `enter`.
    """
    found: list[LayerRows] = []
    size = len(group)
    before = torch.arange(size, device=device)  # the embeddings are there for all rows
    for layer in range(layers):
        shared = cutoff >= layer
        if found and not np.any(shared != (cutoff >= layer - 1)):
            found.append(LayerRows(found[-1].rows, before[found[-1].rows], *_rest(found[-1])))
        else:
            own = group.max(initial=0) + 1 + np.arange(size)
            _, rows, stands_for = np.unique(np.where(shared, group, own), return_index=True, return_inverse=True)
            slots, width = _slots(prompt[rows])
            here, there = torch.from_numpy(rows).to(device), torch.from_numpy(stands_for).to(device)
            found.append(LayerRows(here, before[here], there, torch.from_numpy(slots).to(device), width))
        before = found[-1].stands_for
    return found


def _rest(one: LayerRows) -> tuple[torch.Tensor, torch.Tensor, int]:
    return one.stands_for, one.slots, one.width


def _slots(prompt: Indices) -> tuple[Indices, int]:
    """A place for each row in the table of prompts × width, where width is the largest number of rows of a prompt."""
    order = np.argsort(prompt, kind="stable")
    counts = np.bincount(prompt)
    rank = np.empty_like(prompt)
    rank[order] = np.arange(len(prompt)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = int(counts.max())
    return prompt * width + rank, width


def regroup(group: Indices, tokens: Sequence[int]) -> Indices:
    """Groups [R] after each row took one more token: rows stay together if they took the same."""
    taken = np.asarray(tokens, dtype=np.intp)
    _, found = np.unique(group * (taken.max(initial=0) + 1) + taken, return_inverse=True)
    return np.asarray(found, dtype=np.intp)
