"""Linear layers of float32 models on the CPU through oneDNN, with weights that are laid out for it once.

torch multiplies float32 matrices on x86 with MKL, which leaves AVX-512 unused on processors of other makers than its
own. oneDNN comes with torch, too, and multiplies more than twice as fast there (benchmarks/layer_sweep.py shows both).
The arithmetic is the same, float32 throughout; sums are taken in another order, as between any two batch sizes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class PackedLinear(nn.Module):
    """As the `nn.Linear` that it is made from; works without gradients only."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features, self.bias = linear.in_features, linear.out_features, linear.bias
        self._packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)

    @property
    def weight(self) -> torch.Tensor:
        """[out, in], a copy, for code of a model that looks at it."""
        return self._packed.to_dense()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self._packed, self.bias, "none", [], "")
        return result


def pack_linears(model: Any) -> None:
    """Exchange the linear layers of a float32 model on the CPU, where the processor gains by it."""
    weight = next(model.parameters())
    if weight.device.type == "cpu" and weight.dtype == torch.float32 and gains():
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if type(child) is nn.Linear:
                    setattr(parent, name, PackedLinear(child))


def gains() -> bool:
    """Whether torch brings oneDNN and the processor has AVX-512."""
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_onednn and torch.backends.cpu.get_cpu_capability() == "AVX512"
