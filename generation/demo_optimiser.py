"""Muon, with AdamW for what is not a hidden matrix: learns rare words in about half of AdamW's time.

The momentum of each matrix is replaced by the nearest orthogonal one, approached by a Newton-Schulz iteration,
so that rarely seen directions (a word of the lexicon) move as far as frequent ones. Jordan et al. (2024),
*Muon: an optimizer for hidden layers in neural networks*; the step's size of Liu et al. (2025, arXiv:2502.16982),
0.2 × sqrt(the larger side), lets one learning rate serve both parts. Here matrices of one shape go through the
iteration together, in float32, which is what makes it cheap on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

COEFFICIENTS = (3.4445, -4.775, 2.0315)
"""Of the quintic iteration: singular values end between about 0.7 and 1.2, which is near enough."""
ITERATIONS = 4
MOMENTUM = 0.95
SCALE = 0.2
BETAS = (0.9, 0.98)


def orthogonalised(matrices: torch.Tensor, iterations: int = ITERATIONS) -> torch.Tensor:
    """Each of the matrices [N, R, C] with its singular values brought near to one; its singular vectors stay."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    wide: torch.Tensor = matrices.transpose(1, 2) if tall else matrices
    wide = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(iterations):
        square = wide @ wide.transpose(1, 2)  # [N, R, R]
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide.transpose(1, 2) if tall else wide


class Muon:
    """Muon for `matrices`, AdamW for `others`."""

    def __init__(
        self, matrices: Iterable[torch.nn.Parameter], others: Iterable[torch.nn.Parameter], weight_decay: float
    ) -> None:
        self.weight_decay = weight_decay
        self.adamw = torch.optim.AdamW(list(others), betas=BETAS, weight_decay=weight_decay, fused=True)
        shapes: dict[torch.Size, list[torch.nn.Parameter]] = {}
        for matrix in matrices:
            shapes.setdefault(matrix.shape, []).append(matrix)
        self.groups = [(group, torch.zeros(len(group), *shape)) for shape, group in shapes.items()]

    @classmethod
    def of(cls, model: torch.nn.Module, weight_decay: float) -> Muon:
        """Matrices are the weights of linear layers, embeddings and what is tied to them left to AdamW."""
        embedded = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
        linear = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Linear)} - embedded
        weights = list(model.parameters())
        return cls([w for w in weights if id(w) in linear], [w for w in weights if id(w) not in linear], weight_decay)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step along the gradients, which are cleared."""
        for options in self.adamw.param_groups:
            options["lr"] = learning_rate
        self.adamw.step()
        self.adamw.zero_grad()
        for group, momentum in self.groups:
            gradients = torch.stack([gradient for matrix in group if (gradient := matrix.grad) is not None])
            momentum.mul_(MOMENTUM).add_(gradients)
            updates = orthogonalised(gradients + MOMENTUM * momentum)  # Nesterov's look ahead
            size = learning_rate * SCALE * max(group[0].shape) ** 0.5
            for matrix, update in zip(group, updates, strict=True):
                matrix.mul_(1 - learning_rate * self.weight_decay).add_(update, alpha=-size)
                matrix.grad = None
