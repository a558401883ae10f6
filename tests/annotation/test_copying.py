"""Which given form an answer repeats."""

from __future__ import annotations

import pytest

from gainsift.annotation.copying import copied_from
from gainsift.schemas.given import GivenForm, given_forms

TRAINED = ["en", "de", "fr", "es"]


def words(forms):
    return [(form.concept, form.language, form.form) for form in forms]


def test_an_unpatched_row_was_given_its_shown_word_alone(concepts) -> None:
    forms = given_forms("unpatched", "source", ("en", "de"), TRAINED, concepts["dog"], concepts["house"])
    assert words(forms) == [("dog", "en", "dog")]
    forms = given_forms("unpatched", "target", ("en", "de"), TRAINED, concepts["house"], concepts["dog"])
    assert words(forms) == [("house", "en", "house")]


def test_a_patched_row_was_given_the_source_words_and_the_target_word(concepts) -> None:
    pair = (concepts["dog"], concepts["house"])
    assert words(given_forms("tgt", "target", ("en", "de"), TRAINED, *pair)) == [
        ("dog", "en", "dog"),
        ("house", "en", "house"),
    ]
    # seen, en to de: the trained languages left are fr and es, in both directions
    assert words(given_forms("seen", "target", ("en", "de"), TRAINED, *pair)) == [
        ("dog", "es", "perro"),
        ("dog", "fr", "chien"),
        ("house", "en", "house"),
    ]
    assert words(given_forms("self", "target", ("en", "de"), TRAINED, *pair)) == [
        ("dog", "de", "Hund"),
        ("house", "en", "house"),
    ]
    # tgt_tgt is about the target concept, and nothing but its prompt was given
    assert words(given_forms("tgt_tgt", "target", ("en", "de"), TRAINED, concepts["house"], concepts["dog"])) == [
        ("house", "en", "house")
    ]


def test_a_language_without_a_word_gave_nothing(concepts) -> None:
    half = concepts["dog"].model_copy(update={"reference": {"en": ["dog"], "fr": ["chien"]}})
    forms = given_forms("seen", "target", ("en", "de"), TRAINED, half, concepts["house"])
    assert words(forms) == [("dog", "fr", "chien"), ("house", "en", "house")]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("dog", "shown"),
        ("DOG", "shown"),
        ("house", "other"),
        ("chien", "given"),
        ("perro", "none"),  # Spanish was not among the prompts
        ("dogs", "none"),
        ("", "none"),
    ],
)
def test_copies_are_told_apart(answer: str, expected: str) -> None:
    given = [GivenForm("dog", "fr", "chien"), GivenForm("dog", "en", "dog"), GivenForm("house", "en", "house")]
    assert copied_from(answer, given, "dog", "house", "en") == expected


def test_case_folding_and_composition_do_not_matter() -> None:
    given = [GivenForm("x", "de", "Größe")]
    assert copied_from("GRÖSSE", given, "x", "y", "de") == "shown"
    assert copied_from("gro\u0308ße", given, "x", "y", "de") == "shown"  # o with a combining diaeresis


def test_precedence_is_shown_other_given() -> None:
    shared = [GivenForm("x", "es", "hotel"), GivenForm("y", "en", "hotel"), GivenForm("x", "en", "hotel")]
    assert copied_from("hotel", shared, "x", "y", "en") == "shown"
    assert copied_from("hotel", shared[:2], "x", "y", "en") == "other"
    assert copied_from("hotel", shared[:1], "x", "y", "en") == "given"


def test_only_given_words_can_be_copied(concepts) -> None:
    """`seen` never shows the English word of the source concept, so saying it is no copy."""
    forms = given_forms("seen", "target", ("en", "de"), TRAINED, concepts["dog"], concepts["house"])
    assert copied_from("dog", forms, "dog", "house", "en") == "none"
    assert copied_from("house", forms, "dog", "house", "en") == "other"
