from __future__ import annotations

from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, PreTrainedTokenizerFast

from gainsift.generation.continuing import NextLogits
from gainsift.generation.decoding import Answer, AnswerReader


def read(tokenizer: PreTrainedTokenizerFast, before: str, *answers: list[int]) -> list[Answer]:
    reader = AnswerReader(tokenizer, LlamaConfig(vocab_size=len(tokenizer)))
    last = tokenizer(before, add_special_tokens=False)["input_ids"][-1]
    return reader.read([last] * len(answers), answers)


def test_the_answer_ends_before_the_quote_and_raw_keeps_all(tokenizer: PreTrainedTokenizerFast) -> None:
    def ids(text: str) -> list[int]:
        return list(tokenizer(text)["input_ids"])

    found = read(tokenizer, 'x: "', ids('chat"\n'), ids("chat"), ids('"'), ids(' Katze, "'), [])
    assert found == [
        Answer("chat", 'chat"\n', True),
        Answer("chat", "chat", False),
        Answer("", '"', True),
        Answer(" Katze, ", ' Katze, "', True),
        Answer("", "", False),
    ]


def test_a_leading_space_survives_decoders_that_drop_it() -> None:
    pieces = ["<unk>", '▁"', "▁chat", "chat", '"', "▁x:"]
    raw = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=0))
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    raw.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>")
    assert tokenizer.decode([2]) == "chat"  # decoded alone, the space is lost
    assert read(tokenizer, 'x: "', [2, 4], [3, 4]) == [Answer(" chat", ' chat"', True), Answer("chat", 'chat"', True)]


def test_tokens_that_hold_a_quote_close_and_special_tokens_end(tokenizer: PreTrainedTokenizerFast) -> None:
    config: Any = LlamaConfig(vocab_size=len(tokenizer) + 5, eos_token_id=[1, 7])
    reader = AnswerReader(tokenizer, config)
    assert len(reader.closes) == len(reader.ends) == len(tokenizer) + 5
    closing = {tokenizer.decode([i]) for i in range(len(tokenizer)) if reader.closes[i]}
    assert '"' in closing
    assert all('"' in piece for piece in closing)
    assert [i for i in range(len(tokenizer) + 5) if reader.ends[i]] == [
        0,
        1,
        7,
    ]  # <pad>, <end>, and 7 by the configuration


@pytest.mark.parametrize("text", ['ñ"', "\u200f", "日本", "<b>&", "a\tb"])
def test_any_text_comes_back_as_it_was(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    (found,) = read(tokenizer, 'x: "', list(tokenizer(text)["input_ids"]))
    assert found.raw == text


def test_of_equally_likely_tokens_the_first_is_taken_by_each_row_of_the_logits() -> None:
    logits = torch.tensor([[0.0, 2.0, 2.0, 1.0], [3.0, 2.0, -torch.inf, 3.0]])
    assert NextLogits(logits, torch.tensor([1, 0, 0])).greedy().tolist() == [0, 1, 1]
