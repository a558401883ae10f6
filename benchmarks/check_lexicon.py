"""Compare the embedded lexicon with published word lists.

    python benchmarks/check_lexicon.py --lists FOLDER [--json]

FOLDER may hold any of the files named in LISTS; the lists are not part of this project. An entry is one row in
one language, judged by the row's first reference form:

- confirmed: a list gives that form as a translation of an English form of the row (an English entry: a list has
  the row's first English form at all);
- contradicted: not confirmed, and a list translates the row's first English form into the language, every sense
  that it knows, without naming any form of the row;
- not found: neither.

A list that holds only one sense of a word contradicts a row that means another one. Such entries stand with
their reason in lexicon_kept.tsv beside this script. Exit status 1 if a contradicted entry is not in there.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gainsift.generation.lexicon import LexiconRow, interlingual_homographs, lexicon_rows, polysemous_forms
from gainsift.schemas.concepts import fold
from gainsift.schemas.errors import GainsiftError, UserError
from gainsift.schemas.languages import LANGUAGES

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
KEPT = Path(__file__).with_name("lexicon_kept.tsv")
Fact = tuple[str, str, str, bool]
"""English word, language, form; whether the list would name every translation that it knows (may contradict)."""


@dataclass
class WordList:
    """Translations of English words, keyed by (folded English word, language)."""

    english: set[str] = field(default_factory=set)
    forms: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)

    def add(self, english: str, language: str, form: str, closed: bool) -> None:
        key = (fold(english), language)
        self.english.add(key[0])
        self.forms.setdefault(key, {}).setdefault(fold(form), form)
        if closed:
            self.closed.add(key)


@dataclass
class Entry:
    """The verdict on one row in one language; `by` names lists, `theirs` their forms if contradicted."""

    id: str
    language: str
    form: str
    verdict: str
    by: list[str]
    theirs: dict[str, list[str]] = field(default_factory=dict)


# --- The lists -------------------------------------------------------------------------------------------


def table(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield {column: cell or "" for column, cell in row.items() if column}


def plain(cell: str) -> str:
    """A cell without remarks in brackets, outer spaces and the sign for `none`."""
    form = " ".join(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", cell).split())
    return "" if form == "-" else form


def columns(rows: Iterable[dict[str, str]], english: Sequence[str], others: dict[str, str]) -> Iterator[Fact]:
    """Facts of a table with one column a language."""
    for row in rows:
        for column in english:
            word = plain(row[column])
            for code, other in others.items():
                if word and plain(row[other]):
                    yield word, code, plain(row[other]), True


def luniewska(path: Path) -> Iterator[Fact]:
    """The rows with a German capital: the others are actions, such as `bark`, `bellen`."""
    english = ("ENGLISH", "AMERICANENGLISH", "SOUTHAFRICANENGLISH")
    nouns = (row for row in table(path, "\t") if row["GERMAN"][:1].isupper())
    return columns(nouns, english, {"de": "GERMAN", "it": "ITALIAN", "es": "SPANISH"})


def dunabeitia(path: Path) -> Iterator[Fact]:
    return columns(table(path, "\t"), ("ENGLISH",), {"de": "GERMAN", "fr": "FRENCH", "it": "ITALIAN", "es": "SPANISH"})


def multi_simlex(path: Path) -> Iterator[Fact]:
    for side in ("1", "2"):
        for row in table(path, ","):
            for code, upstream in (("fr", f"FRA {side}"), ("es", f"SPA {side}")):
                if row["PoS"] == "nouns" and plain(row[upstream]) and row[f"erratum {upstream}"] == "0":
                    yield row[f"ENG {side}"], code, plain(row[upstream]), True


def sense_lexicon(path: Path) -> Iterator[Fact]:
    """Every sense of each noun; its synonyms have further senses that the list lacks, so they only confirm.

    Forms that only the automatic wordnet has are often wrong in French: left out.
    """
    for line in path.read_text("utf-8").split("\n"):
        noun = json.loads(line) if line.strip() else {"senses": []}
        for sense in noun["senses"]:
            for code, forms in sense["tr"].items():
                for form, _, tag in (tagged.rpartition("|") for tagged in forms):
                    if code != "fr" or "wikt" in tag:
                        for english in {noun["word"], *sense["en"]}:
                            yield english, code, form, english == noun["word"]


def false_friends(path: Path) -> Iterator[Fact]:
    """Right translations of English words, and English meanings of their look-alikes (these only confirm)."""
    for row in table(path, "\t"):
        if row["lang_a"] != "en":
            continue
        code = row["lang_b"]
        for cell in row["correct_translation_of_a_in_b"].split(";"):
            if plain(cell):
                yield row["word_a"], code, without_article(plain(cell), code), True
        for cell in row["meaning_of_b_in_a"].split(";"):
            if plain(cell):
                yield without_article(plain(cell), "en"), code, row["lookalike_b"], False


def without_article(form: str, code: str) -> str:
    articles = LANGUAGES[code].articles if code in LANGUAGES else ()
    return next((form[len(article) :] for article in articles if form.casefold().startswith(article)), form)


LISTS: dict[str, tuple[str, Callable[[Path], Iterator[Fact]]]] = {
    "senses": ("sense_lexicon_en_nouns.jsonl", sense_lexicon),
    "luniewska": ("Luniewska-2019-299.tsv", luniewska),
    "dunabeitia": ("Dunabeitia-2018-750.tsv", dunabeitia),
    "multi_simlex": ("multi_simlex_rebuilt.csv", multi_simlex),
    "false_friends": ("lt_false_friends_pairs.tsv", false_friends),
}


def read_lists(folder: Path) -> dict[str, WordList]:
    """The lists that the folder holds. Raises UserError if there is none."""
    found = {}
    for name, (file, reader) in LISTS.items():
        path = folder / file
        if path.is_file():
            found[name] = WordList()
            try:
                for fact in reader(path):
                    found[name].add(*fact)
            except (KeyError, ValueError) as error:
                raise UserError(str(path), f"not of the form expected ({type(error).__name__}: {error})") from None
    if not found:
        names = ", ".join(file for file, _ in LISTS.values())
        raise UserError("--lists", f"{folder} holds none of {names}", "name the folder with the lists")
    return found


# --- The comparison --------------------------------------------------------------------------------------


def check(row: LexiconRow, language: str, lists: dict[str, WordList]) -> Entry:
    """The verdict on one entry."""
    form = row.reference[language][0]
    first = fold(row.reference["en"][0])
    if language == "en":
        by = [name for name, words in lists.items() if first in words.english]
        return Entry(row.id, language, form, "confirmed" if by else "not found", by)
    by = [
        name
        for name, words in lists.items()
        if any(spellings([form], language) & words.forms.get((key, language), {}).keys() for key in row.keys("en"))
    ]
    if by:
        return Entry(row.id, language, form, "confirmed", by)
    ours, key = spellings(row.forms(language), language), (first, language)
    against = {
        name: sorted(words.forms[key].values())
        for name, words in lists.items()
        if key in words.closed and not ours & words.forms[key].keys()
    }
    return Entry(row.id, language, form, "contradicted" if against else "not found", list(against), against)


def spellings(forms: Iterable[str], language: str) -> set[str]:
    """Folded forms, German ones also without umlauts, as one of the lists writes them."""
    folded = {fold(form) for form in forms}
    return folded | {form.translate(UMLAUTS) for form in folded} if language == "de" else folded


def read_kept(path: Path) -> dict[tuple[str, str], str]:
    """Reasons by (row id, language) for keeping a contradicted entry."""
    if not path.is_file():
        return {}
    return {(row["id"], row["language"]): row["reason"] for row in table(path, "\t")}


def compare(rows: Sequence[LexiconRow], lists: dict[str, WordList], kept: dict[tuple[str, str], str]) -> dict[str, Any]:
    """All figures and every contradicted entry, ready for JSON."""
    entries = [check(row, language, lists) for row in rows for language in row.reference]
    contradicted = [entry for entry in entries if entry.verdict == "contradicted"]
    english = {row.id: row.reference["en"][0] for row in rows}
    pairs = {(entry.id, entry.language) for entry in contradicted}
    polysemous, homographs = polysemous_forms(rows), interlingual_homographs(rows)
    return {
        "rows": len(rows),
        "concepts": sum(row.role == "concept" for row in rows),
        "senses": sum(row.role == "sense" for row in rows),
        "polysemous_forms": dict(Counter(form.language for form in polysemous)),
        "homographs": {"spellings": len({pair.form for pair in homographs}), "pairs": len(homographs)},
        "lists": sorted(lists),
        "entries": len(entries),
        "verdicts": dict(Counter(entry.verdict for entry in entries)),
        "by_language": {
            code: dict(Counter(entry.verdict for entry in entries if entry.language == code))
            for code in rows[0].reference
        },
        "confirmed_by": dict(Counter(name for entry in entries if entry.verdict == "confirmed" for name in entry.by)),
        "contradicted": [
            asdict(entry) | {"english": english[entry.id], "kept": kept.get((entry.id, entry.language))}
            for entry in contradicted
        ],
        "not_found": [f"{entry.id} {entry.language} {entry.form}" for entry in entries if entry.verdict == "not found"],
        "kept_without_need": sorted(f"{name} {code}" for name, code in kept.keys() - pairs),
    }


def show(figures: dict[str, Any]) -> None:
    for name in ("concepts", "senses", "polysemous_forms", "homographs", "entries", "verdicts", "confirmed_by"):
        value = figures[name]
        text = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        print(f"{name.replace('_', ' ')}: {text}")
    for code, verdicts in figures["by_language"].items():
        print(f"  {code}: " + ", ".join(f"{verdict} {count}" for verdict, count in verdicts.items()))
    print("contradicted:")
    for entry in figures["contradicted"]:
        theirs = "; ".join(f"{name}: {', '.join(forms)}" for name, forms in entry["theirs"].items())
        status = f"kept: {entry['kept']}" if entry["kept"] else "OPEN"
        print(f"  {entry['id']} ({entry['english']}) {entry['language']} {entry['form']} <> {theirs} [{status}]")
    for name in figures["kept_without_need"]:
        print(f"  {name}: kept, but no list contradicts it")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=Path, required=True, metavar="FOLDER", help="folder with the word lists")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    try:
        figures = compare(lexicon_rows(), read_lists(options.lists), read_kept(KEPT))
    except GainsiftError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        show(figures)
    return int(any(not entry["kept"] for entry in figures["contradicted"]))


if __name__ == "__main__":
    sys.exit(main())
