"""Dawid and Skene's model: what each item is, and how each annotator errs, from the judgements alone.

Each item has one true label; given it, annotators err independently, each with a confusion matrix of their own.
A. P. Dawid & A. M. Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm,
Applied Statistics 28:20-28.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, divide

MOST_STEPS = 2000
SETTLED = 1e-9
VIEWS = 3
"""Judgements that some item needs: two annotators leave accuracy and shares of labels to be traded for each other
(Kruskal 1977, Linear Algebra and its Applications 18:95; Allman, Matias & Rhodes 2009, Annals of Statistics 37:3099).
"""


@dataclass(frozen=True)
class Votes:
    """Judgements as counts: `patterns` [P, A * V] (sparse), `pattern` [U] the pattern of each item.

    Items on which the same annotators gave the same labels share a pattern. Column a * V + v counts label v of
    annotator a; the same annotator may judge an item several times.
    """

    patterns: Any
    pattern: npt.NDArray[np.intp]
    items: Sequence[str]
    annotators: Sequence[str]
    labels: Sequence[str]

    @classmethod
    def of(cls, judgements: Iterable[tuple[str, str, str]], labels: Sequence[str] = ()) -> Votes:
        """From (item, annotator, label). `labels` fixes order and presence; by default the sorted ones that occur.

        Raises ValueError for a label that is not among them, or where there is no judgement.
        """
        from scipy.sparse import csr_array

        found = list(judgements)
        if not found:
            raise ValueError("there is no judgement")
        items, annotators = (sorted({judgement[place] for judgement in found}) for place in (0, 1))
        known = list(labels) or sorted({judgement[2] for judgement in found})
        column = {name: place * len(known) for place, name in enumerate(annotators)}
        code = {label: place for place, label in enumerate(known)}
        given: dict[str, list[int]] = {item: [] for item in items}
        for item, annotator, label in found:
            if label not in code:
                raise ValueError(f"unknown label {label!r}")
            given[item].append(column[annotator] + code[label])
        keys = [tuple(sorted(cells)) for cells in given.values()]
        place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        rows = np.repeat(np.arange(len(place)), [len(key) for key in place])
        columns = np.array([cell for key in place for cell in key])
        shape = (len(place), len(annotators) * len(known))
        counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)  # equal cells add up
        return cls(counts, np.array([place[key] for key in keys], np.intp), items, annotators, known)

    @property
    def identified(self) -> bool:
        """Whether some item has the judgements of VIEWS annotators."""
        width = len(self.labels)
        by_annotator = [self.patterns[:, a * width : (a + 1) * width].sum(1) > 0 for a in range(len(self.annotators))]
        return bool((np.sum(by_annotator, axis=0) >= VIEWS).any())

    def items_of_patterns(self, weights: Array | None = None) -> Array:
        """How many items have each pattern, [P], an item counted once, or as often as `weights` [U] says."""
        counts: Array = np.bincount(self.pattern, weights, minlength=self.patterns.shape[0]).astype(np.float64)
        return counts

    def fractions(self) -> Array:
        """The share of each label among the judgements of each pattern: [P, V]."""
        of_label = np.tile(np.eye(len(self.labels)), (len(self.annotators), 1))
        counts = self.patterns @ of_label
        return divide(counts, counts.sum(1, keepdims=True))


@dataclass(frozen=True)
class DawidSkene:
    """`by_pattern` [P, V]: posteriors of the true label of the items of each pattern; `shares` [V] of the labels;
    `confusions` [A, V, V]: true, given.

    A row of a confusion matrix is NaN where the annotator met no item of that label. `converged` is False where EM
    was stopped.
    """

    votes: Votes
    by_pattern: Array
    shares: Array
    confusions: Array
    log_likelihood: float
    steps: int
    converged: bool

    @property
    def posteriors(self) -> Array:
        """Of each item's true label: [U, V]."""
        return np.asarray(self.by_pattern[self.votes.pattern])

    def joint(self) -> Array:
        """Judgements by annotator, true label (by the posteriors) and label given: [A, V, V]."""
        counts = self.votes.items_of_patterns()
        return judgements_of(self.votes, expected_counts(self.votes, counts, self.by_pattern))


def dawid_skene(votes: Votes) -> DawidSkene:
    """Fit by EM from the fractions of votes, as Dawid and Skene do.

    No smoothing: the estimate is the maximum likelihood next to what most annotators say. It ends when no posterior
    moves by more than SETTLED in a step.
    """
    counts = votes.items_of_patterns()
    posteriors = votes.fractions()
    shares, confusions = most_likely(votes, expected_counts(votes, counts, posteriors))
    steps, moved, likelihood = 0, np.inf, -np.inf
    while moved > SETTLED and steps < MOST_STEPS:
        before = posteriors
        posteriors, each = posteriors_of(votes, shares, confusions)
        likelihood = float(counts @ each)
        shares, confusions = most_likely(votes, expected_counts(votes, counts, posteriors))
        moved = float(np.abs(posteriors - before).max())
        steps += 1
    return DawidSkene(votes, posteriors, shares, confusions, likelihood, steps, converged=moved <= SETTLED)


def expected_counts(votes: Votes, counts: Array, posteriors: Array) -> Array:
    """Judgements of each column of `votes` by true label, and items by true label: [A * V + 1, V].

    `counts` [P] items of each pattern, `posteriors` [P, V].
    """
    weighted = posteriors * counts[:, None]
    return np.concatenate([votes.patterns.T @ weighted, weighted.sum(0, keepdims=True)])


def judgements_of(votes: Votes, expected: Array) -> Array:
    """Of expected counts those of judgements, by annotator, true label and label given: [A, V, V]."""
    size = len(votes.labels)
    return np.swapaxes(expected[:-1].reshape(-1, size, size), 1, 2)


def most_likely(votes: Votes, expected: Array) -> tuple[Array, Array]:
    """Shares [V] and confusions [A, V, V] that are most likely given the expected counts."""
    joint = judgements_of(votes, expected)
    return divide(expected[-1], expected[-1].sum()), divide(joint, joint.sum(2, keepdims=True))


def posteriors_of(votes: Votes, shares: Array, confusions: Array) -> tuple[Array, Array]:
    """The chance of each true label, [P, V], and the log likelihood of one item, [P], of every pattern."""
    size = len(votes.labels)
    chances = np.swapaxes(_logarithm(np.nan_to_num(confusions)), 1, 2)  # [A, given, true]
    logs = votes.patterns @ chances.reshape(-1, size) + _logarithm(shares)
    by_label = np.ascontiguousarray(logs.T)  # numpy goes along few long rows many times faster than many short ones
    most = by_label.max(0)
    odds = np.exp(by_label - most)
    total = odds.sum(0)
    return np.ascontiguousarray((odds / total).T), most + np.log(total)


def _logarithm(chances: Array) -> Array:
    """Logarithms, with one for zero whose exponential is zero again."""
    return np.log(chances, out=np.full(chances.shape, -1e4), where=chances > 0)
