"""A plan in figures: how much is judged, by whom, in how many hours, and how exact the result will be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations

import pandas as pd

from gainsift.annotation.assignment import idle, readers
from gainsift.annotation.earlier import Earlier
from gainsift.annotation.expected_width import ExpectedWidth, expected_widths
from gainsift.annotation.sampling import Stratum
from gainsift.annotation.selection import uncovered
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import Study

ENOUGH_FOR_KAPPA = 30


@dataclass(frozen=True)
class Load:
    """The work of one annotator: items, how many of them they have judged already, repeats and controls besides.

    `hours` is for everything still to be done.
    """

    annotator: str
    items: int
    done: int
    repeats: int
    controls: int
    hours: float


@dataclass(frozen=True)
class Summary:
    """A plan in figures. A judgement is one annotator's of one item; `by_role` counts repeats and controls too.

    `judgements_without_merging` is what the items' judgements would be if each drawn row were judged by itself.
    `least_shared` is the smallest number of items that two annotators with a common language pair both judge; None
    if there are no two.
    """

    study: str
    taxonomy_version: str
    population_rows: int
    drawn_rows: int
    trajectories: int
    drawn_trajectories: int
    strata: list[Stratum]
    seed: int
    items: int
    items_not_asked: int
    judgements: int
    by_role: dict[str, int]
    judgements_without_merging: int
    saved_by_merging: int
    done: int
    to_do: int
    pace_per_hour: int
    hours: float
    loads: list[Load]
    least_shared: int | None
    widths: list[ExpectedWidth]
    unread_items: int = 0
    earlier: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def summarise(
    study: Study,
    rows: pd.DataFrame,
    strata: list[Stratum],
    foreign: int,
    items: Sequence[Item],
    assignments: Sequence[Assignment],
    judged: Earlier,
) -> Summary:
    """`rows` is the sampled population, `foreign` the number of rows on disk that are none of the study's."""
    spec = study.config.annotation
    tasks = [line for line in assignments if not line.retired and line.role != "adjudication"]
    holders = _holders(items, tasks, judged)
    hidden = [line for line in tasks if line.role in ("repeat", "control")]
    loads = _loads(study, items, holders, hidden, judged)
    by_role = Counter(line.role for line in tasks)
    # judged under an earlier taxonomy: no task of today, but a judgement of the item
    by_role["main"] += sum(map(len, holders.values())) - by_role["main"] - by_role["calibration"]
    drawn = rows[rows["drawn"]]
    asked = drawn[drawn["asked"]]
    of_items = sum(map(len, holders.values()))
    without = sum(len(holders[item]) for item in asked["item_id"])
    done = sum(len(judged.judges.get(item.content_key, ())) for item in items)
    done += sum(line.uid in judged.done for line in hidden)
    least = _least_shared(study, items, holders)
    total = by_role.total()
    return Summary(
        study=study.id,
        taxonomy_version=study.taxonomy.version,
        population_rows=len(rows),
        drawn_rows=len(drawn),
        trajectories=sum(one.trajectories for one in strata),
        drawn_trajectories=sum(one.drawn for one in strata),
        strata=strata,
        seed=spec.rows.seed,
        items=len(items),
        items_not_asked=drawn["item_id"].nunique() - asked["item_id"].nunique(),
        judgements=total,
        by_role=dict(sorted((+by_role).items())),
        judgements_without_merging=without,
        saved_by_merging=without - of_items,
        done=done,
        to_do=total - done,
        pace_per_hour=spec.pace_per_hour,
        hours=(total - done) / spec.pace_per_hour,
        loads=loads,
        least_shared=least[0] if least else None,
        widths=expected_widths(study, rows),
        unread_items=sum(not names for names in holders.values()),
        earlier=judged.counts,
        notes=[
            *uncovered(study, rows),
            *idle(study),
            *_foreign(study, foreign),
            *_readers(study, items),
            *_few(study, hidden, least),
        ],
    )


def _holders(items: Sequence[Item], tasks: Sequence[Assignment], judged: Earlier) -> dict[str, set[str]]:
    """Who has judged each item or has its task."""
    found = {item.item_id: set(judged.judges.get(item.content_key, ())) for item in items}
    for line in tasks:
        if line.role in ("main", "calibration"):
            found[line.item.item_id].add(line.annotator)
    return found


def _loads(
    study: Study,
    items: Sequence[Item],
    holders: Mapping[str, set[str]],
    hidden: Sequence[Assignment],
    judged: Earlier,
) -> list[Load]:
    mine = Counter(name for names in holders.values() for name in names)
    done = Counter(name for item in items for name in judged.judges.get(item.content_key, ()))
    extra = Counter((line.annotator, line.role) for line in hidden)
    open_ = Counter(line.annotator for line in hidden if line.uid not in judged.done)
    loads = []
    for person in study.config.annotation.annotators:
        name = person.name
        left = mine[name] - done[name] + open_[name]
        hours = left / study.config.annotation.pace_per_hour
        loads.append(Load(name, mine[name], done[name], extra[name, "repeat"], extra[name, "control"], hours))
    return loads


def _least_shared(
    study: Study, items: Sequence[Item], holders: Mapping[str, set[str]]
) -> tuple[int, tuple[str, str]] | None:
    """The two annotators with a common language pair who share the fewest items, and how many."""
    able = {pair for names in readers(study, items).values() for pair in combinations(names, 2)}
    shared = Counter(pair for names in holders.values() for pair in combinations(sorted(names), 2))
    return min(((shared[pair], pair) for pair in able), default=None)


def _foreign(study: Study, foreign: int) -> list[str]:
    if not foreign:
        return []
    return [
        f"left out {foreign:,} rows under {study.translations_folder.name}/: their checkpoint or language pair "
        "is not in study.yaml"
    ]


def _readers(study: Study, items: Sequence[Item]) -> list[str]:
    """Language pairs with fewer readers than the overlap asks for."""
    wanted = study.config.annotation.overlap
    by_pair = Counter((item.input_language, item.output_language) for item in items)
    notes = []
    unread = 0
    for pair, names in readers(study, items).items():
        if not names:
            unread += by_pair[pair]
        elif wanted != "all" and len(names) < wanted:
            notes.append(
                f"{by_pair[pair]:,} items {'-'.join(pair)} are judged by {len(names)} instead of {wanted}: "
                "no more annotators read both languages"
            )
    return notes + ([f"{unread} items are in languages that no annotator reads"] if unread else [])


def _few(study: Study, hidden: Sequence[Assignment], least: tuple[int, tuple[str, str]] | None) -> list[str]:
    """What will be too little to measure by."""
    spec = study.config.annotation
    notes = []
    if least and least[0] < ENOUGH_FOR_KAPPA:
        one, two = least[1]
        notes.append(
            f"annotators {one!r} and {two!r} share {least[0]} items: fewer than {ENOUGH_FOR_KAPPA} are too few for a "
            "kappa of the two"
        )
    controls = Counter(line.annotator for line in hidden if line.role == "control")
    notes += [
        f"annotator {name!r} gets {number} control items instead of {spec.controls}: the lexicon has no more"
        for name, number in sorted(controls.items())
        if number < spec.controls
    ]
    return notes
