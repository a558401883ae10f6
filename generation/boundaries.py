"""Where the asked word ends, in tokens: found by offsets for every prompt, never assumed from another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gainsift.generation.prompts import PromptText

STRADDLES = "a token reaches beyond the end of the word"
NOT_A_PREFIX = "the tokens of the prompt cut after the word are not the first tokens of the whole prompt"


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt in tokens: `prefix` ends with the word's last token, `suffix` ends with the opening quote."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prefix) + len(self.suffix)


@dataclass(frozen=True)
class Refusal:
    """A prompt that cannot be cut at its word."""

    reason: str


def tokenize_prompts(tokenizer: Any, texts: Sequence[PromptText]) -> list[TokenPrompt | Refusal]:
    """Each prompt in tokens, special tokens at the beginning included, or the reason why it is refused.

    `tokenizer` is a fast transformers tokenizer (offsets are needed).
    """
    if not texts:
        return []
    whole = tokenizer([text.text for text in texts], return_offsets_mapping=True, return_attention_mask=False)
    cut = tokenizer([text.up_to_word for text in texts], return_attention_mask=False)
    return [
        _split(ids, offsets, cut_ids, text.end)
        for ids, offsets, cut_ids, text in zip(
            whole["input_ids"], whole["offset_mapping"], cut["input_ids"], texts, strict=True
        )
    ]


def _split(ids: list[int], offsets: list[tuple[int, int]], cut_ids: list[int], end: int) -> TokenPrompt | Refusal:
    """Split a prompt after the last token that begins before character `end`.

    A character of several bytes may be spread over several tokens with equal offsets: the last one counts.
    Special tokens have empty offsets.
    """
    last = max(i for i, (start, stop) in enumerate(offsets) if start < end and stop > start)
    if offsets[last][1] > end:
        return Refusal(STRADDLES)
    if ids[: last + 1] != cut_ids:
        return Refusal(NOT_A_PREFIX)
    return TokenPrompt(tuple(ids[: last + 1]), tuple(ids[last + 1 :]))
