"""Prompt pairs: which source concept meets which target concept, and the example words of their prompts.

The choice is made on the words alone, so that every model of a study, and every study of the same words, has
the same pairs: two concepts may meet when no form of one begins with the same character as a form of the
other, over all study languages. Whether their first *tokens* are disjoint too is recomputed for each tokenizer.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gainsift.schemas.concepts import Concept, PromptPair, fold
from gainsift.schemas.errors import UserError

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
ROWS = 1024


def make_pairs(
    concepts: Sequence[Concept], languages: Sequence[str], count: int, shots: int, seed: int, where: str
) -> list[PromptPair]:
    """`count` prompt pairs in a seeded order that does not depend on the order of `concepts`.

    Concepts are used evenly: each round uses a concept at most once as source and at most once as target, and
    a new round begins only when the last one is full. No ordered pair comes twice. Example words are drawn
    anew for each pair; they share no form with either concept.

    Raises UserError, naming `where` the words came from, when the concepts do not suffice.
    """
    ordered = sorted(concepts, key=lambda concept: concept.id)
    needed = 2 + 2 * shots
    if len(ordered) < needed:
        raise UserError(
            where,
            f"{len(ordered)} concepts have words in all of {', '.join(languages)}; "
            f"prompts with {shots} examples need at least {needed}",
            "add concepts, drop a language, or lower prompts.shots",
        )
    rng = random.Random(seed)
    meetings = _draw_meetings(_may_meet(ordered, languages), count, rng)
    if len(meetings) < count:
        raise UserError(
            where,
            f"these words allow {len(meetings)} prompt pairs whose words begin with different characters; "
            f"prompts.pairs asks for {count}",
            f"add concepts, or set prompts.pairs to at most {len(meetings)}",
        )
    sharing = _sharing_a_form(ordered)
    return [
        _pair(index, ordered, source, target, sharing, shots, seed, rng, where)
        for index, (source, target) in enumerate(meetings)
    ]


def initials(concept: Concept, languages: Sequence[str]) -> set[str]:
    """First characters, case folded, of every reference and accepted form in `languages`."""
    forms = (unicodedata.normalize("NFC", form).strip() for code in languages for form in concept.forms(code))
    return {form[0].casefold()[0] for form in forms if form}


def _may_meet(concepts: Sequence[Concept], languages: Sequence[str]) -> Bools:
    """[n, n]: whether two concepts have no initial in common. Never true on the diagonal."""
    sets = [initials(concept, languages) for concept in concepts]
    column = {initial: i for i, initial in enumerate(sorted(set().union(*sets)))}
    has = np.zeros((len(concepts), len(column)), dtype=np.float32)
    for row, owned in enumerate(sets):
        has[row, [column[initial] for initial in owned]] = 1
    apart = np.empty((len(concepts), len(concepts)), dtype=np.bool_)
    for start in range(0, len(concepts), ROWS):  # the products of all rows would take four times the memory
        apart[start : start + ROWS] = has[start : start + ROWS] @ has.T == 0
    return apart


def _draw_meetings(allowed: Bools, count: int, rng: random.Random) -> list[tuple[int, int]]:
    """Up to `count` ordered (source, target) meetings, round by round; fewer when none is left. Uses `allowed` up."""
    size = len(allowed)
    used_as_source, used_as_target = [0] * size, [0] * size
    meetings: list[tuple[int, int]] = []
    while len(meetings) < count:
        sources, targets = _shuffled(used_as_source, rng), _shuffled(used_as_target, rng)
        matched = _match(allowed, sources, targets, count - len(meetings))
        if not matched:
            break
        for source, target in matched:
            allowed[source, target] = False
            used_as_source[source] += 1
            used_as_target[target] += 1
        rng.shuffle(matched)
        meetings += matched
    return meetings


def _shuffled(used: list[int], rng: random.Random) -> list[int]:
    """All indices in random order, the least used ones first."""
    order = list(range(len(used)))
    rng.shuffle(order)
    return sorted(order, key=lambda index: used[index])


def _match(allowed: Bools, sources: list[int], targets: list[int], wanted: int) -> list[tuple[int, int]]:
    """A matching of at most `wanted` sources, earlier ones first, each with its own target.

    Kuhn's algorithm (augmenting paths), so that a source whose only partners are taken makes room by moving
    others: a round is as full as it can be.
    """
    preference: Ints = np.asarray(targets, dtype=np.int64)
    holder: Ints = np.full(len(allowed), -1, dtype=np.int64)
    target_of: dict[int, int] = {}
    for source in sources:
        if len(target_of) == wanted:
            break
        _augment(source, allowed, preference, holder, target_of)
    return sorted(target_of.items())


def _augment(source: int, allowed: Bools, preference: Ints, holder: Ints, target_of: dict[int, int]) -> None:
    """Give `source` a target if that is possible at all, re-seating others along a shortest path."""
    reached_by: Ints = np.full(len(allowed), -1, dtype=np.int64)
    queue = [source]
    for current in queue:
        fresh = allowed[current] & (reached_by < 0)
        reached = preference[fresh[preference]]
        reached_by[reached] = current
        free = reached[holder[reached] < 0]
        if free.size:
            target = int(free[0])
            while True:
                seated = int(reached_by[target])
                before = target_of.get(seated)
                target_of[seated], holder[target] = target, seated
                if before is None:
                    return
                target = before
        queue += [int(other) for other in holder[reached]]


def _sharing_a_form(concepts: Sequence[Concept]) -> list[set[int]]:
    """For each concept the indices of those, itself included, that have a spelling in common with it."""
    owners: dict[str, set[int]] = {}
    spellings = []
    for index, concept in enumerate(concepts):
        own = {fold(form) for code in {*concept.reference, *concept.accepted} for form in concept.forms(code)}
        spellings.append(own)
        for form in own:
            owners.setdefault(form, set()).add(index)
    return [set().union(*(owners[form] for form in own)) for own in spellings]


def _pair(
    index: int,
    concepts: Sequence[Concept],
    source: int,
    target: int,
    sharing: list[set[int]],
    shots: int,
    seed: int,
    rng: random.Random,
    where: str,
) -> PromptPair:
    """One prompt pair with its examples drawn."""
    barred = sharing[source] | sharing[target]
    free = [other for other in range(len(concepts)) if other not in barred]
    if len(free) < 2 * shots:
        raise UserError(
            where,
            f"only {len(free)} concepts share no spelling with {concepts[source].id} or {concepts[target].id}; "
            f"{2 * shots} examples are needed",
            "add concepts, or lower prompts.shots",
        )
    drawn = [concepts[other].id for other in rng.sample(free, 2 * shots)]
    ids = concepts[source].id, concepts[target].id
    return PromptPair.of(ids, drawn[:shots], drawn[shots:], index, seed)
