"""First tokens of both concepts' words, and the next-token mass that stands on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gainsift.schemas.concepts import Concept, PromptPair

if TYPE_CHECKING:
    import torch

TokenSets = dict[str, frozenset[int]]
"""First tokens by language."""


def first_tokens(tokenizer: Any, words: Iterable[str]) -> frozenset[int]:
    """Tokens that can begin one of `words` in an answer, with and without a leading space.

    The word is tokenized alone, after a space, and after a quote. The last matters for tokenizers that put a
    space before every text: there the word alone gives the token *with* space. A first token that is only a
    space begins any word and says nothing: it is left out, as is the unknown token.
    """
    words = list(words)
    if not words:
        return frozenset()
    plain = tokenizer([variant for word in words for variant in (word, " " + word)], add_special_tokens=False)
    quoted = tokenizer(['"' + word for word in words], add_special_tokens=False, return_offsets_mapping=True)
    found = {ids[0] for ids in plain["input_ids"] if ids}
    for ids, offsets in zip(quoted["input_ids"], quoted["offset_mapping"], strict=True):
        found |= {next((token for token, at in zip(ids, offsets, strict=True) if at[0] == 1 < at[1]), ids[0])}
    return frozenset(token for token in found if token != tokenizer.unk_token_id and tokenizer.decode([token]).strip())


def concept_tokens(tokenizer: Any, concepts: Iterable[Concept], languages: Sequence[str]) -> dict[str, TokenSets]:
    """First tokens of every concept's reference and accepted forms: concept id → language → tokens."""
    return {
        concept.id: {code: first_tokens(tokenizer, concept.forms(code)) for code in languages} for concept in concepts
    }


def disjoint(pair: PromptPair, tokens: Mapping[str, TokenSets]) -> bool:
    """Whether the pair's first tokens, pooled over all languages, are disjoint under this tokenizer."""
    source, target = tokens[pair.source_concept], tokens[pair.target_concept]
    return not frozenset().union(*source.values()) & frozenset().union(*target.values())


class MassReader:
    """Sums next-token probabilities over the first tokens of each pair's two concepts.

    `index` and `counts` have the shape [pairs, 2, languages, K]: source concept, then target concept; K is the
    size of the largest token set, smaller ones are filled up with token 0 that does not count.
    """

    def __init__(
        self, pairs: Sequence[PromptPair], tokens: Mapping[str, TokenSets], languages: Sequence[str], device: Any
    ) -> None:
        import torch

        sets = [
            [[sorted(tokens[concept][code]) for code in languages] for concept in (p.source_concept, p.target_concept)]
            for p in pairs
        ]
        widest = max([len(ids) for pair in sets for concept in pair for ids in concept] + [1])
        filled = [[[ids + [0] * (widest - len(ids)) for ids in c] for c in pair] for pair in sets]
        counted = [[[[1.0] * len(ids) + [0.0] * (widest - len(ids)) for ids in c] for c in pair] for pair in sets]
        self.index = torch.tensor(filled, dtype=torch.long, device=device)  # [N, 2, G, K]
        self.counts = torch.tensor(counted, dtype=torch.float32, device=device)  # [N, 2, G, K]

    def read(self, logits: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
        """Mass [R, 2, G] of rows with next-token `logits` [R, V] that belong to pairs `pair` [R].

        Only the tokens in question become probabilities, not the whole vocabulary.
        """
        index, counts = self.index[pair], self.counts[pair]  # [R, 2, G, K]
        picked = logits.gather(1, index.flatten(1)) - logits.logsumexp(-1, keepdim=True)
        return (picked.exp().view(index.shape) * counts).sum(-1)
