"""Prompt text in front of answers, as the published patching code leaves it.

That code keeps the last ten ids of each output. Where every output of a batch ended before ten new tokens, some of
those ten are the prompt's own last tokens, the same number in every output of the batch: an answer then begins with
an end of its prompt. So a batch is looked at as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.generation.prompts import QUOTE

LONGEST = 200
"""Characters: nine tokens hold no more."""
UNDECODED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Trimmed:
    """`texts` without prompt tails, None where none can be told from an answer; from `cut` texts one was taken."""

    texts: list[str | None]
    cut: int = 0


def trim_batch(texts: Sequence[str], prompts: Sequence[str]) -> Trimmed:
    """The answers of one batch at one layer, in the order of their prompts, which are of one language pair.

    As soon as one text does not begin with an end of its prompt, none has a tail. Where all do, the tail is taken
    off if it holds a letter of the prompt. Otherwise it is `"` or `: "`, and answers may begin so too: the batch is
    refused, and so is a batch of one text, as a model that repeats its prompt looks the same.
    """
    tails = []
    for text, prompt in zip(texts, prompts, strict=True):
        tails.append(_tails(text, prompt))
        if not tails[-1]:
            return Trimmed(list(texts))
    if all(text.strip() == QUOTE for text in texts):  # so short an answer would leave more of the prompt
        return Trimmed(list(texts))
    frame = len(answer_frame(prompts[0]))
    if all(max(found) >= frame for found in tails):
        lengths = [max(found) for found in tails]
    else:
        shared = [length for length in tails[0] if all(length in found for found in tails)]
        if not shared:
            return Trimmed(list(texts))
        lengths = [max(shared)] * len(texts)
    telling = any(character.isalpha() for character in prompts[0][-lengths[0] :])
    if len(texts) == 1 or not telling:
        return Trimmed([None] * len(texts))
    return Trimmed([text[found[n] :] for text, found, n in zip(texts, tails, lengths, strict=True)], len(texts))


def answer_frame(prompt: str) -> str:
    """What follows the asked word in a prompt: `" - Deutsch: "`."""
    return QUOTE + QUOTE.join(prompt.split(QUOTE)[-2:])


def asked_word(prompt: str) -> str:
    """The word that a prompt asks to translate; empty if it is no such prompt."""
    parts = prompt.split(QUOTE)
    return parts[-3] if len(parts) > 2 and not parts[-1] else ""


def _tails(text: str, prompt: str) -> dict[int, int]:
    """Where in `text` an answer would begin, by the length of each end of `prompt` that `text` may begin with.

    Decoders drop a space at the beginning, and show the rest of a character that was cut as a sign of its own.
    """
    bare = text.lstrip(UNDECODED + " ")
    found = {}
    for length in range(1, min(len(prompt), LONGEST) + 1):
        end = prompt[-length:]
        if not end[0].isspace() and bare.startswith(end):
            found[length] = len(text) - len(bare) + length
    return found
