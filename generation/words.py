"""The concepts of a study: from the embedded lexicon, a csv, WordNets, or a concepts.jsonl."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gainsift.generation.wordnet_words import WordNets
from gainsift.generation.wordnets import read_wordnets
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_jsonl
from gainsift.schemas.study import CONCEPTS_FORMAT, Study
from gainsift.schemas.word_source import WordnetSpec


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
    if spec.senses:
        wordnets = _wordnets(study, spec.senses.wordnet, languages)
        kept = [wordnets.with_senses(concept, languages) for concept in kept]
    if spec.forms:
        kept = [_with_few_forms(concept, spec.forms) for concept in kept]
    return Words(kept, where, {reason: number for reason, number in left_out.items() if number})


def _read(study: Study, languages: list[str]) -> tuple[list[Concept], str, dict[str, int]]:
    """All concepts of the source, where they come from, and what its reader dropped."""
    spec = study.config.words
    if spec.source == "embedded":
        from gainsift.generation.lexicon import embedded_concepts

        return list(embedded_concepts(languages)), "embedded lexicon", {}
    if spec.source == "wordnet":
        assert spec.wordnet is not None  # WordsSpec sees to it
        return _wordnets(study, spec.wordnet, languages).concepts(languages, spec.part_of_speech), "words.wordnet", {}
    assert spec.file is not None  # WordsSpec sees to it
    path = study.path(spec.file)
    if spec.source == "concepts":
        return read_jsonl(path, Concept, CONCEPTS_FORMAT, "gainsift generate"), str(path), {}
    if spec.source == "csv":
        from gainsift.generation.word_table import read_word_table

        table = read_word_table(path, languages, spec.part_of_speech)
        return table.concepts, str(path), table.dropped
    from gainsift.generation.multi_simlex import read_multi_simlex

    reading = read_multi_simlex(path, languages, spec.part_of_speech)
    return list(reading.concepts), str(path), dict(reading.dropped)


def _wordnets(study: Study, spec: WordnetSpec, languages: list[str]) -> WordNets:
    return WordNets(read_wordnets(spec, languages, study.folder), spec.senses)


def _with_few_forms(concept: Concept, most: int) -> Concept:
    """The concept with at most so many reference forms a language; the others are accepted."""
    accepted = {code: [*forms[most:], *concept.accepted.get(code, [])] for code, forms in concept.reference.items()}
    return concept.model_copy(
        update={
            "reference": {code: forms[:most] for code, forms in concept.reference.items()},
            "accepted": {code: forms for code, forms in {**concept.accepted, **accepted}.items() if forms},
        }
    )
