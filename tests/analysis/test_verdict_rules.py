"""Each verdict rule on ballots worked out by hand, and how ballots are made of lines."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gainsift.analysis.judgements import gather
from gainsift.analysis.verdict_rules import DEFAULT, METHODS, Ballot, ballots, told
from gainsift.analysis.verdicts import verdict
from gainsift.schemas.concepts import Concept
from gainsift.schemas.record import fingerprint
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


def votes(*labels: str) -> dict[str, str]:
    return {f"a{number}": label for number, label in enumerate(labels)}


BALLOTS = {
    "most": Ballot(votes("x", "x", "y")),
    "tie": Ballot(votes("x", "y")),
    "settled": Ballot(votes("x", "y", "y"), adjudicated="z"),
    "void": Ballot(votes("x", "x"), void=True),
    "nobody": Ballot(),
    "settled alone": Ballot({}, adjudicated="x"),
}
EXPECTED: dict[str, dict[str, dict[str, float]]] = {
    "adjudicated": {"most": {"x": 1}, "tie": {}, "settled": {"z": 1}, "settled alone": {"x": 1}},
    "majority": {"most": {"x": 1}, "tie": {}, "settled": {"y": 1}, "settled alone": {}},
    "soft": {
        "most": {"x": 2 / 3, "y": 1 / 3},
        "tie": {"x": 1 / 2, "y": 1 / 2},
        "settled": {"x": 1 / 3, "y": 2 / 3},
        "settled alone": {},
    },
}


@pytest.mark.parametrize("rule", EXPECTED)
def test_by_hand(rule: str) -> None:
    assert METHODS[rule](BALLOTS) == {"void": {}, "nobody": {}, **EXPECTED[rule]}


def test_the_model_weighs_annotators_by_how_they_err() -> None:
    """Ten items on which a and b agree and c is against them; on one more, a and c say x, b says y.

    A majority would say x. But what c calls x has been y every time, and what c calls y x: here it is y.
    """
    turned = {"x": "y", "y": "x"}
    known = {f"i{n}": Ballot({"a": right, "b": right, "c": turned[right]}) for n, right in enumerate("xyxyxyxyxy")}
    found = METHODS["dawid-skene"]({**known, "odd": Ballot({"a": "x", "b": "y", "c": "x"})})
    for name, ballot in known.items():
        assert found[name] == pytest.approx({ballot.votes["a"]: 1.0}, abs=1e-5)
    assert found["odd"] == pytest.approx({"y": 1.0}, abs=1e-5)
    assert METHODS["majority"]({"odd": Ballot({"a": "x", "b": "y", "c": "x"})}) == {"odd": {"x": 1}}


label = st.sampled_from(["correct", "other_sense", "non_word"])
ballot = st.builds(
    Ballot,
    st.dictionaries(st.sampled_from("abcd"), label, max_size=4),
    st.none() | label,
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=3), ballot, max_size=8))
def test_every_rule_gives_each_item_a_distribution(found: dict[str, Ballot]) -> None:
    for name, rule in METHODS.items():
        verdicts = rule(found)
        assert verdicts.keys() == found.keys()
        for item, distribution in verdicts.items():
            given_labels = {*found[item].votes.values(), found[item].adjudicated}
            assert all(mass > 0 for mass in distribution.values())
            if distribution:
                assert sum(distribution.values()) == pytest.approx(1, abs=1e-12)
            if found[item].void:
                assert not distribution
            if name != "dawid-skene":  # a model may know better than all who have judged
                assert distribution.keys() <= given_labels
            if name in ("adjudicated", "majority"):
                assert len(distribution) < 2


@pytest.fixture
def made(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Any:
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    return maker


def test_ballots_of_lines(made: Any) -> None:
    """Unusable labels are gaps; an adjudicated one voids the item; its sense comes before those of the votes."""
    agreed, unsure, settled, void = (made.row("P1", ("en", "de"), "c1", text) for text in ("A", "B", "C", "D"))
    made.vote(agreed, "ann", "correct")
    made.vote(agreed, "ben", "unsure")
    made.vote(unsure, "ann", "unsure")
    for name, sense in (("ann", "x"), ("ben", "x"), ("cat", "y")):
        made.vote(settled, name, "other_sense", sense)
    made.vote(settled, "lead", "other_sense", "y", source="adjudicated")
    made.vote(void, "ann", "correct")
    made.vote(void, "lead", "bad_item", source="adjudicated")
    keys = {item.content_key for item in (agreed, unsure, settled, void)}
    study = fingerprint(["study", made.config["name"]], 12)
    judgements = gather(made.lines, keys, study, TAXONOMY, made.concepts, "lines")
    found = ballots(judgements, [*keys, "of no judgement"], TAXONOMY)
    assert found[agreed.content_key] == Ballot({"ann": "correct"})
    assert found[unsure.content_key] == Ballot()
    assert found[settled.content_key] == Ballot(
        dict.fromkeys(("ann", "ben", "cat"), "other_sense"), "other_sense", senses=("y",)
    )
    assert found[void.content_key] == Ballot({"ann": "correct"}, void=True)
    assert found["of no judgement"] == Ballot()


@settings(deadline=None)
@given(st.lists(label | st.just("unsure"), max_size=5), st.none() | label | st.just("bad_item"))
def test_the_default_rule_is_the_verdict_of_the_report(given_labels: list[str], settled: str | None) -> None:
    """The same as verdicts.verdict: the two readings of the lines cannot drift apart."""
    lines = [_line(f"a{number}", name) for number, name in enumerate(given_labels)]
    lead = None if settled is None else _line("lead", settled)
    usable = {line.annotator: line.label for line in lines if line.label != "unsure"}
    one = Ballot(usable, settled if settled != "bad_item" else None, settled == "bad_item")
    expected = verdict(lines, lead, TAXONOMY).label
    assert METHODS[DEFAULT]({"item": one})["item"] == ({} if expected is None else {expected: 1.0})


def _line(annotator: str, name: str) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(annotator=annotator, label=name, sense=None)


def test_help_names_every_rule() -> None:
    for name, rule in METHODS.items():
        assert f"{name}: {rule.__doc__.splitlines()[0]}" in told()  # type: ignore[union-attr]


def test_fractions_of_votes_are_exact() -> None:
    (found,) = METHODS["soft"]({"item": Ballot(votes(*"xxxyyz"))}).values()
    assert {label: Fraction(mass).limit_denominator(10) for label, mass in found.items()} == {
        "x": Fraction(1, 2), "y": Fraction(1, 3), "z": Fraction(1, 6)
    }  # fmt: skip
