"""The data dictionary of formats.md: every file of a study, and every field of every record in it, from the types."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from gainsift.analysis import output_export, tidy_export
from gainsift.annotation.accounts import Person
from gainsift.annotation.server_state import State
from gainsift.generation.failures import FAILURES_FORMAT, Failure
from gainsift.schemas import study as formats
from gainsift.schemas.concepts import Concept, PromptPair
from gainsift.schemas.config import STUDY_FORMAT, StudyConfig
from gainsift.schemas.files import OLDER
from gainsift.schemas.fixed_checkpoints import CHECKPOINTS_FORMAT, FixedCheckpoints
from gainsift.schemas.float32_audit import FLOAT32_FORMAT, Float32Audit
from gainsift.schemas.lock import LOCK_FORMAT, Lock
from gainsift.schemas.provenance import Run
from gainsift.schemas.record import Record
from gainsift.schemas.rows import Annotation, Assignment, AutomaticLabel, Item, Link, Translation
from gainsift.schemas.taxonomy import TAXONOMY_FORMAT, Taxonomy


class File(NamedTuple):
    """A file of a study: one `row` of it is a `record`; `by` makes it."""

    name: str
    format: str
    row: str
    by: str
    record: type[Record]


FILES = (
    File("study.yaml", str(STUDY_FORMAT), "the whole file: what is asked", "you; `gainsift init`", StudyConfig),
    File("taxonomy.yaml", TAXONOMY_FORMAT, "the whole file: what an answer can be", "you, if at all", Taxonomy),
    File("checkpoints.json", CHECKPOINTS_FORMAT, "the whole file: what a series was resolved to",
         "`gainsift checkpoints`, `generate`", FixedCheckpoints),
    File("concepts.jsonl", formats.CONCEPTS_FORMAT, "a concept", "`gainsift generate`", Concept),
    File("prompts.parquet", formats.PROMPTS_FORMAT, "a prompt pair", "`gainsift generate`", PromptPair),
    File("translations/CHECKPOINT/*.parquet", formats.TRANSLATIONS_FORMAT, "an output", "`gainsift generate`",
         Translation),
    File("failures.json", FAILURES_FORMAT, "a shard that could not be made, under `failures`", "`gainsift generate`",
         Failure),
    File("float32_audit/CHECKPOINT/*.parquet", formats.TRANSLATIONS_FORMAT, "an output made again in float32",
         "`gainsift generate --audit-float32`", Translation),
    File("float32_audit.parquet", FLOAT32_FORMAT, "an output beside what float32 says",
         "`gainsift generate --audit-float32`", Float32Audit),
    File("items.parquet", formats.ITEMS_FORMAT, "a distinct thing to judge", "`gainsift annotate plan`", Item),
    File("links.parquet", formats.LINKS_FORMAT, "an output and its item", "`gainsift annotate plan`", Link),
    File("assignments.jsonl", formats.ASSIGNMENT_FORMAT, "a task", "`gainsift annotate plan`, `adjudicate`",
         Assignment),
    File("prelabels.parquet", formats.PRELABELS_FORMAT, "an item and its automatic label",
         "`gainsift annotate prelabel`", AutomaticLabel),
    File("annotations.jsonl", formats.ANNOTATION_FORMAT, "a judgement; lines are only ever appended",
         "`gainsift annotate pull`, `import`", Annotation),
    File("lock.json", LOCK_FORMAT, "the whole file: the frozen plan", "`gainsift lock`", Lock),
    File("*.run.json", "run/1", "the whole file: how the file beside it was made", "every command", Run),
    File("private/annotators.yaml", "", "a person, under their pseudonym; never exported", "you, if at all", Person),
    File("label-studio/server.json", "server/1", "the whole file: where the server runs", "`gainsift annotate serve`",
         State),
)  # fmt: skip
"""Every file with records that a study can hold, in the order in which they come about."""

TABLES: tuple[tuple[str, str, str, Mapping[str, tuple[pa.DataType, str]]], ...] = (
    ("tidy.csv, tidy.parquet", tidy_export.TIDY_FORMAT, "a judgement of an output", tidy_export.COLUMNS),
    ("outputs.csv, outputs.parquet", output_export.OUTPUTS_FORMAT, "an output, judged or not", output_export.COLUMNS),
)
"""What `gainsift export` writes."""

_PLAIN = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything", object: "anything",
    type(None): "empty",
}  # fmt: skip
_ARROW = {pa.string(): "text", pa.int64(): "whole number", pa.float64(): "number", pa.bool_(): "true or false"}


def kind_of(annotation: Any) -> str:
    """A type in words: `list of text`, `concept by text`, `whole number or empty`."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is typing.Annotated:
        return kind_of(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind_of(part) for part in inner))
    if origin is list:
        return f"list of {kind_of(inner[0])}"
    if origin is tuple:
        return f"({', '.join(kind_of(part) for part in inner)})"
    if origin is dict:
        return f"{kind_of(inner[1])} by {kind_of(inner[0])}"
    return f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def parts_of(annotation: Any) -> Iterator[type[Record]]:
    """The records within a type."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for part in typing.get_args(annotation):
        yield from parts_of(part)


def records() -> list[type[Record]]:
    """Those of all files, each followed by those within it."""
    found: list[type[Record]] = []

    def add(record: type[Record]) -> None:
        if record not in found:
            found.append(record)
            for field in record.model_fields.values():
                for part in parts_of(field.annotation):
                    add(part)

    for file in FILES:
        add(file.record)
    return found


def note(field: FieldInfo, key: str, otherwise: str) -> str:
    """What a field says of itself under a key, such as its unit."""
    extra = field.json_schema_extra
    return str(extra.get(key, otherwise)) if isinstance(extra, dict) else otherwise


def default_of(field: FieldInfo) -> str:
    """What holds where a field is left out."""
    if field.is_required():
        return "needed"
    value = to_jsonable_python(field.get_default(call_default_factory=True))
    if value is None or value == "":
        return "empty"
    if isinstance(value, dict) and value:
        return "its own defaults"
    return f"`{json.dumps(value)}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines) + "\n"


def _files() -> str:
    """Every file with its format."""
    rows = []
    for file in FILES:
        older = ", ".join(f"`{version}`" for version in OLDER.get(file.format, ()))
        shown = file.record.__name__
        rows.append([
            f"`{file.name}`", f"`{file.format}`" if file.format else "none", older,
            f"{file.row}: [{shown}](#{shown.lower()})", file.by,
        ])  # fmt: skip
    rows += [[f"`{name}`", f"`{form}`", "", row, "`gainsift export`"] for name, form, row, _ in TABLES]
    return _grid(["file", "format", "also reads", "one row is", "written by"], rows)


def _record(record: type[Record]) -> str:
    """The heading, meaning and fields of a record."""
    about = " ".join((record.__doc__ or "").split("\n\n")[0].split())
    rows = []
    for name, field in record.model_fields.items():
        rows.append([
            f"`{field.alias or name}`", kind_of(field.annotation), note(field, "unit", ""), default_of(field),
            note(field, "since", "1"), field.description or "",
        ])  # fmt: skip
    return f"### {record.__name__}\n\n{about}\n\n" + _grid(
        ["field", "type", "unit", "default", "since version", "meaning"], rows
    )


def data_dictionary() -> str:
    """Markdown: the files, then each record, then the tables that are exported."""
    parts = ["## Every file\n", _files(), "## Every record\n"]
    parts += [_record(record) for record in records()]
    parts.append("## Every column of the export\n")
    for name, form, row, columns in TABLES:
        cells = [[f"`{column}`", _ARROW[kind], meaning] for column, (kind, meaning) in columns.items()]
        parts.append(
            f"### {name}\n\nOne row is {row}; format `{form}`.\n\n" + _grid(["column", "type", "meaning"], cells)
        )
    return "\n".join(parts)
