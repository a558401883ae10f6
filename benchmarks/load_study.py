"""A simulated study of any size: made-up words, outputs drawn from them as a model in training would say them.

Files are those that `gainsift generate` leaves. Every prompt pair and language pair has a fixed number of distinct
answers, and no word of one language or concept is spelled like another's, so that it is known without merging how many
items the outputs come down to: each answer is one, and the right English word one more where the prompts gave it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

from gainsift.annotation.prelabel import PreLabel
from gainsift.schemas.concepts import Concept, PromptPair, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Translation
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import CONCEPTS_FORMAT, PROMPTS_FORMAT, TRANSLATIONS_FORMAT

ENDINGS = {"en": "a", "de": "e", "fr": "i", "es": "o", "it": "u"}
"""The last letter of every word of a language."""
LANGUAGE_PAIRS = [
    ("en", "de"), ("en", "fr"), ("en", "es"), ("en", "it"), ("de", "en"), ("fr", "en"), ("de", "fr"), ("es", "it"),
]  # fmt: skip
JUDGED = ("tgt", "seen", "en_en")
CONTROL = "tgt_tgt"
LAYERS, JUDGED_LAYERS = 24, (8, 12, 16)
CONDITIONS: list[tuple[str, str, int | None]] = [
    ("unpatched", "source", None),
    ("unpatched", "target", None),
    *((setting, "target", layer) for setting in (*JUDGED, CONTROL) for layer in range(LAYERS)),
]
"""Setting, prompt and layer of the rows of each prompt pair: 98."""
IN_POPULATION = [
    prompt == "source" or (setting in JUDGED and layer in JUDGED_LAYERS) for setting, prompt, layer in CONDITIONS
]
"""Which of them people judge: 10."""
OVERLAP, REPEATS, CONTROLS = 5, 0.02, 10
COPY, OTHER, LAST_NAMED = 2, 3, 5
"""Answers by number: reference form, synonym, copy, other concept, other sense, cut off; then errors."""
NAMED = ("correct", "correct", "plain_copy", "other_concept", "other_sense", "cut_off")
ERRORS = ("unrelated", "non_word", "related", "wrong_form")
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]


@dataclass(frozen=True)
class Size:
    """Prompt pairs, checkpoints, distinct answers of each prompt pair in each language pair, annotators."""

    pairs: int
    checkpoints: int
    answers: int
    annotators: int = 50

    @property
    def rows(self) -> int:
        return self.pairs * self.checkpoints * len(LANGUAGE_PAIRS) * len(CONDITIONS)

    @property
    def population(self) -> int:
        """Rows that people's judgements stand for."""
        return self.rows * sum(IN_POPULATION) // len(CONDITIONS)


def word(number: int, language: str) -> str:
    """A word of its own for each number and language."""
    text = ""
    for _ in range(3):
        number, place = divmod(number, len(SYLLABLES))
        text += SYLLABLES[place]
    return text + "x" * number + ENDINGS[language]


def make_concept(number: int) -> Concept:
    """Three words in each language: the listed one, a synonym, and one for the other sense of the listed one."""
    sense = {code: [word(3 * number, code), word(3 * number + 2, code)] for code in ENDINGS}
    return Concept(
        id=f"k{number:04}",
        gloss=f"simulated meaning {number}",
        reference={code: [word(3 * number, code)] for code in ENDINGS},
        accepted={code: [word(3 * number + 1, code)] for code in ENDINGS},
        senses=[Sense(id=f"k{number:04}.other", gloss=f"simulated second meaning {number}", forms=sense)],
    )


