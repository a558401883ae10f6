"""The rows of a shard: unpatched prompts, then every setting at every cut-off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import torch

from gainsift.generation.batch_size import room_for
from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.continuing import NextLogits
from gainsift.generation.decoder import Decoder
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.first_tokens import MassReader
from gainsift.generation.output_rows import OutputRows, identity
from gainsift.generation.precondition import check_exactness
from gainsift.generation.preparation import Preparation, settings_of, vector_keys
from gainsift.generation.source_bank import Key, SourceBank, collect_vectors
from gainsift.generation.sweep import Block, Sweep, sweep
from gainsift.schemas.errors import WorkError
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt


class Translator:
    """A loaded checkpoint with its source bank, for the shards of `wanted` language pairs.

    Each source prompt goes through the checkpoint once: its vectors, and its own answer where one of `wanted` needs
    it, come from the same run. What a shard needs of the bank is collected for its prompt pairs alone, and let go when
    a shard of other prompt pairs comes.
    """

    def __init__(
        self,
        model: Any,
        checkpoint: Checkpoint,
        preparation: Preparation,
        layers: list[int],
        wanted: Sequence[LanguagePair],
        batch_size: int | None = None,
    ) -> None:
        self.checkpoint, self.preparation, self.layers = checkpoint, preparation, layers
        self.config, self.pairs, self.wanted = preparation.config, preparation.pairs, set(wanted)
        self.decoder = Decoder(model, checkpoint.name)
        tokenizer, device = preparation.tokenizer, self.decoder.device
        self.reader = AnswerReader(tokenizer, self.decoder.config, model.generation_config).to(device)
        check_exactness(self.decoder, self.reader)
        room = room_for(self.decoder, preparation.longest(), preparation.longest_rest())
        self._rows: Callable[[int], int] = room.rows if batch_size is None else lambda each: batch_size
        self.batch_size = self._rows(1)
        self.bank = SourceBank(self._collect, self.decoder.dtype)
        self.masses = MassReader(self.pairs, preparation.tokens, self.config.languages(), device)
        self._unpatched_sources: dict[LanguagePair, OutputRows] = {}
        self._part = range(0)

    def table(self, pair: LanguagePair, part: range, advance: Callable[[int], None]) -> pa.Table:
        """The rows of a wanted language pair for the prompt pairs `part`; `advance` hears of rows as they are made."""
        self._turn_to(part)
        rows = OutputRows()
        usable = [index for index in self.preparation.usable(pair) if index in part]
        settings = settings_of(self.config, pair)
        if UNPATCHED in settings:
            rows.extend(self._unpatched_source(pair, usable))
            advance(len(rows))
        # vectors of the target prompts themselves come from the run of their own prefix
        foreign = [name for name in settings if name not in (UNPATCHED, "tgt_tgt")]
        sources = [self.bank.mean(vector_keys(name, pair, self.config.trained_languages), part) for name in foreign]
        at = [index - part.start for index in usable]
        named = [*foreign, *(["tgt_tgt"] if "tgt_tgt" in settings else [])]
        asked = Sweep(
            self._prompts("target", pair, usable),
            torch.stack(sources)[:, at] if sources else None,
            self.layers,
            clean=UNPATCHED in settings,
            own="tgt_tgt" in settings,
        )
        if asked.kinds():
            for block in self._sweep(asked):
                self._add(rows, block, pair, usable, named, "target")
                advance(len(block.cells))
        return rows.table(list(dict.fromkeys([UNPATCHED, *settings])))

    def _turn_to(self, part: range) -> None:
        """Let go what belongs to other prompt pairs than `part`."""
        if part.start >= self._part.stop or part.stop <= self._part.start:
            self.bank.forget()
            self._unpatched_sources.clear()
        self._part = part

    def _unpatched_source(self, pair: LanguagePair, usable: Sequence[int]) -> OutputRows:
        """The source prompts' own answers, which came on the way to their vectors."""
        self.bank.vectors(("source", pair), self._part)
        return self._unpatched_sources[pair].only(usable)

    def _collect(self, key: Key, indices: Sequence[int]) -> torch.Tensor:
        """The vectors of a key for the bank; on the way, the answers of source prompts that a shard will hold."""
        kind, pair = key
        prompts = self.preparation.accepted(key)
        asked = kind == "source" and pair in self.wanted and UNPATCHED in settings_of(self.config, pair)
        usable = [index for index in self.preparation.usable(pair) if index in indices] if asked else []
        vectors = collect_vectors(self.decoder, [None if n in usable else prompts[n] for n in indices], self.batch_size)
        if asked:
            place = {index: at for at, index in enumerate(indices)}
            at = [place[index] for index in usable]
            own = torch.zeros_like(vectors[at])
            rows = self._unpatched_sources.setdefault(pair, OutputRows())
            for block in self._sweep(Sweep(self._prompts("source", pair, usable), None, [], clean=True), own):
                self._add(rows, block, pair, usable, [], "source")
            vectors[at] = own
        return vectors

    def _prompts(self, kind: Prompt, pair: LanguagePair, usable: Sequence[int]) -> list[TokenPrompt]:
        prompts = self.preparation.accepted((kind, pair))
        return [prompt for i in usable if (prompt := prompts[i]) is not None]

    def _sweep(self, asked: Sweep, vectors: torch.Tensor | None = None) -> Iterator[Block]:
        limit = self.config.generation.max_new_tokens
        return sweep(self.decoder, self.reader, asked, limit, self._rows(len(asked.kinds())), vectors)

    def _masses(self, following: NextLogits, indices: Sequence[int]) -> torch.Tensor:
        """[R, 2, G] of rows that belong to the prompt pairs `indices` [R]; rows that share logits share their pair."""
        pairs = torch.tensor(indices, device=following.values.device)
        of_logits = pairs.new_zeros(len(following.values))
        of_logits[following.of_row] = pairs
        return self.masses.read(following.values, of_logits)[following.of_row]

    def _add(
        self,
        rows: OutputRows,
        block: Block,
        pair: LanguagePair,
        usable: Sequence[int],
        settings: Sequence[str],
        kind: Prompt,
    ) -> None:
        """Append the rows of a block. `settings` are named by the cells' source, `usable` by their prompt."""
        indices = [usable[cell.prompt] for cell in block.cells]
        masses = self._masses(block.next, indices)
        if not torch.isfinite(masses).all():
            raise WorkError(
                f"checkpoint {self.checkpoint.name}", f"its outputs are not finite numbers in {self.decoder.dtype}",
                "run again with --dtype bfloat16 or float32",
            )  # fmt: skip
        prompts = self.preparation.accepted((kind, pair))
        before = [prompt.suffix[-1] for i in indices if (prompt := prompts[i]) is not None]
        answers = self.reader.read(before, block.tokens)
        out = self.config.languages().index(pair[1])
        spec = self.checkpoint.spec
        for cell, index, answer, (on_source, on_target) in zip(
            block.cells, indices, answers, masses.tolist(), strict=True
        ):
            setting = UNPATCHED if cell.source is None else settings[cell.source]
            own = identity(spec, setting, kind, pair, self.pairs[index], cell.layer, self.preparation.concepts)
            rows.add({
                **own,
                "answer": answer.text, "raw": answer.raw, "closed": answer.closed,
                "p_source": on_source[out], "p_target": on_target[out],
                "source_mass": on_source, "target_mass": on_target,
            }, index)  # fmt: skip
