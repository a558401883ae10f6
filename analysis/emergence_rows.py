"""The output rows as plain arrays: what was asked, success, and the probability mass on both concepts' words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gainsift.analysis.estimate import Array
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.shared_beginnings import sharing
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.files import read_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import TRANSLATIONS_FORMAT, Study
from gainsift.schemas.success import succeeds

COLUMNS = [
    "checkpoint", "setting", "prompt", "layer", "input_language", "output_language", "pair_id", "intended_concept",
    "other_concept", "answer", "closed", "p_source", "p_target", "source_mass",
]  # fmt: skip
NO_LAYER = -1
MISFIT = "outputs whose masses by language do not fit the languages of study.yaml (left out of masses of other ones)"
SENSE_SPLIT = "outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)"
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Rows:
    """N output rows; numbers point into the lists. A unit is prompt pair × language pair, named pair|input|output.

    `values` holds for each row: success (of the intended concept), mass on the source concept's words and on the
    target concept's words in the output language. `mass` [N, G]: on the source concept's words in each language,
    NaN where that is not known or the concept has no word there. The *source concept* is the prompt pair's, on
    control rows too; its word family is the cluster.
    """

    checkpoints: list[str]
    series: list[tuple[str, str]]
    pairs: list[tuple[str, str]]
    languages: list[str]
    concepts: list[str]
    clusters: list[str]
    units: list[str]
    checkpoint: Codes
    of_series: Codes
    layer: Codes
    unit: Codes
    unit_pair: Codes
    unit_concept: Codes
    concept_cluster: Codes
    values: Array
    mass: npt.NDArray[np.float32]
    sharing: npt.NDArray[Any]
    left_out: Counter[str]

    @cached_property
    def layers(self) -> list[int]:
        """The cut-offs that there are."""
        return [int(layer) for layer in np.unique(self.layer) if layer != NO_LAYER]


class _Names:
    """Numbers for names, in the order in which they are met."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.number = {name: place for place, name in enumerate(known)}

    def codes(self, column: pa.ChunkedArray) -> Codes:
        encoded = column.combine_chunks().dictionary_encode()
        names = encoded.dictionary.to_pylist()
        numbers = np.array([self.number.setdefault(name, len(self.number)) for name in names], np.int32)
        places = encoded.indices.to_numpy(zero_copy_only=False)
        return numbers[places] if len(numbers) else np.zeros(0, np.int32)


def read_rows(study: Study, progress: Callable[[str], None] = lambda step: None) -> Rows:
    """All rows of the checkpoints and language pairs that study.yaml names, in one pass over the files.

    Raises UserError if there are none, if a file is of another format, or if a row stands twice.
    """
    made_by = f"gainsift generate {study.folder}"
    reader = _Reader(study)
    files = study.translation_files()
    if not files:
        raise UserError(str(study.translations_folder), "no translations", f"run `{made_by}` first")
    for file in files:
        progress(f"reading {file.parent.name}/{file.name}")
        table, left = study.named(read_parquet(file, Translation, TRANSLATIONS_FORMAT, made_by, COLUMNS))
        reader.left_out.update(left)
        if len(table):
            reader.add(table)
    return reader.rows()


