"""WordNets as words: concepts by interlingual index, other senses, look-alikes; senses for lists that have none."""

from __future__ import annotations

import gzip
import lzma
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wn

from gainsift.generation.lexicon import concepts_of, lexicon_rows
from gainsift.generation.wordnet_words import WordNets
from gainsift.generation.wordnets import Meanings
from gainsift.generation.words import load_words
from gainsift.schemas.concepts import Concept, fold
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

Studies = Callable[..., Study]


def by_id(study: Study) -> dict[str, Concept]:
    return {concept.id: concept for concept in load_words(study).concepts}


def test_a_concept_is_a_meaning_with_lemmas_in_every_language(
    wordnets: Path, study_of: Studies, spec: dict[str, Any]
) -> None:
    found = by_id(study_of({"source": "wordnet", "wordnet": spec}))
    # nouns of both languages by ILI: i8 is a verb, i11 has no English, slang no ILI
    assert list(found) == ["i1", "i2", "i3", "i4", "i5", "i6", "i7", "i9", "i10"]
    assert found["i3"].gloss == "the season after winter"
    assert found["i3"].reference == {"en": ["spring", "springtime"], "de": ["Frühling"]}
    assert found["i10"].reference["en"] == ["hot dog"]
    assert by_id(study_of({"source": "wordnet", "wordnet": spec, "part_of_speech": "verb"})).keys() == {"i8"}


def test_senses_are_the_other_meanings_of_its_words_with_their_translations(
    wordnets: Path, study_of: Studies, spec: dict[str, Any]
) -> None:
    found = by_id(study_of({"source": "wordnet", "wordnet": spec}))
    senses = {sense.id: sense for sense in found["i1"].senses}
    assert senses.keys() == {"i2", "i11"}  # riverside through English bank, the seat through German Bank
    assert senses["i2"].forms == {"en": ["bank", "riverside"], "de": ["Ufer"]}
    assert senses["i2"].gloss == "sloping land beside water"
    assert senses["i11"].forms == {"de": ["Bank"]}
    assert senses["i11"].gloss == "Bank"  # no definition anywhere
    assert [sense.gloss for sense in found["i7"].senses] == ["a dull unattractive person"]
    assert found["i9"].senses == found["i9"].lookalikes == []


def test_interlingual_homographs_are_lookalikes(wordnets: Path, study_of: Studies, spec: dict[str, Any]) -> None:
    found = by_id(study_of({"source": "wordnet", "wordnet": spec}))
    assert [sense.id for sense in found["i5"].lookalikes] == ["i6"]  # English gift, German Gift
    assert [sense.id for sense in found["i6"].lookalikes] == ["i5"]
    assert found["i1"].lookalikes == []  # bank and Bank are a word of both


def test_senses_and_lookalikes_are_those_that_the_lexicon_finds_in_its_own_way() -> None:
    """The embedded lexicon as WordNets: one meaning a row, its senses found by other code."""
    rows, languages = lexicon_rows(), ["en", "de", "fr", "es", "it"]
    meanings = {code: Meanings() for code in languages}
    for code, found in meanings.items():
        for row in rows:
            found.lemmas[row.id], found.parts[row.id], found.glosses[row.id] = row.forms(code), "n", row.gloss
            found.interlingual.add(row.id)
            for form in row.forms(code):
                found.by_form.setdefault(fold(form), []).append(row.id)
    made = {concept.id: concept for concept in WordNets(meanings).concepts(languages, "noun")}
    by_id = {row.id: row for row in rows}
    expected = concepts_of(rows, languages)
    assert len(expected) == 392
    for concept in expected:
        own = by_id[concept.id]
        told_apart = {
            sense.id
            for sense in concept.senses
            if not all(own.keys(code) & by_id[sense.id].keys(code) for code in languages)
        }
        assert {sense.id for sense in made[concept.id].senses} == told_apart
        assert {sense.id for sense in made[concept.id].lookalikes} == {sense.id for sense in concept.lookalikes}


def test_spellings_that_differ_in_case_are_one_lemma(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], lmf: Callable[..., str]
) -> None:
    (wordnets / "de.xml").write_text(lmf("de", {"i1": ("n", "", ["Bank", "bank", "Kasse"])}), "utf-8")
    assert by_id(study_of({"source": "wordnet", "wordnet": spec}))["i1"].reference["de"] == ["Bank", "Kasse"]


