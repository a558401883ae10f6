"""Linear layers laid out for oneDNN: the same numbers as torch's own, and only where they are meant to be."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from gainsift.generation import packed_linear
from gainsift.generation.boundaries import TokenPrompt
from gainsift.generation.decoder import Decoder
from gainsift.generation.decoding import AnswerReader
from gainsift.generation.packed_linear import PackedLinear, pack_linears
from gainsift.generation.sweep import Block, Sweep, sweep


def llama(width: int, tied: bool = False) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=400, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=tied, initializer_range=0.1, bos_token_id=None, eos_token_id=None,
        pad_token_id=None, attention_bias=True,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that gains by it, whatever runs the tests."""
    monkeypatch.setattr(packed_linear, "gains", lambda: True)


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 5, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_one_layer(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(1)
    linear = nn.Linear(48, 80, bias=bias).requires_grad_(False)
    packed = PackedLinear(linear)
    inputs = torch.randn(*shape, 48)
    torch.testing.assert_close(packed(inputs), linear(inputs), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(packed.weight, linear.weight, rtol=0, atol=0)
    strided = torch.randn(*shape, 96)[..., ::2]
    torch.testing.assert_close(packed(strided), linear(strided), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.usefixtures("there")
def test_a_model_says_the_same(tied: bool) -> None:
    plain = llama(64, tied)
    packed = deepcopy(plain)
    pack_linears(packed)
    kinds = [type(module) for module in packed.modules()]
    assert nn.Linear not in kinds
    assert kinds.count(PackedLinear) == 3 * 7 + 1
    ids = torch.arange(2, 42).view(2, 20)
    with torch.no_grad():
        torch.testing.assert_close(packed(ids).logits, plain(ids).logits, rtol=1e-4, atol=1e-4)
    prompts = [TokenPrompt(tuple(range(5, 5 + n)), (2, 3)) for n in (4, 9)]
    sources = torch.randn(1, 2, 3, 64)
    blocks = []
    for model in (plain, packed):
        reader = AnswerReader(Words(), model.config)
        asked = Sweep(prompts, sources, [0, 1, 2], clean=True, own=True)
        blocks.append(list(sweep(Decoder(model, "c"), reader, asked, 5, 100)))
    assert [one.tokens for one in blocks[0]] == [one.tokens for one in blocks[1]]
    for one, other in zip(*blocks, strict=True):
        torch.testing.assert_close(shares(one), shares(other), rtol=0, atol=1e-5)


def shares(block: Block) -> torch.Tensor:
    return block.logits.softmax(-1)


class Words:
    """As much of a tokenizer as the reader of answers asks for."""

    all_special_ids = ()

    def __len__(self) -> int:
        return 400

    def batch_decode(self, ids: list[list[int]], clean_up_tokenization_spaces: bool) -> list[str]:
        return ["".join(chr(0x4E00 + token) for token in row) for row in ids]


@pytest.mark.usefixtures("there")
def test_what_is_left_alone() -> None:
    half = llama(64).to(torch.bfloat16)
    other = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=64, n_head=4, vocab_size=50)).requires_grad_(False)
    for model in (half, other):
        pack_linears(model)
    assert not any(isinstance(module, PackedLinear) for module in half.modules())
    assert [type(module) for module in other.modules()].count(PackedLinear) == 1  # the head; its others are Conv1D


def test_not_without_onednn_or_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    model = llama(64)
    pack_linears(model)
    assert not any(isinstance(module, PackedLinear) for module in model.modules())
