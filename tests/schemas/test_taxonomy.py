"""The built-in taxonomy, a team's own one, and what a change does to earlier judgements."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.taxonomy import Taxonomy, load_taxonomy
from gainsift.schemas.validity import validity

DESIGNED = {
    "correct": ("correct", None),
    "other_sense": ("behaviour", "sense_selection"),
    "homograph_copy": ("behaviour", "homograph_copying"),
    "plain_copy": ("error", "plain_copying"),
    "hypernym": ("near", "granularity"),
    "hyponym": ("near", "granularity"),
    "related": ("near", "granularity"),
    "other_concept": ("no_effect", "patch_effect"),
    "unrelated": ("error", "ability"),
    "wrong_language": ("error", "ability"),
    "wrong_form": ("error", "ability"),
    "non_word": ("error", "ability"),
    "cut_off": ("error", "ability"),
    "empty": ("error", "ability"),
    "unsure": ("missing", None),
    "bad_item": ("missing", None),
}


def test_the_built_in_taxonomy_holds_the_designed_categories() -> None:
    taxonomy = load_taxonomy()
    assert {c.id: (c.kind, c.bucket) for c in taxonomy.categories} == DESIGNED
    assert taxonomy.category("other_concept").kind_on(patched=False) == "error"
    assert taxonomy.category("other_concept").kind_on(patched=True) == "no_effect"
    assert taxonomy.category("plain_copy").kind_on(patched=False) == "error"


def test_the_decision_order_is_the_designed_one() -> None:
    order = [label for step in load_taxonomy().decision for label in step.labels]
    wanted = [
        "empty",
        "other_concept",
        "correct",
        "other_sense",
        "homograph_copy",
        "plain_copy",
        "hypernym",
        "unrelated",
    ]
    assert [label for label in order if label in wanted] == wanted


def changed(**changes: Any) -> dict[str, Any]:
    return {**load_taxonomy().model_dump(mode="json"), **changes}


def test_a_team_points_at_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(changed(version=2)))
    assert load_taxonomy(path).version == "2"


def edited(index: int, **changes: Any) -> dict[str, Any]:
    data = changed()
    data["categories"][index] |= changes
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (edited(1, hotkey="1"), "hotkey '1' stands twice"),
        (edited(1, id="correct"), "id 'correct' stands twice"),
        (edited(1, bucket="sense_select"), "unknown bucket 'sense_select'; did you mean sense_selection?"),
        (edited(1, bucket=None), "kind behaviour needs a bucket"),
        (edited(0, kind="error", bucket="ability"), "no category of kind correct"),
        (edited(3, kind="mistake"), "categories.3.kind"),
        (edited(3, id="copy"), "decision names unknown label 'plain_copy'"),
        (changed(decision=[{"ask": "?", "labels": ["correct"]}]), "must stand exactly once in the decision order"),
        (changed(format="taxonomy/2"), "expected `format: taxonomy/1`, found 'taxonomy/2'"),
    ],
)
def test_a_mistake_in_a_taxonomy_is_named(tmp_path: Path, data: dict[str, Any], message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(UserError) as caught:
        load_taxonomy(path)
    assert message in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_a_taxonomy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nope\.yaml: no such file; name a taxonomy, or none for the built-in one$"):
        load_taxonomy(tmp_path / "nope.yaml")


DOG = Concept(id="dog", gloss="barks", reference={"en": ["dog"]})
SUN = Concept(id="sun", gloss="shines", reference={"en": ["sun"]})


def judgement(label: str = "plain_copy") -> Annotation:
    item = Item.of("1", "en", "de", "dog", "sun", "dog", "dog", True, "shown")
    return Annotation(
        study="s", judgement_id="j", task_uid="u", item_id=item.item_id, content_key=item.content_key,
        annotator="a1", source="human", status="judged", label=label, taxonomy_version="1",
        label_fingerprint=load_taxonomy().category(label).fingerprint(),
        concept_fingerprints=[DOG.fingerprint(), SUN.fingerprint()], result_hash="h", item=item,
    )  # fmt: skip


def test_which_judgements_survive_a_change() -> None:
    concepts = {"dog": DOG, "sun": SUN}
    assert validity(judgement(), load_taxonomy(), concepts) == "valid"
    # a new version, another kind, hotkey or label text: the judgement says what it said
    same = Taxonomy.model_validate(edited(3, kind="behaviour", hotkey="z", label="Copied") | {"version": "2"})
    assert validity(judgement(), same, concepts) == "valid"
    redefined = Taxonomy.model_validate(edited(3, definition="Something else."))
    assert validity(judgement(), redefined, concepts) == "label_redefined"
    assert validity(judgement("correct"), redefined, concepts) == "valid"
    data = changed()
    data["categories"] = [c for c in data["categories"] if c["id"] != "plain_copy"]
    data["decision"] = [{**s, "labels": [x for x in s["labels"] if x != "plain_copy"]} for s in data["decision"]]
    assert validity(judgement(), Taxonomy.model_validate(data), concepts) == "label_gone"
    other = DOG.model_copy(update={"accepted": {"en": ["hound"]}})
    assert validity(judgement(), load_taxonomy(), {"dog": other, "sun": SUN}) == "concept_changed"
    assert validity(judgement(), load_taxonomy(), {"dog": DOG}) == "concept_gone"
