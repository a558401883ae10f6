"""Who judges what: every item in front of as many annotators as the study asks for, in an order of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gainsift.annotation.balance import Balance, Pick
from gainsift.annotation.earlier import Earlier
from gainsift.annotation.hidden_tasks import filled_in, with_hidden
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import prelabel
from gainsift.annotation.sampling import luck
from gainsift.annotation.tasks import task_uid
from gainsift.schemas.campaign import Annotator
from gainsift.schemas.files import write_jsonl
from gainsift.schemas.rows import Assignment, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, Study

Place = tuple[str, str]
"""(item id, annotator): a first look at an item in this round."""


def reads(annotator: Annotator, given: str, out: str) -> bool:
    """Whether the annotator reads both languages of an item; no languages listed means all."""
    return not annotator.languages or {given, out} <= set(annotator.languages)


def idle(study: Study) -> list[str]:
    """A note for each annotator who reads no language pair of the study, and so gets no task."""
    pairs = study.config.language_pairs
    listed = ", ".join(f"{given}-{out}" for given, out in pairs)
    return [
        f"annotator {person.name!r} (languages: {', '.join(person.languages)}) reads no language pair of the study "
        f"({listed}) and gets no task: mend annotation.annotators"
        for person in study.config.annotation.annotators
        if not any(reads(person, given, out) for given, out in pairs)
    ]


def readers(study: Study, items: Iterable[Item]) -> dict[tuple[str, str], list[str]]:
    """Who reads each language pair of the items, sorted by name."""
    people = study.config.annotation.annotators
    return {
        pair: sorted(person.name for person in people if reads(person, *pair))
        for pair in sorted({(item.input_language, item.output_language) for item in items})
    }


def place(seed: int, annotator: str, item_id: str) -> float:
    """Where an item stands in an annotator's list: a number in [0, 1) that does not depend on other items."""
    return luck(seed, f"order|{annotator}|{item_id}")


def assign(
    study: Study,
    items: Sequence[Item],
    earlier: Sequence[Assignment],
    judged: Earlier | None = None,
    population: Iterable[Item] | None = None,
) -> list[Assignment]:
    """Every task that was ever given out, and the new ones. `population` are the items of all outputs, drawn or not.

    What stands in `earlier` keeps its order, role and form. A task is retired when its item is no longer in the plan,
    its annotator has left or no longer reads its languages, or its round is over; one that is wanted again is revived.
    Adjudications are not touched. Nothing depends on the order of items or annotators.
    """
    judged = judged or Earlier()
    current = [line for line in earlier if line.role != "adjudication" and line.round == study.config.annotation.round]
    looks = _first_looks(study, items, current, judged)
    wanted = {
        line.uid: line
        for line in with_hidden(study, looks, current, judged.done, list(items if population is None else population))
    }
    kept = [
        line if line.role == "adjudication" else wanted.pop(line.uid, line.model_copy(update={"retired": True}))
        for line in earlier
    ]
    return kept + sorted(wanted.values(), key=lambda line: (line.annotator, line.batch, line.order, line.uid))


def _first_looks(
    study: Study, items: Sequence[Item], current: Sequence[Assignment], judged: Earlier
) -> list[Assignment]:
    """The main and calibration tasks of the plan: earlier ones as they are, new ones where judgements are missing."""
    spec = study.config.annotation
    known: dict[Place, Assignment] = {
        (line.item.item_id, line.annotator): line for line in current if line.role in ("main", "calibration")
    }
    first = _calibration(study, items, known, judged)
    lexicon = Lexicon(study.concepts.values()) if spec.prelabels == "shown" else None
    study_id, found = study.id, []
    for item, names in _shared_out(study, items, known, judged, first):
        for name in names:
            line = known.get((item.item_id, name))
            if line is None:
                line = _new(study, study_id, item, name, item.item_id in first, lexicon)
            found.append(line.model_copy(update={"retired": False}) if line.retired else line)
    return found


