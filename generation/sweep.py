"""The exact shared-prefix sweep: every cut-off of every setting of a prompt from one run of its prefix.

Patching from layer j on replaces the outputs of layers j … L-1 at the word's last token. What later tokens see
of that token is, in each layer, one key and one value, computed from the input of that layer alone. So

1. one clean run up to the word gives keys and values of the prefix, the same for every j;
2. one run of the word's last token with every layer's output replaced by the source vectors gives the patched
   key and value of every layer l ≥ 1 (its input is the vector of layer l-1; attention plays no part in it);
3. cut-off j keeps the clean key and value in layers ≤ j and takes the patched ones in layers > j.

All cut-offs become rows of one batch that runs only what follows the word. Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from gainsift.generation.batch_size import Halving, even_parts
from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.continuing import (
    BatchRows,
    CopiedRun,
    NextLogits,
    PatchedWords,
    Prefix,
    SharedRun,
    own_logits,
)
from gainsift.generation.decoder import Decoder, pad_left, positions_of, roomy_cache
from gainsift.generation.decoding import AnswerReader, decode_greedily

Kind = tuple[int | None, int | None]
Task = tuple[Sequence[int], Sequence[Kind]]
"""Prompts, and which cells of each of them."""


@dataclass(frozen=True)
class Cell:
    """One output to make: the prompt, which of the sources is patched in, and from which layer on."""

    prompt: int
    source: int | None = None
    layer: int | None = None


@dataclass(frozen=True)
class Block:
    """The outputs of R cells: what would come next, and the answers' tokens."""

    cells: list[Cell]
    next: NextLogits
    tokens: list[list[int]]

    @property
    def logits(self) -> torch.Tensor:
        """Next-token logits of the cells, [R, V]."""
        return self.next.of_rows()


@dataclass(frozen=True)
class Sweep:
    """What is asked of N prompts, beside the prompts as they are (if `clean`).

    `sources` is [S, N, L, D]: row [s, n] is patched into prompt n at every cut-off; `own`: so are the prompt's own
    vectors, as the source after them.
    """

    prompts: Sequence[TokenPrompt]
    sources: torch.Tensor | None
    cutoffs: Sequence[int]
    clean: bool = False
    own: bool = False

    def kinds(self) -> list[Kind]:
        """The source and the cut-off of every cell of a prompt."""
        count = (0 if self.sources is None else len(self.sources)) + self.own
        return [(None, None)] * self.clean + list(product(range(count), self.cutoffs))


