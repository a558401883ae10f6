"""A csv of words with list cells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.generation.word_table import WordTable, parse_forms, read_word_table
from gainsift.schemas.errors import UserError


def read(folder: Path, text: str, languages: tuple[str, ...] | None = None, part: str = "noun") -> WordTable:
    path = folder / "words.csv"
    path.write_text(text, "utf-8")
    return read_word_table(path, languages, part)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6))
def test_a_list_as_python_or_json_writes_it_is_read_back(forms: list[str]) -> None:
    assert parse_forms(repr(forms), "x") == forms
    assert parse_forms(json.dumps(forms), "x") == forms
    assert parse_forms(json.dumps(forms, ensure_ascii=False), "x") == forms


@pytest.mark.parametrize(
    ("cell", "forms"),
    [
        ("['chien', 'cabot']", ["chien", "cabot"]),
        ('["l\'eau",]', ["l'eau"]),
        (r"['l\'eau', 'cl\xe9', '\u6c34']", ["l'eau", "clé", "水"]),
        (r'["\ud83d\udc1f"]', ["\U0001f41f"]),
        ("[]", []),
        ("  ", []),
        ("Null", ["Null"]),  # German for zero
        ("chambre à coucher, grande", ["chambre à coucher, grande"]),
    ],
)
def test_cells(cell: str, forms: list[str]) -> None:
    assert parse_forms(cell, "x") == forms


@pytest.mark.parametrize(
    "cell",
    [
        "['a' 'b']",
        "['a'",
        "[a, b]",
        "['a', ['b']]",
        "['a', 1]",
        "['a'] + ['b']",
        "[__import__('os')]",
        "[" * 9000,
        "[nan]",
    ],
)
def test_what_is_no_list_of_strings_is_refused(cell: str) -> None:
    # two strings without a comma are one string in Python, and two words in what numpy prints
    with pytest.raises(UserError, match=r"words\.csv:2: not a list of strings: .*; write it as \['chien', 'cabot'\]"):
        parse_forms(cell, "words.csv:2")


def test_a_cell_has_bounds() -> None:
    with pytest.raises(UserError, match="a list of 20002 characters; keep cells to 10000"):
        parse_forms("[" + "'ab'," * 4000 + "]", "x")


def test_rows_are_concepts(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "word_original,en,fr,ID,PoS,scores\ndog,['dog'],\"['chien', 'cabot']\",1,nouns,0.5\n"
        "run,['run'],['courir'],2,verbs,1\nkey,['key'],[],3,nouns,2\n\n",
    )
    dog, key = found.concepts
    assert (dog.id, dog.gloss, dog.reference) == (
        "dog", "noun 'dog' as listed", {"en": ["dog"], "fr": ["chien", "cabot"]},
    )  # fmt: skip
    assert key.reference == {"en": ["key"]}
    assert found.dropped == {"words of another part of speech": 1}
    assert [concept.id for concept in read(tmp_path, "en,de\nrun,laufen\n", None, "verb").concepts] == ["run"]


def test_glosses_names_and_languages(tmp_path: Path) -> None:
    text = "id,gloss,en,de\nbank.money,keeps  money,bank,Bank\nbank.river,,bank,Ufer\n"
    money, river = read(tmp_path, text, ("de",)).concepts
    assert (money.gloss, money.reference) == ("keeps money", {"de": ["Bank"]})
    assert river.gloss == "'bank.river' as listed"
    assert read(tmp_path, "word,en,id\ndog,dog,anjing\n").concepts[0].reference == {"en": ["dog"], "id": ["anjing"]}


def test_forms_are_tidied_and_counted(tmp_path: Path) -> None:
    text = "id,fr\nkey,\"['cle\u0301', ' clé ', 'grande   clef']\"\nquote,\"['a\"\"b', 'x\\x07']\"\nnone,\n"
    found = read(tmp_path, text)
    assert found.concepts[0].reference == {"fr": ["clé", "grande clef"]}
    assert found.dropped == {
        "forms whose spaces or accents were written in another way (tidied, not left out)": 2,
        "forms that stand twice in a cell": 1,
        "forms that are empty, or hold a quotation mark or characters that are not printable": 2,
        "rows without any usable form": 2,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: no column is named by a language code"),
        ("id,xx\na,b\n", "1: no column is named by a language code"),
        ("fr,de\na,b\n", "1: no column names the concepts"),
        ("id,en,en\na,b,c\n", "1: column 'en' stands twice"),
        ("id,en\na,b\na,c\n", "3: the concept 'a' stands a second time; merge the two rows"),
        ("id,en\na,b,c\n", "2: expected 2 fields as in the header, found 3"),
        ("id,en\na,\"['x' 'y']\"\n", "2: column en: not a list of strings"),
        ('id,en\na,"x', r"2: broken row"),
        ("id,en\na,\n", " no usable row"),
    ],
)
def test_what_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=r"words\.csv:" + message.replace("(", r"\(")):
        read(tmp_path, text)


def test_a_missing_language_or_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1: no column for language 'fi'; "):
        read(tmp_path, "id,en,fr\na,b,c\n", ("en", "fi"))
    with pytest.raises(UserError, match=r"none\.csv: no such file; name a csv of words"):
        read_word_table(tmp_path / "none.csv")