def _shared_out(
    study: Study,
    items: Sequence[Item],
    known: Mapping[Place, Assignment],
    judged: Earlier,
    calibration: set[str],
) -> list[tuple[Item, list[str]]]:
    """For each item the annotators who have its task or get it.

    Judgements made already count towards the overlap, whoever made them. Tasks given out earlier come next; where
    there are more of them than are needed, those who hold least keep theirs. New ones go to whoever holds least,
    items that few can read first.
    """
    spec = study.config.annotation
    by_pair = readers(study, items)
    balance = Balance()
    order = sorted(
        items,
        key=lambda item: (
            len(by_pair[item.input_language, item.output_language]),
            luck(spec.seed, f"share|{item.content_key}"),
            item.content_key,
        ),
    )
    holders = [sorted(judged.judges.get(item.content_key, ())) for item in order]
    for have in holders:
        for number, name in enumerate(have):
            balance.give(name, have[:number])

    def missing(item: Item, have: Sequence[str]) -> int:
        everybody = spec.overlap == "all" or item.item_id in calibration
        return len(spec.annotators) if everybody else max(0, int(spec.overlap) - len(have))

    def free(item: Item, have: Sequence[str]) -> list[str]:
        return [name for name in by_pair[item.input_language, item.output_language] if name not in have]

    for item, have in zip(order, holders, strict=True):
        there = [name for name in free(item, have) if (line := known.get((item.item_id, name))) and not line.retired]
        have += balance.pick(there, missing(item, have), have, _tie(spec.seed, item))
    picks = []
    for item, have in zip(order, holders, strict=True):
        rest = free(item, have)
        picks.append(Pick(have, balance.pick(rest, missing(item, have), have, _tie(spec.seed, item)), rest))
    balance.even_out(picks)
    found = []
    for item, pick in zip(order, picks, strict=True):
        able = by_pair[item.input_language, item.output_language]
        # who has judged the item keeps its task; under an earlier taxonomy it was another item's, none of today
        there = [name for name in pick.holders if name in able and (item.item_id, name) in known]
        found.append((item, there + pick.chosen))
    return found


def _tie(seed: int, item: Item) -> Callable[[str], float]:
    return lambda name: luck(seed, f"share|{name}|{item.content_key}")


def _calibration(study: Study, items: Iterable[Item], known: Mapping[Place, Assignment], judged: Earlier) -> set[str]:
    """The ids of the calibration items: those of an earlier plan, then such as nobody has a task for yet."""
    spec = study.config.annotation
    asked = {line.item.content_key for line in known.values()} | judged.judges.keys()
    before = {line.item.content_key for line in known.values() if line.role == "calibration"}
    by_pair: dict[tuple[str, str], list[tuple[int, float, str]]] = {}
    for item in items if spec.calibration else []:
        key = item.content_key
        rank = 0 if key in before else 2 if key in asked else 1
        drawn = (rank, luck(spec.seed, f"calibration|{key}"), item.item_id)
        by_pair.setdefault((item.input_language, item.output_language), []).append(drawn)
    return {item_id for drawn in by_pair.values() for _, _, item_id in sorted(drawn)[: spec.calibration]}


def _new(
    study: Study, study_id: str, item: Item, annotator: str, calibration: bool, lexicon: Lexicon | None
) -> Assignment:
    """A first look. With a lexicon it has the automatic label, filled in on the page but for a random part."""
    spec = study.config.annotation
    uid = task_uid(study_id, item.item_id, annotator, spec.round)
    found = prelabel(item, lexicon) if lexicon else None
    if found and found.label not in study.taxonomy.ids:
        found = None
    # calibration comes before everything else
    return Assignment(
        uid=uid,
        item=item,
        annotator=annotator,
        round=spec.round,
        role="calibration" if calibration else "main",
        order=place(spec.seed, annotator, item.item_id) - calibration,
        prelabel=found.label if found else None,
        prelabel_sense=found.sense if found else None,
        prelabel_shown=found is not None and filled_in(spec, uid),
    )


def write_assignments(study: Study, assignments: Iterable[Assignment]) -> None:
    """assignments.jsonl, whole or not at all."""
    write_jsonl(study.assignments_file, assignments, ASSIGNMENT_FORMAT)


def tasks_of(assignments: Iterable[Assignment]) -> dict[tuple[str, str], list[Assignment]]:
    """The tasks to be done, by (annotator, language pair) and in order; retired ones and adjudications left out."""
    lists: dict[tuple[str, str], list[Assignment]] = {}
    for line in assignments:
        if not line.retired and line.role != "adjudication":
            lists.setdefault((line.annotator, line.batch), []).append(line)
    return {key: sorted(lists[key], key=lambda line: (line.order, line.uid)) for key in sorted(lists)}
