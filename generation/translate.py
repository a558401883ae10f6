"""The rows of one checkpoint and language pair: unpatched prompts, then every setting at every cut-off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from gainsift.generation.batch_size import rows_that_fit
from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.decoder import Decoder
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.first_tokens import MassReader
from gainsift.generation.precondition import check_exactness
from gainsift.generation.preparation import Preparation, settings_of, vector_keys
from gainsift.generation.source_bank import Key, SourceBank, collect_vectors
from gainsift.generation.sweep import Block, Sweep, sweep
from gainsift.schemas.errors import WorkError
from gainsift.schemas.files import arrow_schema, write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt, is_about_source
from gainsift.schemas.study import TRANSLATIONS_FORMAT


class Translator:
    """A loaded checkpoint with its source bank, for the files of `wanted` language pairs.

    Each source prompt goes through the checkpoint once: its vectors, and its own answer where one of `wanted` needs
    it, come from the same run.
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
        self.batch_size = batch_size or rows_that_fit(self.decoder, preparation.longest(), preparation.longest_rest())
        self.bank = SourceBank(self._collect, self.decoder.dtype)
        self.masses = MassReader(self.pairs, preparation.tokens, self.config.languages(), device)
        self._unpatched_sources: dict[LanguagePair, Rows] = {}

    def write(self, path: Path, pair: LanguagePair, content: dict[str, str], advance: Callable[[int], None]) -> None:
        """Make and write the file of a language pair."""
        rows = Rows()
        usable, settings = self.preparation.usable(pair), settings_of(self.config, pair)
        if UNPATCHED in settings:
            self.bank.vectors(("source", pair))
            rows.extend(self._unpatched_sources.pop(pair))
            advance(len(rows))
        # vectors of the target prompts themselves come from the run of their own prefix
        foreign = [name for name in settings if name not in (UNPATCHED, "tgt_tgt")]
        sources = [self.bank.mean(vector_keys(name, pair, self.config.trained_languages))[usable] for name in foreign]
        named = [*foreign, *(["tgt_tgt"] if "tgt_tgt" in settings else [])]
        asked = Sweep(
            self._prompts("target", pair, usable),
            torch.stack(sources) if sources else None,
            self.layers,
            clean=UNPATCHED in settings,
            own="tgt_tgt" in settings,
        )
        for block in self._sweep(asked):
            self._add(rows, block, pair, usable, named, "target")
            advance(len(block.cells))
        extra = {"content": json.dumps(content), "languages": json.dumps(self.config.languages())}
        table = rows.table(list(dict.fromkeys([UNPATCHED, *settings])))
        write_parquet(path, Translation, table, TRANSLATIONS_FORMAT, extra)

    def _collect(self, key: Key) -> torch.Tensor:
        """The vectors of a key for the bank; on the way, the answers of source prompts that a file will hold."""
        kind, pair = key
        prompts = self.preparation.accepted(key)
        if kind != "source" or pair not in self.wanted or UNPATCHED not in settings_of(self.config, pair):
            return collect_vectors(self.decoder, prompts, self.batch_size)
        usable = self.preparation.usable(pair)
        known = set(usable)
        others = [None if n in known else prompt for n, prompt in enumerate(prompts)]
        vectors = collect_vectors(self.decoder, others, self.batch_size)
        own = torch.zeros_like(vectors[usable])
        rows = self._unpatched_sources[pair] = Rows()
        for block in self._sweep(Sweep(self._prompts(kind, pair, usable), None, [], clean=True), own):
            self._add(rows, block, pair, usable, [], kind)
        vectors[usable] = own
        return vectors

    def _prompts(self, kind: Prompt, pair: LanguagePair, usable: Sequence[int]) -> list[TokenPrompt]:
        prompts = self.preparation.accepted((kind, pair))
        return [prompt for i in usable if (prompt := prompts[i]) is not None]

    def _sweep(self, asked: Sweep, vectors: torch.Tensor | None = None) -> Iterator[Block]:
        limit = self.config.generation.max_new_tokens
        return sweep(self.decoder, self.reader, asked, limit, self.batch_size, vectors)

    def _add(
        self,
        rows: Rows,
        block: Block,
        pair: LanguagePair,
        usable: Sequence[int],
        settings: Sequence[str],
        kind: Prompt,
    ) -> None:
        """Append the rows of a block. `settings` are named by the cells' source, `usable` by their prompt."""
        indices = [usable[cell.prompt] for cell in block.cells]
        masses = self.masses.read(block.logits, torch.tensor(indices, device=block.logits.device))
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
            prompt_pair = self.pairs[index]
            ids = prompt_pair.source_concept, prompt_pair.target_concept
            intended, other = ids if is_about_source(setting, kind) else ids[::-1]
            rows.add({
                "row_id": Translation.make_id(spec.name, setting, kind, *pair, prompt_pair.pair_id, cell.layer),
                "checkpoint": spec.name, "step": spec.step, "tokens": spec.tokens,
                "setting": setting, "prompt": kind, "input_language": pair[0], "output_language": pair[1],
                "pair_id": prompt_pair.pair_id, "layer": cell.layer,
                "intended_concept": intended, "other_concept": other,
                "shown_word": self.preparation.concepts[intended].word(pair[0]),
                "answer": answer.text, "raw": answer.raw, "closed": answer.closed,
                "p_source": on_source[out], "p_target": on_target[out],
                "source_mass": on_source, "target_mass": on_target,
            }, index)  # fmt: skip


class Rows:
    """Rows of a file by column, with the index of each row's prompt pair."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in Translation.model_fields}
        self.indices: list[int] = []

    def __len__(self) -> int:
        return len(self.indices)

    def add(self, row: dict[str, Any], index: int) -> None:
        for name, value in row.items():
            self.columns[name].append(value)
        self.indices.append(index)

    def extend(self, others: Rows) -> None:
        for name, values in others.columns.items():
            self.columns[name] += values
        self.indices += others.indices

    def table(self, settings: Sequence[str]) -> pa.Table:
        """In an order that tells nothing of batches: unpatched ones first, then by prompt pair, setting and layer."""
        columns = self.columns
        place = {name: number for number, name in enumerate(settings)}
        keys = [
            (setting != UNPATCHED, prompt != "source", index, place[setting], -1 if layer is None else layer)
            for setting, prompt, index, layer in zip(
                columns["setting"], columns["prompt"], self.indices, columns["layer"], strict=True
            )
        ]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        ordered = {name: [values[i] for i in order] for name, values in columns.items()}
        return pa.Table.from_pydict(ordered, schema=arrow_schema(Translation, TRANSLATIONS_FORMAT))
