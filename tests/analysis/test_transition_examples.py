"""Outputs behind transitions: every one that occurs has some, they are its own, and always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from gainsift.analysis.results import Results, analyse
from gainsift.analysis.transition_examples import PER_TRANSITION
from gainsift.schemas.concepts import Concept

AT_B = {"setting": "tgt", "layer": 1}
NAME = "c1 to patched c2"
MOVES = [
    *[("plain_copy", "correct")] * 5,
    *[("unrelated", "correct")] * 2,
    ("correct", "correct"),
    ("unsure", "correct"),
]


def moved(make_study: Callable[..., Any], plain_concept: Callable[..., Concept], **changes: Any) -> tuple[Results, Any]:
    maker = make_study(**changes)
    for number, (before, after) in enumerate(MOVES):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        maker.vote(maker.row(f"P{number}", ("en", "de"), "c1", f"{before}{number}", closed=number != 5), "a1", before)
        maker.vote(maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}", **AT_B), "a1", after)
    return analyse(maker.write()), maker


def test_each_transition_has_units_of_its_own(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    results, _ = moved(make_study, plain_concept)
    found = results.moved[NAME]
    decided = [move for move in MOVES if "unsure" not in move]
    counts = Counter(decided)
    assert [(one.before, one.after) for one in found] == list(counts)  # changes first, the most frequent first
    for one in found:
        assert one.units == counts[one.before, one.after]
        assert one.share == counts[one.before, one.after] / len(decided)
        assert len(one.examples) == min(PER_TRANSITION, one.units)
        for unit in one.examples:
            number = int(unit.word.removeprefix("en_s"))
            assert MOVES[number] == (one.before, one.after)
            assert unit.before == f"{one.before}{number}" + " …" * (number == 5)
            assert unit.after == unit.reference == f"de_s{number}"
            assert (unit.gloss, unit.languages) == (f"the thing s{number}", "en → de")
            assert (unit.listed_before, unit.listed_after) == (False, True)
    assert [unit.word for unit in found[0].examples] == ["en_s0", "en_s2", "en_s4"]  # first, middle, last


def test_both_concepts_are_told_where_the_sides_are_about_two(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    """The unpatched target prompt is about the other concept of the pair."""
    contrast = {"name": "prompts", "from": {"checkpoint": "c1", "prompt": "target"}, "to": {"checkpoint": "c1"}}
    maker = make_study(contrasts=[contrast])
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    maker.vote(maker.row("P1", ("en", "de"), "c1", "de_t", prompt="target"), "a1", "correct")
    maker.vote(maker.row("P1", ("en", "de"), "c1", "de_s"), "a1", "correct")
    ((unit,),) = (one.examples for one in analyse(maker.write()).moved["prompts"])
    assert (unit.word, unit.reference) == ("en_t → en_s", "de_t → de_s")


def test_steps_of_a_chain_have_none(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> None:
    """Their figures stand in one table; the whole way has its outputs."""
    maker = make_study(contrasts=[], contrasts_along=[{"setting": "unpatched"}])
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    for checkpoint in ("c1", "c2", "c3"):
        maker.vote(maker.row("P1", ("en", "de"), checkpoint, f"in {checkpoint}"), "a1", "unrelated")
    found = analyse(maker.write()).moved
    assert list(found) == ["unpatched: c1 to c3"]
    ((one,),) = (transition.examples for transition in found["unpatched: c1 to c3"])
    assert (one.before, one.after) == ("in c1", "in c3")
