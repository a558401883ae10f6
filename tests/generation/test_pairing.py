from __future__ import annotations

import random
from collections import Counter

import pytest

from gainsift.generation.pairing import initials, make_pairs
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError

CODES = ["en", "fr", "de", "es", "it", "pl", "ru", "fi", "et", "zh", "ar"]
LATIN, CYRILLIC, ARABIC = "abcdefghijklmnoprstuvwz", "абвгдежзиклмнопрстуфхцчшэюя", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"


def many_concepts(number: int, codes: list[str]) -> list[Concept]:
    """Invented words; cognates often begin alike, as in real lists."""
    rng = random.Random(1)

    def word(code: str, stem: str) -> str:
        if code == "zh":
            return "".join(chr(rng.randrange(0x4E00, 0x5E00)) for _ in range(2))
        alphabet = {"ru": CYRILLIC, "ar": ARABIC}.get(code, LATIN)
        return stem if alphabet is LATIN and rng.random() < 0.5 else "".join(rng.choices(alphabet, k=6))

    made = []
    for i in range(number):
        stem = "".join(rng.choices(LATIN, k=6))
        made.append(Concept(id=f"c{i:04}", gloss="x", reference={code: [word(code, stem)] for code in codes}))
    return made


def test_pairs_are_the_same_under_a_seed_and_do_not_depend_on_the_order_of_the_list(concepts: list[Concept]) -> None:
    codes = ["en", "fr", "de", "es"]
    first = make_pairs(concepts, codes, 12, 3, 7, "words")
    assert make_pairs(concepts[::-1], codes, 12, 3, 7, "words") == first
    assert make_pairs(concepts, codes, 12, 3, 8, "words") != first
    assert [pair.index for pair in first] == list(range(12))
    assert len({pair.pair_id for pair in first}) == 12


def test_first_characters_of_all_forms_in_all_languages_are_disjoint(concepts: list[Concept]) -> None:
    by_id = {concept.id: concept for concept in concepts}
    assert initials(by_id["house"], ["en", "fr", "de", "es"]) == {"h", "m", "c"}
    assert initials(by_id["tree"], ["en", "es"]) == {"t", "á"}
    for pair in make_pairs(concepts, ["en", "fr", "de", "es"], 20, 3, 7, "words"):
        letters = [
            {form[0].lower() for forms in [*concept.reference.values(), *concept.accepted.values()] for form in forms}
            for concept in (by_id[pair.source_concept], by_id[pair.target_concept])
        ]
        assert not letters[0] & letters[1]


def test_accepted_forms_count_too() -> None:
    words = {"a": ("dog", []), "b": ("cat", ["dandy"]), "c": ("fox", []), "d": ("owl", [])}
    made = [Concept(id=i, gloss=i, reference={"en": [w]}, accepted={"en": more}) for i, (w, more) in words.items()]
    meetings = {(p.source_concept, p.target_concept) for p in make_pairs(made, ["en"], 10, 1, 0, "words")}
    # of the 12 ordered pairs of four concepts only a-b and b-a share an initial (dog, dandy)
    assert len(meetings) == 10
    assert not meetings & {("a", "b"), ("b", "a")}


@pytest.mark.parametrize("count", [5, 20, 30, 50])
def test_concepts_are_used_evenly(concepts: list[Concept], count: int) -> None:
    pairs = make_pairs(concepts, ["en", "fr"], count, 3, 7, "words")
    assert len({(pair.source_concept, pair.target_concept) for pair in pairs}) == count
    for side in ("source_concept", "target_concept"):
        used = Counter(getattr(pair, side) for pair in pairs)
        times = [used[concept.id] for concept in concepts]
        assert max(times) - min(times) <= 1


def test_examples_differ_and_share_no_spelling_with_the_concepts(concepts: list[Concept]) -> None:
    twin = Concept(id="hound", gloss="x", reference={"en": ["hound"], "fr": ["CHIEN"], "de": ["Rüde"], "es": ["can"]})
    seen_as_example = False
    for pair in make_pairs([*concepts, twin], ["en", "fr", "de", "es"], 21, 8, 7, "words"):
        shots = [*pair.source_shots, *pair.target_shots]
        assert len(set(shots)) == 16
        both = {pair.source_concept, pair.target_concept}
        assert not both & set(shots)
        if "dog" in both:
            assert "hound" not in shots  # both are *chien* in French
        seen_as_example |= "hound" in shots
    assert seen_as_example


def test_too_few_concepts_or_pairs_is_an_error_with_numbers(concepts: list[Concept]) -> None:
    with pytest.raises(UserError, match=r"my list: 7 concepts .* need at least 8"):
        make_pairs(concepts[:7], ["en"], 1, 3, 0, "my list")
    with pytest.raises(UserError, match=r"prompts.pairs asks for 100000"):
        make_pairs(concepts, ["en", "fr", "de", "es"], 100_000, 3, 0, "my list")
    same = [Concept(id=str(i), gloss="x", reference={"en": [f"a{i}"]}) for i in range(20)]
    with pytest.raises(UserError, match="allow 0 prompt pairs"):
        make_pairs(same, ["en"], 1, 3, 0, "my list")


@pytest.mark.parametrize("count", [256, 2500])
def test_two_thousand_concepts_in_eleven_languages_are_used_evenly_and_the_same_again(count: int) -> None:
    made = many_concepts(2000, CODES)
    pairs = make_pairs(made, CODES, count, 5, 42, "words")
    letters = {concept.id: initials(concept, CODES) for concept in made}
    assert not any(letters[pair.source_concept] & letters[pair.target_concept] for pair in pairs)
    assert len({(pair.source_concept, pair.target_concept) for pair in pairs}) == count
    for side in ("source_concept", "target_concept"):
        used = Counter(getattr(pair, side) for pair in pairs)
        assert max(used.values()) == -(-count // 2000)
    random.Random(3).shuffle(made)
    assert make_pairs(made, CODES, count, 5, 42, "words") == pairs
