"""Pre-labels, category by category; the expected label is what a person would give by the guidelines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.annotation.automatic import store_prelabels
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import PreLabel, edits, is_misspelling, prelabel, readings
from gainsift.schemas.concepts import Concept
from gainsift.schemas.study import Study

RIVER = ("bank.river", "house")
EXAMPLES = [
    # (answer, options of the item, label, sense)
    ("", {}, "empty", None),
    (" …!", {}, "empty", None),
    ("Haus", {}, "other_concept", None),
    ("house", {"copied": "other"}, "other_concept", None),
    ("Hund", {}, "correct", None),
    ("hund", {}, "correct", None),
    ("Köter", {}, "correct", None),  # an accepted form
    ("Ko\u0308ter", {}, "correct", None),  # decomposed
    ("der Hund", {}, "correct", None),
    ("Hund, Köter", {}, "correct", None),
    ("Hund.", {}, "correct", None),
    ("Hund (Tier)", {}, "correct", None),
    ("Hotel", {"pair": ("hotel", "dog"), "copied": "shown"}, "correct", None),  # right, even if copied
    ("Hund", {"closed": False}, "correct", None),
    ("Hund, Hund, Hund", {"closed": False}, "cut_off", None),
    ("Bank", {"pair": RIVER, "copied": "shown"}, "other_sense", "bank.money"),
    ("banque", {"pair": RIVER, "languages": ("en", "fr")}, "other_sense", "bank.money"),
    ("Sitzbank", {"pair": RIVER}, "other_sense", "bank.seat"),
    ("banco", {"pair": RIVER, "languages": ("en", "es")}, "other_sense", "bank.money"),  # carried by the shown word
    ("Bank", {"pair": ("house", "bank.river")}, "other_sense", "bank.money"),
    ("gift", {"pair": ("gift", "house"), "copied": "shown"}, "homograph_copy", None),
    ("Gift", {"pair": ("gift", "house"), "copied": "shown"}, "homograph_copy", None),
    ("dog", {"copied": "shown"}, "plain_copy", None),
    ("chien", {"copied": "given"}, "plain_copy", None),
    ("chien", {}, "wrong_language", None),
    ("dog", {}, "wrong_language", None),  # never given, so no copy
    ("butterfly", {}, "wrong_language", None),
    ("Schmetterling", {}, "unrelated", None),
    ("Gift", {}, "unrelated", None),
    ("Schmeterling", {"pair": ("butterfly", "dog")}, "wrong_form", None),
    ("Schmettrelign", {"pair": ("butterfly", "dog")}, "wrong_form", None),
    ("butterlfy", {"pair": ("butterfly", "dog"), "languages": ("de", "en")}, "wrong_form", None),
    ("dogdogdog", {"closed": False}, "cut_off", None),
    ("Blumentopf", {}, None, None),  # a word that the lexicon does not know
    ("Hunde", {}, None, None),  # an inflected form is right, but the lexicon cannot know
    ("queenerie", {}, None, None),
]


@pytest.mark.parametrize(("answer", "options", "label", "sense"), EXAMPLES)
def test_pre_labels(answer, options, label, sense, item, concepts) -> None:
    found = prelabel(item(answer, **options), Lexicon(concepts.values()))
    assert found == (PreLabel(label, sense) if label else None)


def test_a_form_that_is_right_for_both_concepts_is_correct(item, concepts) -> None:
    both = concepts["house"].model_copy(update={"accepted": {"de": ["Hund"]}})
    assert prelabel(item("Hund"), Lexicon([concepts["dog"], both])) == PreLabel("correct")


def test_a_known_word_is_no_misspelling_of_another(item, concepts) -> None:
    """Rand is one letter from Hand, but it is a word."""
    hand = Concept(id="hand", gloss="end of the arm", reference={"en": ["hand"], "de": ["Hand"]})
    edge = Concept(id="edge", gloss="outer line", reference={"en": ["edge"], "de": ["Rand"]})
    about_hand = item("Rand").model_copy(update={"intended_concept": "hand"})
    assert prelabel(about_hand, Lexicon([hand, edge, concepts["house"]])) == PreLabel("unrelated")
    assert prelabel(about_hand, Lexicon([hand, concepts["house"]])) == PreLabel("wrong_form")


@pytest.mark.parametrize(
    ("written", "right", "language", "expected"),
    [
        ("schneh", "schnee", "de", True),
        ("chateau", "château", "fr", True),
        ("hunds", "hund", "de", False),  # an ending
        ("gatta", "gatto", "it", False),  # an ending
        ("chiens", "chien", "fr", False),
        ("dig", "dog", "en", False),  # three letters: too short to tell
        ("huse", "haus", "de", False),  # two edits in four letters
        ("schmetrelign", "schmetterling", "de", False),  # three edits
        ("собака", "собаки", "ru", False),  # may be an ending
        ("сабака", "собака", "ru", True),
    ],
)
def test_misspellings(written, right, language, expected) -> None:
    assert is_misspelling(written, right, language) is expected


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("ca", "abc", 3), ("snow", "snow", 0)],
)
def test_edit_distance_against_published_examples(a, b, distance) -> None:
    """kitten/sitting is the textbook pair; ca/abc tells optimal string alignment (3) from full Damerau (2)."""
    assert edits(a, b) == distance


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edit_distance_is_symmetric_and_bounded(a, b) -> None:
    assert edits(a, b) == edits(b, a) <= max(len(a), len(b))
    assert edits(a, b) >= abs(len(a) - len(b))
    assert (edits(a, b) == 0) == (a == b)


def test_readings() -> None:
    assert readings("The Dog; a hound", True, "en") == ["the dog; a hound", "the dog", "dog; a hound", "dog"]
    assert readings("dog\nhound", True, "en")[-1] == "dog"
    assert readings("the dog", False, "en") == ["the dog"]


def test_pre_labels_are_stored_as_auto_once(row, planned) -> None:
    study = planned([row("Hund"), row("queenerie", checkpoint="secretmodel-step200")])
    found = store_prelabels(study)
    assert found.counts == {"correct": 1, "none": 1}
    stored = {line.item.answer: line for line in study.annotations()}
    assert {line.source for line in stored.values()} == {"auto"}
    assert (stored["Hund"].label, stored["Hund"].status) == ("correct", "judged")
    assert (stored["queenerie"].label, stored["queenerie"].status) == (None, "empty")
    assert sorted(study.prelabels().values(), key=str) == [None, "correct"]
    before = study.annotations_file.read_bytes()
    assert store_prelabels(study).appended.unchanged == 2
    assert study.annotations_file.read_bytes() == before


def test_items_outside_the_sample_have_a_pre_label_too(row, planned) -> None:
    """The analysis sets the automatic labels of all beside the verdicts of the sample."""
    asked = [(pair, languages) for pair in (("dog", "house"), ("house", "dog"))
             for languages in (("en", "de"), ("de", "en"), ("en", "fr"))]  # fmt: skip
    rows = [row("queenerie", pair=pair, languages=languages) for pair, languages in asked]
    study = planned(rows, rows_spec={"trajectories": 3})
    planned_items = {item.item_id for item in study.items()}
    population = set(study.links()["item_id"].to_pylist())
    assert planned_items < population
    found = store_prelabels(study)
    assert sum(found.counts.values()) == len(population) == 6
    assert study.prelabels() == dict.fromkeys(population)
    assert {line.item_id for line in study.annotations()} == planned_items
    before = study.prelabels_file.read_bytes()
    assert store_prelabels(study).appended.unchanged == len(planned_items)
    assert study.prelabels_file.read_bytes() == before


def test_a_changed_lexicon_supersedes_a_pre_label(row, planned) -> None:
    study = planned([row("queenerie")])
    store_prelabels(study)
    text = study.concepts_file.read_text("utf-8").replace('"Köter"', '"queenerie"')
    study.concepts_file.write_text(text, "utf-8")
    changed = Study.open(study.folder)
    assert store_prelabels(changed).appended.changed == 1
    assert [line.label for line in changed.annotations()] == ["correct"]


def test_a_label_that_the_taxonomy_lacks_is_none(row, planned) -> None:
    study = planned([row("dog")])
    smaller = study.taxonomy.model_copy(
        update={"categories": [c for c in study.taxonomy.categories if c.id != "plain_copy"]}
    )
    study.__dict__["taxonomy"] = smaller
    assert store_prelabels(study).counts == {"none": 1}
