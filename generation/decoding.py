"""Greedy decoding of answers: up to the closing quote, row by row, whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gainsift.generation.continuing import Continuation, NextLogits
from gainsift.generation.prompts import QUOTE

NO_TOKEN = -1


@dataclass(frozen=True)
class Answer:
    """`text` is what stands before the closing quote, `raw` all decoded text; a row ends with its closing token."""

    text: str
    raw: str
    closed: bool


class AnswerReader:
    """Which tokens end an answer, and how token ids become text."""

    def __init__(self, tokenizer: Any, config: Any, generation_config: Any = None) -> None:
        self._tokenizer = tokenizer
        pieces = tokenizer.batch_decode(
            [[token] for token in range(len(tokenizer))], clean_up_tokenization_spaces=False
        )
        ends = {*tokenizer.all_special_ids, *_ids(getattr(config, "eos_token_id", None))}
        ends |= _ids(getattr(generation_config, "eos_token_id", None))
        size = max([len(pieces), int(config.vocab_size), *(token + 1 for token in ends)])
        self.closes = torch.zeros(size, dtype=torch.bool)  # [V]: tokens that contain the closing quote
        self.closes[[token for token, piece in enumerate(pieces) if QUOTE in piece and token not in ends]] = True
        self.ends = torch.zeros(size, dtype=torch.bool)  # [V]: special tokens; they end an answer unclosed
        self.ends[sorted(ends)] = True

    def to(self, device: Any) -> AnswerReader:
        self.closes, self.ends = self.closes.to(device), self.ends.to(device)
        return self

    def read(self, before: Sequence[int], answers: Sequence[Sequence[int]]) -> list[Answer]:
        """Texts of `answers`, each decoded behind the prompt's last token `before`.

        Decoders treat the beginning of a text in their own way (some drop a space): a token in front keeps the
        answer as it stands in its place.
        """
        heads = self._decode([[token] for token in before])
        wholes = self._decode([[token, *ids] for token, ids in zip(before, answers, strict=True)])
        return [_answer(whole[len(head) :]) for head, whole in zip(heads, wholes, strict=True)]

    def _decode(self, ids: list[list[int]]) -> list[str]:
        texts: list[str] = self._tokenizer.batch_decode(ids, clean_up_tokenization_spaces=False)
        return texts


def _answer(raw: str) -> Answer:
    text, quote, _ = raw.partition(QUOTE)
    return Answer(text, raw, bool(quote))


def _ids(value: Any) -> set[int]:
    if value is None:
        return set()
    return {int(value)} if isinstance(value, int) else {int(token) for token in value}


def decode_greedily(
    run: Continuation, reader: AnswerReader, logits: NextLogits, at: torch.Tensor, max_new_tokens: int
) -> list[list[int]]:
    """Each of R rows' tokens, decoded from next-token `logits` on; `at` [R, 1] is the last position so far.

    A row is done at its first closing or special token (the latter is not returned); rows that are done leave the
    batch once there are an eighth of them.
    """
    rows = torch.arange(len(at), device=at.device)  # which answer each row of the batch continues
    alive = torch.ones(len(at), dtype=torch.bool, device=at.device)
    taken = torch.full((len(at), max_new_tokens), NO_TOKEN, device=at.device)
    for step in range(max_new_tokens):
        chosen = logits.greedy()
        alive = alive & ~reader.ends[chosen]
        taken[rows[alive], step] = chosen[alive]
        alive = alive & ~reader.closes[chosen]
        left = int(alive.sum())
        if left == 0 or step == max_new_tokens - 1:
            break
        if 8 * (len(alive) - left) >= len(alive):
            rows, chosen, at = rows[alive], chosen[alive], at[alive]
            run.keep(alive)
            alive = alive[alive]
        at = at + 1
        logits = run.next_logits(chosen[:, None], torch.ones_like(at), at)
    lengths = (taken != NO_TOKEN).sum(1).tolist()
    return [tokens[:length] for tokens, length in zip(taken.tolist(), lengths, strict=True)]
