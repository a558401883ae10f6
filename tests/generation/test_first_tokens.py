from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from gainsift.generation.first_tokens import MassReader, concept_tokens, disjoint, first_tokens
from gainsift.schemas.concepts import Concept, PromptPair

CHARACTERS = sorted('abcdeghinortz"▁')


def space_first(pieces: list[str]) -> PreTrainedTokenizerFast:
    """A unigram tokenizer as in Llama 2: it puts a space, written ▁, before every text."""
    vocabulary = [("<unk>", -20.0), *((c, -10.0) for c in CHARACTERS), *((piece, -1.0) for piece in pieces)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def tokens_of(tokenizer: PreTrainedTokenizerFast, *words: str) -> set[str]:
    return set(tokenizer.convert_ids_to_tokens(sorted(first_tokens(tokenizer, words))))


def test_with_and_without_leading_space(tokenizer: PreTrainedTokenizerFast) -> None:
    vocabulary = tokenizer.get_vocab()
    found = tokens_of(tokenizer, "chat")
    whole = next(piece for piece in ("chat", "cha", "ch", "c") if piece in vocabulary)
    spaced = next((piece for piece in ("Ġchat", "Ġcha", "Ġch", "Ġc") if piece in vocabulary), None)
    assert found == ({whole} if spaced is None else {whole, spaced})


def test_a_bare_space_is_left_out() -> None:
    tokenizer = space_first(["▁chat", "chat"])
    assert tokens_of(tokenizer, "chat") == {"▁chat", "chat"}
    assert tokens_of(tokenizer, "rat") == {"r"}  # "▁", "r", "a", "t": the space alone begins any word


def test_an_unknown_token_is_left_out() -> None:
    assert tokens_of(space_first([]), "жук") == set()


def test_a_letter_of_two_bytes_gives_its_first_byte(tokenizer: PreTrainedTokenizerFast) -> None:
    raw = tokenizer.backend_tokenizer
    assert raw.token_to_id("ñ") is None or len("ñ".encode()) == 2
    found = first_tokens(tokenizer, ["ñandú"])
    assert found == {tokenizer("ñandú", add_special_tokens=False)["input_ids"][0]} | {
        tokenizer(" ñandú", add_special_tokens=False)["input_ids"][0]
    } - {tokenizer(" ", add_special_tokens=False)["input_ids"][0]}


def test_disjointness_is_a_matter_of_the_tokenizer() -> None:
    rat = Concept(id="rat", gloss="x", reference={"en": ["rat"]}, accepted={"en": ["gnat"]})
    goat = Concept(id="goat", gloss="x", reference={"en": ["goat"]})
    pair = PromptPair(
        pair_id="p", index=0, source_concept="rat", target_concept="goat", source_shots=[], target_shots=[], seed=0
    )
    letters = space_first([])
    pieces = space_first(["gn", "go"])
    assert not disjoint(pair, concept_tokens(letters, [rat, goat], ["en"]))  # g of gnat, g of goat
    assert disjoint(pair, concept_tokens(pieces, [rat, goat], ["en"]))


def test_masses_are_sums_over_distinct_tokens() -> None:
    pairs = [
        PromptPair(
            pair_id=str(i), index=i, source_concept=s, target_concept=t, source_shots=[], target_shots=[], seed=0
        )
        for i, (s, t) in enumerate([("a", "b"), ("b", "a")])
    ]
    sets = {
        "a": {"en": frozenset({1, 2, 3}), "fr": frozenset({2})},
        "b": {"en": frozenset({0}), "fr": frozenset()},
    }
    reader = MassReader(pairs, sets, ["en", "fr"], "cpu")
    probabilities = torch.tensor([[0.1, 0.2, 0.3, 0.05, 0.35]] * 3)
    logits = probabilities.log() + torch.tensor([[7.0], [-3.0], [0.0]])  # softmax does not mind a shift
    masses = reader.read(logits, torch.tensor([1, 0, 0]))
    first = [[0.2 + 0.3 + 0.05, 0.3], [0.1, 0.0]]
    assert masses[0].tolist() == [pytest.approx(row) for row in first[::-1]]
    assert masses[1].tolist() == [pytest.approx(row) for row in first]
    assert masses[2].tolist() == masses[1].tolist()