class _Reader:
    def __init__(self, study: Study) -> None:
        self.study = study
        self.languages = study.config.languages()
        self.checkpoints = _Names(checkpoint.name for checkpoint in study.config.model.checkpoints)
        self.series, self.concepts, self.units = _Names(), _Names(), _Names()
        self.pairs = _Names("|".join(pair) for pair in study.config.language_pairs)
        self.parts: list[tuple[Any, ...]] = []
        self.unit_pair: dict[int, int] = {}
        self.unit_concept: dict[int, int] = {}
        self.left_out: Counter[str] = Counter()
        self.excluded = excluded_concepts(study)

    def add(self, table: pa.Table) -> None:
        series = self.series.codes(pc.binary_join_element_wise(table["setting"], table["prompt"], "|"))
        about_source = np.array([is_about_source(*name.split("|")) for name in self.series.number])[series]
        intended, other = (self.concepts.codes(table[name]) for name in ("intended_concept", "other_concept"))
        missing = self.concepts.number.keys() - self.study.concepts.keys()
        if missing:
            raise UserError(
                str(self.study.concepts_file), f"concept {sorted(missing)[0]!r} is missing", "generate again"
            )
        source = np.where(about_source, intended, other)
        pair = self.pairs.codes(pc.binary_join_element_wise(table["input_language"], table["output_language"], "|"))
        names = pc.binary_join_element_wise(table["pair_id"], table["input_language"], table["output_language"], "|")
        unit = self.units.codes(names)
        self.unit_pair.update(zip(unit.tolist(), pair.tolist(), strict=True))
        self.unit_concept.update(zip(unit.tolist(), source.tolist(), strict=True))
        values = np.column_stack(
            [self._success(table, intended, pair), table["p_source"].to_numpy(), table["p_target"].to_numpy()]
        )
        mass = self._mass(table, source, pair)
        out = np.array([name in self.excluded for name in self.concepts.number], bool)
        kept = ~(out[intended] | out[source])
        self.left_out[SENSE_SPLIT] += int((~kept).sum())
        layer = pc.fill_null(table["layer"], NO_LAYER).to_numpy().astype(np.int32)
        checkpoint = self.checkpoints.codes(table["checkpoint"])
        self.parts.append(tuple(part[kept] for part in (checkpoint, series, layer, unit, values, mass)))

    def _success(self, table: pa.Table, intended: Codes, pair: Codes) -> Array:
        """1 or 0 by the study's rule; each distinct answer is looked at once."""
        answers = _Names()
        answer = answers.codes(table["answer"]).astype(np.int64)
        closed = table["closed"].to_numpy().astype(np.int64)
        key = ((answer * len(self.concepts.number) + intended) * len(self.pairs.number) + pair) * 2 + closed
        _, first, back = np.unique(key, return_index=True, return_inverse=True)
        texts, concepts = list(answers.number), list(self.concepts.number)
        pairs = [name.split("|") for name in self.pairs.number]
        found = []
        for row in first:
            language = pairs[pair[row]][1]
            references = self.study.concepts[concepts[intended[row]]].reference.get(language, [])
            rule = self.study.config.success
            found.append(succeeds(texts[answer[row]], bool(closed[row]), references, language, rule))
        return np.array(found, float)[back]

    def _mass(self, table: pa.Table, source: Codes, pair: Codes) -> npt.NDArray[np.float32]:
        """[N, G] in the order of study.yaml; NaN where the file's languages do not tell which mass is whose."""
        count = len(self.languages)
        mass = np.full((len(table), count), np.nan, np.float32)
        names = json.loads((table.schema.metadata or {}).get(b"languages", json.dumps(self.languages)))
        column = table["source_mass"].combine_chunks()
        lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
        if (lengths == len(names)).all():
            given = column.flatten().to_numpy().reshape(len(table), len(names))
            for number, code in enumerate(self.languages):
                if code in names:  # a language may have been added to study.yaml since
                    mass[:, number] = given[:, names.index(code)]
            outs = np.array([self.languages.index(name.split("|")[1]) for name in self.pairs.number])[pair]
            own = table["p_source"].to_numpy().astype(np.float32)
            mass[~np.isclose(mass[np.arange(len(mass)), outs], own, rtol=1e-5, atol=1e-7)] = np.nan
        self.left_out[MISFIT] += int(np.isnan(mass).all(1).sum())
        concepts = self.study.concepts
        has = np.array([[bool(concepts[c].forms(code)) for code in self.languages] for c in self.concepts.number])
        return np.where(has[source], mass, np.float32(np.nan))

    def rows(self) -> Rows:
        if not self.parts:
            raise UserError(
                str(self.study.translations_folder),
                "no output of a checkpoint and language pair that study.yaml names",
                f"run `gainsift generate {self.study.folder}`",
            )
        checkpoint, series, layer, unit, values, mass = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        self._check_once(checkpoint, series, layer, unit)
        families = word_families(self.study.concepts.values())
        clusters = sorted({families[name] for name in self.concepts.number})
        number = {name: place for place, name in enumerate(clusters)}
        pairs = [(name.split("|")[0], name.split("|")[1]) for name in self.pairs.number]
        units = range(len(self.units.number))
        unit_pair = np.array([self.unit_pair[u] for u in units], np.int32)
        unit_concept = np.array([self.unit_concept[u] for u in units], np.int32)
        names = list(self.concepts.number)
        outs = np.array([self.languages.index(out) for _, out in pairs])
        return Rows(
            checkpoints=list(self.checkpoints.number),
            series=[(name.split("|")[0], name.split("|")[1]) for name in self.series.number],
            pairs=pairs,
            languages=self.languages,
            concepts=names,
            clusters=clusters,
            units=list(self.units.number),
            checkpoint=checkpoint,
            of_series=series,
            layer=layer,
            unit=unit,
            unit_pair=unit_pair,
            unit_concept=unit_concept,
            concept_cluster=np.array([number[families[name]] for name in names], np.int32),
            values=values,
            mass=mass,
            sharing=self._sharing(names, unit_concept[unit], outs[unit_pair[unit]], mass),
            left_out=+self.left_out,
        )

    def _check_once(self, *key: Codes) -> None:
        combined: npt.NDArray[np.int64] = np.zeros(len(key[0]), np.int64)
        for part in key:
            combined = combined * (int(part.max()) + 2) + part + 1
        if len(np.unique(combined)) < len(combined):
            raise UserError(str(self.study.translations_folder), "an output row stands twice", "make the files again")

    def _sharing(self, names: list[str], concept: Codes, out: Codes, mass: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        size = len(self.languages)
        place, cells = concept * size + out, len(names) * size
        own = mass[np.arange(len(mass)), out]
        differs = np.stack(
            [np.bincount(place, mass[:, other] != own, cells) > 0 for other in range(size)], axis=1
        ).reshape(len(names), size, size)
        positive = (np.bincount(place, own > 0, cells) > 0).reshape(len(names), size)
        return sharing([self.study.concepts[name] for name in names], self.languages, differs, positive)
