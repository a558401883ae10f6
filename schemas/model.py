"""The section `model` of study.yaml: checkpoints in training order, as a list or as a series that is resolved once."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from gainsift.schemas.record import Record

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Repo = Annotated[str, Field(pattern=r"^([A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?)?$")]
"""`owner/name` on the hub; empty where a local folder is meant."""
Commit = Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]
StoredDtype = Literal["float32", "bfloat16", "float16"]
GROUPS = {"step", "tokens", "phase"}


class _Place(Record):
    """A local folder (relative to the study, or absolute), or a revision of a hub repository."""

    path: str = Field(default="", description="A local folder, relative to the study or absolute.")
    repo: Repo = Field(default="", description="Hub repository, owner/name.")
    revision: str = Field(default="", description="Branch, tag or commit on the hub; default main.")
    commit: Commit = Field(default="", description="What the revision was when the study fixed it.")

    @model_validator(mode="after")
    def _one_place(self) -> _Place:
        if bool(self.path) == bool(self.repo):
            raise ValueError("needs either path (a local folder) or repo (a hub repository)")
        if self.path and (self.revision or self.commit):
            raise ValueError("revision and commit belong to a repo, not to a path")
        return self

    def asked_revision(self) -> str:
        return self.revision or "main"


class TokenizerSpec(_Place):
    """Where a tokenizer lies that is not beside the weights."""


class CheckpointSpec(_Place):
    """One checkpoint: a local model folder, or a revision of a hub repository."""

    name: str = Field(min_length=1, pattern=NAME, description="Name in every file, table and figure.")
    gguf_file: str | None = Field(default=None, description="File in the folder, for models that come as GGUF.")
    tokenizer: TokenizerSpec | None = Field(default=None, description="If it is not beside the weights.")
    step: int = Field(
        default=0, description="Optimiser steps; 0 if unknown.", json_schema_extra={"unit": "optimiser steps"}
    )
    tokens: int = Field(default=0, description="Tokens seen; 0 if unknown.", json_schema_extra={"unit": "tokens"})
    dtype: StoredDtype | None = Field(default=None, description="Precision of the stored weights, where it is known.")


class FamilySpec(Record):
    """How the checkpoints of one family of models are named. The pattern must match a whole name.

    A name is a revision on the hub, or a folder's path below the series' folder. The group `step` is needed; `tokens`
    counts in `tokens_unit`; `phase` is one of `phases`, which follow each other in that order, their steps anew.
    """

    name: str = Field(min_length=1, pattern=NAME, description="Name of the row.")
    pattern: str = Field(description="Regular expression with the groups step, tokens and phase.")
    example: str = Field(default="", description="A name that the pattern matches.")
    phases: list[str] = Field(default_factory=list, description="Phases in order; steps begin anew in each.")
    tokens_unit: int = Field(
        default=10**9, gt=0, description="What the group tokens counts in.", json_schema_extra={"unit": "tokens"}
    )
    tokens_per_step: int = Field(
        default=0, ge=0, description="Where the name says no tokens; 0: unknown.", json_schema_extra={"unit": "tokens"}
    )
    tokenizer: str = Field(
        default="", description="repo, repo@revision or main, for checkpoints that come without a tokenizer."
    )
    schedule: str = Field(default="all", description="What the policy `published` takes.")
    repos: str = Field(default="", description="Pattern of repositories; only these are recognised as this family.")

    @field_validator("pattern", "repos")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from None
        return pattern

    @model_validator(mode="after")
    def _groups(self) -> FamilySpec:
        found = set(re.compile(self.pattern).groupindex)
        if "step" not in found or found - GROUPS:
            raise ValueError("pattern needs the group (?P<step>...), and knows (?P<tokens>...) and (?P<phase>...)")
        if ("phase" in found) != bool(self.phases):
            raise ValueError("the group phase and the list phases go together")
        if self.example and not re.fullmatch(self.pattern, self.example):
            raise ValueError(f"pattern does not match the example {self.example!r}")
        return self


class SeriesSpec(Record):
    """A whole series of checkpoints by one name. It is resolved once, into checkpoints.json of the study."""

    repo: Repo = Field(default="", description="Hub repository, owner/name, whose revisions are the checkpoints.")
    folder: str = Field(default="", description="Folder of model folders, relative to the study or absolute.")
    family: str | None = Field(
        default=None, description="A row of the table that `gainsift checkpoints` prints; default: by name."
    )
    policy: str | list[str | int] = Field(
        default="published", description="Which checkpoints; a list holds names or steps."
    )
    tokenizer: TokenizerSpec | None = Field(default=None, description="If it is not beside the weights.")

    @model_validator(mode="after")
    def _one_place(self) -> SeriesSpec:
        if bool(self.repo) == bool(self.folder):
            raise ValueError("needs either repo (a hub repository) or folder (a folder of model folders)")
        return self

    @property
    def where(self) -> str:
        return self.repo or self.folder


class ModelSpec(Record):
    """The checkpoints in training order, and how they are brought here."""

    name: str = Field(description="How tables and figures call the model.")
    checkpoints: list[CheckpointSpec] = Field(default_factory=list, description="In training order.")
    series: SeriesSpec | None = Field(default=None, description="Instead of checkpoints.")
    families: list[FamilySpec] = Field(default_factory=list, description="Your own rows of the table of families.")
    evict: bool = Field(default=False, description="Delete what was downloaded from the cache after use.")
    trust_remote_code: bool = Field(default=False, description="Run Python code that comes with the model.")

    @model_validator(mode="after")
    def _distinct(self) -> ModelSpec:
        if not self.checkpoints and self.series is None:
            raise ValueError("needs checkpoints (a list) or series")
        names = [checkpoint.name for checkpoint in self.checkpoints]
        if len(set(names)) < len(names):
            raise ValueError("checkpoint names must differ")
        return self