@dataclass(frozen=True)
class Simulation:
    """What the outputs of a size may say, and what is right to call it."""

    size: Size
    seed: int

    @cached_property
    def concepts(self) -> list[Concept]:
        return [make_concept(number) for number in range(max(8, self.size.pairs))]

    @cached_property
    def prompt_pairs(self) -> list[PromptPair]:
        """Every concept once as source, its neighbour as target."""
        ids = [concept.id for concept in self.concepts]
        ring = ids * 2
        return [
            PromptPair.of((ids[n], ring[n + 1]), ring[n + 2 : n + 5], ring[n + 5 : n + 8], n, self.seed)
            for n in range(self.size.pairs)
        ]

    def answers(self, place: int, about_source: bool, pair: tuple[str, str]) -> list[tuple[str, bool]]:
        """Text and whether its quote was closed, of each answer of a prompt pair; the first ones are NAMED."""
        ring = [place, (place + 1) % len(self.concepts)]
        about, other = (self.concepts[number] for number in (ring if about_source else ring[::-1]))
        given, out = pair
        named = [about.word(out), about.accepted[out][0], about.word(given), other.word(out),
                 about.senses[0].forms[out][1]]  # fmt: skip
        first = len(SYLLABLES) ** 3 + (place * 2 + about_source) * self.size.answers  # no word of a concept
        wrong = [word(first + number, out) for number in range(self.size.answers - len(named))]
        return [(text, number != LAST_NAMED) for number, text in enumerate([*named, *wrong])]

    @cached_property
    def labels(self) -> dict[tuple[str, str, str, str], PreLabel]:
        """The right label by intended concept, input and output language and answer."""
        found = {}
        for place, prompt_pair in enumerate(self.prompt_pairs):
            for given, out in LANGUAGE_PAIRS:
                for number, (text, _) in enumerate(self.answers(place, True, (given, out))):
                    label = NAMED[number] if number < len(NAMED) else ERRORS[number % len(ERRORS)]
                    sense = f"{prompt_pair.source_concept}.other" if label == "other_sense" else None
                    found[prompt_pair.source_concept, given, out, text] = PreLabel(label, sense)
        return found


