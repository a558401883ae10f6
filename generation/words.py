"""The concepts of a study: from the embedded lexicon, a Multi-SimLex csv, or a concepts.jsonl."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_jsonl
from gainsift.schemas.study import CONCEPTS_FORMAT, Study


@dataclass(frozen=True)
class Words:
    """The concepts that a study can use, and how many were left out for what reason."""

    concepts: list[Concept]
    where: str
    left_out: dict[str, int]


def needed_languages(study: Study) -> list[str]:
    """Languages in which every concept must have a word: the study's, and English if en_en is asked for."""
    codes = study.config.languages()
    return [*codes, "en"] if "en_en" in study.config.generation.settings and "en" not in codes else codes


def load_words(study: Study) -> Words:
    """The concepts with a reference form in every needed language, cut to `words.limit`. Raises UserError."""
    spec, languages = study.config.words, needed_languages(study)
    found, where, dropped = _read(study, languages)
    twice = [name for name, number in Counter(concept.id for concept in found).items() if number > 1]
    if twice:
        raise UserError(where, f"concept id {twice[0]!r} stands twice", "give every concept its own id")
    complete = [concept for concept in found if all(code in concept.reference for code in languages)]
    kept = complete[: spec.limit]
    left_out = {
        **dropped,
        "no word in some study language": len(found) - len(complete),
        "beyond words.limit": len(complete) - len(kept),
    }
    return Words(kept, where, {reason: number for reason, number in left_out.items() if number})


def _read(study: Study, languages: list[str]) -> tuple[list[Concept], str, dict[str, int]]:
    """All concepts of the source, where they come from, and what its reader dropped."""
    spec = study.config.words
    if spec.source == "embedded":
        from gainsift.generation.lexicon import embedded_concepts

        return list(embedded_concepts(languages)), "embedded lexicon", {}
    assert spec.file is not None  # WordsSpec sees to it
    path = study.path(spec.file)
    if spec.source == "concepts":
        return read_jsonl(path, Concept, CONCEPTS_FORMAT, "gainsift generate"), str(path), {}
    from gainsift.generation.multi_simlex import read_multi_simlex

    reading = read_multi_simlex(path, languages)
    return list(reading.concepts), str(path), dict(reading.dropped)
