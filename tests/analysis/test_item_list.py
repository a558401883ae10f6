"""The list of items, item by item by hand: verdict, votes, kinds, where it occurs, why it may stand in no figure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from gainsift.analysis.item_list import ListedItem, items_table
from gainsift.analysis.item_page import items_on_page
from gainsift.analysis.results import analyse
from gainsift.analysis.tables import to_csv
from gainsift.schemas.concepts import Concept
from gainsift.schemas.rows import Item
from gainsift.schemas.taxonomy import load_taxonomy

AT_B = {"setting": "tgt", "layer": 1}


@pytest.fixture
def maker(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Any:
    """One pair at three conditions: the same answer twice, a copy of the other concept's word, a new answer."""
    made = make_study(analysis={"bootstrap": 20})
    made.pair("P1", plain_concept("s"), plain_concept("t"))
    return made


def listed(maker: Any) -> dict[str, ListedItem]:
    return {one.answer: one for one in analyse(maker.write()).items}


def test_an_item_tells_what_was_said_of_it_and_where_it_occurs(maker: Any) -> None:
    item = maker.row("P1", ("en", "de"), "c1", "Wort")
    assert maker.row("P1", ("en", "de"), "c2", "Wort", **AT_B) == item  # one item: patched and unpatched
    maker.row("P1", ("en", "de"), "c3", "Wort")
    for annotator, label in (("ann", "other_concept"), ("ben", "other_concept"), ("cat", "unrelated")):
        maker.vote(item, annotator, label)
    found = listed(maker)["Wort"]
    assert (found.languages, found.word, found.gloss, found.reference) == ("en → de", "en_s", "the thing s", ("de_s",))
    assert found.verdicts == (("other_concept", 1.0),)
    assert found.kinds == ("error", "no_effect")  # the first on unpatched rows, the second on patched ones
    assert found.votes == (("ann", "other_concept"), ("ben", "other_concept"), ("cat", "unrelated"))
    assert found.voting == "disagreed"
    assert found.outputs == 3
    assert found.conditions == ("c1, unpatched", "c3, unpatched", "c2, tgt, layer 1")
    assert found.sides == (("c1 to patched c2", "before"), ("c1 to patched c2", "after"))
    assert found.left_out == ""


@pytest.mark.parametrize(
    ("labels", "verdict", "undecided", "voting"),
    [
        (["correct", "correct"], "correct", "", "agreed"),
        (["correct", "unsure"], "correct", "", "one judgement"),
        (["correct", "related"], None, "tie", "disagreed"),
        (["unsure", "unsure"], None, "missing", "no judgement"),
        ([], None, "unjudged", "no judgement"),
    ],
)
def test_what_annotators_are_to_each_other(
    maker: Any, labels: list[str], verdict: str | None, undecided: str, voting: str
) -> None:
    item = maker.row("P1", ("en", "de"), "c1", "Wort")
    other = maker.row("P1", ("en", "de"), "c2", "anders", **AT_B)
    maker.vote(other, "ann", "unrelated")
    for number, label in enumerate(labels):
        maker.vote(item, f"a{number}", label)
    found = listed(maker)["Wort"]
    assert [label for label, _ in found.verdicts] == ([verdict] if verdict else [])
    assert (found.undecided, found.voting) == (undecided, voting)


def test_verdicts_that_are_distributions_keep_their_shares(maker: Any) -> None:
    maker.config["analysis"]["verdict"] = "soft"
    item = maker.row("P1", ("en", "de"), "c1", "Wort")
    for annotator, label in (("ann", "related"), ("ben", "correct"), ("cat", "related"), ("dan", "related")):
        maker.vote(item, annotator, label)
    maker.row("P1", ("en", "de"), "c2", "Wort", **AT_B)
    results = analyse(maker.write())
    (found,) = results.items
    assert found.verdicts == (("related", 0.75), ("correct", 0.25))
    assert found.outputs == 2
    (row,) = items_table(results.items, "").rows
    assert row["verdict"] == "related 0.750 | correct 0.250"
    page = items_on_page(results.items, load_taxonomy())
    assert "Related 75 %, Correct 25 %" in page.data["texts"]


def test_why_an_item_stands_in_no_figure(maker: Any, plain_concept: Callable[..., Concept]) -> None:
    maker.config |= {"contrasts": [], "analysis": {"bootstrap": 20, "exclude_sense_split": True}}
    maker.pair("P2", plain_concept("flagged", flags=["sense_split"]), plain_concept("u"))
    for pair, answer in (("P1", "kept"), ("P2", "split")):
        maker.vote(maker.row(pair, ("en", "de"), "c1", answer), "ann", "unrelated")
    lost = maker.row("P1", ("en", "fr"), "c1", "gone")
    maker.vote(lost, "ann", "unrelated")
    maker.config["language_pairs"] = [["en", "de"]]  # taken out after planning
    found = listed(maker)
    assert {answer: one.left_out for answer, one in found.items()} == {
        "kept": "", "split": "sense_split", "gone": "no_output"
    }  # fmt: skip
    assert (found["gone"].outputs, found["gone"].conditions) == (0, ())


def test_conditions_stand_in_the_order_of_layers_and_training(maker: Any) -> None:
    maker.config["contrasts"] = []
    for checkpoint, layer in (("c3", 10), ("c1", 10), ("c2", 2), ("c1", None)):
        setting = {"setting": "tgt", "layer": layer} if layer is not None else {}
        item = maker.row("P1", ("en", "de"), checkpoint, "Wort", **setting)
    maker.vote(item, "ann", "correct")
    assert listed(maker)["Wort"].conditions == (
        "c1, unpatched", "c2, tgt, layer 2", "c1, tgt, layer 10", "c3, tgt, layer 10"
    )  # fmt: skip


def test_the_csv_has_a_row_for_each_item_and_no_formula(maker: Any, hostile: dict[str, str]) -> None:
    maker.config["contrasts"] = []
    kinds = [name for name in hostile if name != "lone surrogates"]
    items: list[Item] = []
    for number, kind in enumerate(kinds):
        pair = f"Q{number}"
        maker.pair(pair, maker.concepts["s"].model_copy(update={"id": f"x{number}"}), maker.concepts["t"])
        items.append(maker.row(pair, ("en", "de"), "c1", hostile[kind]))
        maker.vote(items[-1], "=1+1", "non_word")
    results = analyse(maker.write())
    rows = list(csv.DictReader(io.StringIO(to_csv(items_table(results.items, "recipe")), newline="")))
    assert len(rows) == len(kinds)
    texts = {row["item"]: row["answer"] for row in rows}
    for item in items:
        assert texts[item.item_id].removeprefix("'") == item.answer.removeprefix("'")
    for row in rows:
        assert not [text for text in row.values() if text[:1] in ("=", "+", "-", "@")]
        assert row["votes"] == "'=1+1: non_word"
