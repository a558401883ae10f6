"""Small studies built by hand: concepts, rows and study.yaml that a test can read at a glance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.schemas.concepts import Concept, Sense
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Item, Translation
from gainsift.schemas.settings import is_about_source
from gainsift.schemas.study import CONCEPTS_FORMAT, TRANSLATIONS_FORMAT, Study

CONCEPTS = [
    Concept(
        id="dog",
        gloss="animal that barks",
        reference={"en": ["dog"], "de": ["Hund"], "fr": ["chien"], "es": ["perro"]},
        accepted={"en": ["hound"], "de": ["Köter"]},
    ),
    Concept(
        id="bank.river",
        gloss="edge of a river",
        reference={"en": ["bank"], "de": ["Ufer"], "fr": ["rive"], "es": ["orilla"]},
        senses=[
            Sense(
                id="bank.money",
                gloss="house that keeps money",
                forms={"en": ["bank"], "de": ["Bank"], "fr": ["banque"], "es": ["banco"]},
            ),
            # carried by the German word of the sense above, not by English bank
            Sense(
                id="bank.seat",
                gloss="long seat",
                forms={"en": ["bench"], "de": ["Sitzbank"], "fr": ["banc"], "es": ["banco"]},
            ),
        ],
    ),
    Concept(
        id="gift",
        gloss="thing given to someone",
        reference={"en": ["gift"], "de": ["Geschenk"], "fr": ["cadeau"], "es": ["regalo"]},
        accepted={"en": ["present"]},
        lookalikes=[Sense(id="de.gift", gloss="poison", forms={"de": ["Gift"]})],
    ),
    Concept(
        id="house",
        gloss="building to live in",
        reference={"en": ["house"], "de": ["Haus"], "fr": ["maison"], "es": ["casa"]},
    ),
    Concept(
        id="hotel",
        gloss="house for travellers",
        reference={"en": ["hotel"], "de": ["Hotel"], "fr": ["hôtel"], "es": ["hotel"]},
    ),
    Concept(
        id="butterfly",
        gloss="insect with coloured wings",
        reference={"en": ["butterfly"], "de": ["Schmetterling"], "fr": ["papillon"], "es": ["mariposa"]},
    ),
]
BY_ID = {concept.id: concept for concept in CONCEPTS}
CHECKPOINTS = ["secretmodel-step100", "secretmodel-step200"]


def translation(
    answer: str,
    *,
    pair: tuple[str, str] = ("dog", "house"),
    checkpoint: str = CHECKPOINTS[0],
    setting: str = "unpatched",
    prompt: str | None = None,
    languages: tuple[str, str] = ("en", "de"),
    layer: int | None = None,
    closed: bool = True,
) -> Translation:
    """One output row; `pair` is (source concept, target concept)."""
    prompt = prompt or ("source" if setting == "unpatched" else "target")
    source, target = pair
    about, other = (source, target) if is_about_source(setting, prompt) else (target, source)
    pair_id = f"{source}+{target}"
    return Translation(
        row_id=Translation.make_id(checkpoint, setting, prompt, *languages, pair_id, layer),
        checkpoint=checkpoint,
        step=100 * (1 + CHECKPOINTS.index(checkpoint)),
        tokens=0,
        setting=setting,
        prompt=prompt,
        input_language=languages[0],
        output_language=languages[1],
        pair_id=pair_id,
        layer=layer,
        intended_concept=about,
        other_concept=other,
        shown_word=BY_ID[about].word(languages[0]),
        answer=answer,
        raw=answer + ('"' if closed else ""),
        closed=closed,
        p_source=0.5,
        p_target=0.25,
        source_mass=[0.5, 0.0, 0.0, 0.0],
        target_mass=[0.25, 0.0, 0.0, 0.0],
    )


def make_item(
    answer: str,
    *,
    pair: tuple[str, str] = ("dog", "house"),
    languages: tuple[str, str] = ("en", "de"),
    closed: bool = True,
    copied: str = "none",
    version: str = "1",
) -> Item:
    return Item.of(version, *languages, pair[0], pair[1], BY_ID[pair[0]].word(languages[0]), answer, closed, copied)


@pytest.fixture
def concepts() -> dict[str, Concept]:
    return BY_ID


@pytest.fixture
def row() -> Callable[..., Translation]:
    return translation


@pytest.fixture
def item() -> Callable[..., Item]:
    return make_item


@pytest.fixture
def study_of(tmp_path: Path) -> Callable[..., Study]:
    """study_of(rows, name=..., rows_spec={...}, annotators=[...], **study.yaml keys) -> an opened study."""

    def build(
        rows: list[Translation],
        name: str = "small",
        rows_spec: dict[str, Any] | None = None,
        annotators: list[Any] | None = None,
        folder: str | None = None,
        **keys: Any,
    ) -> Study:
        place = tmp_path / (folder or name)
        place.mkdir(exist_ok=True)
        annotation: dict[str, Any] = {"rows": {"settings": ["unpatched", "tgt", "seen", "self"]} | (rows_spec or {})}
        people = annotators or ["ann", "ben"]
        annotation["annotators"] = [{"name": person} if isinstance(person, str) else person for person in people]
        annotation |= keys.pop("annotation", {})
        config = {
            "name": name,
            "model": {"name": "Secretmodel-7B", "checkpoints": [{"name": c, "path": c} for c in CHECKPOINTS]},
            "trained_languages": ["en", "de", "fr", "es"],
            "language_pairs": [["en", "de"], ["de", "en"], ["en", "fr"]],
            "annotation": annotation,
            **keys,
        }
        (place / "study.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
        write_jsonl(place / "concepts.jsonl", CONCEPTS, CONCEPTS_FORMAT)
        write_parquet(place / "translations" / "part.parquet", Translation, rows, TRANSLATIONS_FORMAT)
        return Study.open(place)

    return build


@pytest.fixture
def planned(study_of: Callable[..., Study]) -> Callable[..., Study]:
    """The same study with items.parquet and links.parquet written."""
    from gainsift.annotation.plan import make_plan, write_plan

    def build(rows: list[Translation], **options: Any) -> Study:
        study = study_of(rows, **options)
        write_plan(study, make_plan(study), "test", "2026-01-01T00:00:00+00:00")
        return study

    return build


def exported_task(data: dict[str, Any], number: int, *annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A task as Label Studio writes it into an export of format JSON."""
    return {
        "id": number,
        "annotations": list(annotations),
        "file_upload": "0a1b2c3d-tasks.json",
        "drafts": [],
        "predictions": [],
        "data": data,
        "meta": {},
        "created_at": "2026-02-01T10:00:00.000000Z",
        "updated_at": "2026-02-01T11:00:00.000000Z",
        "inner_id": number,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 1,
        "updated_by": 1,
        "comment_authors": [],
        **more,
    }


