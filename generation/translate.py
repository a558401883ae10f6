"""The rows of one checkpoint and language pair: unpatched prompts, then every setting at every cut-off."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.decoder import Decoder
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.first_tokens import MassReader
from gainsift.generation.precondition import check_exactness
from gainsift.generation.preparation import Preparation, settings_of, vector_keys
from gainsift.generation.source_bank import SourceBank
from gainsift.generation.sweep import Block, sweep
from gainsift.schemas.errors import WorkError
from gainsift.schemas.files import arrow_schema, write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt, is_about_source
from gainsift.schemas.study import TRANSLATIONS_FORMAT

CACHE_BYTES = 256 << 20
MOST_ROWS = 256


class Translator:
    """A loaded checkpoint with its source bank."""

    def __init__(
        self, model: Any, checkpoint: Checkpoint, preparation: Preparation, layers: list[int], batch_size: int | None
    ) -> None:
        self.checkpoint, self.preparation, self.layers = checkpoint, preparation, layers
        self.config, self.pairs = preparation.config, preparation.pairs
        self.decoder = Decoder(model, checkpoint.name)
        tokenizer, device = preparation.tokenizer, self.decoder.device
        self.reader = AnswerReader(tokenizer, self.decoder.config, model.generation_config).to(device)
        check_exactness(self.decoder, self.reader)
        self.batch_size = batch_size or default_batch_size(self.decoder, preparation.longest())
        self.bank = SourceBank(self.decoder, preparation.accepted, self.batch_size)
        self.masses = MassReader(self.pairs, preparation.tokens, self.config.languages(), device)

    def write(self, path: Path, pair: LanguagePair, content: dict[str, str], advance: Callable[[int], None]) -> None:
        """Make and write the file of a language pair."""
        columns: dict[str, list[Any]] = {name: [] for name in Translation.model_fields}
        usable, settings = self.preparation.usable(pair), settings_of(self.config, pair)
        if UNPATCHED in settings:
            for kind in ("source", "target"):
                for block in self._sweep(self._prompts(kind, pair, usable), None):
                    self._add(columns, block, pair, usable, [UNPATCHED], kind)
                    advance(len(block.cells))
        patched = [name for name in settings if name != UNPATCHED]
        if patched:
            sources = torch.stack(
                [self.bank.mean(vector_keys(name, pair, self.config.trained_languages))[usable] for name in patched]
            )  # [S, N, L, D]
            for block in self._sweep(self._prompts("target", pair, usable), sources):
                self._add(columns, block, pair, usable, patched, "target")
                advance(len(block.cells))
        languages = self.config.languages()
        extra = {"content": json.dumps(content), "languages": json.dumps(languages)}
        table = pa.Table.from_pydict(columns, schema=arrow_schema(Translation, TRANSLATIONS_FORMAT))
        write_parquet(path, Translation, table, TRANSLATIONS_FORMAT, extra)

    def _prompts(self, kind: Prompt, pair: LanguagePair, usable: Sequence[int]) -> list[TokenPrompt]:
        prompts = self.preparation.accepted((kind, pair))
        return [prompt for i in usable if (prompt := prompts[i]) is not None]

    def _sweep(self, prompts: list[TokenPrompt], sources: torch.Tensor | None) -> Any:
        limit = self.config.generation.max_new_tokens
        return sweep(self.decoder, self.reader, prompts, sources, self.layers, limit, self.batch_size)

    def _add(
        self,
        columns: dict[str, list[Any]],
        block: Block,
        pair: LanguagePair,
        usable: Sequence[int],
        settings: Sequence[str],
        kind: Prompt,
    ) -> None:
        """Append the rows of a block. `settings` are named by the cells' source, `usable` by their prompt."""
        indices = [usable[cell.prompt] for cell in block.cells]
        masses = self.masses.read(block.logits.softmax(-1), torch.tensor(indices, device=block.logits.device))
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
            setting, prompt_pair = settings[cell.source or 0], self.pairs[index]
            ids = prompt_pair.source_concept, prompt_pair.target_concept
            intended, other = ids if is_about_source(setting, kind) else ids[::-1]
            row = {
                "row_id": Translation.make_id(spec.name, setting, kind, *pair, prompt_pair.pair_id, cell.layer),
                "checkpoint": spec.name, "step": spec.step, "tokens": spec.tokens,
                "setting": setting, "prompt": kind, "input_language": pair[0], "output_language": pair[1],
                "pair_id": prompt_pair.pair_id, "layer": cell.layer,
                "intended_concept": intended, "other_concept": other,
                "shown_word": self.preparation.concepts[intended].word(pair[0]),
                "answer": answer.text, "raw": answer.raw, "closed": answer.closed,
                "p_source": on_source[out], "p_target": on_target[out],
                "source_mass": on_source, "target_mass": on_target,
            }  # fmt: skip
            for name, value in row.items():
                columns[name].append(value)


def default_batch_size(decoder: Decoder, length: int) -> int:
    """Rows whose keys and values of `length` tokens fit CACHE_BYTES, between 8 and 256."""
    config = decoder.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    row = 2 * len(decoder.layers) * heads * width * length * decoder.dtype.itemsize
    return max(8, min(MOST_ROWS, CACHE_BYTES // int(row)))
