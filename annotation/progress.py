"""How far a study's judging has come: by annotator and role, with pace and reliability, and early warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from gainsift.annotation.current import Votes, current_judgements, reading, settled
from gainsift.annotation.early_warnings import Alarm, alarms
from gainsift.annotation.label_studio_json import moment
from gainsift.annotation.reliability import (
    Agreement,
    Share,
    controls,
    disputed,
    of_pairs,
    with_oneself,
    with_others,
)
from gainsift.schemas.rows import Annotation, Assignment, Role, Source
from gainsift.schemas.study import Study
from gainsift.schemas.validity import Validities

BREAK = 600.0
"""Seconds between two judgements from which on they are a break and no work."""
ROLES: tuple[Role, ...] = ("calibration", "main", "repeat", "control", "adjudication")


@dataclass(frozen=True)
class Work:
    """Tasks by what has become of them. `left`: neither judged nor skipped; drafts and invalid answers among them."""

    tasks: int = 0
    done: int = 0
    skipped: int = 0
    drafts: int = 0
    invalid: int = 0

    @property
    def left(self) -> int:
        return self.tasks - self.done - self.skipped

    def __add__(self, other: Work) -> Work:
        return Work(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


@dataclass(frozen=True)
class Person:
    """One annotator. Times in seconds, pace in judgements an hour.

    `pace_on_page` is an hour over the median time on a page; `pace_by_clock` counts from one judgement to the next,
    breaks left out. `invalid` are lines that did not pass the checks.
    """

    name: str
    work: dict[Role, Work]
    judgements: int
    seconds: float | None
    timed: int
    pace_on_page: float | None
    pace_by_clock: float | None
    controls: Share
    repeats: Share
    agreement: Agreement
    calibration: Agreement
    disputed: int
    invalid: int

    @property
    def total(self) -> Work:
        return sum(self.work.values(), Work())


@dataclass(frozen=True)
class Status:
    """The whole study. `pairs` and `calibration_pairs`: every two annotators with items in common.

    `compared` items were judged by two or more, `differ` of them in label or sense, `settled` of these by the lead.
    """

    people: list[Person]
    lead: Work
    pairs: dict[tuple[str, str], Agreement]
    calibration_pairs: dict[tuple[str, str], Agreement]
    compared: int
    differ: int
    settled: int
    problems: dict[str, int]
    alarms: list[Alarm]
    simulated: bool = False
    by_role: dict[Role, Work] = field(default_factory=dict)

    @property
    def total(self) -> Work:
        """All tasks of annotators."""
        return sum((person.total for person in self.people), Work())


def status(study: Study) -> Status:
    """The status of a study. Agreement is that on items which are still asked about.

    Simulated judgements are looked at only where no person has judged, and said to be so.
    """
    lines = [line for line in study.annotations() if line.study == study.id]
    people = any(line.source in ("human", "adjudicated") for line in lines)
    source: Source = "human" if people or not any(line.source == "simulated" for line in lines) else "simulated"
    validity = Validities(study.taxonomy, study.concepts)
    assignments = {line.uid: line for line in study.assignments()}
    asked = [line for line in assignments.values() if not line.retired]
    states = _states([line for line in lines if line.source in (source, "adjudicated")], validity)
    planned = {line.item.content_key for line in asked}
    votes = {key: found for key, found in current_judgements(study, lines, source).items() if key in planned}
    own = _by_annotator(
        line for line in lines if line.source == source and line.status == "judged" and _holds(line, validity)
    )
    names = [person.name for person in study.config.annotation.annotators]
    names += sorted({line.annotator for line in asked if line.role != "adjudication"} | own.keys() - {*names})
    invalid = Counter(line.annotator for line in lines if line.status == "invalid")
    found = [
        _person(name, asked, states, own.get(name, []), assignments, votes, invalid[name])
        for name in dict.fromkeys(names)
    ]
    decided = settled(study, lines)
    shared = {key: of_item for key, of_item in votes.items() if len(of_item) > 1}
    differ = {key for key, of_item in shared.items() if len({reading(line) for line in of_item.values()}) > 1}
    roles = [role for role in ROLES if any(role in person.work for person in found)]
    return Status(
        people=found,
        lead=_work((line for line in asked if line.role == "adjudication"), states),
        pairs=of_pairs(votes, own, "main"),
        calibration_pairs=of_pairs(votes, own, "calibration"),
        compared=len(shared),
        differ=len(differ),
        settled=len(differ & decided),
        problems=dict(
            Counter(text for line in lines if line.status == "invalid" for text in line.problems).most_common()
        ),
        alarms=alarms({name: own.get(name, []) for name in dict.fromkeys(names)}, votes, assignments),
        simulated=source == "simulated",
        by_role={role: sum((person.work.get(role, Work()) for person in found), Work()) for role in roles},
    )


def _holds(line: Annotation, validity: Validities) -> bool:
    return validity(line) == "valid"


def _by_annotator(lines: Iterable[Annotation]) -> dict[str, list[Annotation]]:
    found: dict[str, list[Annotation]] = {}
    for line in lines:
        found.setdefault(line.annotator, []).append(line)
    return found


def _states(lines: Iterable[Annotation], validity: Validities) -> dict[str, str]:
    """What has become of each task, by uid: the furthest of its lines."""
    furthest = ("draft", "invalid", "skipped", "judged")
    states: dict[str, str] = {}
    for line in lines:
        state = line.status
        if state not in furthest or (state == "judged" and not _holds(line, validity)):
            continue
        states[line.task_uid] = max(states.get(line.task_uid, "draft"), state, key=furthest.index)
    return states


def _work(tasks: Iterable[Assignment], states: Mapping[str, str]) -> Work:
    found = Counter(states.get(task.uid, "open") for task in tasks)
    return Work(found.total(), found["judged"], found["skipped"], found["draft"], found["invalid"])


def _person(
    name: str,
    asked: Sequence[Assignment],
    states: Mapping[str, str],
    lines: list[Annotation],
    assignments: Mapping[str, Assignment],
    votes: Votes,
    invalid: int,
) -> Person:
    mine = [task for task in asked if task.annotator == name and task.role != "adjudication"]
    times = [line.lead_time for line in lines if line.lead_time is not None]
    seconds = median(times) if times else None
    return Person(
        name=name,
        work={role: _work((task for task in mine if task.role == role), states)
              for role in ROLES if any(task.role == role for task in mine)},
        judgements=len(lines),
        seconds=seconds,
        timed=len(times),
        pace_on_page=3600 / seconds if seconds else None,
        pace_by_clock=pace_by_clock(lines),
        controls=controls(lines, assignments),
        repeats=with_oneself(lines),
        agreement=with_others(votes, name, "main"),
        calibration=with_others(votes, name, "calibration"),
        disputed=disputed(votes, name),
        invalid=invalid,
    )  # fmt: skip


def pace_by_clock(lines: Iterable[Annotation]) -> float | None:
    """Judgements an hour, from the times at which they were made; a pause of BREAK seconds or more is none of it."""
    times = sorted(time for line in lines if (time := moment(line.created_at)))
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    work = [gap for gap in gaps if gap < BREAK]
    return 3600 * len(work) / sum(work) if sum(work) else None


def as_dict(found: Status) -> dict[str, Any]:
    """Plain data for --json: as Status, with what is worked out (left, percent) written out."""
    people = [
        {
            **asdict(person),
            "total": _plain(person.total),
            "work": {role: _plain(work) for role, work in person.work.items()},
            "controls": asdict(person.controls) | {"percent": person.controls.percent},
            "repeats": asdict(person.repeats) | {"percent": person.repeats.percent},
        }
        for person in found.people
    ]
    pairs = {
        name: [{"a": a, "b": b, **asdict(one)} for (a, b), one in getattr(found, name).items()]
        for name in ("pairs", "calibration_pairs")
    }
    return {
        "simulated": found.simulated,
        "total": _plain(found.total),
        "by_role": {role: _plain(work) for role, work in found.by_role.items()},
        "lead": _plain(found.lead),
        "compared": found.compared,
        "differ": found.differ,
        "settled": found.settled,
        "alarms": [asdict(alarm) for alarm in found.alarms],
        "problems": found.problems,
        "people": people,
        **pairs,
    }


def _plain(work: Work) -> dict[str, int]:
    return {**asdict(work), "left": work.left}
