"""Counts token-forwards where they happen, beside those that a dry run foretells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from gainsift.generation.decoder import Decoder


@dataclass
class Counted:
    """Tokens that entered layers, padding left out, as a share of all layers. Every layer counts for itself."""

    forwards: float = 0.0


@contextmanager
def counting() -> Iterator[Counted]:
    """What every decoder of this process runs meanwhile."""
    counted = Counted()
    forward, computing = Decoder._forward, Decoder.computing
    by_layer: list[Any] = []

    def compute(decoder: Decoder, rows: Any) -> Any:
        by_layer[:] = rows
        return computing(decoder, rows)

    def run(decoder: Decoder, part: Any, ids: Any, mask: Any, *others: Any) -> Any:
        if mask is not None:
            counted.forwards += float(mask[:, -ids.shape[1] :].sum())
        else:  # rows of one prompt, no padding
            counted.forwards += sum(len(now.rows) for now in by_layer) * ids.shape[1] / len(decoder.layers)
        return forward(decoder, part, ids, mask, *others)

    with patch.object(Decoder, "_forward", run), patch.object(Decoder, "computing", compute):
        yield counted
