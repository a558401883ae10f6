"""Control items: made up from the lexicon, with an answer that is sure, to see whether somebody reads.

They look like every other item: two concepts of the study that meet in no prompt pair, so that no output, of today or
of a later checkpoint, shows the same page; and an answer as models give them. Each must get, by the rules of
prelabel.py, the label that it was made for. Left out are labels about which two careful people may differ: near
meanings, unrelated words, copies of a word that the lexicon does not know in the output language.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import PreLabel, edits, prelabel
from gainsift.annotation.shown import senses_of
from gainsift.schemas.concepts import Concept, fold
from gainsift.schemas.families import word_families
from gainsift.schemas.rows import CopiedFrom, Item
from gainsift.schemas.study import Study

FAR = 3
"""Edits between a word of another language and every right form, so that it is no misspelling of one."""
LONG = 7
"""Letters of a word that is still told when two neighbours in it are swapped."""
PARTNERS = 3
"""Second concepts that are tried with an intended one before the next."""

Page = tuple[str, str, str, str, str, str, bool]


@dataclass(frozen=True)
class Control:
    """An item with its right label, and the sense with `other_sense`."""

    item: Item
    label: str
    sense: str | None


@dataclass(frozen=True)
class _Idea:
    """An answer that would be right for a label."""

    answer: str
    sense: str | None = None
    copied: CopiedFrom = "none"


@dataclass(frozen=True)
class _Case:
    intended: Concept
    other: Concept
    into: str
    out: str
    lexicon: Lexicon

    @property
    def shown(self) -> str:
        return self.intended.word(self.into)

    def means_only(self, form: str, concept: Concept) -> bool:
        return self.lexicon.meanings(self.out, form) == {concept.id} and fold(form) != fold(self.shown)


def page_of(item: Item) -> Page:
    """What tells one page from another: an item's key without what annotators never see."""
    return (
        item.input_language, item.output_language, item.intended_concept, item.other_concept, item.shown_word,
        item.answer, item.closed,
    )  # fmt: skip


class Controls:
    """Makes control items for a study whose outputs (all of them, drawn or not) are the items of `population`."""

    def __init__(self, study: Study, lexicon: Lexicon, population: Iterable[Item]) -> None:
        self.lexicon, self.taxonomy = lexicon, study.taxonomy
        self.labels = [label for label in IDEAS if label in study.taxonomy.ids]
        self.families = word_families(lexicon.concepts.values())
        population = list(population)
        self.pages = {page_of(item) for item in population}
        self.met = {frozenset((item.intended_concept, item.other_concept)) for item in population}
        self.without: set[tuple[str, str, str]] = set()

    def make(self, into: str, out: str, number: int, generator: Random, taken: Collection[Page]) -> Control | None:
        """One control of a language pair that is not among `taken`; None if the lexicon has no more.

        `number` counts an annotator's controls: labels take turns, and the next one steps in where a language pair
        has nothing for a label.
        """
        usable = [
            name
            for name, concept in sorted(self.lexicon.concepts.items())
            if {into, out} <= concept.reference.keys() and "sense_split" not in concept.flags
        ]
        for turn in range(len(self.labels)):
            label = self.labels[(number + turn) % len(self.labels)]
            if (into, out, label) in self.without:
                continue
            for intended in generator.sample(usable, len(usable)):
                for other in generator.sample(usable, min(PARTNERS, len(usable))):
                    found = self._with(label, intended, other, into, out, generator, taken)
                    if found is not None:
                        return found
            self.without.add((into, out, label))
        return None

    def holds(self, control: Control) -> bool:
        """Whether a control made earlier is still one: of today's taxonomy, no output's page, its label as sure."""
        item = control.item
        known = {item.intended_concept, item.other_concept} <= self.lexicon.concepts.keys()
        return (
            known
            and item.taxonomy_version == self.taxonomy.version
            and control.label in self.taxonomy.ids
            and page_of(item) not in self.pages
            and prelabel(item, self.lexicon) == PreLabel(control.label, control.sense)
        )

    def _with(
        self, label: str, intended: str, other: str, into: str, out: str, generator: Random, taken: Collection[Page]
    ) -> Control | None:
        if self.families[intended] == self.families[other] or frozenset((intended, other)) in self.met:
            return None
        about = _Case(self.lexicon.concepts[intended], self.lexicon.concepts[other], into, out, self.lexicon)
        ideas = list(IDEAS[label](about))
        generator.shuffle(ideas)
        for idea in ideas:
            item = Item.of(
                self.taxonomy.version, into, out, intended, other, about.shown, idea.answer, True, idea.copied
            )
            control = Control(item, label, idea.sense)
            if page_of(item) not in taken and self.holds(control):
                return control
        return None


def _correct(case: _Case) -> Iterator[_Idea]:
    """A reference form that means nothing else."""
    for form in case.intended.reference[case.out]:
        if case.means_only(form, case.intended):
            yield _Idea(form)


def _other_sense(case: _Case) -> Iterator[_Idea]:
    """A form of another sense of the shown word, which no other sense that can be picked has."""
    choices = senses_of(case.intended, case.other)
    right = {fold(form) for concept in (case.intended, case.other) for form in concept.forms(case.out)}
    for sense in case.intended.senses:
        for form in sense.forms.get(case.out, []) if sense.has(case.into, case.shown) else []:
            alone = [choice.id for choice in choices if choice.has(case.out, form)] == [sense.id]
            if alone and fold(form) not in right | {fold(case.shown)}:
                yield _Idea(form, sense.id)


def _other_concept(case: _Case) -> Iterator[_Idea]:
    """A reference form of the other concept that means nothing else."""
    for form in case.other.reference[case.out]:
        if case.means_only(form, case.other):
            yield _Idea(form)


def _homograph_copy(case: _Case) -> Iterator[_Idea]:
    """The shown word, where the output language has a word of that spelling with another meaning."""
    if any(word.has(case.out, case.shown) for word in case.intended.lookalikes):
        yield _Idea(case.shown, copied="shown")


def _wrong_language(case: _Case) -> Iterator[_Idea]:
    """The intended concept's word in a third language, far from every right form and known in neither language."""
    near = [fold(form) for form in (*case.intended.forms(case.out), case.shown)]
    for language, forms in sorted(case.intended.reference.items()):
        if language not in (case.into, case.out):
            word = fold(forms[0])
            known = case.lexicon.meanings(case.out, word) or case.lexicon.meanings(case.into, word)
            if not known and all(edits(word, form) >= FAR for form in near):
                yield _Idea(forms[0])


def _wrong_form(case: _Case) -> Iterator[_Idea]:
    """A long right form with two neighbours inside it swapped, which is a word of no language of the lexicon."""
    for form in case.intended.reference[case.out]:
        if len(form) < LONG or not form.isalpha():
            continue
        for at in range(1, len(form) - 2):
            swapped = form[:at] + form[at + 1] + form[at] + form[at + 2 :]
            unknown = not any(case.lexicon.meanings(language, swapped) for language in case.lexicon.languages)
            if fold(swapped) != fold(form) and unknown:
                yield _Idea(swapped)


def _empty(case: _Case) -> Iterator[_Idea]:
    yield _Idea("")


IDEAS: dict[str, Callable[[_Case], Iterator[_Idea]]] = {
    "correct": _correct,
    "other_sense": _other_sense,
    "other_concept": _other_concept,
    "wrong_form": _wrong_form,
    "homograph_copy": _homograph_copy,
    "wrong_language": _wrong_language,
    "empty": _empty,
}
"""Labels whose answer can be made up and is sure."""
