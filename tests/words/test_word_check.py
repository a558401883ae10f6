"""`gainsift concepts check` and `convert` on lists with one fault of each kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gainsift.cli.concepts import app
from gainsift.generation.lexicon import embedded_concepts
from gainsift.generation.word_check import check_words, form_reasons, scripts_of
from gainsift.generation.words import load_words
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import read_jsonl, write_jsonl
from gainsift.schemas.study import CONCEPTS_FORMAT, Study

RUN = CliRunner()
WORDS = """word_original,en,fr,de
dog,['dog'],"['chien', 'cabot']",['Hund']
gift,['gift'],['cadeau'],['Geschenk']
poison,['poison'],['poison'],['Gift']
taxi,['taxi'],['taxi'],['Taxi']
bank,['bank'],['banque'],['die Bank']
shore,['bank'],['rive'],['Ufer']
hound,['dog'],"['chien', 'cabot']",['Hund']
mother,['mother'],['mère/maman'],[]
"""


def concept(name: str, **forms: str) -> Concept:
    return Concept(id=name, gloss=name, reference={code: [form] for code, form in forms.items()})


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.csv"
    path.write_text(WORDS, "utf-8")
    return path


def checked(*arguments: object) -> dict[str, Any]:
    done = RUN.invoke(app, ["check", *map(str, arguments), "--json"])
    assert done.exit_code in (0, 2), done.exception
    return {**json.loads(done.stdout), "status": done.exit_code}


def test_everything_is_found_once(words: Path) -> None:
    found = checked(words)
    assert (found["status"], found["concepts"], found["complete"]) == (0, 8, 7)
    assert found["coverage"]["de"] == {"concepts": 7, "forms": 7, "several_words": 1}
    assert found["coverage"]["fr"]["forms"] == 10
    assert [(p["form"], p["language"], p["rows"]) for p in found["polysemous"]] == [("bank", "en", ["bank", "shore"])]
    assert [(h["form"], h["concept"], h["other"]) for h in found["homographs"]] == [("gift", "gift", "poison")]
    assert found["duplicates"] == [["dog", "hound"]]
    assert found["identical"] == {"en-fr": 2 / 8, "en-de": 1 / 7, "fr-de": 1 / 7}  # poison, taxi; taxi
    assert {(s["concept"], s["form"], s["reason"]) for s in found["suspicious"]} == {
        ("taxi", "taxi", "spelled alike in 3 of 3 languages"),
        ("bank", "die Bank", "begins with an article"),
        ("mother", "mère/maman", "several forms in one?"),
    }
    assert found["unusable"] == []


def test_the_page_for_people_shows_ten_of_each(words: Path, tmp_path: Path) -> None:
    shown = RUN.invoke(app, ["check", str(words)]).stdout
    assert "8 concepts, 7 in every language" in shown
    assert "gift: gift (en), poison (de)" in shown
    assert "doubles: 1\n  dog, hound" in shown
    many = tmp_path / "many.csv"
    many.write_text("id,en\n" + "".join(f"a{i},a/{'b' * i}\n" for i in range(12)), "utf-8")
    shown = RUN.invoke(app, ["check", str(many)]).stdout
    assert shown.count("several forms in one?") == 10
    assert "and 2 more; --json lists all" in shown


def test_nothing_in_a_list_is_obeyed_by_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "concepts.jsonl"
    write_jsonl(path, [concept("\x1b[2Ja", en="a/b", de="a"), concept("\x1b[2Jb", en="\x1b[2J")], CONCEPTS_FORMAT)
    shown = RUN.invoke(app, ["check", str(path)])
    assert (shown.exit_code, "\x1b" in shown.stdout) == (2, False)
    (tmp_path / "words.csv").write_text("id,en\n\x1b[2J,a\nb,c\n", "utf-8")
    assert checked(tmp_path / "words.csv")["left_out"] == {"rows without any usable form": 1}


@pytest.mark.parametrize(
    ("form", "code", "reasons"),
    [
        ("chien", "fr", []),
        ("arc-en-ciel", "fr", []),
        ("l'eau", "fr", ["begins with an article"]),
        ("Fisch (Tier)", "de", ["holds parentheses"]),
        ("a, b", "de", ["several forms in one?"]),
        ("h2o", "en", ["holds a digit"]),
        ("hot_dog", "en", ["holds a sign that words do not have"]),
        (" dog", "en", ["spaces at an end, or several in a row"]),
        ("cle\u0301", "fr", ["accents written apart (not NFC)"]),
        ("something one says to a dog", "en", ["long: a description rather than a word?"]),
        ("mоther", "en", ["mixes scripts: CYRILLIC, LATIN"]),  # the second letter is Cyrillic
        ("собака", "en", ["in CYRILLIC, while most forms of its language are in LATIN"]),
        ("  ", "en", ["cannot stand between quotation marks"]),
        ('say "a"', "en", ["cannot stand between quotation marks"]),
    ],
)
def test_reasons(form: str, code: str, reasons: list[str]) -> None:
    assert list(form_reasons(form, code, "LATIN")) == reasons


def test_japanese_writes_in_one_script() -> None:
    assert scripts_of("食べ物カード") == {"CJK"}


def test_four_fifths_of_many_languages() -> None:
    same = dict.fromkeys(("en", "fr", "de", "es", "it"), "taxi")
    languages = [*same, "fi"]
    five_of_six = check_words([concept("taxi", **same, fi="taksi")], languages, {})
    assert [s.reason for s in five_of_six.suspicious] == ["spelled alike in 5 of 6 languages"]
    four_of_five = check_words([concept("taxi", **{**same, "it": "tassì"})], list(same), {})
    assert four_of_five.suspicious == []  # 0.8 is not more than four fifths


def test_what_cannot_be_used_ends_with_status_2(tmp_path: Path) -> None:
    path = tmp_path / "concepts.jsonl"
    write_jsonl(path, [concept("a", en="dog"), concept("a", en="cat"), concept("b", en=" ")], CONCEPTS_FORMAT)
    found = checked(path)
    assert found["status"] == 2
    assert found["unusable"] == [
        "concept id 'a' stands twice",
        "concept 'b': form ' ' (en) cannot stand between quotation marks",
    ]


def test_the_embedded_lexicon_is_as_good_as_its_readme_says() -> None:
    languages = ["en", "de", "fr", "es", "it"]
    found = check_words(embedded_concepts(languages), languages, {})
    assert (found.concepts, found.complete, found.unusable) == (392, 392, [])
    assert {"gift"} <= {homograph.form for homograph in found.homographs}
    assert {"bank"} <= {form.form for form in found.polysemous}


def test_a_wordnet_for_each_language(wordnets: Path) -> None:
    before = sorted(wordnets.rglob("*"))
    found = checked(wordnets / "en.xml", wordnets / "de.xml", "--languages", "en,de")
    assert (found["concepts"], found["senses"]) == (9, 5)
    assert "gift" in {homograph["form"] for homograph in found["homographs"]}
    assert sorted(wordnets.rglob("*")) == before


def test_multi_simlex_is_read_language_by_language(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("ID,PoS,ENG 1,ENG 2,FRA 1,FRA 2\n1,nouns,dog,cat,chien,\n2,verbs,run,go,courir,aller\n", "utf-8")
    found = checked(path)
    assert found["coverage"]["en"]["concepts"] == 2
    assert found["coverage"]["fr"]["concepts"] == 1
    assert found["left_out"] == {
        "empty cells (fr)": 1,
        "words of another part of speech": 2,
        "words without a form in every language (fr)": 1,
    }


def test_a_study_is_checked_with_the_words_that_it_uses(
    wordnets: Path, study_of: Callable[..., Study], spec: dict[str, Any], tmp_path: Path
) -> None:
    study = study_of({"source": "wordnet", "wordnet": spec, "limit": 4})
    assert checked(study.folder)["concepts"] == 4
    out = tmp_path / "out.jsonl"
    done = RUN.invoke(app, ["convert", str(study.folder), "--out", str(out)])
    assert f"4 concepts in en, de -> {out}" in done.stdout
    assert read_jsonl(out, Concept, CONCEPTS_FORMAT, "") == load_words(study).concepts
    again = RUN.invoke(app, ["convert", str(study.folder), "--out", str(out)])
    assert "is there already" in str(again.exception)


def test_converted_words_are_the_words(words: Path, study_of: Callable[..., Study], tmp_path: Path) -> None:
    out = tmp_path / "study" / "concepts.jsonl"
    RUN.invoke(app, ["convert", str(words), "--out", str(out)])
    by_file = load_words(study_of({"source": "concepts", "file": "concepts.jsonl"})).concepts
    (tmp_path / "study" / "words.csv").write_text(WORDS, "utf-8")
    direct = load_words(study_of({"source": "csv", "file": "words.csv"})).concepts
    assert [(c.id, c.reference["de"]) for c in by_file] == [(c.id, c.reference["de"]) for c in direct]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], r"none\.csv: no such file"),
        (["words.txt"], r"words\.txt: its name does not tell the format; add --format: study, concepts"),
        (["words.csv", "words.csv"], "a second file; only WordNets come in several"),
        (["words.csv", "--languages", "xx"], "unknown language 'xx'"),
        (["words.csv", "--languages", "fi"], "no column for language 'fi'"),
        (["words.csv", "--format", "multi_simlex"], "column 'PoS' is missing"),
        (["words.csv", "--part-of-speech", "nuon"], "unknown 'nuon'; did you mean noun"),
        (["a.xml"], "1 WordNets, 0 languages; name one for each file"),
        (["words.csv", "--format", "concepts"], r"words\.csv:1: not JSON"),
        (["bare.jsonl"], r'bare\.jsonl:1: .*found none; add "format": "concept/1" if you wrote it yourself'),
        (["words.tsv"], r"words\.tsv:1: expected the columns id role gloss .*save any other list with commas"),
        (["odd.jsonl"], r"odd\.jsonl: unknown language 'eng'; did you mean en\?"),
    ],
)
def test_bad_input_is_one_line(
    words: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(words.parent)
    odd = Concept(id="dog", gloss="barks", reference={"en": ["dog"]}, accepted={"eng": ["hound"]})
    write_jsonl(Path("odd.jsonl"), [odd], CONCEPTS_FORMAT)
    Path("bare.jsonl").write_text('{"id": "dog", "gloss": "barks", "reference": {"en": ["dog"]}}\n', "utf-8")
    Path("words.tsv").write_text("concept\ten\tde\ndog\tdog\tHund\n", "utf-8")
    error = RUN.invoke(app, ["check", *arguments]).exception
    assert isinstance(error, UserError)
    assert re.search(message, str(error)), error
    assert "\n" not in str(error)


def test_a_language_without_any_word_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("concept,en,de\ndog,dog,\ncat,cat,\n", "utf-8")
    found = json.loads(RUN.invoke(app, ["check", str(path), "--json"]).stdout)
    assert {code: one["concepts"] for code, one in found["coverage"].items()} == {"en": 2, "de": 0}
    assert found["complete"] == 0


def test_no_folder_can_be_made_in_a_file(words: Path) -> None:
    error = RUN.invoke(app, ["convert", str(words), "--out", str(words / "new.jsonl")]).exception
    assert isinstance(error, UserError)
    assert "expected a folder, found a file" in str(error)
