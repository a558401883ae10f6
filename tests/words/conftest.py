"""Small WordNets in WN-LMF, and studies that read words from files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import wn
import yaml

from gainsift.schemas.study import Study

Synsets = dict[str, tuple[str, str, list[str]]]
"""By ILI (or any name without digits for none): part of speech, definition, lemmas."""

ENGLISH: Synsets = {
    "i1": ("n", "an institution that keeps money", ["bank"]),
    "i2": ("n", "sloping land beside water", ["bank", "riverside"]),
    "i3": ("n", "the season after winter", ["spring", "springtime"]),
    "i4": ("n", "a coil that bounces back", ["spring"]),
    "i5": ("n", "something given", ["gift", "present"]),
    "i6": ("n", "a substance that kills", ["poison"]),
    "i7": ("n", "a domesticated canine", ["dog"]),
    "i8": ("v", "move on foot", ["walk"]),
    "i9": ("n", "a house that takes paying guests", ["hotel"]),
    "i10": ("n", "a hot frankfurter in a bun", ["hot_dog"]),
    "slang": ("n", "a dull unattractive person", ["dog"]),
}
GERMAN: Synsets = {
    "i1": ("n", "", ["Bank", "Geldinstitut"]),
    "i2": ("n", "", ["Ufer"]),
    "i3": ("n", "Jahreszeit", ["Frühling"]),
    "i4": ("n", "", ["Feder"]),
    "i5": ("n", "", ["Geschenk"]),
    "i6": ("n", "", ["Gift"]),
    "i7": ("n", "", ["Hund"]),
    "i8": ("v", "", ["gehen"]),
    "i9": ("n", "", ["Hotel"]),
    "i10": ("n", "", ["Hotdog"]),
    "i11": ("n", "", ["Bank"]),  # for sitting; the English WordNet has no such synset
}


def lmf_text(language: str, synsets: Synsets, version: str = "1") -> str:
    """The text of a WN-LMF file with one lexicon `small-LANGUAGE`."""
    words: dict[tuple[str, str], list[str]] = {}
    for key, (pos, _, lemmas) in synsets.items():
        for lemma in lemmas:
            words.setdefault((lemma, pos), []).append(key)
    entries = "".join(
        f'<LexicalEntry id="{language}-e{n}"><Lemma writtenForm={quoteattr(lemma)} partOfSpeech="{pos}"/>'
        + "".join(f'<Sense id="{language}-e{n}-{key}" synset="{language}-{key}"/>' for key in keys)
        + "</LexicalEntry>\n"
        for n, ((lemma, pos), keys) in enumerate(words.items())
    )
    listed = "".join(
        f'<Synset id="{language}-{key}" ili="{key if key[-1].isdigit() else ""}" partOfSpeech="{pos}">'
        + (f"<Definition>{gloss}</Definition>" if gloss else "")
        + "</Synset>\n"
        for key, (pos, gloss, _) in synsets.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.1.dtd">\n'
        '<LexicalResource xmlns:dc="https://globalwordnet.github.io/schemas/dc/">\n'
        f'<Lexicon id="small-{language}" label="Small" language="{language}" email="a@b.c" license="none" '
        f'version="{version}">\n{entries}{listed}</Lexicon>\n</LexicalResource>\n'
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wn's database without a lexicon: making one waits a second or two for the disk."""
    folder = tmp_path_factory.mktemp("wn")
    before = wn.config.database_path.parent  # data_directory would make the folder
    wn.config.data_directory = folder
    try:
        assert wn.lexicons() == []
    finally:
        wn.config.data_directory = before
    return folder / "wn.db"


@pytest.fixture
def wordnets(tmp_path: Path, empty_database: Path) -> Path:
    """A folder with en.xml, de.xml, and wn's database in the folder `wordnets`, which `spec` names."""
    folder = tmp_path / "study"
    (folder / "wordnets").mkdir(parents=True)
    shutil.copy(empty_database, folder / "wordnets")
    (folder / "en.xml").write_text(lmf_text("en", ENGLISH), "utf-8")
    (folder / "de.xml").write_text(lmf_text("de", GERMAN), "utf-8")
    return folder


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """A study of English and German whose section `words` is given."""

    def make(words: dict[str, Any], languages: tuple[str, ...] = ("en", "de"), **more: Any) -> Study:
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        data = {
            "name": "s",
            "model": {"name": "m", "checkpoints": [{"name": "one", "path": "model"}]},
            "trained_languages": list(languages),
            "language_pairs": [list(languages[:2])],
            "words": words,
            **more,
        }
        (folder / "study.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        return Study.open(folder)

    return make


@pytest.fixture
def spec() -> dict[str, Any]:
    return {"lexicons": {"en": "en.xml", "de": "de.xml"}, "data": "wordnets"}


@pytest.fixture
def lmf() -> Callable[..., str]:
    return lmf_text


@pytest.fixture
def english() -> Synsets:
    return ENGLISH


@pytest.fixture(scope="session")
def published(module_of: Callable[[Path], ModuleType]) -> ModuleType:
    """clap_fixture.py: writes results in the layout of the published code."""
    return module_of(Path(__file__).parent / "clap_fixture.py")
