"""The rows that flow from stage to stage: translations, items, links, assignments, annotations."""

from __future__ import annotations

import unicodedata
from typing import Literal

from pydantic import Field, field_validator

from gainsift.schemas.languages import LanguageCode
from gainsift.schemas.record import Record, fingerprint
from gainsift.schemas.settings import Prompt


class Translation(Record):
    """One output: checkpoint × setting × language pair × prompt pair × layer, with full identity."""

    row_id: str = Field(description="Hash of the identity fields; the same in every run of the study.")
    checkpoint: str = Field(description="Its name in study.yaml.")
    step: int = Field(description="Optimiser steps of the checkpoint.", json_schema_extra={"unit": "optimiser steps"})
    tokens: int = Field(
        description="Tokens seen by the checkpoint; 0 if unknown.", json_schema_extra={"unit": "tokens"}
    )
    setting: str = Field(description="unpatched, tgt, seen, en_en, self or tgt_tgt.")
    prompt: Prompt = Field(description="Which prompt was continued: patched rows continue the target prompt.")
    input_language: str = Field(description="Language of the word that is translated.")
    output_language: LanguageCode = Field(description="Language that it is to be translated into.")
    pair_id: str = Field(description="The prompt pair, of prompts.parquet.")
    layer: int | None = Field(
        description="First patched layer j, from 0 to L-1; empty for unpatched rows.",
        json_schema_extra={"unit": "layer"},
    )
    intended_concept: str = Field(description="Source concept for patched rows and unpatched source prompts.")
    other_concept: str = Field(description="The other concept of the pair.")
    shown_word: str = Field(description="The intended concept's word in the input language.")
    answer: str = Field(description="Decoded text up to the closing quote, exactly as decoded.")
    raw: str = Field(description="All decoded text.")
    closed: bool = Field(description="Whether the closing quote was reached.")
    p_source: float = Field(
        description="Next-token mass on the source concept's words, output language.",
        json_schema_extra={"unit": "probability"},
    )
    p_target: float = Field(description="The same for the target concept.", json_schema_extra={"unit": "probability"})
    source_mass: list[float] = Field(
        description="Mass on the source concept's words in each study language.",
        json_schema_extra={"unit": "probability"},
    )
    target_mass: list[float] = Field(
        description="The same for the target concept.", json_schema_extra={"unit": "probability"}
    )

    @staticmethod
    def make_id(
        checkpoint: str, setting: str, prompt: str, given: str, out: str, pair_id: str, layer: int | None
    ) -> str:
        return fingerprint([checkpoint, setting, prompt, given, out, pair_id, layer])


CopiedFrom = Literal["none", "shown", "other", "given"]
"""none; the shown word; the other concept's word; another given form."""


def item_answer(answer: str) -> str:
    """An output's answer as an item holds it: NFC, outer spaces stripped, case kept."""
    return unicodedata.normalize("NFC", answer).strip()


class Item(Record):
    """One distinct thing to judge: what an annotator sees once. Nothing here names model, setting or layer."""

    item_id: str = Field(description="Hash of every field below but the content key.")
    content_key: str = Field(description="The same hash without the taxonomy version.")
    taxonomy_version: str = Field(description="Version of the taxonomy that it is judged by.")
    input_language: LanguageCode = Field(description="Language of the shown word.")
    output_language: LanguageCode = Field(description="Language that it is to be translated into.")
    intended_concept: str = Field(description="Concept that a right answer expresses.")
    other_concept: str = Field(description="The second concept of the page.")
    shown_word: str = Field(description="The intended concept's word in the input language.")
    answer: str = Field(description="NFC, outer spaces stripped, case kept.")
    closed: bool = Field(description="Whether the closing quote was reached.")
    copied_from: CopiedFrom = Field(description="Computed, never shown.")

    @classmethod
    def of(
        cls,
        taxonomy_version: str,
        input_language: str,
        output_language: str,
        intended_concept: str,
        other_concept: str,
        shown_word: str,
        answer: str,
        closed: bool,
        copied_from: CopiedFrom,
    ) -> Item:
        """The item with this key; both hashes are computed."""
        content = [
            input_language,
            output_language,
            intended_concept,
            other_concept,
            shown_word,
            answer,
            closed,
            copied_from,
        ]
        return cls(
            item_id=fingerprint([taxonomy_version, *content]),
            content_key=fingerprint(content),
            taxonomy_version=taxonomy_version,
            input_language=input_language,
            output_language=output_language,
            intended_concept=intended_concept,
            other_concept=other_concept,
            shown_word=shown_word,
            answer=answer,
            closed=closed,
            copied_from=copied_from,
        )


class Link(Record):
    """Joins one output row to the item that judges it, with the probabilities of the draw.

    A trajectory is one prompt pair × language pair over all conditions of the contrasts. Every row of the
    population has a link, drawn or not; an item is judged when any of its trajectories is drawn and the audit, an
    independent draw for each item, does not leave it out.
    """

    row_id: str = Field(description="The output.")
    item_id: str = Field(description="The item that its answer is.")
    trajectory: str = Field(description="pair_id|input|output")
    trajectory_probability: float = Field(
        gt=0, le=1, description="Inclusion probability of the trajectory.", json_schema_extra={"unit": "probability"}
    )
    item_probability: float = Field(
        gt=0,
        le=1,
        description="(1 - prod(1 - pi) over the item's trajectories) * audit.",
        json_schema_extra={"unit": "probability"},
    )
    drawn: bool = Field(description="Whether this row's trajectory was drawn.")
    audit_probability: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Probability that the item, once drawn, is asked about.",
        json_schema_extra={"unit": "probability", "since": 2},
    )
    asked: bool = Field(
        default=True,
        description="Whether it is: true unless an audit left the item out.",
        json_schema_extra={"since": 2},
    )


