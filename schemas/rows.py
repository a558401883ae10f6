"""The rows that flow from stage to stage: translations, items, links, assignments, annotations."""

from __future__ import annotations

import unicodedata
from typing import Literal

from pydantic import Field, field_validator

from gainsift.schemas.record import Record, fingerprint
from gainsift.schemas.settings import Prompt


class Translation(Record):
    """One output: checkpoint × setting × language pair × prompt pair × layer, with full identity."""

    row_id: str = Field(description="Hash of the identity fields; the same in every run of the study.")
    checkpoint: str
    step: int = Field(description="Optimiser steps of the checkpoint.")
    tokens: int = Field(description="Tokens seen by the checkpoint; 0 if unknown.")
    setting: str = Field(description="unpatched, tgt, seen, en_en, self or tgt_tgt.")
    prompt: Prompt = Field(description="Which prompt was continued: patched rows continue the target prompt.")
    input_language: str
    output_language: str
    pair_id: str
    layer: int | None = Field(description="First patched layer j, from 0 to L-1; empty for unpatched rows.")
    intended_concept: str = Field(description="Source concept for patched rows and unpatched source prompts.")
    other_concept: str = Field(description="The other concept of the pair.")
    shown_word: str = Field(description="The intended concept's word in the input language.")
    answer: str = Field(description="Decoded text up to the closing quote, exactly as decoded.")
    raw: str = Field(description="All decoded text.")
    closed: bool = Field(description="Whether the closing quote was reached.")
    p_source: float = Field(description="Next-token mass on the source concept's words, output language.")
    p_target: float = Field(description="The same for the target concept.")
    source_mass: list[float] = Field(description="Mass on the source concept's words in each study language.")
    target_mass: list[float] = Field(description="The same for the target concept.")

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
    taxonomy_version: str
    input_language: str
    output_language: str
    intended_concept: str
    other_concept: str
    shown_word: str
    answer: str = Field(description="NFC, outer spaces stripped, case kept.")
    closed: bool
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

    row_id: str
    item_id: str
    trajectory: str = Field(description="pair_id|input|output")
    trajectory_probability: float = Field(gt=0, le=1, description="Inclusion probability of the trajectory.")
    item_probability: float = Field(gt=0, le=1, description="(1 - prod(1 - pi) over the item's trajectories) * audit.")
    drawn: bool = Field(description="Whether this row's trajectory was drawn.")
    audit_probability: float = Field(
        default=1.0, gt=0, le=1, description="Probability that the item, once drawn, is asked about."
    )
    asked: bool = Field(default=True, description="Whether it is: true unless an audit left the item out.")


class AutomaticLabel(Record):
    """What the lexicon alone says of one item of the population, whether or not anybody is asked about it."""

    item_id: str
    label: str | None = Field(description="Category id; empty where the lexicon cannot tell.")


Role = Literal["main", "calibration", "repeat", "control", "adjudication"]
Source = Literal["human", "auto", "simulated", "adjudicated"]
Status = Literal["judged", "skipped", "draft", "empty", "invalid", "withdrawn"]


class Assignment(Record):
    """A task: one item in front of one annotator, once. The whole list is kept in assignments.jsonl.

    Nothing but what tasks.Pages makes of the item, and `prelabel` where it is shown, ever reaches the page.
    Assignments are never forgotten: one that is no longer wanted is retired, so that a judgement of it is known.
    """

    format: Literal["assignment/1"] = "assignment/1"
    uid: str = Field(description="Opaque keyed hash of (item, annotator, round, repeat): tasks.task_uid.")
    item: Item
    annotator: str = Field(description="A pseudonym; the adjudicator for disagreements.")
    round: int = 0
    repeat: int = Field(default=0, description="1 where the same person sees the same item for the second time.")
    role: Role = "main"
    order: float = Field(default=0.0, description="Place in the annotator's list of this language pair, ascending.")
    expected: str | None = Field(default=None, description="The right label of a control item.")
    expected_sense: str | None = None
    prelabel: str | None = Field(default=None, description="The automatic label, where the study uses it on pages.")
    prelabel_sense: str | None = None
    prelabel_shown: bool = Field(default=False, description="False on the bare part.")
    competing: list[tuple[str, str | None]] = Field(
        default_factory=list, description="For adjudication: the (label, sense) that differ, in the order shown."
    )
    retired: bool = False

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

    format: Literal["annotation/2"] = "annotation/2"
    study: str = Field(description="Id of the study that the item belongs to.")
    judgement_id: str = Field(description="Label Studio's annotation unique_id, or our own for other sources.")
    task_uid: str = Field(description="Opaque hash of (item, annotator, round, repeat).")
    item_id: str
    content_key: str
    annotator: str = Field(description="A pseudonym, never a name or an address.")
    round: int = 0
    repeat: int = 0
    role: Role = "main"
    source: Source
    status: Status
    label: str | None = Field(default=None, description="Category id of the taxonomy; empty unless judged.")
    sense: str | None = Field(default=None, description="Sense id or `not_listed`, with label other_sense.")
    sense_text: str = ""
    comment: str = ""
    disagreement: Literal["variation", "error"] | None = Field(
        default=None, description="Adjudicated: was the other reading defensible (variation) or a slip (error)?"
    )
    prelabel: str | None = Field(default=None, description="The automatic label of the task, shown or withheld.")
    prelabel_shown: bool = False
    problems: list[str] = Field(default_factory=list, description="What the checks found, for `invalid` lines.")
    lead_time: float | None = Field(default=None, description="Seconds on the page.")
    created_at: str | None = Field(default=None, description="ISO 8601, as given by the tool.")
    updated_at: str | None = None
    taxonomy_version: str
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
