from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from gainsift.generation.boundaries import NOT_A_PREFIX, STRADDLES, Refusal, TokenPrompt, tokenize_prompts
from gainsift.generation.prompts import PromptText, build_prompt
from gainsift.schemas.concepts import Concept


def byte_level(merges: list[tuple[str, str]], bos: bool = False, eos: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE over whole texts (no splitting into words) with the given merges."""
    specials = ["<bos>", "<eos>"]
    pieces = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), *dict.fromkeys(a + b for a, b in merges)]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    template = "<bos> $A" if bos else "$A <eos>"
    if bos or eos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=[("<bos>", 0), ("<eos>", 1)]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>")


def asked(word: str) -> PromptText:
    before = 'X: "'
    text = f'{before}{word}" - Y: "'
    return PromptText(text, len(before), len(before) + len(word))


def one(tokenizer: PreTrainedTokenizerFast, word: str) -> TokenPrompt | Refusal:
    (made,) = tokenize_prompts(tokenizer, [asked(word)])
    return made


def test_the_prefix_ends_with_the_word_and_the_suffix_begins_after_it() -> None:
    tokenizer = byte_level([("d", "o"), ("do", "g")], bos=True)
    made = one(tokenizer, "dog")
    assert isinstance(made, TokenPrompt)
    assert tokenizer.convert_ids_to_tokens(made.prefix) == ["<bos>", "X", ":", "Ġ", '"', "dog"]
    assert tokenizer.decode(made.suffix) == '" - Y: "'
    assert len(made) == 6 + 8


def test_a_letter_of_several_bytes_at_the_end_of_the_word_is_taken_whole() -> None:
    tokenizer = byte_level([])
    made = one(tokenizer, "clé")
    assert isinstance(made, TokenPrompt)
    assert tokenizer.decode(made.prefix) == 'X: "clé'
    assert tokenizer.decode(made.suffix) == '" - Y: "'


def test_a_token_across_the_end_of_the_word_is_refused() -> None:
    assert one(byte_level([("g", '"')]), "dog") == Refusal(STRADDLES)
    assert isinstance(one(byte_level([("g", '"')]), "cat"), TokenPrompt)


def test_a_cut_prompt_with_other_tokens_than_the_whole_one_is_refused() -> None:
    assert one(byte_level([], eos=True), "dog") == Refusal(NOT_A_PREFIX)  # the cut prompt ends with <eos>


def test_word_ends_are_found_for_each_prompt_by_itself(
    tokenizer: PreTrainedTokenizerFast, concepts: list[Concept]
) -> None:
    texts = [build_prompt(("fr", "es"), concepts[:3], concept) for concept in concepts[3:]]
    made = tokenize_prompts(tokenizer, texts)
    for text, prompt in zip(texts, made, strict=True):
        assert isinstance(prompt, TokenPrompt)
        assert tokenizer.decode(prompt.prefix) == text.up_to_word
        assert tokenizer.decode([*prompt.prefix, *prompt.suffix]) == text.text
    assert len({len(prompt.prefix) for prompt in made if isinstance(prompt, TokenPrompt)}) > 1


@pytest.mark.parametrize("word", ["a", "mother-in-law", "pomme de terre", "日本", "naïveté", "🙂"])
def test_any_word_can_be_cut_under_a_byte_level_tokenizer(word: str) -> None:
    tokenizer = byte_level([("Ġ", '"'), ("-", "i"), ("ã", "Ĥ")])
    made = one(tokenizer, word)
    assert isinstance(made, TokenPrompt)
    assert tokenizer.decode(made.prefix) == f'X: "{word}'
