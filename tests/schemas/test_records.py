"""Records: what they refuse, and that they survive every round trip."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gainsift.schemas.concepts import Concept, PromptPair, Sense
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import json_line, parquet_records, parse_line, write_parquet
from gainsift.schemas.json_schemas import FOLDER, RECORDS, schema_text
from gainsift.schemas.rows import Annotation, Item, Link, Translation
from gainsift.schemas.study import ANNOTATION_FORMAT, LINKS_FORMAT

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


def translation(answer: str, layer: int | None, mass: float) -> Translation:
    return Translation(
        row_id=Translation.make_id("c1", "tgt", "target", "en", "de", "p", layer),
        checkpoint="c1", step=10, tokens=1000, setting="tgt", prompt="target", input_language="en",
        output_language="de", pair_id="p", layer=layer, intended_concept="dog", other_concept="house",
        shown_word="dog", answer=answer, raw=answer + '"', closed=True, p_source=mass, p_target=0.0,
        source_mass=[0.5, 0.25], target_mass=[0.0, 1.0],
    )  # fmt: skip


@given(answer=words, layer=st.none() | st.integers(0, 99), mass=st.floats(0, 1))
def test_a_translation_survives_parquet(
    tmp_path_factory: pytest.TempPathFactory, answer: str, layer: int | None, mass: float
) -> None:
    path = tmp_path_factory.mktemp("rows") / "t.parquet"
    row = translation(answer, layer, mass)
    write_parquet(path, Translation, [row], "translations/1")
    assert parquet_records(path, Translation, "translations/1", "make it") == [row]


@given(answer=words, comment=words)
def test_an_annotation_survives_jsonl(answer: str, comment: str) -> None:
    item = Item.of("1", "en", "de", "dog", "house", "dog", answer, True, "none")
    line = Annotation(
        study="s", judgement_id="j", task_uid="u", item_id=item.item_id, content_key=item.content_key,
        annotator="a1", source="human", status="judged", label="correct", comment=comment,
        taxonomy_version="1", result_hash="h", item=item,
    )  # fmt: skip
    raw = json_line(line, ANNOTATION_FORMAT)
    assert raw.count(b"\n") == 1
    assert parse_line(raw, Annotation, ANNOTATION_FORMAT, "x:1") == line


@given(forms=st.lists(words, min_size=1, max_size=3), gloss=words.filter(bool))
def test_a_concept_survives_jsonl(forms: list[str], gloss: str) -> None:
    concept = Concept(
        id="c", gloss=gloss, reference={"en": forms}, senses=[Sense(id="s", gloss=gloss, forms={"de": forms})]
    )
    assert parse_line(json_line(concept, "concept/1"), Concept, "concept/1", "x:1") == concept


def test_a_link_survives_parquet(tmp_path: Path) -> None:
    link = Link(
        row_id="r", item_id="i", trajectory="p|en|de", trajectory_probability=0.25, item_probability=0.0875, drawn=True,
        audit_probability=0.2, asked=False,
    )  # fmt: skip
    write_parquet(tmp_path / "links.parquet", Link, [link], LINKS_FORMAT)
    assert parquet_records(tmp_path / "links.parquet", Link, LINKS_FORMAT, "make it") == [link]


def test_an_item_key_counts_every_part() -> None:
    base = ("1", "en", "de", "dog", "house", "dog", "Hund", True, "none")
    others = [
        ("2", "en", "de", "dog", "house", "dog", "Hund", True, "none"),
        ("1", "fr", "de", "dog", "house", "dog", "Hund", True, "none"),
        ("1", "en", "fr", "dog", "house", "dog", "Hund", True, "none"),
        ("1", "en", "de", "cat", "house", "dog", "Hund", True, "none"),
        ("1", "en", "de", "dog", "tree", "dog", "Hund", True, "none"),
        ("1", "en", "de", "dog", "house", "hound", "Hund", True, "none"),
        ("1", "en", "de", "dog", "house", "dog", "hund", True, "none"),
        ("1", "en", "de", "dog", "house", "dog", "Hund", False, "none"),
        ("1", "en", "de", "dog", "house", "dog", "Hund", True, "given"),
    ]
    items = [Item.of(*key) for key in (base, *others)]  # type: ignore[arg-type]
    assert len({item.item_id for item in items}) == len(items)
    # the content key forgets the taxonomy version alone
    assert items[0].content_key == items[1].content_key
    assert len({item.content_key for item in items}) == len(items) - 1


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError):
        Sense(id="s", gloss="g", colour="red")  # type: ignore[call-arg]


def test_a_prompt_pair_keeps_its_concepts_out_of_its_shots() -> None:
    with pytest.raises(ValidationError, match="few-shot words"):
        PromptPair(
            pair_id="p", index=0, source_concept="dog", target_concept="cat", source_shots=["cat"],
            target_shots=["sun"], seed=1,
        )  # fmt: skip


def test_a_line_of_a_newer_format_is_refused_by_name() -> None:
    concept = Concept(id="c", gloss="g", reference={"en": ["dog"]})
    with pytest.raises(UserError, match=r"concepts\.jsonl:3: expected format concept/1, found concept/2"):
        parse_line(json_line(concept, "concept/2"), Concept, "concept/1", "concepts.jsonl:3")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_the_json_schema_on_disk_is_the_one_of_the_types(record: type) -> None:
    path = FOLDER / f"{record.__name__}.json"
    assert path.read_text("utf-8") == schema_text(record), "run: python -m gainsift.schemas.json_schemas"


def test_no_json_schema_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {record.__name__ for record in RECORDS}
