"""The reader of Multi-SimLex, on small csv files of its form."""

from __future__ import annotations

from pathlib import Path

import pytest

from gainsift.generation.multi_simlex import MultiSimLex, read_multi_simlex
from gainsift.schemas.errors import UserError

HEADER = "ID,PoS,ENG 1,ENG 2,FRA 1,FRA 2,RUS 1,RUS 2,erratum FRA 1,erratum FRA 2"


def read(folder: Path, *lines: str, header: str = HEADER, languages: tuple[str, ...] = ("en", "fr")) -> MultiSimLex:
    path = folder / "list.csv"
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return read_multi_simlex(path, languages)


def words(found: MultiSimLex, language: str = "fr") -> dict[str, list[str]]:
    return {concept.id: concept.reference[language] for concept in found.concepts}


def test_columns_and_rows_of_a_word_are_merged_by_frequency(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "1,nouns,bank,seat,rive,siège,берег,место,0,0",
        "2,nouns,money,bank,argent,banque,деньги,банк,0,0",
        "3,nouns,bank,river,banque,rivière,банк,река,0,0",
        "4,nouns,river,bank,rivière,Banque,река,банк,0,0",
    )
    # bank: rive once; banque, banque, Banque are one spelling apart from case, as first seen
    assert words(found) == {
        "simlex:bank": ["banque", "rive"],
        "simlex:seat": ["siège"],
        "simlex:money": ["argent"],
        "simlex:river": ["rivière"],
    }
    assert words(found, "en")["simlex:bank"] == ["bank"]
    assert {concept.id: concept.flags for concept in found.concepts} == {
        "simlex:bank": ["sense_split"],
        "simlex:seat": [],
        "simlex:money": [],
        "simlex:river": [],
    }
    assert found.concepts[0].gloss == "noun 'bank' as listed in Multi-SimLex"
    assert found.dropped == {}


def test_equal_counts_go_by_the_first_seen(tmp_path: Path) -> None:
    row = "{n},nouns,ball,dog,{fr},chien,мяч,собака,0,0"
    lines = [row.format(n=n, fr=fr) for n, fr in enumerate(["balle", "bal", "ballon", "ballon", "bal"])]
    assert words(read(tmp_path, *lines))["simlex:ball"] == ["bal", "ballon", "balle"]


def test_a_disagreement_in_another_language_is_no_split_here(tmp_path: Path) -> None:
    lines = ("1,nouns,bank,seat,banque,siège,берег,место,0,0", "2,nouns,bank,money,banque,argent,банк,деньги,0,0")
    assert read(tmp_path, *lines).concepts[0].flags == []
    assert read(tmp_path, *lines, languages=("en", "fr", "ru")).concepts[0].flags == ["sense_split"]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "1,nouns,cat,dress,chat,vêtir,кошка,платье,0,1",  # the only form of dress is marked as wrong
        "2,nouns,dog,,chien,,собака,,0,0",  # an empty English cell
        "3,nouns,horse,dog,,chien,конь,собака,0,0",  # horse has no French
        "4,verbs,run,walk,courir,marcher,бежать,идти,0,0",
        "5,verbs,walk,eat,marcher,manger,идти,есть,0,0",
        "6,nouns,walk,cat,promenade,chat,прогулка,кошка,0,0",  # walk is a verb above
        "7,nouns,bedroom,say,chambre à coucher (chambre),dire,спальня,x,0,0",
        '8,nouns,quote,cat,"gui""llemet",chat,кавычка,кошка,0,0',
    )
    assert words(found) == {
        "simlex:cat": ["chat"],
        "simlex:dog": ["chien"],
        "simlex:bedroom": ["chambre à coucher"],
        "simlex:say": ["dire"],
    }
    assert found.dropped == {
        "forms that the list marks as wrong": 1,
        "empty cells": 2,
        "forms with a quotation mark or characters that are not printable": 1,
        "remarks in parentheses": 1,
        "words without a form in every language": 3,  # dress, horse, quote
        "words of another part of speech": 2,  # run, eat
        "words with conflicting part of speech": 1,  # walk
    }


def test_a_form_marked_as_wrong_does_not_split(tmp_path: Path) -> None:
    found = read(tmp_path, "1,nouns,plane,car,avion,voiture,x,y,1,0", "2,nouns,plane,cube,plan,cube,x,y,0,0")
    assert words(found)["simlex:plane"] == ["plan"]
    assert found.concepts[0].flags == []


