"""What an import noticed and did not swallow: each finding names the task, the annotator and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gainsift.schemas.errors import UserError

Kind = Literal[
    "foreign", "unknown_task", "invalid", "no_sense", "no_disagreement", "several", "other_account", "stranger",
    "changed_by_other", "shared_account", "absent",
]  # fmt: skip
REMEDIES: dict[Kind, str] = {
    "foreign": "take it to the study that it was exported from",
    "unknown_task": "restore the study.yaml, taxonomy and assignments.jsonl that the tasks were exported with",
    "invalid": "correct it in Label Studio and bring it home again",
    "no_sense": "it counts; open the task and pick the sense",
    "no_disagreement": "it counts; open the task and say whether the other reading was defensible",
    "several": "the latest counts; delete the others in Label Studio",
    "other_account": "kept as that account's; ask who judged",
    "stranger": "name the account's address in private/annotators.yaml and bring it home again, or delete it",
    "changed_by_other": "kept as the first one's; ask who judged",
    "shared_account": "kept as the tasks'; ask who judged, or name the addresses in private/annotators.yaml",
    "absent": "the judgement stays",
}
"""What to do about each kind."""


@dataclass(frozen=True)
class Finding:
    """One thing to look into. No name or address stands in it; `text` may quote what a server sent, as its repr."""

    kind: Kind
    task: str
    annotator: str
    text: str
    where: str = ""

    @classmethod
    def of(cls, kind: Kind, task: str, annotator: str, problem: str, where: str = "") -> Finding:
        """A finding whose text ends with what to do."""
        return cls(kind, task, annotator, f"{problem}; {REMEDIES[kind]}", where)


class Refused(UserError):
    """A strict import that found something: nothing was written."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        first = findings[0]
        more = f" (and {len(findings) - 1:,} more)" if len(findings) > 1 else ""
        problem = f"nothing was written, for --strict found {first.text}{more}"
        super().__init__(first.where or f"task {first.task}", problem)


def quoted(value: Any, most: int = 60) -> str:
    """A value of a server as its repr, cut: no control or direction character is left in it."""
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return text if len(text) <= most else text[:most] + "…"
