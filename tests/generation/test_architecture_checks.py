from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from transformers import PreTrainedTokenizerFast

from gainsift.generation.decoder import Decoder, find_layers
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.precondition import check_architecture, check_exactness
from gainsift.schemas.errors import UserError


def reader_for(model: Any, tokenizer: PreTrainedTokenizerFast) -> AnswerReader:
    return AnswerReader(tokenizer, model.config)


@pytest.mark.parametrize(
    ("architecture", "changes", "reason"),
    [
        ("Gemma3nText", {}, "share keys and values"),
        ("Mistral", {"sliding_window": 50}, "sliding_window of 50, shorter than prompts of 60"),
        ("Gemma2", {"sliding_window": 50}, "sliding_window of 50"),
        ("Qwen3Next", {}, "layers of type linear_attention"),
        ("Llama4Text", {"attention_chunk_size": 32}, "attention_chunk_size of 32"),
    ],
)
def test_models_for_which_the_sweep_is_not_exact_are_refused_by_name(
    architecture: str, changes: dict[str, Any], reason: str
) -> None:
    config = getattr(transformers, f"{architecture}Config")(**changes)
    with pytest.raises(UserError, match=rf"checkpoint c: model type {config.model_type} has .*{reason}"):
        check_architecture(config, "c", 60)


@pytest.mark.parametrize(
    ("architecture", "changes"),
    [("Mistral", {"sliding_window": 60}), ("Mistral", {"sliding_window": None}), ("Gemma2", {}), ("Llama", {}),
     ("GPT2", {}), ("Qwen2", {"sliding_window": 8}), ("Bloom", {})],
)  # fmt: skip
def test_windows_that_hold_the_whole_prompt_or_are_off_are_fine(architecture: str, changes: dict[str, Any]) -> None:
    check_architecture(getattr(transformers, f"{architecture}Config")(**changes), "c", 60)


def test_a_recurrent_model_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    config = transformers.MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, state_size=4)
    model = transformers.MambaForCausalLM(config).eval()
    with pytest.raises(UserError, match="model type mamba has"):
        check_exactness(Decoder(model, "c"), reader_for(model, tokenizer))


def test_a_model_whose_layers_look_back_past_the_cache_is_refused(
    model_of: Callable[[str], Any], tokenizer: PreTrainedTokenizerFast
) -> None:
    """A layer that mixes in its neighbour's input has no key and value of its own: the numbers tell."""
    model = model_of("Llama")
    check_exactness(Decoder(model, "c"), reader_for(model, tokenizer))

    def leak(module: Any, arguments: Any) -> Any:
        hidden = arguments[0]
        before = torch.roll(hidden, 1, dims=1)
        before[:, 0] = 0
        return (hidden + before, *arguments[1:])

    handle = model.model.layers[1].register_forward_pre_hook(leak)
    try:
        with pytest.raises(UserError, match="model type llama has probabilities that differ by"):
            check_exactness(Decoder(model, "c"), reader_for(model, tokenizer))
    finally:
        handle.remove()


@pytest.mark.parametrize(
    ("architecture", "path"), [("Llama", "model.layers"), ("GPT2", "transformer.h"), ("GPTNeoX", "gpt_neox.layers")]
)
def test_layers_are_found_in_order(model_of: Callable[[str], Any], architecture: str, path: str) -> None:
    model = model_of(architecture)
    assert find_layers(model, 4, "c") == list(model.get_submodule(path))
    with pytest.raises(UserError, match="no list of 9 decoder layers"):
        find_layers(model, 9, "c")