def test_other_parts_of_speech_by_name(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADER}\n1,V,run,walk,courir,marcher,x,y,0,0\n2,N,cat,dog,chat,chien,x,y,0,0\n", "utf-8")
    assert list(words(read_multi_simlex(path, ["en", "fr"], pos="verb"))) == ["simlex:run", "simlex:walk"]
    assert list(words(read_multi_simlex(path, ["en", "fr"]))) == ["simlex:cat", "simlex:dog"]


def test_forms_are_made_comparable(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "1,nouns, hardware ,cafe\u0301,  matériel   lourd ,caf\u00e9 (bar (au coin)),аппара\u0301тное й,x,0,0",
        languages=("en", "fr", "ru"),
    )
    assert found.concepts[0].reference == {"en": ["hardware"], "fr": ["matériel lourd"], "ru": ["аппаратное й"]}
    assert found.concepts[1].reference["en"] == ["café"]
    assert found.concepts[1].reference["fr"] == ["café"]


def test_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(f"\ufeff{HEADER}\r\n\r\n1,nouns,cat,dog,chat,chien,x,y,0,0\r\n\r\n".encode())
    assert words(read_multi_simlex(path, ["en", "fr"])) == {"simlex:cat": ["chat"], "simlex:dog": ["chien"]}


def test_errata_columns_may_be_absent(tmp_path: Path) -> None:
    header = "ID,PoS,ENG 1,ENG 2,FRA 1,FRA 2"
    assert words(read(tmp_path, "1,nouns,cat,dog,chat,chien", header=header))["simlex:dog"] == ["chien"]


GOOD = "1,nouns,cat,dog,chat,chien,x,y,0,0"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", ":1", "column 'PoS' is missing"),
        (HEADER.replace("PoS", "POS") + "\n" + GOOD, ":1", "column 'PoS' is missing"),
        (HEADER.replace("ENG 2", "ENG2") + "\n" + GOOD, ":1", "column 'ENG 2' is missing"),
        (HEADER.replace("FRA 2", "FRA2") + "\n" + GOOD, ":1", "no columns for language 'fr' (FRA 1 and 2)"),
        (HEADER.replace("RUS 2", "RUS 1") + "\n" + GOOD, ":1", "column 'RUS 1' stands twice"),
        (f"{HEADER}\n{GOOD}\n2,nouns,cow", ":3", "expected 10 fields as in the header, found 3"),
        (f"{HEADER}\n{GOOD},surplus\n{GOOD}", ":2", "expected 10 fields as in the header, found 11"),
        (f'{HEADER}\n{GOOD}\n2,nouns,"cow,pig,a,b\n{GOOD}', ":3", "broken row"),
        (f'{HEADER}\n{GOOD}\n2,nouns,"cow"x,pig,a,b,c,d,0,0\n', ":3", "broken row"),
        (f'{HEADER}\n1,nouns,"a\nb",dog,chat,chien,x,y,0,0\n{GOOD},surplus', ":4", "found 11"),
        (HEADER, "", "no noun with a form in each of en, fr"),
        (f"{HEADER}\n{GOOD.replace('nouns', 'verbs')}", "", "no noun with a form in each of en, fr"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, line: str, problem: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError) as caught:
        read_multi_simlex(path, ["en", "fr"])
    assert caught.value.where == f"{path}{line}"
    assert problem in caught.value.problem
    assert caught.value.exit_code == 2


def test_a_language_that_the_list_lacks(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no columns for language 'de' .*known: en, fr, ru"):
        read(tmp_path, GOOD, languages=("en", "de"))


@pytest.mark.parametrize(("encoding", "line"), [("latin-1", 3), ("utf-16", 1)])
def test_wrong_encoding(tmp_path: Path, encoding: str, line: int) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n2,nouns,king,queen,roi,ma\xefs,x,y,0,0\n".encode(encoding))
    with pytest.raises(UserError, match=rf"list\.csv:{line}: not UTF-8"):
        read_multi_simlex(path, ["en", "fr"])


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv: no such file; name a Multi-SimLex csv"):
        read_multi_simlex(tmp_path / "none.csv", ["en", "fr"])
    with pytest.raises(UserError, match=r"cannot be read"):
        read_multi_simlex(tmp_path, ["en", "fr"])
