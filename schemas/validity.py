"""Which earlier judgements still hold after the taxonomy or the lexicon has changed, and why others do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from gainsift.schemas.concepts import Concept
from gainsift.schemas.rows import Annotation
from gainsift.schemas.taxonomy import Taxonomy

Validity = Literal["valid", "label_gone", "label_redefined", "concept_gone", "concept_changed"]
REASONS: dict[Validity, str] = {
    "valid": "label and concepts are as they were",
    "label_gone": "the label is no longer in the taxonomy",
    "label_redefined": "the definition of the label has changed",
    "concept_gone": "a concept of the item is no longer in the lexicon",
    "concept_changed": "forms, gloss or senses of a concept have changed",
}


def validity(line: Annotation, taxonomy: Taxonomy, concepts: Mapping[str, Concept]) -> Validity:
    """Whether a judgement stands under today's taxonomy and concepts.

    A new taxonomy version alone does not invalidate it: what counts is the definition of its own label.
    """
    if line.label is not None:
        if line.label not in taxonomy.ids:
            return "label_gone"
        if line.label_fingerprint != taxonomy.category(line.label).fingerprint():
            return "label_redefined"
    ids = (line.item.intended_concept, line.item.other_concept)
    if any(name not in concepts for name in ids):
        return "concept_gone"
    if line.concept_fingerprints and line.concept_fingerprints != [concepts[name].fingerprint() for name in ids]:
        return "concept_changed"
    return "valid"


class Validities:
    """`validity`, worked out once for all judgements that agree in everything that it looks at."""

    def __init__(self, taxonomy: Taxonomy, concepts: Mapping[str, Concept]) -> None:
        self.taxonomy, self.concepts = taxonomy, concepts
        self._known: dict[tuple[object, ...], Validity] = {}

    def __call__(self, line: Annotation) -> Validity:
        about = (line.item.intended_concept, line.item.other_concept)
        key = (line.label, line.label_fingerprint, *about, *line.concept_fingerprints)
        if key not in self._known:
            self._known[key] = validity(line, self.taxonomy, self.concepts)
        return self._known[key]
