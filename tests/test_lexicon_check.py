"""The comparison of the lexicon with word lists, on a small lexicon and lists written here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gainsift.generation.lexicon import lexicon_rows, parse_lexicon
from gainsift.schemas.errors import UserError


@pytest.fixture(scope="module")
def script(benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark("check_lexicon")


LEXICON = """id\trole\tgloss\ten\tde\tfr
key.lock\tconcept\topens a lock\tkey\tSchlüssel\tclé | clef
key.piano\tconcept\tpressed on a piano\tkey\tTaste\ttouche
cat.animal\tconcept\tit purrs\tcat | pussy\tKatze\tchat
bark.dog\tsense\tnoise of a dog\tbark\tBellen\taboiement
mouse.animal\tconcept\tit squeaks\tmouse\tMaus\tsouris
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    senses = [
        {"word": "key", "senses": [{"en": ["key"], "tr": {"fr": ["clef|wikt", "touche|omw"]}}]},
        # a synonym of the listed noun confirms; it cannot contradict
        {"word": "pussycat", "senses": [{"en": ["pussycat", "mouse", "pussy"], "tr": {"fr": ["chat|omw+wikt"]}}]},
    ]
    (tmp_path / "sense_lexicon_en_nouns.jsonl").write_text("\n".join(map(json.dumps, senses)) + "\n", "utf-8")
    (tmp_path / "Dunabeitia-2018-750.tsv").write_text(
        "ENGLISH\tGERMAN\tFRENCH\tITALIAN\tSPANISH\nkey\tschluessel\tclé\tchiave\tllave\n", "utf-8"
    )
    (tmp_path / "Luniewska-2019-299.tsv").write_text(
        "ENGLISH\tAMERICANENGLISH\tSOUTHAFRICANENGLISH\tGERMAN\tITALIAN\tSPANISH\n"
        "cat\tcat\t-\tKatze [Tier]\tgatto\tgato\nbark\tbark\tbark\tbellt\tabbaiare\tladrar\n",
        "utf-8",
    )
    return tmp_path


def test_every_verdict_on_a_small_lexicon(script: ModuleType, lists: Path) -> None:
    figures = script.compare(
        parse_lexicon(LEXICON.encode()), script.read_lists(lists), {("key.piano", "fr"): "a reason"}
    )
    # English: key (twice), cat are headwords; mouse is a synonym in a list; bark stands only among the actions
    # German: Schlüssel (written schluessel) and Katze confirmed, Taste against schluessel, Bellen and Maus nowhere
    # French: clé, chat (through pussy) confirmed; touche (an unsure form) against clef and clé; the rest nowhere
    assert figures["by_language"] == {
        "en": {"confirmed": 4, "not found": 1},
        "de": {"confirmed": 2, "contradicted": 1, "not found": 2},
        "fr": {"confirmed": 2, "contradicted": 1, "not found": 2},
    }
    assert figures["entries"] == 15
    assert figures["verdicts"] == {"confirmed": 8, "contradicted": 2, "not found": 5}
    assert [(entry["id"], entry["language"], entry["theirs"], entry["kept"]) for entry in figures["contradicted"]] == [
        ("key.piano", "de", {"dunabeitia": ["schluessel"]}, None),
        ("key.piano", "fr", {"senses": ["clef"], "dunabeitia": ["clé"]}, "a reason"),
    ]
    assert (figures["concepts"], figures["senses"]) == (4, 1)
    assert figures["polysemous_forms"] == {"en": 1}
    assert figures["lists"] == ["dunabeitia", "luniewska", "senses"]


def test_a_reason_without_need_is_told(script: ModuleType, lists: Path) -> None:
    kept = {("cat.animal", "fr"): "none"}
    figures = script.compare(parse_lexicon(LEXICON.encode()), script.read_lists(lists), kept)
    assert figures["kept_without_need"] == ["cat.animal fr"]


def test_a_folder_without_lists_and_a_list_of_another_form(script: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^--lists: .* holds none of"):
        script.read_lists(tmp_path)
    (tmp_path / "Dunabeitia-2018-750.tsv").write_text("ENGLISH\tDEUTSCH\nkey\tSchlüssel\n", "utf-8")
    with pytest.raises(UserError, match=r"Dunabeitia-2018-750\.tsv: not of the form expected"):
        script.read_lists(tmp_path)


def test_reasons_stand_for_entries_of_the_lexicon(script: ModuleType) -> None:
    kept = script.read_kept(script.KEPT)
    entries = {(row.id, language) for row in lexicon_rows() for language in row.reference}
    assert kept
    assert set(kept) <= entries
    assert all(reason.strip() for reason in kept.values())
