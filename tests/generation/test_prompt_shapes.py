"""Prompts of any shape: very different lengths in one batch, long and short words, words that end the prompt."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from gainsift.generation.boundaries import TokenPrompt, tokenize_prompts
from gainsift.generation.decoder import Decoder
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.precondition import check_exactness
from gainsift.generation.prompts import build_prompt
from gainsift.generation.sweep import Sweep, sweep
from gainsift.schemas.concepts import Concept

NEW = 4
CLOSE = 1e-5


def plain_output(model: Any, prompt: TokenPrompt, vectors: torch.Tensor | None, layer: int) -> tuple[Any, list[int]]:
    """Next-token probabilities and NEW greedy tokens of one prompt alone, all of it run again for each token."""
    blocks = list(getattr(model.base_model, "h", None) or model.base_model.layers)
    at = len(prompt.prefix) - 1

    def patch(index: int) -> Any:
        def hook(module: Any, inputs: Any, output: Any) -> Any:
            hidden = (output[0] if isinstance(output, tuple) else output).clone()
            if vectors is not None and index >= layer:
                hidden[0, at] = vectors[index]
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        return hook

    handles = [block.register_forward_hook(patch(index)) for index, block in enumerate(blocks)]
    ids, first = [*prompt.prefix, *prompt.suffix], None
    try:
        for _ in range(NEW):
            with torch.no_grad():
                shares = model(torch.tensor([ids])).logits[0, -1].softmax(-1)
            first = shares if first is None else first
            ids.append(int(shares.argmax()))
    finally:
        for handle in handles:
            handle.remove()
    return first, ids[-NEW:]


def endless(tokenizer: PreTrainedTokenizerFast, model: Any) -> AnswerReader:
    """No token ends an answer, so that every row is decoded to the last."""
    reader = AnswerReader(tokenizer, model.config)
    reader.closes[:] = False
    reader.ends[:] = False
    return reader


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "Bloom", "Gemma2"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_any_prompts_in_one_batch(
    device: str, model_of: Callable[[str], Any], tokenizer: PreTrainedTokenizerFast, architecture: str, size: int
) -> None:
    model = model_of(architecture)
    generator = torch.Generator().manual_seed(3)

    def ids(length: int) -> tuple[int, ...]:
        return tuple(torch.randint(2, len(tokenizer), (length,), generator=generator).tolist())

    # prefix and suffix lengths; no suffix: the word is the last token of the prompt
    prompts = [TokenPrompt(ids(a), ids(b)) for a, b in ((3, 2), (60, 5), (1, 1), (25, 0), (2, 0), (24, 5), (1, 0))]
    sources = torch.randn(2, len(prompts), 4, 32, generator=generator)
    decoder = Decoder(deepcopy(model).to(device), "c")
    reader = endless(tokenizer, model).to(device)
    check_exactness(decoder, reader)
    asked = Sweep(prompts, sources, [0, 1, 2, 3], clean=True, own=True)
    own = torch.zeros(len(prompts), 4, 32)
    seen = set()
    for block in sweep(decoder, reader, asked, NEW, size, own):
        for cell, logits, tokens in zip(block.cells, block.logits, block.tokens, strict=True):
            vectors = None if cell.source in (None, 2) else sources[cell.source, cell.prompt]
            shares, expected = plain_output(model, prompts[cell.prompt], vectors, cell.layer or 0)
            assert torch.allclose(logits.softmax(-1).cpu(), shares, atol=CLOSE, rtol=0)
            assert tokens == expected
            seen.add(cell)
    assert len(seen) == len(prompts) * (1 + 3 * 4)


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "Bloom"])
def test_where_the_word_ends_the_prompt_every_cut_off_reads_the_last_vector(
    model_of: Callable[[str], Any], tokenizer: PreTrainedTokenizerFast, architecture: str
) -> None:
    model = model_of(architecture)
    vector = torch.randn(1, 1, 4, 32, generator=torch.Generator().manual_seed(5))
    asked = Sweep([TokenPrompt((7, 8, 9), ())], vector, [0, 1, 2, 3])
    (block,) = sweep(Decoder(model, "c"), endless(tokenizer, model), asked, 1, 8)
    norm = {"Llama": "norm", "GPT2": "ln_f", "Bloom": "ln_f"}[architecture]
    with torch.no_grad():
        head = model.lm_head(getattr(model.base_model, norm)(vector[0, 0, -1]))
    for logits in block.logits:
        assert torch.allclose(logits, head, atol=1e-4)


def test_words_of_one_token_and_of_eight_are_cut_at_their_last(tokenizer: PreTrainedTokenizerFast) -> None:
    """Four letters of two bytes each that no merge joins, and a word that is one token of the vocabulary."""
    words = {"eau": 1, "żółć": 8, "Schmetterling": 10}
    shot = Concept(id="cat", gloss="a thing", reference={"fr": ["chat"], "en": ["cat"]})
    for word, count in words.items():
        assert len(tokenizer(word)["input_ids"]) == count
        asked = Concept(id="x", gloss="a thing", reference={"fr": [word], "en": ["x"]})
        (made,) = tokenize_prompts(tokenizer, [build_prompt(("fr", "en"), [shot], asked)])
        assert isinstance(made, TokenPrompt)
        assert tokenizer.decode(made.prefix[-count:]) == word
        assert tokenizer.decode(made.suffix).startswith('"')
