"""What became of one fault: how the command ended, whether it said what to do, and what is wrong, in words."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from fault_checks import Harm
from fault_commands import Ended

KILLED, REFUSED, WENT_ON, MISSED = "killed", "refused", "went on", "missed"
PLACE = re.compile(r"\S*/?faults-\w+/")
"""The folder in which it all happens, of no interest."""
DONE_BEFORE = ("already", "a lock stays")
"""What a command has made once it may refuse to make again, in these words."""


@dataclass(frozen=True)
class Outcome:
    """One fault. `how`: in words; `ended`: killed, refused, went on, or missed (it had ended before the fault).
    `message`: its last line. `finding`: what must not be; empty where nothing is wrong."""

    stage: str
    kind: str
    number: int
    how: str
    ended: str
    message: str
    lost: int
    doubled: int
    finding: str


def outcome(
    name: tuple[str, str, int], how: str, ended: Sequence[Ended], again: Sequence[Ended], after: Harm, at_last: Harm
) -> Outcome:
    """`name`: stage, kind, number. `ended`: of the commands that met the fault; `again`: of those that ran after it,
    undisturbed; `after`, `at_last`: what was harmed right after it, and in the end."""
    findings = [wrong_end(one) for one in ended if one.status != -signal.SIGKILL]
    failed = [one for one in again if one.status and (at_last or not any(said in one.err for said in DONE_BEFORE))]
    findings += [f"undisturbed afterwards: status {one.status}, {last_line(one.err)}" for one in failed]
    findings += [f"{when}: {harm.told()}" for when, harm in (("after it", after), ("in the end", at_last)) if harm]
    told = next((one for one in ended if one.status), ended[0])
    way = KILLED if told.status < 0 else REFUSED if told.status else WENT_ON
    return Outcome(
        *name, how, way, PLACE.sub("", last_line(told.err)) if told.status else "", max(after.lost, at_last.lost),
        max(after.doubled, at_last.doubled), "; ".join(one for one in findings if one),
    )  # fmt: skip


def wrong_end(ended: Ended) -> str:
    """What is wrong with the end of a command that was not killed: it must succeed, or refuse in one line."""
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    if ended.status == 0:
        return ""
    if ended.status not in (1, 2):
        return f"status {ended.status}: {last_line(ended.err)}"
    if "Traceback" in ended.err or len(lines) != 1 or lines[0] != last_line(ended.err):
        return f"no one line: {ended.err[-300:]!r}"
    if "defect of gainsift" in lines[0] or "; " not in lines[0]:
        return f"does not say what to do: {lines[0]}"
    return ""


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
