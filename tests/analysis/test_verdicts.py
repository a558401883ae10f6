"""Which judgements count, and the verdict that comes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gainsift.analysis.judgements import Judgements, gather
from gainsift.analysis.verdicts import Verdict, verdict
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.record import fingerprint
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


@pytest.fixture
def maker(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Any:
    maker = make_study()
    maker.pair("P1", plain_concept("s"), plain_concept("t"))
    return maker


@pytest.fixture
def item(maker: Any) -> Item:
    return maker.row("P1", ("en", "de"), "c1", "Haus")


def gathered(maker: Any) -> Judgements:
    keys = {one.content_key for one in maker.items.values()}
    study = fingerprint(["study", maker.config["name"]], 12)
    return gather(maker.lines, keys, study, TAXONOMY, maker.concepts, "annotations.jsonl")


def decide(maker: Any, item: Item, *labels: str | None, senses: tuple[str | None, ...] = ()) -> Verdict:
    lines = [
        maker.vote(item, f"a{number}", label, senses[number] if senses else None) for number, label in enumerate(labels)
    ]
    return verdict(lines, None, TAXONOMY)


@pytest.mark.parametrize(
    ("labels", "label", "reason"),
    [
        (["correct", "correct", "unrelated"], "correct", ""),
        (["correct", "unrelated"], None, "tie"),
        (["correct", "unrelated", "related"], None, "tie"),
        (["correct", "correct", "unrelated", "unrelated", "empty"], None, "tie"),
        (["correct", "unsure", "bad_item"], "correct", ""),
        (["unsure", "unsure", "bad_item"], None, "missing"),
        ([], None, "unjudged"),
        (["empty"], "empty", ""),
    ],
)
def test_majority(maker: Any, item: Item, labels: list[str], label: str | None, reason: str) -> None:
    found = decide(maker, item, *labels)
    assert (found.label, found.reason) == (label, reason)
    assert list(found.votes.values()) == labels


def test_senses_of_the_winning_label(maker: Any, item: Item) -> None:
    labels = ["other_sense", "other_sense", "other_sense", "correct"]
    assert decide(maker, item, *labels, senses=("x", "x", "y", None)).senses == ("x",)
    assert decide(maker, item, *labels, senses=("x", "y", None, None)).senses == ("x", "y")
    assert decide(maker, item, "other_sense", "correct", "correct", senses=("x", None, None)).senses == ()


def test_adjudication_overrides_the_majority(maker: Any, item: Item) -> None:
    lines = [maker.vote(item, name, "correct") for name in ("a1", "a2")]
    for label, expected in (("unrelated", "unrelated"), ("bad_item", None)):
        found = verdict(lines, maker.vote(item, "judge", label, source="adjudicated"), TAXONOMY)
        assert (found.label, found.adjudicated) == (expected, True)


def test_people_come_before_simulated_annotators(maker: Any, item: Item) -> None:
    maker.vote(item, "sim1", "correct", source="simulated")
    maker.vote(item, "lexicon", "correct", source="auto")
    found = gathered(maker)
    assert found.simulated
    assert list(found.votes[item.content_key]) == ["sim1"]
    maker.vote(item, "ann", "unrelated")
    found = gathered(maker)
    assert not found.simulated
    assert list(found.votes[item.content_key]) == ["ann"]
    assert sum(found.left_out.values()) == 2


def test_adjudicated_lines_do_not_vote(maker: Any, item: Item) -> None:
    maker.vote(item, "judge", "correct", source="adjudicated")
    found = gathered(maker)
    assert not found.votes
    assert found.adjudicated[item.content_key].label == "correct"


def test_a_person_who_has_only_skipped_does_not_hide_simulated_annotators(maker: Any, item: Item) -> None:
    maker.vote(item, "ann", None)
    maker.vote(item, "sim1", "correct", source="simulated")
    found = gathered(maker)
    assert found.simulated
    assert found.left_out == {"tasks skipped by annotators": 1}


def test_the_latest_round_counts_and_repeats_do_not(maker: Any, item: Item) -> None:
    maker.vote(item, "ann", "unrelated", round=1)
    maker.vote(item, "ann", "correct", round=0)
    maker.vote(item, "ann", "empty", round=1, repeat=1)
    found = gathered(maker)
    assert found.votes[item.content_key]["ann"].label == "unrelated"
    assert sorted(found.left_out.values()) == [1, 1]


def test_the_latest_by_time_counts_whatever_the_order_of_lines(maker: Any, item: Item) -> None:
    """Times with zones are compared as moments: 12:30+02:00 is before 11:00Z."""
    times = (
        ("correct", {"updated_at": "2026-03-01T11:00:00Z", "created_at": "2026-02-01T00:00:00Z"}),
        ("unrelated", {"created_at": "2026-03-01T12:30:00.5+02:00"}),
        ("empty", {"updated_at": "2026-03-01T10:59:59"}),
    )
    for label, when in times:
        maker.vote(item, "ann", label, **when)
        maker.vote(item, "judge", label, source="adjudicated", **when)
    found = gathered(maker)
    assert found.votes[item.content_key]["ann"].label == "correct"
    assert found.adjudicated[item.content_key].label == "correct"
    assert sorted(found.left_out.values()) == [4]
    maker.vote(item, "ann", "related")  # no time: the order of the file decides
    assert gathered(maker).votes[item.content_key]["ann"].label == "related"
    maker.vote(item, "ann", "hypernym", round=1, updated_at="2020-01-01T00:00:00Z")  # a later round comes first
    assert gathered(maker).votes[item.content_key]["ann"].label == "hypernym"


def test_controls_never_count_and_calibration_does(maker: Any, item: Item) -> None:
    """Not even where a control's text is that of an output, and whatever became of its task."""
    maker.vote(item, "ann", "correct", role="calibration")
    for number, status in enumerate(("judged", "skipped", "invalid")):
        maker.vote(item, f"b{number}", "unrelated", role="control", status=status)
    maker.vote(item, "ann", "unrelated", role="repeat", repeat=1)
    found = gathered(maker)
    assert {name: line.label for name, line in found.votes[item.content_key].items()} == {"ann": "correct"}
    assert found.left_out == {
        "control tasks (made-up items with a known answer)": 3,
        "repeated judgements (kept for self-agreement)": 1,
    }


