"""What was submitted on a page: its fields, read one by one and checked, for the tool checks almost nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from gainsift.annotation.findings import quoted
from gainsift.annotation.label_config import COMMENT, LABEL, SENSE, SENSE_TEXT
from gainsift.schemas.errors import did_you_mean
from gainsift.schemas.taxonomy import NOT_LISTED, SENSE_LABEL, Taxonomy

Disagreement = Literal["variation", "error"]
DISAGREEMENT = "disagreement"
DISAGREEMENTS: tuple[Disagreement, ...] = ("variation", "error")
"""Asked of adjudicated items: was the other reading defensible, or a slip?"""


@dataclass(frozen=True)
class Submission:
    """The fields as submitted; `problems` says what is wrong with them. Values with a problem are left out."""

    label: str | None = None
    sense: str | None = None
    sense_text: str = ""
    comment: str = ""
    disagreement: Disagreement | None = None
    problems: list[str] = field(default_factory=list)


def read_submission(parts: Any, taxonomy: Taxonomy, senses: Collection[str], adjudication: bool) -> Submission:
    """Read the result of an annotation. `senses`: the ids that this page offered, without `not_listed`."""
    if not isinstance(parts, list):
        return Submission(problems=["its result is no list"])
    choices = (LABEL, SENSE, DISAGREEMENT) if adjudication else (LABEL, SENSE)
    found: dict[str, str] = {}
    problems = []
    for part in parts:
        name = str(part.get("from_name")) if isinstance(part, dict) else ""
        if name not in (*choices, SENSE_TEXT, COMMENT):
            problems.append(f"unknown field {quoted(name)}")
            continue
        value, fault = _value(name, part.get("value"), "choices" if name in choices else "text")
        if fault is None and found.get(name, value) != value:
            fault = f"{name} is given twice"
        if fault:
            problems.append(fault)
        else:
            found[name] = value
    label, sense, verdict = found.get(LABEL), found.get(SENSE), found.get(DISAGREEMENT)
    if label is not None and label not in taxonomy.ids:
        problems.append(f"label {quoted(label)} is not in taxonomy {taxonomy.version}; " + _near(label, taxonomy.ids))
        label = None
    if label != SENSE_LABEL:
        sense = None  # the page drops the choice of a part that was closed again; an export might not
    if sense is not None and sense not in (*senses, NOT_LISTED):
        problems.append(f"sense {quoted(sense)} was no choice of this item; " + _near(sense, [*senses, NOT_LISTED]))
        sense = None
    if verdict is not None and verdict not in DISAGREEMENTS:
        problems.append(f"{DISAGREEMENT} {quoted(verdict)} is none of {', '.join(DISAGREEMENTS)}")
        verdict = None
    return Submission(label, sense, found.get(SENSE_TEXT, ""), found.get(COMMENT, ""), verdict, problems)


def _value(name: str, value: Any, key: str) -> tuple[str, str | None]:
    """The one choice, or the text (a text field may hold several lines); and what is wrong with it."""
    parts = value.get(key) if isinstance(value, dict) else None
    if isinstance(parts, str):
        parts = [parts]
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return "", f"{name} has no {key}"
    if key == "choices" and len(parts) != 1:
        return "", f"{name} has {len(parts)} choices instead of one"
    return "\n".join(parts), None


def _near(word: str, known: Collection[str]) -> str:
    return did_you_mean(word[:60], known)
