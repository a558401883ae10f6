"""Rows of translations as they are made: what each is about, and the columns of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.files import arrow_schema
from gainsift.schemas.model import CheckpointSpec
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt, is_about_source
from gainsift.schemas.study import TRANSLATIONS_FORMAT


def identity(
    checkpoint: CheckpointSpec,
    setting: str,
    kind: Prompt,
    pair: LanguagePair,
    prompt_pair: PromptPair,
    layer: int | None,
    concepts: Mapping[str, Concept],
) -> dict[str, Any]:
    """The fields of a Translation that say where an output comes from and what it is about."""
    ids = prompt_pair.source_concept, prompt_pair.target_concept
    intended, other = ids if is_about_source(setting, kind) else ids[::-1]
    return {
        "row_id": Translation.make_id(checkpoint.name, setting, kind, *pair, prompt_pair.pair_id, layer),
        "checkpoint": checkpoint.name, "step": checkpoint.step, "tokens": checkpoint.tokens,
        "setting": setting, "prompt": kind, "input_language": pair[0], "output_language": pair[1],
        "pair_id": prompt_pair.pair_id, "layer": layer,
        "intended_concept": intended, "other_concept": other, "shown_word": concepts[intended].word(pair[0]),
    }  # fmt: skip


class OutputRows:
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

    def extend(self, others: OutputRows) -> None:
        for name, values in others.columns.items():
            self.columns[name] += values
        self.indices += others.indices

    def only(self, indices: Sequence[int]) -> OutputRows:
        """The rows of these prompt pairs."""
        asked, chosen = set(indices), OutputRows()
        kept = [n for n, index in enumerate(self.indices) if index in asked]
        chosen.columns = {name: [values[n] for n in kept] for name, values in self.columns.items()}
        chosen.indices = [self.indices[n] for n in kept]
        return chosen

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