def test_judged_controls_do_not_hide_simulated_annotators(maker: Any, item: Item) -> None:
    maker.vote(item, "ann", "correct", role="control")
    maker.vote(item, "sim1", "unrelated", source="simulated")
    maker.vote(item, "sim1", "correct", source="simulated", role="control")
    found = gathered(maker)
    assert found.simulated
    assert found.votes[item.content_key]["sim1"].label == "unrelated"
    assert found.left_out == {"control tasks (made-up items with a known answer)": 2}


def test_a_study_with_controls_alone_is_not_judged(maker: Any, item: Item) -> None:
    maker.vote(item, "ann", "correct", role="control")
    maker.vote(item, "lexicon", "correct", source="auto")
    with pytest.raises(UserError, match="found only 1 automatic pre-label and 1 control task; run"):
        gathered(maker)


def test_every_reason_to_leave_a_line_out(maker: Any, item: Item) -> None:
    maker.vote(item, "good", "correct")
    for number, changes in enumerate(
        [
            {"status": "draft"},
            {"status": "empty"},
            {"status": "skipped"},
            {"status": "invalid", "problems": ["unknown label"]},
            {"study": "another"},
            {"content_key": "of no item"},
            {"label": "gone_label", "label_fingerprint": "x"},
            {"label_fingerprint": "an older definition"},
            {"concept_fingerprints": ["older", "older"]},
            {"item": item.model_copy(update={"other_concept": "gone"})},
        ]
    ):
        maker.vote(item, f"a{number}", **{"label": "correct", **changes})
    found = gathered(maker)
    assert list(found.votes[item.content_key]) == ["good"]
    assert set(found.left_out.values()) == {1}
    assert len(found.left_out) == 10


def test_judgements_survive_a_new_taxonomy_version(maker: Any, item: Item) -> None:
    """The item id changes with the version, the content key does not."""
    line: Annotation = maker.vote(item, "ann", "correct", item_id="of version 0", taxonomy_version="0")
    assert gathered(maker).votes[item.content_key]["ann"] == line


@pytest.mark.parametrize("source", [None, "auto"])
def test_nobody_asked_is_the_users_mistake(maker: Any, item: Item, source: str | None) -> None:
    if source:
        maker.vote(item, "lexicon", "correct", source=source)
    expected = r"annotations\.jsonl: expected judgements, found " + ("only 1 automatic" if source else "none")
    with pytest.raises(UserError, match=expected):
        gathered(maker)
