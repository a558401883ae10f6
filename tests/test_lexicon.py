"""The lexicon's loader, what it derives from shared spellings, and the packaged words themselves."""

from __future__ import annotations

from itertools import product

import pytest

from gainsift.generation.lexicon import (
    LexiconRow,
    concepts_of,
    embedded_concepts,
    interlingual_homographs,
    lexicon_rows,
    parse_lexicon,
    polysemous_forms,
)
from gainsift.schemas.concepts import Concept, fold
from gainsift.schemas.errors import UserError

LANGUAGES = ["en", "de", "fr", "es", "it"]
HEADER = "id\trole\tgloss\ten\tde\tfr"
# bank: money and river share en "bank", apart in de and fr. bench is de "Bank", the same form as money's:
# polysemous in de. river and bench share no language, but en "bank" looks like de "Bank" = bench: a homograph.
# gift/poison: a homograph both ways. taxi is one word in all three: neither.
SMALL = f"""{HEADER}
bank.money\tconcept\ta firm that keeps money\tbank\tBank | Geldinstitut\tbanque
bank.river\tconcept\tland beside a river\tbank, riverbank\tUfer\trive | berge
bench\tsense\ta long seat\tbench\tBank\tbanc
gift.present\tconcept\tsomething given\tgift, present\tGeschenk\tcadeau
gift.poison\tconcept\ta substance that kills\tpoison\tGift\tpoison
present.now\tsense\tthe time that is now\tpresent\tGegenwart\tprésent
taxi\tconcept\ta car with a driver for hire\ttaxi | cab\tTaxi\ttaxi
"""


def small() -> list[LexiconRow]:
    return parse_lexicon(SMALL.encode())


def by_id(concepts: list[Concept]) -> dict[str, Concept]:
    return {concept.id: concept for concept in concepts}


# --- Reading ---------------------------------------------------------------------------------------------


def test_a_row_becomes_its_words() -> None:
    rows = small()
    assert [row.line for row in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert rows[0].reference == {"en": ["bank"], "de": ["Bank"], "fr": ["banque"]}
    assert rows[0].accepted == {"de": ["Geldinstitut"]}
    assert rows[1].forms("en") == ["bank", "riverbank"]
    assert rows[1].role == "concept"
    assert rows[2].role == "sense"
    assert parse_lexicon(SMALL.replace("\n", "\r\n").encode()) == rows  # a checkout may turn the line ends


ROW = "cat\tconcept\ta pet\tcat\tKatze\tchat"


def fails(text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        parse_lexicon(text.encode(), "l.tsv")
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("", "expected the columns"),
        ("id\trole\tgloss", "expected the columns"),
        ("id\tgloss\trole\ten", "expected the columns"),
        ("id\trole\tgloss\ten\tdx", "unknown language 'dx'"),
        ("id\trole\tgloss\ten\ten", "two columns"),
    ],
)
def test_a_bad_header_is_named(header: str, problem: str) -> None:
    error = fails(f"{header}\n{ROW}\n")
    assert error.where == "l.tsv:1"
    assert problem in error.problem


