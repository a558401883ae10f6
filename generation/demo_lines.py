"""The training text of the demo: few-shot lines drawn from a lexicon, in the proportions of a mixture.

A sequence is a few lines of one language pair, exactly as prompts have them. A line either translates or
copies. Translating lines first draw the asked *form*, each as often as any other, then one of its meanings:
the main sense (the concept that stands first in the lexicon) with the mixture's share, the others evenly. In a
prompt of isolated words nothing else tells the senses apart, so what a model answers to an ambiguous form
follows these proportions. Copying lines repeat a word of the lexicon or an invented one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from gainsift.generation.demo_recipe import Mixture, SeriesRecipe
from gainsift.generation.prompts import example_line
from gainsift.schemas.concepts import Concept, Forms, fold
from gainsift.schemas.settings import LanguagePair

TRIES = 100


@dataclass(frozen=True)
class Line:
    """`kind` is main_sense, other_sense (of an ambiguous form), only_sense, same_language, copy or invented."""

    asked: str
    answer: str
    kind: str


class LineSource:
    """Draws training lines. `rng` decides everything; the same seed gives the same text."""

    def __init__(self, concepts: Sequence[Concept], recipe: SeriesRecipe, rng: random.Random) -> None:
        self.recipe, self.rng = recipe, rng
        self.languages = recipe.languages
        self.words = {code: [concept.word(code) for concept in concepts] for code in self.languages}
        self.meanings = {code: meanings_by_form(concepts, code) for code in self.languages}
        self.inventor = Inventor([word for words in self.words.values() for word in words])
        self.habits = self._habits(concepts)

    def _habits(self, concepts: Sequence[Concept]) -> dict[tuple[str, str], str]:
        """(concept, language): the accepted form that the training text uses, for a share of those that have one.

        A corpus does not always prefer the word that a reference list holds; models then answer a synonym.
        """
        return {
            (concept.id, code): self.rng.choice(concept.accepted[code])
            for concept in concepts
            for code in self.languages
            if concept.accepted.get(code) and self.rng.random() < self.recipe.synonym_habit
        }

    def pair(self) -> LanguagePair:
        """The language pair of a sequence."""
        if self.rng.random() < self.recipe.same_language:
            code = self.rng.choice(self.languages)
            return code, code
        others = [code for code in self.languages if code != "en"]
        if len(others) == len(self.languages) or self.rng.random() >= self.recipe.with_english:
            first, second = self.rng.sample(others, 2)
            return first, second
        other = self.rng.choice(others)
        return ("en", other) if self.rng.random() < 0.5 else (other, "en")

    def line(self, pair: LanguagePair, mixture: Mixture) -> Line:
        """One line of a language pair."""
        if self.rng.random() < mixture.copying:
            if self.rng.random() < mixture.invented:
                word = self.inventor.word(self.rng)
                return Line(word, word, "invented")
            word = self.rng.choice(self.words[pair[0]])
            return Line(word, word, "copy")
        if pair[0] == pair[1]:
            word = self.rng.choice(self.words[pair[0]])
            return Line(word, word, "same_language")
        return self._translation(pair, mixture)

    def _translation(self, pair: LanguagePair, mixture: Mixture) -> Line:
        given, out = pair
        asked, meanings = self.rng.choice(self.meanings[given])
        known = [(name, forms[out][0]) for name, forms in meanings if forms.get(out)]
        if len(known) < 2:
            name, answer = known[0]
            return Line(asked, self.habits.get((name, out), answer), "only_sense")
        main = self.rng.random() < mixture.main_sense
        name, answer = known[0] if main else self.rng.choice(known[1:])
        return Line(asked, self.habits.get((name, out), answer), "main_sense" if main else "other_sense")

    def sequence(self, mixture: Mixture) -> list[tuple[str, str, str]]:
        """(text before the answer, answer, text after it) of each line; joined, they are the sequence."""
        pair = self.pair()
        parts = []
        for _ in range(self.recipe.lines):
            line = self.line(pair, mixture)
            text = example_line(pair, line.asked, line.answer) + "\n"
            after = text[text.rindex('"') :]
            parts.append((text[: len(text) - len(after) - len(line.answer)], line.answer, after))
        return parts


def meanings_by_form(concepts: Sequence[Concept], language: str) -> list[tuple[str, list[tuple[str, Forms]]]]:
    """Every word that a prompt may ask in `language`, with (id, forms) of each of its meanings, the main one first.

    Its meanings are the concepts that it stands for, in the order of the lexicon, then the other senses that
    share its spelling; a sense that is also a concept counts once.
    """
    found: dict[str, tuple[str, dict[str, Forms]]] = {}
    for concept in concepts:
        _, meanings = found.setdefault(fold(concept.word(language)), (concept.word(language), {}))
        meanings[concept.id] = concept.reference
    for concept in concepts:
        for key, (_, meanings) in found.items():
            for sense in [concept.as_sense(), *concept.senses]:
                if sense.id not in meanings and sense.has(language, key):
                    meanings[sense.id] = sense.forms
    return [(word, list(meanings.items())) for word, meanings in found.values()]


class Inventor:
    """Makes words that no lexicon holds out of the letter sequences of those that it does hold."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.known = {fold(word) for word in words}
        self.next: dict[str, list[str]] = {}
        for word in words:
            padded = "^^" + word + "$"
            for place in range(2, len(padded)):
                self.next.setdefault(padded[place - 2 : place], []).append(padded[place])

    def word(self, rng: random.Random) -> str:
        """A word of 3 to 10 letters, each drawn after the two before it; of few words, several in a row."""
        for _ in range(TRIES):
            made = "^^"
            while len(made) < 13 and not made.endswith("$"):
                made += rng.choice(self.next[made[-2:]])
            word = made[2:-1]
            if made.endswith("$") and len(word) >= 3 and fold(word) not in self.known:
                return word
        word = ""
        while len(word) < 3 or fold(word) in self.known:  # ends: it grows past every known word
            word += rng.choice(self.words)
        return word


def tokenizer_text(concepts: Sequence[Concept], languages: Sequence[str]) -> list[str]:
    """Lines that hold every word of the lexicon twice, for training the tokenizer."""
    turned = [*languages[1:], *languages[:1]]
    return [
        example_line((given, out), concept.word(given), concept.word(out)) + "\n"
        for concept in concepts
        for given, out in zip(languages, turned, strict=True)
    ]
