"""JSON Schemas of every record, generated from the types: `python -m gainsift.schemas.json_schemas`."""

from __future__ import annotations

import json
from pathlib import Path

from gainsift.schemas.concepts import Concept, PromptPair, Sense
from gainsift.schemas.config import StudyConfig
from gainsift.schemas.fixed_checkpoints import FixedCheckpoints
from gainsift.schemas.float32_audit import Float32Audit
from gainsift.schemas.provenance import Run
from gainsift.schemas.record import Record
from gainsift.schemas.rows import Annotation, Assignment, AutomaticLabel, Item, Link, Translation
from gainsift.schemas.taxonomy import Taxonomy

FOLDER = Path(__file__).parent / "json"
RECORDS: tuple[type[Record], ...] = (
    Annotation,
    Assignment,
    Concept,
    FixedCheckpoints,
    Float32Audit,
    Item,
    Link,
    AutomaticLabel,
    PromptPair,
    Run,
    Sense,
    StudyConfig,
    Taxonomy,
    Translation,
)


def schema_text(record: type[Record]) -> str:
    """The JSON Schema of a record as it stands in schemas/json/."""
    return json.dumps(record.model_json_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_all(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    for record in RECORDS:
        (folder / f"{record.__name__}.json").write_text(schema_text(record), "utf-8")


if __name__ == "__main__":
    write_all()
