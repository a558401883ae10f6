"""How annotators err: the chance that one judgement of an item of true label t says v, from one of three sources.

A source is one class, or function, that says which judgements are compared with what; SOURCES names them. All of them
pool the annotators: the matrix is that of an average judgement, as soft labels are averages of judgements. Labels are
those of the verdict, or any coarser ones that the caller maps them to before (all labels of a kind as one, say), where
judgements are too few for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gainsift.analysis.dawid_skene import dawid_skene
from gainsift.analysis.dawid_skene_without import without_each
from gainsift.analysis.estimate import Array
from gainsift.analysis.verdict_rules import Ballots, votes_of
from gainsift.analysis.wording import counted

SOURCES = {
    "controls": "made-up items with a known answer",
    "adjudication": "judgements against the adjudicated label; items on which all agree count as right",
    "dawid-skene": "Dawid and Skene's model; needs items with three judgements",
}


@dataclass(frozen=True)
class Confusion:
    """What is said of items, by their true label: weighted counts of judgements [V, V], true by given.

    `name` is a key of SOURCES; `about` says what it rests on, `reason` why it cannot be used, if so. `without`
    [S, V, V]: the counts without each of the source's clusters, which carry its uncertainty; `shared`: these are the
    clusters of the outputs, by the same numbers, and not a sample of their own. `names`: how sentences call a label,
    where it is not by itself.
    """

    name: str
    about: str
    labels: Sequence[str]
    counts: Array
    without: Array
    shared: bool
    reason: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def controls(judgements: Iterable[tuple[str, str, str]], labels: Sequence[str]) -> Confusion:
    """From judgements of control items: (the item's cluster, its right label, the label given).

    Made-up items are a sample of their own. Raises KeyError for a label that is not among `labels`.
    """
    found = list(judgements)
    clusters = sorted({cluster for cluster, _, _ in found})
    place = {cluster: number for number, cluster in enumerate(clusters)}
    counts = _counts([(place[cluster], true, given, 1.0) for cluster, true, given in found], labels, len(clusters))
    reason = "" if len(clusters) > 1 else "there are no controls" if not clusters else "controls of one word only"
    about = f"{counted(len(found), 'judgement')} of control items"
    return Confusion("controls", about, labels, counts.sum(0), counts.sum(0) - counts, False, reason)


def adjudication(ballots: Ballots, clusters: Mapping[str, int], count: int, labels: Sequence[str]) -> Confusion:
    """From items that were adjudicated, and those on which two annotators or more agree, which are taken as right.

    Adjudicated disagreements stand for all disagreements, in proportion. Where people agree on something wrong it goes
    unseen: errors come out too few. `clusters`: number of each item's cluster, below `count`.
    """
    judged = {item: one for item, one in ballots.items() if len(one.votes) > 1 and not one.void}
    split = {item for item, one in judged.items() if len(set(one.votes.values())) > 1}
    settled = {item for item in split if judged[item].adjudicated}
    weight = len(split) / len(settled) if settled else 0.0
    found = []
    for item, one in judged.items():
        if item not in split or item in settled:
            for given in one.votes.values():
                # agreement that adjudication has overturned is an error that was seen
                found.append((clusters[item], one.adjudicated or given, given, weight if item in settled else 1.0))
    about = (
        f"{counted(len(settled), 'adjudicated disagreement')} of {len(split)}, and"
        f" {counted(len(judged) - len(split), 'item')} on which all agree"
    )
    reason = "no disagreement was adjudicated" if split and not settled else "" if found else "no item was judged twice"
    counts = _counts(found, labels, count)
    return Confusion("adjudication", about, labels, counts.sum(0), counts.sum(0) - counts, True, reason)


def model(ballots: Ballots, clusters: Mapping[str, int], count: int, labels: Sequence[str]) -> Confusion:
    """From the judgements alone, by Dawid and Skene's model, fitted anew without each cluster."""
    size = len(labels)
    votes = votes_of(ballots, labels)
    if votes is None:
        none = np.zeros((count, size, size))
        return Confusion("dawid-skene", "no judgement", labels, none.sum(0), none, True, "there is no judgement")
    fit = dawid_skene(votes)
    judgements = counted(int(votes.patterns[votes.pattern].sum()), "judgement")
    about = f"{judgements} of {counted(len(votes.items), 'item')} by {counted(len(votes.annotators), 'annotator')}"
    everything = fit.joint().sum(0)
    reason = "" if votes.identified else "no item has three judgements"
    if not fit.converged:
        reason = "Dawid and Skene's model has not settled"
    if reason:  # then nobody asks what it would be without a cluster
        same = np.broadcast_to(everything, (count, size, size))
        return Confusion("dawid-skene", about, labels, everything, same, True, reason)
    of_item = np.array([clusters[item] for item in votes.items], np.intp)
    without = np.array([joint.sum(0) for joint in without_each(fit, of_item, count)])
    return Confusion("dawid-skene", about, labels, everything, without, True)


def _counts(found: Sequence[tuple[int, str, str, float]], labels: Sequence[str], clusters: int) -> Array:
    """Weighted counts of (cluster, true, given), [S, V, V]. Raises KeyError for a label that is not among `labels`."""
    code = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((clusters, len(labels), len(labels)))
    for cluster, true, given, weight in found:
        counts[cluster, code[true], code[given]] += weight
    return counts