def chances(answers: int, progress: float, patched: bool, ability: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """How probable each answer is [P, A], for prompt pairs of some ability [P]: copying goes, other senses come."""
    right = np.clip((0.05 + 0.55 * progress) * ability * (0.8 if patched else 1.0), 0, 0.8)
    rest = np.ones(answers)
    rest[1], rest[OTHER], rest[4] = 3, 6 if patched else 2, 1 + 6 * progress
    rest[COPY] = 0 if patched else 20 * (1 - progress) + 1
    rest[0] = 0
    return np.column_stack([right, (1 - right)[:, None] * (rest[1:] / rest.sum())])


def write_study(folder: Path, size: Size, seed: int) -> int:
    """A study folder as generation leaves it. Returns how many items the rows of its population come down to."""
    simulation = Simulation(size, seed)
    folder.mkdir(parents=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(config(size, seed), sort_keys=False), "utf-8")
    write_jsonl(folder / "concepts.jsonl", simulation.concepts, CONCEPTS_FORMAT)
    write_parquet(folder / "prompts.parquet", PromptPair, simulation.prompt_pairs, PROMPTS_FORMAT)
    rng = np.random.default_rng(seed)
    ability = rng.uniform(0.5, 1.5, size.pairs)
    occurs = np.zeros((len(LANGUAGE_PAIRS), size.pairs, size.answers + 1), bool)
    for checkpoint in range(size.checkpoints):
        for number, pair in enumerate(LANGUAGE_PAIRS):
            _write_file(folder, simulation, checkpoint, pair, ability, occurs[number], rng)
    return int(occurs.sum())


def config(size: Size, seed: int) -> dict[str, Any]:
    """study.yaml: fifty people who read English and some of the other languages, five of them for each item."""
    middle = {"setting": "tgt", "layer": LAYERS // 2}
    others = [code for code in ENDINGS if code != "en"]
    return {
        "format": 1,
        "name": "simulated-load",
        "description": "Simulated: made-up words, outputs drawn at random, judgements by nobody.",
        "model": {
            "name": "simulated",
            "checkpoints": [
                {"name": f"step-{n:03}", "path": f"step-{n:03}", "step": 100 * (n + 1), "tokens": 10**9 * (n + 1)}
                for n in range(size.checkpoints)
            ],
        },
        "trained_languages": list(ENDINGS),
        "language_pairs": [list(pair) for pair in LANGUAGE_PAIRS],
        "prompts": {"pairs": size.pairs, "shots": 3, "seed": seed},
        "generation": {"settings": ["unpatched", *JUDGED, CONTROL]},
        "annotation": {
            "rows": {"settings": ["unpatched", *JUDGED], "layers": list(JUDGED_LAYERS)},
            "annotators": [
                {"name": f"simulated-{n:02}", "languages": ["en", *(c for k, c in enumerate(others) if k != n % 4)]}
                for n in range(size.annotators)
            ],
            "overlap": OVERLAP,
            "repeats": REPEATS,
            "controls": CONTROLS,
        },
        "contrasts": [
            {"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}},
            {"name": "patching", "from": {"checkpoint": "last"}, "to": {"checkpoint": "last", **middle}},
            {"name": "patched", "from": {"checkpoint": "first", **middle}, "to": {"checkpoint": "last", **middle}},
        ],
    }  # fmt: skip


def _write_file(
    folder: Path, simulation: Simulation, checkpoint: int, pair: tuple[str, str], ability: npt.NDArray[Any],
    occurs: npt.NDArray[np.bool_], rng: np.random.Generator,
) -> None:  # fmt: skip
    """The outputs of a checkpoint in a language pair; `occurs` [P, A + 1] notes what the population said."""
    size, name = simulation.size, f"step-{checkpoint:03}"
    count = size.pairs * len(CONDITIONS)
    place, at = np.divmod(np.arange(count), len(CONDITIONS))  # prompt pair and condition of each row
    patched = np.array([setting != "unpatched" for setting, _, _ in CONDITIONS])[at]
    about = np.array([is_about_source(setting, prompt) for setting, prompt, _ in CONDITIONS])[at]
    progress = (checkpoint + 1) / size.checkpoints
    steps = np.stack([chances(size.answers, progress, kind, ability).cumsum(1) for kind in (False, True)])
    answer = (rng.random(count)[:, None] > steps[patched.astype(int), place]).sum(1).clip(max=size.answers - 1)
    copied = np.array([setting == "en_en" for setting, _, _ in CONDITIONS])[at] & (answer == 0) & (pair[1] == "en")
    judged = np.array(IN_POPULATION)[at]
    occurs[place[judged], np.where(copied, size.answers, answer)[judged]] = True

    said = [simulation.answers(p, source, pair) for source in (False, True) for p in range(size.pairs)]
    texts, closed = zip(*(one for answers in said for one in answers), strict=True)
    code = (about * size.pairs + place) * size.answers + answer
    prompts, concepts = simulation.prompt_pairs, {one.id: one for one in simulation.concepts}
    ids = [one.pair_id for one in prompts]
    both = [[one.target_concept for one in prompts], [one.source_concept for one in prompts]]
    intended, other = (np.array(both)[side.astype(int), place] for side in (about, ~about))
    masses = rng.dirichlet(np.full(len(ENDINGS) + 1, 0.5), 2 * count).astype(np.float32)[:, 1:]
    out = list(ENDINGS).index(pair[1])
    columns = {
        "row_id": [
            Translation.make_id(name, setting, prompt, *pair, pair_id, layer)
            for pair_id in ids for setting, prompt, layer in CONDITIONS
        ],
        "checkpoint": [name] * count,
        "step": np.full(count, 100 * (checkpoint + 1)),
        "tokens": np.full(count, 10**9 * (checkpoint + 1)),
        "setting": [setting for setting, _, _ in CONDITIONS] * size.pairs,
        "prompt": [prompt for _, prompt, _ in CONDITIONS] * size.pairs,
        "input_language": [pair[0]] * count,
        "output_language": [pair[1]] * count,
        "pair_id": np.array(ids)[place],
        "layer": pa.array([layer for _, _, layer in CONDITIONS] * size.pairs, pa.int64()),
        "intended_concept": intended,
        "other_concept": other,
        "shown_word": [concepts[one].word(pair[0]) for one in intended],
        "answer": np.array(texts)[code],
        "raw": [texts[one] + '"\n' * closed[one] for one in code],
        "closed": np.array(closed)[code],
        "p_source": masses[:count, out].astype(float),
        "p_target": masses[count:, out].astype(float),
        "source_mass": pa.FixedSizeListArray.from_arrays(pa.array(masses[:count].ravel()), len(ENDINGS)),
        "target_mass": pa.FixedSizeListArray.from_arrays(pa.array(masses[count:].ravel()), len(ENDINGS)),
    }  # fmt: skip
    path = folder / "translations" / name / f"{'-'.join(pair)}.parquet"
    extra = {"languages": json.dumps(list(ENDINGS))}
    write_parquet(path, Translation, pa.table(columns), TRANSLATIONS_FORMAT, extra)
