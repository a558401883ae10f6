"""Concepts from WordNets, and the senses of a list that has none: other meanings of the same lemmas, look-alikes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gainsift.generation.wordnets import Meanings
from gainsift.schemas.concepts import Concept, Forms, Sense, fold
from gainsift.schemas.errors import UserError
from gainsift.schemas.word_source import PartOfSpeech

PARTS: dict[str, tuple[str, ...]] = {"noun": ("n",), "verb": ("v",), "adjective": ("a", "s"), "adverb": ("r",)}


@dataclass(frozen=True)
class WordNets:
    """WordNets by language; `most` bounds the senses, and the look-alikes, of a concept."""

    languages: Mapping[str, Meanings]
    most: int | None = None

    def concepts(self, asked: Sequence[str], part_of_speech: PartOfSpeech) -> list[Concept]:
        """The meanings with a lemma in each of the `asked` languages, in the order of the first one's WordNet.

        Id is the ILI, gloss its definition, English if there is one. Raises UserError if no
        meaning is in all of them.
        """
        first, *others = (self.languages[code] for code in asked)
        shared = [
            key
            for key, lemmas in first.lemmas.items()
            if lemmas
            and key in first.interlingual
            and first.parts[key] in PARTS[part_of_speech]
            and all(other.lemmas.get(key) for other in others)
        ]
        if not shared:
            names = ", ".join(asked)
            raise UserError("words.wordnet", f"no {part_of_speech} has a lemma in each of {names}", "do they use ILIs?")
        return [self._concept(key, asked) for key in shared]

    def with_senses(self, concept: Concept, asked: Sequence[str]) -> Concept:
        """The concept of a list, with the other senses of its words and their look-alikes.

        A list does not say which synset it means. The one whose lemmas agree with its forms in most languages, in
        two at least, is taken for the concept itself; of several such none counts as another sense.
        """
        forms = {code: concept.forms(code) for code in asked if concept.forms(code) and code in self.languages}
        agreeing = Counter(key for code in forms for key in self._keys(forms, code))
        most = max(agreeing.values(), default=0)
        own = {key for key, number in agreeing.items() if number == most and most > 1}
        return concept.model_copy(
            update={"senses": self._senses(forms, own), "lookalikes": self._lookalikes(forms, own)}
        )

    def _concept(self, key: str, asked: Sequence[str]) -> Concept:
        forms = {code: self.languages[code].lemmas[key] for code in asked}
        return Concept(
            id=key,
            gloss=self._gloss(key),
            reference=forms,
            senses=self._senses(forms, {key}),
            lookalikes=self._lookalikes(forms, {key}),
        )

    def _keys(self, forms: Forms, code: str) -> list[str]:
        """Every meaning of the forms in a language, each once."""
        return list(dict.fromkeys(key for form in forms[code] for key in self.languages[code].of(form)))

    def _shares(self, key: str, forms: Forms, code: str) -> bool:
        """Whether a meaning has one of the forms in a language."""
        return bool({fold(form) for form in forms[code]} & {fold(f) for f in self._lemmas(key, code)})

    def _lemmas(self, key: str, code: str) -> list[str]:
        return self.languages[code].lemmas.get(key, [])

    def _senses(self, forms: Forms, own: set[str]) -> list[Sense]:
        """Meanings that have a form of the concept in a language. One that has one in *every* language is no other
        sense for a translator: WordNets draw finer lines than words do."""
        found = dict.fromkeys(key for code in forms for key in self._keys(forms, code) if key not in own)
        differing = (
            key for key in found if not all(self._shares(key, forms, code) for code in forms) or len(forms) < 2
        )
        return self._listed(differing, forms)

    def _lookalikes(self, forms: Forms, own: set[str]) -> list[Sense]:
        """Meanings of a form in another language, where neither has it in the other's language."""
        found: dict[str, None] = {}
        for code in forms:
            for form in forms[code]:
                for other in forms:
                    if other != code and fold(form) not in {fold(known) for known in forms[other]}:
                        for key in self.languages[other].of(form):
                            if key not in own and fold(form) not in {fold(f) for f in self._lemmas(key, code)}:
                                found[key] = None
        return self._listed(found, forms)

    def _listed(self, keys: Iterator[str] | Mapping[str, None], forms: Forms) -> list[Sense]:
        return [self._sense(key, forms) for key in list(keys)[: self.most]]

    def _sense(self, key: str, languages: Forms) -> Sense:
        return Sense(
            id=key,
            gloss=self._gloss(key),
            forms={code: lemmas for code in languages if (lemmas := self._lemmas(key, code))},
        )

    def _gloss(self, key: str) -> str:
        """The English definition, else any, else the lemmas."""
        order = sorted(self.languages, key=lambda code: code != "en")
        for code in order:
            if self.languages[code].glosses.get(key):
                return self.languages[code].glosses[key]
        return next(", ".join(lemmas) for code in order if (lemmas := self._lemmas(key, code)))
