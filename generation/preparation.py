"""The prompts of a study under one tokenizer: cut at their words, first tokens known, refusals listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gainsift.generation.boundaries import Refusal, TokenPrompt, tokenize_prompts
from gainsift.generation.first_tokens import TokenSets, concept_tokens, disjoint
from gainsift.generation.prompts import PromptText, build_prompt
from gainsift.generation.source_bank import Key
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.settings import UNPATCHED, LanguagePair, exists, source_pairs


def settings_of(config: StudyConfig, pair: LanguagePair) -> list[str]:
    """The asked-for settings that have rows for `pair`, each once, in the order of study.yaml."""
    asked = dict.fromkeys(config.generation.settings)
    return [name for name in asked if exists(name, pair, config.trained_languages)]


def vector_keys(setting: str, pair: LanguagePair, trained: Sequence[str]) -> list[Key]:
    """The prompts whose vectors are averaged for a patched setting."""
    if setting == "tgt_tgt":
        return [("target", pair)]
    return [("source", other) for other in source_pairs(setting, pair, trained)]


def bank_keys(config: StudyConfig, pair: LanguagePair) -> list[Key]:
    """Every kind of prompt whose vectors the source bank collects for `pair`.

    Unpatched source prompts go through it too. Vectors of target prompts are used where they are made.
    """
    keys: list[Key] = []
    for setting in settings_of(config, pair):
        if setting == UNPATCHED:
            keys.append(("source", pair))
        elif setting != "tgt_tgt":
            keys += vector_keys(setting, pair, config.trained_languages)
    return list(dict.fromkeys(keys))


def prompt_keys(config: StudyConfig, pair: LanguagePair) -> list[Key]:
    """Every kind of prompt that some row of `pair` rests on; its own two come first."""
    keys: list[Key] = [("source", pair), ("target", pair)]
    for setting in settings_of(config, pair):
        if setting != UNPATCHED:
            keys += vector_keys(setting, pair, config.trained_languages)
    return list(dict.fromkeys(keys))


@dataclass
class Preparation:
    """Tokenized prompts of all prompt pairs, made when first asked for.

    A prompt pair has rows in a language pair only if *every* prompt that some setting needs can be cut at its
    word, so that a unit exists in all settings or in none.
    """

    tokenizer: Any
    config: StudyConfig
    pairs: Sequence[PromptPair]
    concepts: Mapping[str, Concept]
    tokens: dict[str, TokenSets] = field(init=False)
    overlapping: list[str] = field(init=False)
    _held: dict[Key, list[TokenPrompt | Refusal]] = field(init=False, default_factory=dict)
    _usable: dict[LanguagePair, list[int]] = field(init=False, default_factory=dict)
    _lengths: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        used = dict.fromkeys(name for pair in self.pairs for name in (pair.source_concept, pair.target_concept))
        self.tokens = concept_tokens(self.tokenizer, [self.concepts[name] for name in used], self.config.languages())
        self.overlapping = [pair.pair_id for pair in self.pairs if not disjoint(pair, self.tokens)]

    def texts(self, key: Key) -> list[PromptText]:
        """The N prompts of a key, in the order of the prompt pairs."""
        return [prompt_text(pair, key, self.concepts) for pair in self.pairs]

    def prompts(self, key: Key) -> list[TokenPrompt | Refusal]:
        if key not in self._held:
            self._held[key] = tokenize_prompts(self.tokenizer, self.texts(key))
        return self._held[key]

    def accepted(self, key: Key) -> list[TokenPrompt | None]:
        """The same, with None where a prompt was refused."""
        return [prompt if isinstance(prompt, TokenPrompt) else None for prompt in self.prompts(key)]

    def usable(self, pair: LanguagePair) -> list[int]:
        """Indices of the prompt pairs that have rows in `pair`."""
        if pair not in self._usable:
            columns = [self.accepted(key) for key in prompt_keys(self.config, pair)]
            self._usable[pair] = [n for n, column in enumerate(zip(*columns, strict=True)) if None not in column]
        return self._usable[pair]

    def length_of(self, word: str) -> int:
        """Tokens of a word that stands alone."""
        if word not in self._lengths:
            self._lengths[word] = len(self.tokenizer(word)["input_ids"])
        return self._lengths[word]

    def longest(self) -> int:
        """Tokens of the longest prompt together with its answer."""
        return max(map(len, self._all_prompts()), default=0) + self.config.generation.max_new_tokens

    def longest_rest(self) -> int:
        """Tokens from the word's last one to the end of the answer, at most."""
        rests = [1 + len(prompt.suffix) for prompt in self._all_prompts()]
        return max(rests, default=0) + self.config.generation.max_new_tokens

    def _all_prompts(self) -> Iterator[TokenPrompt]:
        for key in {key for pair in self.config.language_pairs for key in prompt_keys(self.config, pair)}:
            yield from (prompt for prompt in self.accepted(key) if prompt is not None)

    def refusals(self) -> list[dict[str, str]]:
        """Every refused prompt: prompt pair, which of its prompts, language pair, reason."""
        keys = dict.fromkeys(key for pair in self.config.language_pairs for key in prompt_keys(self.config, pair))
        return [
            {"pair_id": pair.pair_id, "prompt": key[0], "input": key[1][0], "output": key[1][1], "reason": made.reason}
            for key in keys
            for pair, made in zip(self.pairs, self.prompts(key), strict=True)
            if isinstance(made, Refusal)
        ]


def prompt_text(pair: PromptPair, key: Key, concepts: Mapping[str, Concept]) -> PromptText:
    """The source or target prompt of a prompt pair in a language pair."""
    kind, languages = key
    shots, asked = (
        (pair.source_shots, pair.source_concept) if kind == "source" else (pair.target_shots, pair.target_concept)
    )
    return build_prompt(languages, [concepts[name] for name in shots], concepts[asked])
