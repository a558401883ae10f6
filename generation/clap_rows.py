"""The output rows of a run of the published patching code, each with full identity; what cannot be trusted stays out.

With more prompts than one batch that code patched every later batch with the first batch's source concepts, so of
patched runs only the first batch comes in.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gainsift.generation.clap_prompts import ClapPrompt, ClapPrompts
from gainsift.generation.clap_results import Floats, Outputs, Run, read_outputs
from gainsift.generation.clap_tails import asked_word, trim_batch
from gainsift.generation.output_rows import identity
from gainsift.generation.prompts import QUOTE
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt

LATER_BATCHES = "outputs of patched runs beyond the first batch (patched with other prompts' source concepts)"
NO_TAIL = "outputs that begin with what may be prompt text or an answer"
OTHER_WORD = "outputs whose prompt asks for another word than the study's list"


@dataclass
class Imported:
    """What came in, and how much was left out, by reason. `cut`: answers from which a prompt tail was taken off;
    `unlike`: unpatched answers that differ between their repeats, one for each layer (the first is kept)."""

    rows: int = 0
    files: int = 0
    runs: int = 0
    prompt_pairs: int = 0
    cut: int = 0
    unlike: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass
class RowMaker:
    """Makes rows of runs; what it leaves out is counted in `done`."""

    config: StudyConfig
    concepts: Mapping[str, Concept]
    prompts: ClapPrompts
    pairs: Sequence[PromptPair]
    done: Imported

    @property
    def languages(self) -> list[str]:
        return self.config.languages()

    def rows(self, run: Run, checkpoint: CheckpointSpec) -> list[Translation]:
        """Every row of a run that can be trusted."""
        found = []
        for kind in run.kinds:
            prompts = self.prompts.of(kind, run.pair)
            outputs = read_outputs(run, kind, len(prompts))
            found += self._rows_of(run, checkpoint, kind, prompts, outputs)
        return found

    def _rows_of(
        self, run: Run, checkpoint: CheckpointSpec, kind: Prompt, prompts: list[ClapPrompt], outputs: Outputs
    ) -> list[Translation]:
        patched = run.setting != UNPATCHED
        asked = self.config.generation.layers
        layers = [layer for layer in range(outputs.layers) if asked == "all" or layer in asked] if patched else [0]
        batches = outputs.answers[:1] if patched else outputs.answers
        kept = sum(len(batch[0]) for batch in batches)
        self.done.left_out[LATER_BATCHES] += (outputs.prompts - kept) * len(layers)
        if not patched:
            self.done.unlike += sum(len(set(texts)) > 1 for batch in batches for texts in zip(*batch, strict=True))
        masses = {side: self._masses(outputs, run, kind, side) for side in ("source", "target")}  # [N, L, G]
        found, start = [], 0
        for batch in batches:
            size = len(batch[0])
            for layer in layers:
                trimmed = trim_batch(batch[layer], [prompt.text for prompt in prompts[start : start + size]])
                self.done.cut += trimmed.cut
                for place, text in enumerate(trimmed.texts, start):
                    if text is None:
                        self.done.left_out[NO_TAIL] += 1
                    elif not self._is_asked(prompts[place], place, kind, run.pair):
                        self.done.left_out[OTHER_WORD] += 1
                    else:
                        both = [masses[side][place, layer].tolist() for side in ("source", "target")]
                        found.append(self._row(run, checkpoint, kind, place, layer if patched else None, text, *both))
            start += size
        return found

    def _masses(self, outputs: Outputs, run: Run, kind: Prompt, side: str) -> Floats:
        """Mass on the words of the source or target concept in each study language, [N, L, G]; NaN where not told.

        The keys of a source prompt are plain codes and tell of its own concept only. Those of a target prompt begin
        with src_ or tgt_, but for the target concept's words in the output language, whose key is plain.
        """
        absent = np.full((outputs.prompts, outputs.layers), np.nan)
        if kind == "source":
            names = [code if side == "source" else "" for code in self.languages]
        else:
            prefix = {"source": "src_", "target": "tgt_"}[side]
            own = run.pair[1] if side == "target" else ""
            names = [code if code == own else prefix + code for code in self.languages]
        return np.stack([outputs.masses.get(name, absent) for name in names], axis=-1)

    def _is_asked(self, prompt: ClapPrompt, place: int, kind: Prompt, pair: LanguagePair) -> bool:
        """Whether the prompt asks for the word that the study's list has first, as every later stage takes it."""
        own = self.pairs[place]
        concept = self.concepts[own.source_concept if kind == "source" else own.target_concept]
        return unicodedata.normalize("NFC", asked_word(prompt.text)).strip() == concept.word(pair[0])

    def _row(
        self,
        run: Run,
        checkpoint: CheckpointSpec,
        kind: Prompt,
        place: int,
        layer: int | None,
        text: str,
        on_source: list[float],
        on_target: list[float],
    ) -> Translation:
        out = self.languages.index(run.pair[1])
        return Translation(
            **identity(checkpoint, run.setting, kind, run.pair, self.pairs[place], layer, self.concepts),
            answer=text.split(QUOTE, 1)[0],
            raw=text,
            closed=QUOTE in text,
            p_source=on_source[out],
            p_target=on_target[out],
            source_mass=on_source,
            target_mass=on_target,
        )
