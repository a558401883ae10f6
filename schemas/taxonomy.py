"""The taxonomy: what an answer can be, in which order to decide, and which row of the split it moves."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from gainsift.schemas.config import problems
from gainsift.schemas.errors import UserError, did_you_mean
from gainsift.schemas.plain_yaml import load_yaml
from gainsift.schemas.record import Record, fingerprint

TAXONOMY_FORMAT = "taxonomy/1"
Kind = Literal["correct", "behaviour", "error", "near", "no_effect", "missing"]
SENSE_LABEL = "other_sense"
NOT_LISTED = "not_listed"


class Category(Record):
    """One label that an annotator can give.

    Kind and bucket are data, not code: the same judgements can be analysed under another reading. The bucket
    is the row of the split that a change between this category and `correct` falls in.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Id in every file and table.")
    label: str = Field(min_length=1, description="What annotators read.")
    hotkey: str = Field(min_length=1, max_length=1, description="Its key, a letter a-z or a digit.")
    kind: Kind = Field(description="What the analysis takes it as.")
    bucket: str | None = Field(default=None, description="Row of the split; none for correct and missing.")
    kind_unpatched: Kind | None = Field(default=None, description="Kind on unpatched rows, where it differs.")
    bucket_unpatched: str | None = Field(default=None, description="Bucket on unpatched rows, where it differs.")
    definition: str = Field(min_length=1, description="When to give it, for annotators.")
    examples: list[str] = Field(
        default_factory=list, description="Examples for annotators; two or more, in several languages."
    )

    def kind_on(self, patched: bool) -> Kind:
        return self.kind if patched or self.kind_unpatched is None else self.kind_unpatched

    def bucket_on(self, patched: bool) -> str | None:
        return self.bucket if patched or self.bucket_unpatched is None else self.bucket_unpatched

    def fingerprint(self) -> str:
        """Changes when the meaning of the label changes; label text, hotkey, kind and bucket do not count."""
        return fingerprint([self.id, self.definition])


class Decision(Record):
    """One step of the decision tree: if the answer to `ask` is yes, the label is one of `labels`."""

    ask: str = Field(description="The question.")
    labels: list[str] = Field(min_length=1, description="Category ids, if the answer is yes.")


class Taxonomy(Record):
    """Categories, buckets by name, and the order in which to decide."""

    format: Literal["taxonomy/1"] = Field(default="taxonomy/1", description="Kind and version of the file.")
    version: str = Field(
        min_length=1, pattern=r"^[A-Za-z0-9._-]+$", description="Version of the categories; items are judged under it."
    )
    title: str = Field(description="Title of the guidelines.")
    buckets: dict[str, str] = Field(description="Bucket id: its name in tables, in the order of the tables.")
    categories: list[Category] = Field(min_length=2, description="What an answer can be.")
    decision: list[Decision] = Field(min_length=1, description="Questions in order; the first yes decides.")

    @field_validator("version", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _consistent(self) -> Taxonomy:
        ids = [category.id for category in self.categories]
        keys = [category.hotkey.casefold() for category in self.categories]
        for name, values in (("id", ids), ("hotkey", keys)):
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise ValueError(f"{name} {sorted(twice)[0]!r} stands twice")
        if not any(category.kind == "correct" for category in self.categories):
            raise ValueError("no category of kind correct")
        for category in self.categories:
            for bucket in (category.bucket, category.bucket_unpatched):
                if bucket is not None and bucket not in self.buckets:
                    raise ValueError(f"{category.id}: unknown bucket {bucket!r}; {did_you_mean(bucket, self.buckets)}")
            if category.bucket is None and category.kind not in ("correct", "missing"):
                raise ValueError(f"{category.id}: kind {category.kind} needs a bucket")
        decided = [label for step in self.decision for label in step.labels]
        for label in decided:
            if label not in ids:
                raise ValueError(f"decision names unknown label {label!r}; {did_you_mean(label, ids)}")
        for label in ids:
            if decided.count(label) != 1:
                raise ValueError(f"label {label!r} must stand exactly once in the decision order")
        return self

    def category(self, label: str) -> Category:
        """The category of an id. Raises KeyError for an unknown one."""
        for category in self.categories:
            if category.id == label:
                return category
        raise KeyError(label)

    @property
    def ids(self) -> list[str]:
        return [category.id for category in self.categories]

    @property
    def missing(self) -> list[Category]:
        """Those that say that the item cannot be judged."""
        return [category for category in self.categories if category.kind == "missing"]


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The taxonomy of a file, or the one that comes with gainsift. Raises UserError with file and key."""
    if path is None:
        data = yaml.safe_load(resources.files("gainsift.schemas").joinpath("taxonomy.yaml").read_text("utf-8"))
        return Taxonomy.model_validate(data)
    data = load_yaml(path, "name a taxonomy, or none for the built-in one")
    if not isinstance(data, dict) or data.get("format") != TAXONOMY_FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise UserError(str(path), f"expected `format: {TAXONOMY_FORMAT}`, found {found!r}", "copy the built-in one")
    try:
        return Taxonomy.model_validate(data)
    except ValidationError as error:
        raise UserError(str(path), problems(error), "mend the file") from None