class AutomaticLabel(Record):
    """What the lexicon alone says of one item of the population, whether or not anybody is asked about it."""

    item_id: str = Field(description="The item, of links.parquet.")
    label: str | None = Field(description="Category id; empty where the lexicon cannot tell.")


Role = Literal["main", "calibration", "repeat", "control", "adjudication"]
Source = Literal["human", "auto", "simulated", "adjudicated"]
Status = Literal["judged", "skipped", "draft", "empty", "invalid", "withdrawn"]


class Assignment(Record):
    """A task: one item in front of one annotator, once. The whole list is kept in assignments.jsonl.

    Nothing but what tasks.Pages makes of the item, and `prelabel` where it is shown, ever reaches the page.
    Assignments are never forgotten: one that is no longer wanted is retired, so that a judgement of it is known.
    """

    format: Literal["assignment/1"] = Field(default="assignment/1", description="Kind and version of the line.")
    uid: str = Field(description="Opaque keyed hash of (item, annotator, round, repeat): tasks.task_uid.")
    item: Item = Field(description="What is judged, whole.")
    annotator: str = Field(description="A pseudonym; the adjudicator for disagreements.")
    round: int = Field(default=0, description="Round of annotation, from 0.")
    repeat: int = Field(default=0, description="1 where the same person sees the same item for the second time.")
    role: Role = Field(default="main", description="What the task is for; the page does not tell.")
    order: float = Field(default=0.0, description="Place in the annotator's list of this language pair, ascending.")
    expected: str | None = Field(default=None, description="The right label of a control item.")
    expected_sense: str | None = Field(default=None, description="With it, the sense.")
    prelabel: str | None = Field(default=None, description="The automatic label, where the study uses it on pages.")
    prelabel_sense: str | None = Field(default=None, description="With it, the sense.")
    prelabel_shown: bool = Field(default=False, description="False on the bare part.")
    competing: list[tuple[str, str | None]] = Field(
        default_factory=list, description="For adjudication: the (label, sense) that differ, in the order shown."
    )
    retired: bool = Field(default=False, description="No longer wanted; kept so that a judgement of it is known.")

    @property
    def batch(self) -> str:
        """The language pair, `en-de`: each annotator has one project for each."""
        return f"{self.item.input_language}-{self.item.output_language}"


class Annotation(Record):
    """One line of annotations.jsonl: a judgement, or the news that a task was skipped or left empty.

    Lines are appended, never rewritten. A later line with the same `judgement_id` supersedes the earlier one;
    status `withdrawn` takes it back, `invalid` keeps what did not pass the checks. Only `judged` lines enter the
    analysis, and those of controls do not.
    """

    format: Literal["annotation/2"] = Field(default="annotation/2", description="Kind and version of the line.")
    study: str = Field(description="Id of the study that the item belongs to.")
    judgement_id: str = Field(description="Label Studio's annotation unique_id, or our own for other sources.")
    task_uid: str = Field(description="Opaque hash of (item, annotator, round, repeat).")
    item_id: str = Field(description="The item that was judged.")
    content_key: str = Field(description="The same without the taxonomy version.")
    annotator: str = Field(description="A pseudonym, never a name or an address.")
    round: int = Field(default=0, description="Round of annotation, from 0.")
    repeat: int = Field(default=0, description="1 where the person saw the item for the second time.")
    role: Role = Field(default="main", description="What the task was for.", json_schema_extra={"since": 2})
    source: Source = Field(description="Who gave it: a person, the machine, a simulation, or the lead.")
    status: Status = Field(description="What became of the task; only `judged` counts.")
    label: str | None = Field(default=None, description="Category id of the taxonomy; empty unless judged.")
    sense: str | None = Field(default=None, description="Sense id or `not_listed`, with label other_sense.")
    sense_text: str = Field(default="", description="In the annotator's words, with `not_listed`.")
    comment: str = Field(default="", description="What the annotator wrote.")
    disagreement: Literal["variation", "error"] | None = Field(
        default=None,
        description="Adjudicated: was the other reading defensible (variation) or a slip (error)?",
        json_schema_extra={"since": 2},
    )
    prelabel: str | None = Field(
        default=None, description="The automatic label of the task, shown or withheld.", json_schema_extra={"since": 2}
    )
    prelabel_shown: bool = Field(
        default=False, description="Whether the annotator saw the automatic label.", json_schema_extra={"since": 2}
    )
    problems: list[str] = Field(
        default_factory=list, description="What the checks found, for `invalid` lines.", json_schema_extra={"since": 2}
    )
    lead_time: float | None = Field(
        default=None, description="Seconds on the page.", json_schema_extra={"unit": "seconds"}
    )
    created_at: str | None = Field(
        default=None, description="ISO 8601, as given by the tool.", json_schema_extra={"unit": "ISO 8601"}
    )
    updated_at: str | None = Field(
        default=None, description="The same of the last change.", json_schema_extra={"unit": "ISO 8601"}
    )
    taxonomy_version: str = Field(description="Version of the taxonomy on the page.")
    label_fingerprint: str | None = Field(default=None, description="Of the category's definition when judged.")
    concept_fingerprints: list[str] = Field(
        default_factory=list, description="Of the intended and the other concept when judged."
    )
    result_hash: str = Field(description="Hash of the result, so that a changed judgement is noticed.")
    item: Item = Field(description="The item as it was shown.")

    @field_validator("format", mode="before")
    @classmethod
    def _older(cls, found: object) -> object:
        """A line of version 1 has every field of this one at its default."""
        return "annotation/2" if found == "annotation/1" else found
