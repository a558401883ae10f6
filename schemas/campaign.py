"""The `annotation` section of study.yaml: which outputs people judge, who they are, and how the work is shared out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from gainsift.schemas.languages import LanguageCode
from gainsift.schemas.record import Positive, Record
from gainsift.schemas.settings import UNPATCHED, LanguagePair, Prompt

ADJUDICATOR = "lead"
"""Who settles disagreements: the lead's own account. No annotator may bear this name."""

Stratum = Literal["outcome", "language_pair"]


class Rows(Record):
    """Which outputs are judged. Empty lists mean all; controls are left out unless asked for."""

    checkpoints: list[str] = Field(default_factory=list, description="Names, `first` or `last`.")
    settings: list[str] = Field(default_factory=lambda: [UNPATCHED], description="Which settings are judged.")
    prompts: list[Prompt] = Field(default=["source"], description="For unpatched rows.")
    layers: list[int] = Field(
        default_factory=list, description="For patched rows.", json_schema_extra={"unit": "layer"}
    )
    language_pairs: list[LanguagePair] = Field(default_factory=list, description="Input, output; empty: all.")
    trajectories: Positive | None = Field(
        default=None, description="Draw this many trajectories (prompt pair × language pair) at random."
    )
    strata: list[Stratum] = Field(
        default_factory=list,
        description="Share the draw out evenly over strata of trajectories: `outcome` is whether automatic success "
        "is always right, never right, or changes over the trajectory's rows.",
    )
    seed: int = Field(default=42, description="Seed of the draw.")


class Annotator(Record):
    """A pseudonym and the languages that its person reads."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=20, description="Pseudonym: all that files and reports show."
    )
    languages: list[LanguageCode] = Field(default_factory=list, description="Empty: all.")


class AnnotationSpec(Record):
    """Which outputs people judge, who they are, and how the work is shared out."""

    rows: Rows = Field(default_factory=Rows, description="Which outputs are judged.")
    annotators: list[Annotator] = Field(
        default_factory=lambda: [Annotator(name="a1"), Annotator(name="a2")], description="Who judges."
    )
    overlap: Positive | Literal["all"] = Field(
        default="all", description="How many annotators judge each item, of those who read both its languages."
    )
    round: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Raise it to ask everything anew; judgements of a later round supersede earlier ones."
    )
    calibration: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Items of each language pair that everybody who reads it labels first."
    )
    repeats: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.0,
        description="Share of an annotator's items that come a second time, unmarked.",
        json_schema_extra={"unit": "share"},
    )
    controls: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Made-up items with a known answer for each annotator, unmarked."
    )
    prelabels: Literal["off", "shown", "accept_reference"] = Field(
        default="off",
        description="shown: the automatic label is filled in on a random part of the pages. accept_reference: answers "
        "that equal the reference are not asked about, except for an audit sample.",
    )
    audit: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.2,
        description="The part that stays bare (shown), or that is asked about (accept_reference).",
        json_schema_extra={"unit": "share"},
    )
    pace_per_hour: Positive = Field(
        default=300,
        description="Judgements that one person makes in an hour.",
        json_schema_extra={"unit": "judgements an hour"},
    )
    seed: int = Field(default=42, description="Seed of assignment and order.")

    @field_validator("annotators")
    @classmethod
    def _distinct(cls, annotators: list[Annotator]) -> list[Annotator]:
        names = [annotator.name.casefold() for annotator in annotators]
        if len(set(names)) < len(names):
            raise ValueError("annotator names must differ, in more than case")
        if ADJUDICATOR in names:
            raise ValueError(f"no annotator may be called {ADJUDICATOR!r}: it is who settles disagreements")
        return annotators