def test_at_most_so_many_forms_senses_and_concepts(wordnets: Path, study_of: Studies, spec: dict[str, Any]) -> None:
    words = {"source": "wordnet", "wordnet": {**spec, "senses": 1}, "forms": 1, "limit": 3}
    found = by_id(study_of(words))
    assert list(found) == ["i1", "i2", "i3"]
    assert found["i1"].reference == {"en": ["bank"], "de": ["Bank"]}
    assert found["i1"].accepted == {"de": ["Geldinstitut"]}
    assert len(found["i1"].senses) == 1


def test_a_list_gets_senses_and_its_own_meaning_is_none_of_them(
    wordnets: Path, study_of: Studies, spec: dict[str, Any]
) -> None:
    (wordnets / "words.csv").write_text("id,en,de\nmoney bank,bank,Bank\nanimal,dog,Hund\nzebra,zebra,Zebra\n", "utf-8")
    study = study_of({"source": "csv", "file": "words.csv", "senses": {"wordnet": spec}})
    found = by_id(study)
    assert [sense.id for sense in found["money bank"].senses] == ["i2", "i11"]  # i1 agrees in both languages
    assert [sense.gloss for sense in found["animal"].senses] == ["a dull unattractive person"]
    assert found["zebra"].senses == []
    assert found["money bank"].gloss == "'money bank' as listed"


def test_multi_simlex_gets_senses_too(wordnets: Path, study_of: Studies, lmf: Callable[..., str]) -> None:
    (wordnets / "fr.xml").write_text(
        lmf("fr", {"i1": ("n", "", ["banque"]), "i2": ("n", "", ["rive"]), "i7": ("n", "", ["chien"])}), "utf-8"
    )
    (wordnets / "list.csv").write_text("PoS,ENG 1,ENG 2,FRA 1,FRA 2\nnouns,bank,dog,banque,chien\n", "utf-8")
    spec = {"lexicons": {"en": "en.xml", "fr": "fr.xml"}, "data": "wordnets"}
    words = {"source": "multi_simlex", "file": "list.csv", "senses": {"wordnet": spec}}
    found = by_id(study_of(words, ("en", "fr")))
    assert [sense.forms for sense in found["simlex:bank"].senses] == [{"en": ["bank", "riverside"], "fr": ["rive"]}]


def test_files_are_read_once_and_a_changed_file_with_the_old_name_is_refused(
    wordnets: Path,
    study_of: Studies,
    spec: dict[str, Any],
    lmf: Callable[..., str],
    english: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = study_of({"source": "wordnet", "wordnet": spec})
    first = load_words(study).concepts
    with monkeypatch.context() as patch:
        patch.setattr(wn, "add", lambda *_, **__: pytest.fail("read a second time"))
        assert load_words(study).concepts == first
    (wordnets / "en.xml").write_text(lmf("en", {**english, "i12": ("n", "x", ["cat"])}), "utf-8")
    with pytest.raises(UserError, match=r"en\.xml: holds no lexicon that the database has not got"):
        load_words(study)


def test_a_packed_file_and_a_lexicon_by_name(wordnets: Path, study_of: Studies, spec: dict[str, Any]) -> None:
    (wordnets / "en.xml.gz").write_bytes(gzip.compress((wordnets / "en.xml").read_bytes()))
    first = by_id(study_of({"source": "wordnet", "wordnet": {**spec, "lexicons": {"en": "en.xml.gz", "de": "de.xml"}}}))
    named = {**spec, "lexicons": {"en": "small-en:1", "de": "small-de"}}
    assert by_id(study_of({"source": "wordnet", "wordnet": named})) == first


def test_the_place_of_the_database_is_put_back(wordnets: Path, study_of: Studies, spec: dict[str, Any]) -> None:
    before = wn.config.database_path
    shutil.rmtree(wordnets / "wordnets")
    load_words(study_of({"source": "wordnet", "wordnet": spec}))
    assert wn.config.database_path == before
    assert (wordnets / "wordnets" / "wn.db").is_file()


@pytest.mark.parametrize(
    ("lexicon", "message"),
    [
        ("missing.xml", r"missing\.xml: no such file; name a WN-LMF file"),
        ("broken.xml", r"broken\.xml: not a WN-LMF file \(.*\); `python -m wn validate` says more"),
        ("oewn:2024", r"words: lexicon 'oewn:2024': not in wn's database .*; run: python -m wn --dir .* download"),
    ],
)
def test_a_lexicon_that_is_not_there(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], lexicon: str, message: str
) -> None:
    (wordnets / "broken.xml").write_text("<LexicalResource>", "utf-8")
    study = study_of({"source": "wordnet", "wordnet": {**spec, "lexicons": {"en": lexicon, "de": "de.xml"}}})
    with pytest.raises(UserError, match=message):
        load_words(study)


