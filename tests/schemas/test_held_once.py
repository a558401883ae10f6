"""What rows have in common is held once, and they are what they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gainsift.schemas import held_once
from gainsift.schemas.files import json_line, parse_line
from gainsift.schemas.held_once import HeldOnce
from gainsift.schemas.rows import Annotation, Item

ANSWERS = ["Hund", "Haus", ""]


def line(number: int, answer: str, label: str | None, prints: list[str]) -> Annotation:
    item = Item.of("1", "en", "de", "dog", "house", "dog", answer, True, "none")
    made = Annotation(
        study="s", judgement_id=f"j{number}", task_uid=f"t{number}", item_id=item.item_id,
        content_key=item.content_key, annotator="ann", source="human", status="judged", label=label,
        taxonomy_version="1", concept_fingerprints=prints, result_hash="0", item=item,
    )  # fmt: skip
    return parse_line(json_line(made, "annotation/2"), Annotation, "annotation/2", "here")


LINES = st.lists(
    st.builds(
        line,
        st.integers(0, 9),
        st.sampled_from(ANSWERS),
        st.sampled_from(["correct", None]),
        st.lists(st.sampled_from("ab"), max_size=2),
    ),
    max_size=8,
)


@given(LINES)
def test_rows_are_what_they_were(lines: list[Annotation]) -> None:
    before = [json_line(one, "annotation/2") for one in lines]
    copies = [one.model_copy(deep=True) for one in lines]
    once = HeldOnce()
    assert [once(one) for one in lines] == copies
    assert [json_line(one, "annotation/2") for one in lines] == before


def test_what_is_equal_is_one_object() -> None:
    once = HeldOnce()
    one, other, third = (
        once(line(number, answer, "correct", ["a", "b"])) for number, answer in enumerate(["Hund", "Hund", "Haus"])
    )
    assert one.item is other.item
    assert one.item is not third.item
    assert one.item.shown_word is third.item.shown_word
    assert one.concept_fingerprints is third.concept_fingerprints
    assert one.label is other.label
    assert one.task_uid != other.task_uid


def test_texts_of_which_every_row_has_its_own_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_once, "MOST", 3)
    once = HeldOnce()
    lines = [once(line(number, "Hund", "correct", [])) for number in range(10)]
    assert once._texts["task_uid"] is None
    assert [one.task_uid for one in lines] == [f"t{number}" for number in range(10)]
    assert lines[0].label is lines[9].label
