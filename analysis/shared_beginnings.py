"""Whether a concept's words in two languages share their first tokens, as far as the study folder alone can tell.

A mass is read on first tokens, and rows do not say which. What can be known without the tokenizer:

- `same`: in every output of the study the mass on the words of both languages is one and the same number, and not
  always zero. Sums over different tokens do not agree to the last bit row after row: the first tokens are the same.
- `apart`: no word of the one begins with the same byte as a word of the other, however they are written (upper or
  lower case, with or without accents, composed or not). No token, be it a single byte, can begin both.
- `maybe`: neither. They begin with the same byte, so that they may share a token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gainsift.schemas.concepts import Concept

NONE, SAME, MAYBE, APART = 0, 1, 2, 3
"""NONE: the output language itself, or a concept without words in one of the two."""
CLASSES = {"same": SAME, "maybe": MAYBE, "apart": APART}
Bools = npt.NDArray[np.bool_]


def first_bytes(words: Iterable[str]) -> frozenset[int]:
    """The bytes (UTF-8) with which `words` can begin in any usual spelling."""
    found = set()
    for word in words:
        plain = unicodedata.normalize("NFKD", word.strip().casefold())
        for spelling in (word.strip(), *(unicodedata.normalize(form, word.strip()) for form in ("NFC", "NFKC")), plain):
            found |= set(spelling.encode("utf-8", "surrogatepass")[:1])
    return frozenset(found)


def sharing(concepts: Sequence[Concept], languages: Sequence[str], differs: Bools, positive: Bools) -> npt.NDArray[Any]:
    """The class of each concept × output language × other language: [concepts, G, G].

    `differs` [concepts, G, G]: in some row of that output language the two masses are not the same number;
    `positive` [concepts, G]: in some row the mass on the output language's words is above zero.
    """
    found = np.full(differs.shape, NONE, np.int8)
    for row, concept in enumerate(concepts):
        begins = [first_bytes(concept.forms(code)) for code in languages]
        for out, out_bytes in enumerate(begins):
            for other, other_bytes in enumerate(begins):
                if out == other or not out_bytes or not other_bytes:
                    continue
                if positive[row, out] and not differs[row, out, other]:
                    found[row, out, other] = SAME
                else:
                    found[row, out, other] = MAYBE if out_bytes & other_bytes else APART
    return found