def test_a_language_without_wordnet_and_languages_without_common_meaning(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], lmf: Callable[..., str]
) -> None:
    words = {"source": "wordnet", "wordnet": spec}
    with pytest.raises(UserError, match="no WordNet for language 'fr'; name one under"):
        load_words(study_of(words, ("en", "fr")))
    (wordnets / "de.xml").write_text(lmf("de", {"i99": ("n", "", ["Ding"])}, "2"), "utf-8")
    with pytest.raises(UserError, match="no noun has a lemma in each of en, de"):
        load_words(study_of(words))


BOMB = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
DOCTYPE = '<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.1.dtd">'


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:900],
        lambda text: text.replace('synset="en-i1"', 'synset="en-i999"'),
        lambda text: text.replace('id="en-e1"', 'id="en-e0"'),
        lambda text: text.replace('email="a@b.c"', ""),
        lambda text: text.replace('<Lemma writtenForm="bank" partOfSpeech="n"/>', ""),
        lambda text: text.replace(DOCTYPE, f'<!DOCTYPE L [<!ENTITY a "aaaaaaaaaa">{BOMB}]>').replace("Small", "&j;"),
        lambda text: text.replace(DOCTYPE, '<!DOCTYPE L [<!ENTITY a SYSTEM "de.xml">]>').replace("Small", "&a;"),
        lambda text: "<html></html>",
    ],
)
def test_a_damaged_or_hostile_file_is_one_line(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], damage: Callable[[str], str]
) -> None:
    file = wordnets / "en.xml"
    whole = file.read_text("utf-8")
    file.write_text(damage(whole), "utf-8")
    study = study_of({"source": "wordnet", "wordnet": spec})
    with pytest.raises(UserError, match=r"en\.xml: not a WN-LMF file \(.*\); `python -m wn validate` says more"):
        load_words(study)
    file.write_text(whole, "utf-8")
    assert len(load_words(study).concepts) == 9  # nothing of the bad file stayed in the database


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_packed_file_that_is_damaged_is_one_line(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], pack: Callable[[bytes], bytes]
) -> None:
    packed = bytearray(pack((wordnets / "en.xml").read_bytes()))
    for place in range(30, len(packed), 7):
        packed[place] ^= 255
    (wordnets / "en.xml").write_bytes(packed)
    with pytest.raises(UserError, match=r"en\.xml: not a WN-LMF file \(.*\); `python -m wn validate` says more"):
        load_words(study_of({"source": "wordnet", "wordnet": spec}))


def test_two_lexicons_in_a_file(wordnets: Path, study_of: Studies, spec: dict[str, Any]) -> None:
    text = (wordnets / "en.xml").read_text("utf-8")
    second = text[text.index("<Lexicon ") :].replace("small-en", "other")
    (wordnets / "en.xml").write_text(text.replace("</LexicalResource>", "") + second, "utf-8")
    with pytest.raises(UserError, match=r"en\.xml: holds 2 lexicons; give each WordNet its own file"):
        load_words(study_of({"source": "wordnet", "wordnet": spec}))


@pytest.mark.parametrize("content", [b"no database", None])
def test_a_database_that_cannot_be_used(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], content: bytes | None
) -> None:
    data = wordnets / "wordnets"
    (data / "wn.db").unlink()
    if content is None:
        (data / "wn.db").mkdir()
    else:
        (data / "wn.db").write_bytes(content * 100)
    with pytest.raises(UserError, match=r"wn\.db: wn's database cannot be used \(.*\); name another folder"):
        load_words(study_of({"source": "wordnet", "wordnet": spec}))


def test_without_wn_the_install_line_is_told(
    wordnets: Path, study_of: Studies, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wn", None)
    with pytest.raises(UserError, match=r"wn is not installed; run: pip install 'gainsift\[wordnet\]'"):
        load_words(study_of({"source": "wordnet", "wordnet": spec}))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"source": "wordnet"}, "source wordnet needs the key wordnet"),
        ({"source": "embedded", "wordnet": {"lexicons": {"en": "a.xml"}}}, "no other source takes it"),
        ({"source": "embedded", "senses": {"wordnet": {"lexicons": {"en": "a.xml"}}}}, "embedded has its own"),
        ({"source": "csv"}, "source csv needs a file"),
        ({"source": "wordnet", "wordnet": {"lexicons": {"xx": "a.xml"}}}, "unknown language 'xx'"),
    ],
)
def test_keys_that_do_not_go_together(study_of: Studies, words: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        study_of(words)