@pytest.mark.parametrize(
    ("old", "new", "cell", "problem"),
    [
        ("Katze", "", "", "empty cell de"),
        ("a pet", " ", "", "empty cell gloss"),
        ("Katze", "Ka\u0308tzchen", "", "not in NFC"),
        ("chat", "chat ", "", "cell fr has outer spaces"),
        ("Katze", "Ka\x00tze", "", "cell de has outer spaces or characters"),
        ("Katze", "Ka\u200btze", "", "cell de has outer spaces or characters"),
        ("\tchat", "", "", "expected 6 cells, found 5"),
        ("chat", "chat\tgatto", "", "expected 6 cells, found 7"),
        ("concept", "concepts", "", "unknown role 'concepts'"),
        ("cat\t", "The Cat\t", "", "id 'The Cat'"),
        ("Katze", "Katze, katze", ": de", "form 'katze' stands twice"),
        ("Katze", "Katze | Kater, Katze", ": de", "form 'Katze' stands twice"),
        ("Katze", "Katze,", ": de", "an empty form"),
        ("Katze", "Katze |", ": de", "an empty form"),
        ("Katze", "| Katze", ": de", "an empty form"),
        ("Katze", "a | b | c", ": de", "more than one `|`"),
        ("Katze", 'Kat"ze', ": de", "quotation mark"),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, cell: str, problem: str) -> None:
    good = ROW.replace("cat", "dog")
    parse_lexicon(f"{HEADER}\n{good}\n{ROW}\n".encode())
    error = fails(f"{HEADER}\n{good}\n{ROW.replace(old, new, 1)}\n")
    assert error.where == f"l.tsv:3{cell}"
    assert problem in error.problem


def test_an_id_stands_once_and_no_line_is_blank() -> None:
    assert "id 'cat' stands in line 2" in str(fails(f"{HEADER}\n{ROW}\n{ROW.replace('Katze', 'Kater')}\n"))
    assert str(fails(f"{HEADER}\n{ROW}\n\n{ROW}\n")).startswith("l.tsv:3: expected 6 cells, found 1")
    assert "did you mean concept?" in str(fails(f"{HEADER}\n{ROW.replace('concept', 'concepts')}\n"))


def test_another_encoding_is_named_with_its_line() -> None:
    with pytest.raises(UserError, match=r"^l\.tsv:3: not UTF-8"):
        parse_lexicon(f"{HEADER}\n{ROW}\ncoffee\tconcept\ta drink\tcoffee\tKaffee\tcafé\n".encode("latin-1"), "l.tsv")


# --- What is derived -------------------------------------------------------------------------------------


def test_polysemous_forms_of_the_small_lexicon() -> None:
    found = {(form.language, form.form): (form.rows, form.differs_in) for form in polysemous_forms(small())}
    assert found == {
        ("en", "bank"): (("bank.money", "bank.river"), ("de", "fr")),
        ("de", "bank"): (("bank.money", "bench"), ("en", "fr")),
        ("en", "present"): (("gift.present", "present.now"), ("de", "fr")),
    }


def test_one_shared_translation_is_enough_to_share() -> None:
    rows = parse_lexicon(
        f"{HEADER}\na\tconcept\tx\tspring\tFeder, Quelle\tressort\nb\tsense\ty\tspring\tQuelle\tsource\n".encode()
    )
    found = [(form.language, form.form, form.differs_in) for form in polysemous_forms(rows)]
    assert found == [("en", "spring", ("fr",)), ("de", "quelle", ("fr",))]
    assert polysemous_forms(rows, ["en", "de"]) == []


def test_homographs_of_the_small_lexicon() -> None:
    found = {(h.form, h.language, h.concept, h.other_language, h.other) for h in interlingual_homographs(small())}
    assert found == {
        ("bank", "en", "bank.river", "de", "bench"),
        # money's de Bank against river's en bank is polysemy: money has en bank as well
        ("gift", "en", "gift.present", "de", "gift.poison"),
        ("gift", "de", "gift.poison", "en", "gift.present"),
    }


def test_senses_and_lookalikes_of_the_small_lexicon() -> None:
    concepts = by_id(concepts_of(small(), ["en", "de", "fr"]))
    assert list(concepts) == ["bank.money", "bank.river", "gift.present", "gift.poison", "taxi"]

    def ids(name: str) -> tuple[list[str], list[str]]:
        concept = concepts[name]
        return [sense.id for sense in concept.senses], [sense.id for sense in concept.lookalikes]

    assert ids("bank.money") == (["bank.river", "bench"], [])
    assert ids("bank.river") == (["bank.money"], ["bench"])
    assert ids("gift.present") == (["present.now"], ["gift.poison"])
    assert ids("gift.poison") == ([], ["gift.present"])
    assert ids("taxi") == ([], [])
    money = concepts["bank.river"].senses[0]
    assert money.gloss == "a firm that keeps money"
    assert money.forms == {"en": ["bank"], "de": ["Bank", "Geldinstitut"], "fr": ["banque"]}
    assert concepts["bank.river"].accepted == {"fr": ["berge"]}


def test_only_the_languages_of_the_study_count() -> None:
    concepts = by_id(concepts_of(small(), ["fr", "en"]))
    assert list(concepts["bank.money"].reference) == ["fr", "en"]
    assert [sense.id for sense in concepts["bank.money"].senses] == ["bank.river"]  # bench shares a German form only
    assert all(not concept.lookalikes for concept in concepts.values())
    assert concepts["bank.money"].accepted == {}
    with pytest.raises(UserError, match=r"no language 'nl'"):
        concepts_of(small(), ["en", "nl"])


# --- The packaged words ----------------------------------------------------------------------------------


def test_the_packaged_lexicon_is_large_enough() -> None:
    rows = lexicon_rows()
    roles = {row.id: row.role for row in rows}
    assert sum(role == "concept" for role in roles.values()) >= 150
    asked = [form for form in polysemous_forms(rows) if any(roles[name] == "concept" for name in form.rows)]
    assert len({form.form for form in asked}) >= 45
    assert len({homograph.form for homograph in interlingual_homographs(rows)}) >= 40


def test_every_packaged_concept_has_all_languages() -> None:
    concepts = embedded_concepts(LANGUAGES)
    assert len({concept.id for concept in concepts}) == len(concepts)
    for concept in concepts:
        assert list(concept.reference) == LANGUAGES
        assert all(concept.word(code) for code in LANGUAGES)


def test_concepts_agree_with_a_slow_referee() -> None:
    """Senses and look-alikes again, from the definitions, over all pairs of rows."""
    rows = lexicon_rows()
    words = {row.id: {(code, fold(form)) for code in LANGUAGES for form in row.forms(code)} for row in rows}

    def alike(mine: set[tuple[str, str]], theirs: set[tuple[str, str]]) -> bool:
        return any(
            form == other_form and code != other_code and (other_code, form) not in mine and (code, form) not in theirs
            for (code, form), (other_code, other_form) in product(mine, theirs)
        )

    for concept in embedded_concepts(LANGUAGES):
        mine = words[concept.id]
        others = [(row.id, words[row.id]) for row in rows if row.id != concept.id]
        assert [sense.id for sense in concept.senses] == [name for name, theirs in others if mine & theirs]
        spelled = {form for _, form in mine}
        near = [(name, theirs) for name, theirs in others if spelled & {form for _, form in theirs}]
        assert [sense.id for sense in concept.lookalikes] == [name for name, theirs in near if alike(mine, theirs)]


@pytest.mark.parametrize(
    ("concept", "sense"),
    [("bank.money", "bank.river"), ("bank.river", "bank.money")],
)
def test_named_senses(concept: str, sense: str) -> None:
    found = by_id(embedded_concepts(LANGUAGES))[concept]
    assert found.word("en") == "bank"
    assert sense in [other.id for other in found.senses]


def test_named_translations() -> None:
    concepts = by_id(embedded_concepts(LANGUAGES))
    assert concepts["bank.money"].word("fr") == "banque"
    assert "Ufer" in concepts["bank.river"].reference["de"]
    assert concepts["gift.present"].word("de") == "Geschenk"
    assert "Gift" in next(sense for sense in concepts["gift.present"].lookalikes if sense.has("de", "Gift")).forms["de"]


@pytest.mark.parametrize(
    ("form", "language", "other_language", "means"),
    [
        ("gift", "en", "de", "poison"),
        ("chat", "en", "fr", "cat"),
        ("pain", "en", "fr", "bread"),
        ("coin", "en", "fr", "corner"),
        ("four", "en", "fr", "oven"),
        ("main", "en", "fr", "hand"),
        ("red", "en", "es", "net"),
        ("rock", "en", "de", "skirt"),
        ("brand", "en", "de", "fire"),
        ("rat", "en", "de", "advice"),
        ("hell", "en", "de", "bright"),
    ],
)
def test_named_homographs(form: str, language: str, other_language: str, means: str) -> None:
    """Either side may be the concept: nobody asks for a translation of *four* or *main*."""
    rows = {row.id: row for row in lexicon_rows()}
    found = [
        rows[homograph.other if homograph.other_language == other_language else homograph.concept]
        for homograph in interlingual_homographs(list(rows.values()))
        if homograph.form == form and {homograph.language, homograph.other_language} == {language, other_language}
    ]
    assert any(means in row.keys("en") for row in found)
