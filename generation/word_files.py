"""A list of words in any of the formats, read as it is: every language of it, concepts that lack some included."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gainsift.generation.csv_rows import csv_rows
from gainsift.generation.lexicon import concepts_of, parse_lexicon
from gainsift.generation.multi_simlex import languages_of, read_multi_simlex
from gainsift.generation.word_table import read_word_table
from gainsift.generation.words import load_words, needed_languages
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_jsonl
from gainsift.schemas.languages import language
from gainsift.schemas.study import CONCEPTS_FORMAT, Study
from gainsift.schemas.word_source import LMF_SUFFIXES, PartOfSpeech, WordnetSpec


@dataclass(frozen=True)
class WordList:
    """Concepts in the order of the file, the languages of the list, and what its reader left out, by reason."""

    concepts: list[Concept]
    languages: list[str]
    left_out: dict[str, int] = field(default_factory=dict)


def read_word_list(
    paths: Sequence[Path],
    form: str | None = None,
    languages: Sequence[str] = (),
    part_of_speech: PartOfSpeech = "noun",
) -> WordList:
    """The list in `paths`: one file or study folder, or one WN-LMF file for each of `languages`.

    `form` is one of FORMATS; without it the name decides, and for a csv the header. `languages` leaves out others.
    Raises UserError.
    """
    form = form or format_of(paths[0])
    if form != "wordnet" and len(paths) > 1:
        raise UserError(str(paths[1]), "a second file", "only WordNets come in several, one a language")
    return FORMATS[form](paths, languages, part_of_speech)


def format_of(path: Path) -> str:
    """Which of FORMATS a file is in, by its name and header. Raises UserError."""
    if path.is_dir():
        return "study"
    if path.name.endswith(LMF_SUFFIXES):
        return "wordnet"
    suffix = path.suffix.lower()
    if suffix == ".csv":
        columns, _ = csv_rows(path, "a list of words")
        return "multi_simlex" if languages_of(columns) else "csv"
    known = {".jsonl": "concepts", ".tsv": "lexicon"}
    if suffix not in known:
        raise UserError(str(path), "its name does not tell the format", f"add --format: {', '.join(FORMATS)}")
    return known[suffix]


def _study(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    study = Study.open(paths[0])
    words = load_words(study)
    return _only(words.concepts, languages or needed_languages(study), words.left_out)


def _concepts(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    concepts = read_jsonl(paths[0], Concept, CONCEPTS_FORMAT, "gainsift concepts convert")
    if not concepts:
        raise UserError(str(paths[0]), "no concept in it", "write one JSON object a line")
    for code in dict.fromkeys(code for concept in concepts for code in (*concept.reference, *concept.accepted)):
        language(code, str(paths[0]))
    return _only(concepts, languages, {})


def _lexicon(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    try:
        rows = parse_lexicon(paths[0].read_bytes(), str(paths[0]))
    except OSError as error:
        raise UserError(str(paths[0]), f"cannot be read ({error.strerror})", "name a lexicon") from None
    found = list(rows[0].reference) if rows else []
    return WordList(concepts_of(rows, list(languages) or found), list(languages) or found)


def _csv(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    table = read_word_table(paths[0], languages or None, part_of_speech)
    return _only(table.concepts, table.languages, table.dropped)


def _multi_simlex(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    """Language by language, since its reader keeps only words that have a form in all languages it is asked for."""
    columns, _ = csv_rows(paths[0], "a Multi-SimLex csv")
    merged: dict[str, Concept] = {}
    dropped: dict[str, dict[str, int]] = {}
    codes = list(languages) or languages_of(columns) or ["en"]
    for code in codes:
        reading = read_multi_simlex(paths[0], [code], part_of_speech)
        for reason, number in reading.dropped.items():
            dropped.setdefault(reason, {})[code] = number
        for concept in reading.concepts:
            before = merged.setdefault(concept.id, concept)
            flags = list(dict.fromkeys([*before.flags, *concept.flags]))
            reference = {**before.reference, **concept.reference}
            merged[concept.id] = before.model_copy(update={"reference": reference, "flags": flags})
    return WordList(list(merged.values()), codes, _once(dropped, len(codes)))


def _once(dropped: Mapping[str, Mapping[str, int]], languages: int) -> dict[str, int]:
    """Counts by reason: those that are the same in every language once, others language by language."""
    found = {}
    for reason, numbers in dropped.items():
        if len(numbers) == languages and len(set(numbers.values())) == 1:
            found[reason] = next(iter(numbers.values()))
        else:
            found |= {f"{reason} ({code})": number for code, number in numbers.items()}
    return found


def _wordnet(paths: Sequence[Path], languages: Sequence[str], part_of_speech: PartOfSpeech) -> WordList:
    from gainsift.generation.wordnet_words import WordNets
    from gainsift.generation.wordnets import read_wordnets

    if len(languages) != len(paths):
        raise UserError("--languages", f"{len(paths)} WordNets, {len(languages)} languages", "name one for each file")
    lexicons = {code: str(path.resolve()) for code, path in zip(languages, paths, strict=True)}
    with tempfile.TemporaryDirectory() as data:
        meanings = read_wordnets(WordnetSpec(lexicons=lexicons, data=data), languages, Path())
    return WordList(WordNets(meanings).concepts(languages, part_of_speech), list(languages))


def _only(concepts: Sequence[Concept], languages: Sequence[str], left_out: dict[str, int]) -> WordList:
    """The concepts cut to `languages`, or to all that they have."""
    codes = list(languages) or list(dict.fromkeys(code for concept in concepts for code in concept.reference))
    kept = [_cut(concept, codes) for concept in concepts if any(code in concept.reference for code in codes)]
    if not kept:
        raise UserError("--languages", f"no concept has a form in {', '.join(codes)}", "name languages of the list")
    return WordList(kept, codes, left_out)


def _cut(concept: Concept, codes: Sequence[str]) -> Concept:
    return concept.model_copy(
        update={
            "reference": {code: forms for code, forms in concept.reference.items() if code in codes},
            "accepted": {code: forms for code, forms in concept.accepted.items() if code in codes},
        }
    )


FORMATS: dict[str, Callable[[Sequence[Path], Sequence[str], PartOfSpeech], WordList]] = {
    "study": _study,
    "concepts": _concepts,
    "csv": _csv,
    "multi_simlex": _multi_simlex,
    "wordnet": _wordnet,
    "lexicon": _lexicon,
}
"""`study` is the words of a study folder, `lexicon` a file like the embedded lexicon."""
