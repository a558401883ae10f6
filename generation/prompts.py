"""The text of a translation prompt: example lines, then the asked word with its answer left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.schemas.concepts import Concept
from gainsift.schemas.languages import LANGUAGES
from gainsift.schemas.settings import LanguagePair

QUOTE = '"'


@dataclass(frozen=True)
class PromptText:
    """`text` ends with the opening quote of the answer; `text[start:end]` is the asked word."""

    text: str
    start: int
    end: int

    @property
    def up_to_word(self) -> str:
        """The prompt cut right after the asked word, without the closing quote: the source prompt of patching."""
        return self.text[: self.end]


def example_line(pair: LanguagePair, word: str, translation: str) -> str:
    """`Français: "chien" - English: "dog"`, each language under its own name."""
    given, out = LANGUAGES[pair[0]].own, LANGUAGES[pair[1]].own
    return f"{given}: {QUOTE}{word}{QUOTE} - {out}: {QUOTE}{translation}{QUOTE}"


def build_prompt(pair: LanguagePair, shots: Sequence[Concept], asked: Concept) -> PromptText:
    """Few-shot lines of `shots` in `pair`, then `asked` in the input language with an open answer."""
    lines = [example_line(pair, shot.word(pair[0]), shot.word(pair[1])) for shot in shots]
    given, out = LANGUAGES[pair[0]].own, LANGUAGES[pair[1]].own
    before = "".join(line + "\n" for line in lines) + f"{given}: {QUOTE}"
    word = asked.word(pair[0])
    text = f"{before}{word}{QUOTE} - {out}: {QUOTE}"
    return PromptText(text, len(before), len(before) + len(word))
