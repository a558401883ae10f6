"""From the judgements of an item to its verdict: one function for each rule, and METHODS, which names them.

A verdict is a distribution over labels: hard rules put all mass on one, an item without verdict has none. Labels that
say that there is no judgement (`unsure`) never enter: they are gaps, as everywhere. An item that adjudication calls
unusable (`bad_item`) is undecided under every rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gainsift.analysis.dawid_skene import Votes, dawid_skene
from gainsift.analysis.judgements import Judgements
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.rows import Annotation
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy

Distribution = Mapping[str, float]
"""Label -> probability, adding up to one; empty: undecided."""
NEGLIGIBLE = 1e-4
"""Posterior probabilities below this are dropped, so that verdicts which are sure stay one label."""


@dataclass(frozen=True)
class Ballot:
    """What was said of one item.

    `votes`: annotator -> usable label. `adjudicated`: the label that adjudication settled on, if it did; `void`: it
    settled that the item cannot be judged. `senses`: those most often chosen with `other_sense` (of the adjudication,
    if it names one).
    """

    votes: Mapping[str, str] = field(default_factory=dict)
    adjudicated: str | None = None
    void: bool = False
    senses: tuple[str, ...] = ()


Ballots = Mapping[str, Ballot]
"""By item."""
Rule = Callable[[Ballots], dict[str, Distribution]]


def ballots(judgements: Judgements, items: Collection[str], taxonomy: Taxonomy) -> dict[str, Ballot]:
    """The ballot of each of `items` (content keys); one that nobody has judged has an empty one."""
    return {item: _ballot(judgements.votes.get(item, {}), judgements.adjudicated.get(item), taxonomy) for item in items}


def _ballot(votes: Mapping[str, Annotation], settled: Annotation | None, taxonomy: Taxonomy) -> Ballot:
    usable = {name: line for name, line in votes.items() if not is_missing(str(line.label), taxonomy)}
    void = settled is not None and is_missing(str(settled.label), taxonomy)
    lead = [settled] if settled is not None and settled.label == SENSE_LABEL else list(usable.values())
    senses = Counter(line.sense for line in lead if line.label == SENSE_LABEL and line.sense)
    return Ballot(
        {name: str(line.label) for name, line in usable.items()},
        None if settled is None or void else str(settled.label),
        void,
        tuple(sorted(sense for sense, count in senses.items() if count == max(senses.values()))),
    )


def adjudicated(ballots: Ballots) -> dict[str, Distribution]:
    """The adjudicated label where there is one, else the label that most annotators gave; ties are undecided."""
    return {
        item: {one.adjudicated: 1.0} if one.adjudicated and not one.void else _most(one)
        for item, one in ballots.items()
    }  # fmt: skip


def majority(ballots: Ballots) -> dict[str, Distribution]:
    """The label that most annotators gave, whatever adjudication says; ties are undecided."""
    return {item: _most(one) for item, one in ballots.items()}


def soft(ballots: Ballots) -> dict[str, Distribution]:
    """Soft labels: each label with the share of annotators who gave it."""
    return {
        item: {} if one.void else {label: n / len(one.votes) for label, n in Counter(one.votes.values()).items()}
        for item, one in ballots.items()
    }


def model(ballots: Ballots) -> dict[str, Distribution]:
    """Dawid and Skene's model: each label with its probability, annotators weighed by how they err."""
    found: dict[str, Distribution] = {item: {} for item in ballots}
    votes = votes_of(ballots)
    if votes is None:
        return found
    for item, chances in zip(votes.items, dawid_skene(votes).posteriors, strict=True):
        kept = {label: float(p) for label, p in zip(votes.labels, chances, strict=True) if p > NEGLIGIBLE}
        total = sum(kept.values())
        found[item] = {label: p / total for label, p in kept.items()}
    return found


def votes_of(ballots: Ballots, labels: Sequence[str] = ()) -> Votes | None:
    """The judgements that Dawid and Skene's model is fitted to; None if there are none. See Votes.of for `labels`."""
    found = [
        (item, annotator, label)
        for item, one in ballots.items()
        if not one.void
        for annotator, label in one.votes.items()
    ]
    return Votes.of(found, labels) if found else None


def _most(ballot: Ballot) -> Distribution:
    counts = Counter(() if ballot.void else ballot.votes.values())
    winners = [label for label, count in counts.items() if count == max(counts.values())]
    return {winners[0]: 1.0} if len(winners) == 1 else {}


DEFAULT = "adjudicated"
METHODS: dict[str, Rule] = {"adjudicated": adjudicated, "majority": majority, "dawid-skene": model, "soft": soft}


def told() -> str:
    """Every rule with what it does, for `--help`."""
    return " ".join(f"{name}: {(rule.__doc__ or '').splitlines()[0]}" for name, rule in METHODS.items())
