"""The prompts that benchmarks/layer_sweep.py asks for, for us and, as texts, for the peer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from gainsift.generation.checkpoints import Checkpoint
from gainsift.generation.lexicon import embedded_concepts
from gainsift.generation.pairing import make_pairs
from gainsift.generation.preparation import Preparation, settings_of, vector_keys
from gainsift.generation.source_bank import Key
from gainsift.generation.translate import Translator
from gainsift.schemas.config import CheckpointSpec, StudyConfig
from gainsift.schemas.settings import UNPATCHED, LanguagePair

LANGUAGES = ["en", "de", "fr", "es", "it"]
ALL_PAIRS = [(given, out) for given in LANGUAGES for out in LANGUAGES if given != out]
NEW_TOKENS = 10
BEYOND = 4
"""More prompt pairs are drawn than used: pairs whose prompts end in another number of tokens are passed over, since
the published loop takes the word's place from the first prompt."""


class Request:
    """A study of `count` prompt pairs over `pairs` of five languages, on the model in `folder`.

    `generation` replaces keys of that section of study.yaml.
    """

    def __init__(
        self, folder: Path, pairs: Sequence[LanguagePair], count: int, shots: int = 5, **generation: Any
    ) -> None:
        self.folder, self.language_pairs = folder, list(pairs)
        self._checkpoint = Checkpoint(CheckpointSpec(name="c", path=str(folder)), folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.config = StudyConfig.model_validate(
            {
                "name": "benchmark",
                "model": {"name": folder.name, "checkpoints": [{"name": "c", "path": str(folder)}]},
                "trained_languages": LANGUAGES,
                "language_pairs": [list(pair) for pair in pairs],
                "generation": {"max_new_tokens": NEW_TOKENS, **generation},
            }
        )
        concepts = list(embedded_concepts(LANGUAGES))
        drawn = make_pairs(concepts, LANGUAGES, BEYOND * count, shots, 42, "embedded lexicon")
        by_id = {concept.id: concept for concept in concepts}
        trial = Preparation(self.tokenizer, self.config, drawn, by_id)
        ends = [trial.accepted(("target", pair)) for pair in pairs]
        usable = set.intersection(*(set(trial.usable(pair)) for pair in pairs))
        kept = [
            pair for n, pair in enumerate(drawn)
            if n in usable and all(one is not None and len(one.suffix) == self._end(column)
                                   for column in ends for one in [column[n]])
        ][:count]  # fmt: skip
        assert len(kept) == count, f"only {len(kept)} of {count} prompt pairs fit the published loop"
        self.preparation = Preparation(self.tokenizer, self.config, kept, by_id)

    @staticmethod
    def _end(column: Sequence[Any]) -> int:
        lengths = [len(one.suffix) for one in column if one is not None]
        return max(set(lengths), key=lengths.count)

    def model(self) -> Any:
        """The model as `gainsift generate` loads it."""
        return self._checkpoint.load_model("cpu", "float32")

    def plain_model(self) -> Any:
        """The model as transformers loads it."""
        return AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32).eval().requires_grad_(False)

    def translator(self, model: Any, to_the_end: bool, every: int = 1) -> Translator:
        """Ours, with one layer in `every` a cut-off; with `to_the_end` no quote ends an answer, as in the peer."""
        layers = list(range(0, model.config.num_hidden_layers, every))
        made = Translator(model, self._checkpoint, self.preparation, layers, self.language_pairs)
        if to_the_end:
            made.reader.closes[:] = False
            made.reader.ends[:] = False
        return made

    def sources(self, pair: LanguagePair, setting: str) -> list[Key]:
        return vector_keys(setting, pair, self.config.trained_languages)

    def runs(self) -> list[dict[str, Any]]:
        """Every setting of every language pair, as the published loop takes them, and the unpatched prompts, once."""
        return [
            run
            for pair in self.language_pairs
            for run in (
                *({**self.unpatched(pair, kind), "layers": [0]} for kind in ("source", "target")),
                *(self.run(pair, self.sources(pair, name))
                  for name in settings_of(self.config, pair) if name != UNPATCHED),
            )
        ]  # fmt: skip

    def run(self, pair: LanguagePair, keys: Sequence[Key]) -> dict[str, Any]:
        """One setting of one language pair."""
        columns = [[one.up_to_word for one in self.preparation.texts(key)] for key in keys]
        return {**self.unpatched(pair, "target"), "sources": [list(row) for row in zip(*columns, strict=True)]}

    def unpatched(self, pair: LanguagePair, kind: Any) -> dict[str, Any]:
        prompts = self.preparation.accepted((kind, pair))
        tokens = self.preparation.tokens
        watch = [
            [sorted(tokens[name][code]) for name in (one.source_concept, one.target_concept)
             for code in self.config.languages()]
            for one in self.preparation.pairs
        ]  # fmt: skip
        return {
            "sources": [],
            "watch": watch,
            "targets": [one.text for one in self.preparation.texts((kind, pair))],
            "word": -1 - self._end(prompts),
        }
