"""Every meaning that the study's concepts know of a form, by language."""

from __future__ import annotations

from collections.abc import Iterable

from gainsift.schemas.concepts import Concept, fold


class Lexicon:
    """Forms of concepts, of the other senses of their words, and of look-alikes; spelling is NFC, case folded."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self.concepts = {concept.id: concept for concept in concepts}
        self._fingerprints: dict[str, str] = {}
        self._meanings: dict[str, dict[str, set[str]]] = {}
        for concept in self.concepts.values():
            for sense in [concept.as_sense(), *concept.senses, *concept.lookalikes]:
                for language, forms in sense.forms.items():
                    known = self._meanings.setdefault(language, {})
                    for form in forms:
                        known.setdefault(fold(form), set()).add(sense.id)

    @property
    def languages(self) -> list[str]:
        return sorted(self._meanings)

    def fingerprint(self, concept_id: str) -> str:
        """The fingerprint of a concept, worked out once."""
        if concept_id not in self._fingerprints:
            self._fingerprints[concept_id] = self.concepts[concept_id].fingerprint()
        return self._fingerprints[concept_id]

    def meanings(self, language: str, form: str) -> set[str]:
        """Ids of the concepts and senses that `form` is a word of; empty if the form is not known."""
        return self._meanings.get(language, {}).get(fold(form), set())