def exported_annotation(
    number: int,
    label: str | None,
    sense: str | None = None,
    sense_text: str | None = None,
    comment: str | None = None,
    updated: str = "2026-02-01T11:00:00.000000Z",
    **more: Any,
) -> dict[str, Any]:
    """An annotation as Label Studio writes it; `completed_by` names an account, which must not be stored."""

    def part(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"{name}-{number}", "type": kind, "value": value, "origin": "manual",
            "to_name": "answer", "from_name": name,
        }  # fmt: skip

    result = []
    if label is not None:
        result.append(part("label", "choices", {"choices": [label]}))
    if sense is not None:
        result.append(part("sense", "choices", {"choices": [sense]}))
    if sense_text is not None:
        result.append(part("sense_text", "textarea", {"text": [sense_text]}))
    if comment is not None:
        result.append(part("comment", "textarea", {"text": [comment]}))
    return {
        "id": number,
        "completed_by": {"id": 7, "email": "real.name@example.org", "first_name": "Real", "last_name": "Name"},
        "result": result,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-02-01T10:59:00.000000Z",
        "updated_at": updated,
        "draft_created_at": None,
        "lead_time": 4.25,
        "prediction": {},
        "result_count": len(result),
        "unique_id": f"00000000-0000-4000-8000-{number:012d}",
        "import_id": None,
        "last_action": None,
        "bulk_created": False,
        "task": number,
        "project": 1,
        "updated_by": 7,
        "parent_prediction": None,
        "parent_annotation": None,
        "last_created_by": None,
        **more,
    }


@pytest.fixture
def ls_task() -> Callable[..., dict[str, Any]]:
    return exported_task


@pytest.fixture
def ls_annotation() -> Callable[..., dict[str, Any]]:
    return exported_annotation
