"""What is translated: concepts, the other senses of their words, and the prompt pairs made of them."""

from __future__ import annotations

import unicodedata

from pydantic import Field, model_validator

from gainsift.schemas.record import Record, fingerprint

Forms = dict[str, list[str]]
"""Word forms by language code, the most usual first."""


def fold(form: str) -> str:
    """The key under which two spellings count as the same word: NFC, case folded, outer spaces off."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", form).strip().casefold())


def fits_quotes(form: str) -> bool:
    """Whether a form can stand between the quotation marks of a prompt."""
    return '"' not in form and form.isprintable()


class Sense(Record):
    """One meaning of a word form: what a person sees, and its lemmas (accepted variants included)."""

    id: str = Field(min_length=1, description="Stable id, e.g. bank.river.")
    gloss: str = Field(min_length=1, description="The meaning in a few words, lower case, English.")
    forms: Forms = Field(default_factory=dict, description="Its lemmas and accepted variants by language.")

    def has(self, language: str, form: str) -> bool:
        """Whether `form` (case folded) is one of this sense's words in `language`."""
        return fold(form) in {fold(known) for known in self.forms.get(language, [])}


class Concept(Record):
    """A meaning to be translated.

    `reference` forms are what the word list gives: success is measured on them, and the first one stands in
    prompts. `accepted` forms are further right answers (synonyms, inflections), never repeating a reference
    form. `senses` are the *other* meanings that its forms have in the same language; `lookalikes` are words of
    another language that are spelled like one of its forms, apart from case, and mean something else.
    """

    id: str = Field(min_length=1, description="Stable id, e.g. dog.animal.")
    gloss: str = Field(min_length=1, description="The meaning in a few words, lower case, English.")
    reference: Forms = Field(
        description="Forms of the word list by language; the first stands in prompts, and success is measured on all."
    )
    accepted: Forms = Field(
        default_factory=dict, description="Further right answers by language: synonyms, inflected forms."
    )
    senses: list[Sense] = Field(default_factory=list, description="Other meanings of its forms in the same language.")
    lookalikes: list[Sense] = Field(
        default_factory=list,
        description="Words of another language that are spelled like one of its forms and mean something else.",
    )
    flags: list[str] = Field(
        default_factory=list, description="`sense_split`: the references of its languages disagree in sense."
    )

    @model_validator(mode="after")
    def _has_words(self) -> Concept:
        if not self.reference or any(not forms for forms in self.reference.values()):
            raise ValueError("every language of `reference` needs at least one form")
        return self

    def word(self, language: str) -> str:
        """The form that stands in prompts."""
        return self.reference[language][0]

    def forms(self, language: str) -> list[str]:
        """Every right form in `language`, reference forms first."""
        return [*self.reference.get(language, []), *self.accepted.get(language, [])]

    def as_sense(self) -> Sense:
        """This concept as a choice among senses."""
        languages = {*self.reference, *self.accepted}
        return Sense(id=self.id, gloss=self.gloss, forms={code: self.forms(code) for code in sorted(languages)})

    def fingerprint(self) -> str:
        """Changes when anything changes that a judgement of this concept rests on."""
        return fingerprint(self.model_dump(mode="json", exclude={"flags"}))


class PromptPair(Record):
    """Two concepts that meet in a patching experiment, and the few-shot concepts of their prompts.

    The id depends on the concepts alone, so that studies of several models share it. The few-shot words are
    the same across languages, differ between source and target prompts, and exclude both concepts.
    """

    pair_id: str = Field(description="Hash of the concepts and examples.")
    index: int = Field(ge=0, description="Position in the seeded order, from 0.")
    source_concept: str = Field(description="Concept of the source prompt: the one that is patched in.")
    target_concept: str = Field(description="Concept of the target prompt: the one that is patched over.")
    source_shots: list[str] = Field(description="Concepts of the source prompt's example lines.")
    target_shots: list[str] = Field(description="Concepts of the target prompt's example lines.")
    seed: int = Field(description="Seed of the order.")

    @model_validator(mode="after")
    def _apart(self) -> PromptPair:
        both = {self.source_concept, self.target_concept}
        if len(both) < 2:
            raise ValueError("source and target concept must differ")
        if both & {*self.source_shots, *self.target_shots}:
            raise ValueError("few-shot words must exclude both concepts")
        return self

    @classmethod
    def of(
        cls, concepts: tuple[str, str], source_shots: list[str], target_shots: list[str], index: int, seed: int
    ) -> PromptPair:
        """The pair of a source and a target concept, with its id."""
        return cls(
            pair_id=cls.make_id(*concepts, source_shots, target_shots),
            index=index,
            source_concept=concepts[0],
            target_concept=concepts[1],
            source_shots=source_shots,
            target_shots=target_shots,
            seed=seed,
        )

    @staticmethod
    def make_id(source: str, target: str, source_shots: list[str], target_shots: list[str]) -> str:
        return fingerprint([source, target, source_shots, target_shots], 12)
