"""The `release` section of study.yaml: what the datasheet of a published bundle says that the data cannot."""

from __future__ import annotations

from pydantic import Field

from gainsift.schemas.record import Record


class Licences(Record):
    """The licence of each part, as an SPDX id or in words. What is empty the datasheet lists as not declared."""

    outputs: str = Field(default="", description="What the model wrote; its licence may say something about that.")
    judgements: str = Field(default="", description="Items and what people said of them, guidelines, taxonomy.")
    words: str = Field(default="", description="Concepts, glosses and senses: those of the word list.")


class ReleaseSpec(Record):
    """All of it optional."""

    authors: list[str] = Field(default_factory=list, description="As they are to be cited.")
    citation: str = Field(default="", description="How the data are to be cited.")
    limits: str = Field(default="", description="What a user of the data should know, beyond what gainsift can tell.")
    licences: Licences = Field(default_factory=Licences, description="One for each part.")
