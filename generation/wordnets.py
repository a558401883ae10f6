"""WordNets, opened through wn: the lemmas of each meaning and the meanings of each lemma, joined across languages.

Meanings of several languages are one where they carry the same interlingual index (ILI, such as i35545).
"""

from __future__ import annotations

import json
import lzma
import sqlite3
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from gainsift.schemas.concepts import fits_quotes, fold
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import write_json
from gainsift.schemas.provenance import file_hash
from gainsift.schemas.word_source import LMF_SUFFIXES, WordnetSpec

if TYPE_CHECKING:
    import wn

RECORD = "gainsift-files.json"
"""Beside wn's database: which lexicons came from which file, by SHA-256."""
DAMAGED = (
    ExpatError, ValueError, KeyError, EOFError, AssertionError, OSError, sqlite3.IntegrityError, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
"""What wn's reader raises on a file that is no WN-LMF, or is packed and damaged, besides its own errors."""


@dataclass
class Meanings:
    """The meanings of one language. A key is an ILI, or the synset's own id where it has none."""

    by_form: dict[str, list[str]] = field(default_factory=dict)
    """Keys by case-folded lemma, in the order of its senses."""
    lemmas: dict[str, list[str]] = field(default_factory=dict)
    """Usable lemmas by key, in the order of the synset."""
    parts: dict[str, str] = field(default_factory=dict)
    """n, v, a, s, r by key."""
    glosses: dict[str, str] = field(default_factory=dict)
    """Definitions by key; empty where there is none."""
    interlingual: set[str] = field(default_factory=set)
    """The keys that are ILIs."""

    def of(self, form: str) -> list[str]:
        return self.by_form.get(fold(form), [])


def read_wordnets(spec: WordnetSpec, asked: Sequence[str], folder: Path) -> dict[str, Meanings]:
    """The WordNets of `spec` by language; files are read into wn's database when first used.

    Names are relative to `folder`. Raises UserError if an `asked` language has none, if wn or a lexicon is missing,
    or if a file is no WN-LMF.
    """
    for code in asked:
        if code not in spec.lexicons:
            raise UserError("words", f"no WordNet for language {code!r}", "name one under wordnet.lexicons")
    _require_wn()
    data = (folder / spec.data).resolve() if spec.data else None
    with _database(data):
        return {code: _meanings(_lexicon(name, folder, data)) for code, name in spec.lexicons.items()}


def _require_wn() -> None:
    try:
        __import__("wn")
    except ImportError:
        raise UserError("words", "wn is not installed", "run: pip install 'gainsift[wordnet]'") from None


def _config() -> Any:
    import wn

    return wn.config  # type: ignore[attr-defined]  # public, but not in its __all__


@contextmanager
def _database(data: Path | None) -> Iterator[None]:
    """wn's database in `data`; wn keeps the place in a variable of its own, which is put back."""
    import wn

    before = _config().database_path.parent
    try:
        if data is not None:
            data.mkdir(parents=True, exist_ok=True)
            _config().data_directory = data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wn.WnWarning)
            yield
    except (OSError, sqlite3.Error, wn.DatabaseError) as error:
        place = str(_config().database_path)
        raise UserError(place, f"wn's database cannot be used ({error})", "name another folder under data") from None
    finally:
        _config().data_directory = before


def _lexicon(name: str, folder: Path, data: Path | None) -> wn.Wordnet:
    import wn

    path = (folder / name).resolve()
    specifier = _added(path) if name.endswith(LMF_SUFFIXES) else name
    try:
        # exact forms only: wn's own fallback would take péché for pêche
        return wn.Wordnet(specifier, expand="", normalizer=None, search_all_forms=False)
    except wn.DatabaseError:
        raise
    except wn.Error:
        place = f" --dir {data}" if data else ""
        remedy = f"run: python -m wn{place} download {name}, or name a WN-LMF file (.xml)"
        raise UserError(f"words: lexicon {name!r}", f"not in wn's database {_config().database_path}", remedy) from None


def _added(path: Path) -> str:
    """Add a WN-LMF file to the database unless it is there. Returns its lexicon as id:version."""
    import wn

    if not path.is_file():
        raise UserError(str(path), "no such file", "name a WN-LMF file")
    record = _config().data_directory / RECORD
    known: dict[str, str] = json.loads(record.read_text("utf-8")) if record.exists() else {}
    before = {lexicon.specifier() for lexicon in wn.lexicons()}
    digest = file_hash(path)
    if known.get(digest) in before:
        return known[digest]
    try:
        wn.add(path, progress_handler=None)
    except wn.DatabaseError:
        raise
    except (wn.Error, *DAMAGED) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(str(path), f"not a WN-LMF file ({reason})", "`python -m wn validate` says more") from None
    new = [lexicon.specifier() for lexicon in wn.lexicons() if lexicon.specifier() not in before]
    if len(new) != 1:
        found = f"holds {len(new)} lexicons" if new else "holds no lexicon that the database has not got from elsewhere"
        raise UserError(str(path), found, f"give each WordNet its own file, or another folder than {record.parent}")
    write_json(record, {**known, digest: new[0]})
    return new[0]


def _meanings(wordnet: wn.Wordnet) -> Meanings:
    """Two questions to the database a word and two a synset: everything is joined by the ids of senses."""
    lemma_of: dict[str, str] = {}
    senses_of: list[tuple[str, list[str]]] = []
    for word in wordnet.words():
        lemma = tidy(word.lemma())
        if lemma:
            senses = [sense.id for sense in word.senses()]
            lemma_of |= dict.fromkeys(senses, lemma)
            senses_of.append((lemma, senses))
    found = Meanings()
    key_of: dict[str, str] = {}
    for synset in wordnet.synsets():
        key = synset.ili or synset.id
        if key not in found.lemmas:
            found.lemmas[key], found.parts[key] = [], synset.pos
            found.glosses[key] = " ".join((synset.definition() or "").split())
            found.interlingual |= {key} if synset.ili else set()
        members = [sense.id for sense in synset.senses()]
        key_of |= dict.fromkeys(members, key)
        known = found.lemmas[key]  # two synsets may share an ILI
        for lemma in (lemma_of[name] for name in members if name in lemma_of):
            if fold(lemma) not in map(fold, known):
                known.append(lemma)
    for lemma, senses in senses_of:
        listed = found.by_form.setdefault(fold(lemma), [])
        listed += dict.fromkeys(key_of[name] for name in senses if key_of[name] not in listed)
    return found


def tidy(lemma: str) -> str:
    """A lemma as it stands in a prompt: NFC, spaces for underscores; empty if it cannot stand between quotes."""
    form = " ".join(unicodedata.normalize("NFC", lemma).replace("_", " ").split())
    return form if fits_quotes(form) else ""
