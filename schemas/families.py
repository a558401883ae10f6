"""Word families, the clusters of every interval: concepts that share a headword form in a language."""

from __future__ import annotations

from collections.abc import Iterable

from gainsift.schemas.concepts import Concept, fold


def word_families(concepts: Iterable[Concept]) -> dict[str, str]:
    """Concept id -> family, named by its first concept id; sharing is transitive (union-find).

    The headword is the form that stands in prompts. The same spelling in two languages makes no family: the
    model was asked different words.
    """
    concepts = sorted(concepts, key=lambda concept: concept.id)
    parent = {concept.id: concept.id for concept in concepts}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    holder: dict[tuple[str, str], str] = {}
    for concept in concepts:
        for language in concept.reference:
            first = holder.setdefault((language, fold(concept.word(language))), concept.id)
            a, b = sorted((root(first), root(concept.id)))
            parent[b] = a
    return {concept.id: root(concept.id) for concept in concepts}