def sweep(
    decoder: Decoder,
    reader: AnswerReader,
    asked: Sweep,
    max_new_tokens: int,
    batch_size: int,
    vectors: torch.Tensor | None = None,
) -> Iterator[Block]:
    """Outputs of all cells, about `batch_size` rows at a time, prompts of like length together.

    Where memory does not suffice, what is left goes on in halves; the cells that came out before stand.
    `vectors` [N, L, D], if given, receives every layer's output at the word, as the source bank holds it.
    """
    kinds = asked.kinds()
    order = sorted(range(len(asked.prompts)), key=lambda n: len(asked.prompts[n].prefix))
    tasks: list[Task] = []
    for ends in (False, True):  # prompts that end with their word are no batch with others
        alike = [n for n in order if ends == (not asked.prompts[n].suffix)]
        tasks.extend((chunk, kinds) for chunk in even_parts(alike, max(1, batch_size // len(kinds))))
    queue = Halving(tasks, lambda task: _halves(*task), decoder.device)
    for chunk, left in queue:
        try:
            for block in _chunk(decoder, reader, asked, chunk, left, max_new_tokens, batch_size, vectors):
                yield block
                left = left[len(block.cells) // len(chunk) :]
        except Exception as error:
            queue.halve((chunk, left), error)
            batch_size = max(1, batch_size // 2)


def _halves(chunk: Sequence[int], kinds: Sequence[Kind]) -> list[Task]:
    """Two tasks for one: half the prompts, or half the kinds of the only prompt."""
    if len(chunk) > 1:
        return [(part, kinds) for part in even_parts(chunk, -(-len(chunk) // 2))]
    return [(chunk, part) for part in even_parts(kinds, -(-len(kinds) // 2))]


def _chunk(
    decoder: Decoder,
    reader: AnswerReader,
    asked: Sweep,
    chunk: Sequence[int],
    kinds: Sequence[Kind],
    max_new_tokens: int,
    batch_size: int,
    vectors: torch.Tensor | None,
) -> Iterator[Block]:
    """The cells of some prompts, kind by kind in order: each block holds some kinds of all of them."""
    prompts = [asked.prompts[n] for n in chunk]
    prefix = _run_prefix(decoder, prompts)
    if vectors is not None:
        vectors[list(chunk)] = prefix.vectors.to(vectors)
    used = sorted({source for source, _ in kinds if source is not None})
    patched = _patch_words(decoder, asked, prompts, chunk, prefix, used)
    for part in even_parts(kinds, max(1, batch_size // len(chunk))):
        rows = BatchRows(
            np.repeat(np.arange(len(chunk)), len(part)),
            np.tile([-1 if source is None else used.index(source) for source, _ in part], len(chunk)),
            np.tile([len(decoder.layers) - 1 if layer is None else layer for _, layer in part], len(chunk)),
        )
        cells = [Cell(n, source, layer) for n in chunk for source, layer in part]
        yield Block(cells, *_continue(decoder, reader, prompts, prefix, patched, rows, max_new_tokens))


def _continue(
    decoder: Decoder,
    reader: AnswerReader,
    prompts: Sequence[TokenPrompt],
    prefix: Prefix,
    patched: PatchedWords | None,
    rows: BatchRows,
    max_new_tokens: int,
) -> tuple[NextLogits, list[list[int]]]:
    """Step 3: what comes next in each row, and the tokens decoded from there."""
    at = torch.from_numpy(rows.prompt).to(decoder.device)
    ends = torch.tensor([[len(prompt.prefix) - 1] for prompt in prompts], device=decoder.device)[at]
    longest = max(len(prompt.suffix) for prompt in prompts)
    kind: type[SharedRun] | type[CopiedRun] = SharedRun if decoder.shares_prefix else CopiedRun
    run = kind(decoder, prefix, patched, rows, longest + max_new_tokens)
    if not longest:  # the word is the prompt's last token: every cut-off reads the head over the last vector
        first = prefix.logits[at]
        if patched is not None:
            own = torch.from_numpy(rows.source >= 0).to(decoder.device)[:, None]
            first = torch.where(own, patched.logits[torch.from_numpy(rows.states(len(prompts))).to(own.device)], first)
        following = own_logits(first)
    else:
        ids, mask = pad_left([prompts[one].suffix for one in rows.prompt], decoder.device)
        positions = ends + 1 + positions_of(mask)
        following, ends = run.next_logits(ids, mask, positions), positions[:, -1:]
    return following, decode_greedily(run, reader, following, ends, max_new_tokens)


def _run_prefix(decoder: Decoder, prompts: Sequence[TokenPrompt]) -> Prefix:
    """Step 1: the clean run up to and including the word."""
    ids, mask = pad_left([prompt.prefix for prompt in prompts], decoder.device)
    cache = roomy_cache(len(decoder.layers), ids.shape[1])
    outputs: list[torch.Tensor] = []
    with decoder.reading(outputs):
        logits = decoder.next_logits(ids, mask, positions_of(mask), cache)
    return Prefix(cache, mask, torch.stack(outputs, dim=1), logits)


def _patch_words(
    decoder: Decoder,
    asked: Sweep,
    prompts: Sequence[TokenPrompt],
    chunk: Sequence[int],
    prefix: Prefix,
    used: Sequence[int],
) -> PatchedWords | None:
    """Step 2: one token for each `used` source and prompt, source by source, with every layer's output replaced.

    The token stands alone: its keys and values depend on the replaced inputs and on its position only.
    """
    given = 0 if asked.sources is None else len(asked.sources)
    parts = [
        prefix.vectors if asked.sources is None or source == given else asked.sources[source, list(chunk)]
        for source in used
    ]
    if not parts:
        return None
    vectors = torch.cat([part.to(decoder.device) for part in parts])
    count = len(vectors) // len(chunk)
    word = torch.tensor([[prompt.prefix[-1]] for prompt in prompts], device=decoder.device).repeat(count, 1)
    position = torch.tensor([[len(prompt.prefix) - 1] for prompt in prompts], device=decoder.device).repeat(count, 1)
    cache = roomy_cache(len(decoder.layers), 1)
    with decoder.replacing(vectors):
        logits = decoder.next_logits(word, torch.ones_like(word), position, cache)
    return PatchedWords(cache, logits)
