"""Shares and flows as they would be without the annotators' errors, from a confusion matrix.

Errors are made on items, before their verdicts are fanned out to rows: with P(v | t) the chance that a judgement of an
item of true label t says v, judged shares q are P' p on average, and judged pairs of two items Q are P' T P. Where both
ends of a unit are one item, its true label is the same at both, and nothing changes there whatever people said: such
units are corrected as shares. All of it holds for soft labels (verdict_rules.soft), which are averages of judgements,
if errors depend on nothing but the true label: not on checkpoint or condition, which annotators do not see.

How the tables are solved for is in misclassification.py. Intervals are those of `studentised`, on how much each cluster
moves a figure when it is left out, from the outputs and from the source of the matrix at once: the matrix's own
uncertainty is resampled with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gainsift.analysis.confusion import Confusion
from gainsift.analysis.estimate import Array, Estimate, cluster_sums, divide, undefined
from gainsift.analysis.misclassification import DEFAULT, METHODS
from gainsift.analysis.studentised import StudentisedBootstrap
from gainsift.analysis.verdict_rules import Distribution
from gainsift.schemas.errors import some_of

WORST = 10.0
"""Condition number of a confusion matrix from which nothing is estimated: an error in a share may grow tenfold."""
FEWEST = 10
"""Judgements of items of a true label below which what is said of it counts as unknown."""
NOT_ESTIMABLE = "not estimable"


@dataclass(frozen=True)
class Observed:
    """Judged soft labels of one contrast, weighted, by cluster.

    `pairs` [C, V, V]: units whose ends are two items, by the label before and after; `same` [C, V]: units whose ends
    are one item; `totals` [C]: all units, undecided ones too. `correct_a`, `correct_b` [V]: 1 where a label counts as
    correct before, and after.
    """

    pairs: Array
    same: Array
    totals: Array
    correct_a: Array
    correct_b: Array


@dataclass(frozen=True)
class Corrected:
    """Figures without annotators' errors, rates of all units: undefined with a reason where not estimable.

    `condition` is the condition number of the confusion matrix, NaN where a part of it is unknown.
    """

    figures: dict[str, Estimate]
    source: str
    about: str
    method: str
    condition: float


def observed(atoms: pd.DataFrame, labels: Sequence[str], count: int, correct_a: Array, correct_b: Array) -> Observed:
    """From the atoms of a contrast's units (soft_labels.unit_atoms) under soft labels.

    `atoms`: item_id_a, item_id_b, verdict_a, verdict_b (None: undecided), `weight` with the mass in it, and `cluster`,
    a number below `count`. Raises KeyError for a verdict that is not among `labels`.
    """
    code = {label: place for place, label in enumerate(labels)}
    weight, cluster = atoms["weight"].to_numpy(float), atoms["cluster"].to_numpy(int)
    decided = (atoms["verdict_a"].notna() & atoms["verdict_b"].notna()).to_numpy(bool)
    one_item = (atoms["item_id_a"] == atoms["item_id_b"]).fillna(False).to_numpy(bool)
    before, after = (
        np.array([code[label] if known else 0 for label, known in zip(atoms[name], decided, strict=True)], int)
        for name in ("verdict_a", "verdict_b")
    )
    pairs, same = np.zeros((count, len(labels), len(labels))), np.zeros((count, len(labels)))
    two = decided & ~one_item
    np.add.at(pairs, (cluster[two], before[two], after[two]), weight[two])
    one = decided & one_item
    np.add.at(same, (cluster[one], before[one]), weight[one])
    return Observed(pairs, same, cluster_sums(weight[:, None], cluster, count)[:, 0], correct_a, correct_b)


def corrected_flows(
    found: Observed, confusion: Confusion, resamples: int, confidence: float, rng: np.random.Generator,
    method: str = DEFAULT,
) -> Corrected:  # fmt: skip
    """Keys: `human_a`, `human_b`, `human`, and `flow:label`, `share:label` of each label that is not correct."""
    wrong = [place for place in range(len(confusion.labels)) if found.correct_a[place] * found.correct_b[place] == 0]
    parts = [f"{kind}:{confusion.labels[place]}" for kind in ("flow", "share") for place in wrong]

    def figures(times: Array, matrices: Array) -> Array:
        pairs = METHODS[method](_sums(times, found.pairs), matrices, matrices)
        same = METHODS[method]((times @ found.same)[:, None, :], np.ones((len(times), 1, 1)), matrices)[:, 0]
        return divide(_flows(pairs, same, found.correct_a, found.correct_b, wrong), (times @ found.totals)[:, None])

    least = np.array([0.0, 0.0, *[-1.0] * (1 + len(parts))])
    seen = found.pairs.sum((0, 1)) + found.pairs.sum((0, 2)) + found.same.sum(0) > 0
    about = _About(["human_a", "human_b", "human", *parts], least, found.totals, seen, method)
    return _corrected(about, figures, confusion, resamples, confidence, rng)


def corrected_shares(
    counts: Array, totals: Array, confusion: Confusion, resamples: int, confidence: float, rng: np.random.Generator,
    method: str = DEFAULT,
) -> Corrected:  # fmt: skip
    """The share of each label at one condition. `counts` [C, V]: soft labels, weighted; `totals` [C]: their weights."""

    def figures(times: Array, matrices: Array) -> Array:
        truth = METHODS[method]((times @ counts)[:, None, :], np.ones((len(times), 1, 1)), matrices)[:, 0]
        return divide(truth, (times @ totals)[:, None])

    labels = list(confusion.labels)
    about = _About(labels, np.zeros(len(labels)), totals, counts.sum(0) > 0, method)
    return _corrected(about, figures, confusion, resamples, confidence, rng)


def unbiased(verdicts: Mapping[str, Distribution], confusion: Confusion) -> dict[str, Distribution]:
    """Soft labels of items with the errors taken out: masses that may be negative, right on average over judgements.

    They go the way of all verdicts (soft_labels), so that every part of a split can be corrected; without intervals
    for the matrix itself. Raises ValueError, with the reason, where nothing is estimable.
    """
    given = {label for masses in verdicts.values() for label in masses}
    seen = np.array([label in given for label in confusion.labels])
    matrix = _matrix(confusion.counts, seen)
    if reason := _flaw(confusion, matrix, _matrix(confusion.without, seen), seen):
        raise ValueError(reason)
    turned = np.linalg.inv(matrix)
    code = {label: place for place, label in enumerate(confusion.labels)}
    found: dict[str, Distribution] = {}
    for item, masses in verdicts.items():
        sums = sum((mass * turned[code[label]] for label, mass in masses.items()), np.zeros(len(code)))
        found[item] = {label: float(mass) for label, mass in zip(code, sums, strict=True) if mass} if masses else {}
    return found


# --- intervals -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _About:
    """`names` of the K figures, the `least` [K] that each can be, `totals` [C], and which labels were `seen` [V]."""

    names: Sequence[str]
    least: Array
    totals: Array
    seen: npt.NDArray[np.bool_]
    method: str


def _corrected(
    about: _About, figures: Callable[[Array, Array], Array], confusion: Confusion, resamples: int, confidence: float,
    rng: np.random.Generator,
) -> Corrected:  # fmt: skip
    """`figures` takes how often each cluster counts [R, C] and matrices [R, V, V] to values [R, K]."""
    matrix, without = _matrix(confusion.counts, about.seen), _matrix(confusion.without, about.seen)
    condition = float(np.linalg.cond(matrix)) if np.isfinite(matrix).all() else float("nan")
    if reason := _flaw(confusion, matrix, without, about.seen):
        unknown = dict.fromkeys(about.names, undefined(f"{NOT_ESTIMABLE}: {reason}"))
        return Corrected(unknown, confusion.name, confusion.about, about.method, condition)
    clusters, own = len(about.totals), 0 if confusion.shared else len(without)
    everything = np.ones((1, clusters))
    times = np.vstack([everything, 1 - np.eye(clusters), np.repeat(everything, own, axis=0)])
    one = matrix[None]
    moved = without if confusion.shared else np.repeat(one, clusters, axis=0)
    values = figures(times, np.concatenate([one, moved, *([] if confusion.shared else [without])]))
    point, left_out = values[0], values[1:]
    parts = np.vstack([_pull(left_out[:clusters]), _pull(left_out[clusters:])]) * about.totals.sum()
    totals = np.append(about.totals, np.zeros(own))[:, None]
    bootstrap = StudentisedBootstrap.of(clusters + own, resamples, confidence, rng)
    found = bootstrap.ratios(parts + point * totals, np.broadcast_to(totals, parts.shape), about.least)
    return Corrected(
        dict(zip(about.names, found, strict=True)), confusion.name, confusion.about, about.method, condition
    )


def _pull(left_out: Array) -> Array:
    """How much each of S clusters moves the figures, from those without it, [S, K]; they add up to zero."""
    if not len(left_out):
        return left_out
    return np.asarray((len(left_out) - 1) / len(left_out) * (left_out.mean(0) - left_out))


# --- the matrix ------------------------------------------------------------------------------------------


def _matrix(counts: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Chances of what is given by what is true, from counts [..., V, V]; NaN in rows of which nothing is known.

    A label that nobody has given, neither here nor in the source, needs no row: it is that of no error.
    """
    absent = ~seen & (counts.sum(-1) + counts.sum(-2) == 0)
    return np.where(absent[..., :, None], np.eye(len(seen)), divide(counts, counts.sum(-1, keepdims=True)))


def _flaw(confusion: Confusion, matrix: Array, without: Array, seen: npt.NDArray[np.bool_]) -> str:
    """Why the matrix cannot be turned round; empty if it can.

    The smallest singular value must be more than two standard errors (jackknife) above a tenth of the largest.
    """
    if confusion.reason:
        return confusion.reason
    rests = f"({confusion.about})"
    needed = seen | (confusion.counts.sum(0) + confusion.counts.sum(1) > 0)
    few = [
        f"{count:.0f} of true {confusion.names.get(label, label)}"
        for label, count, need in zip(confusion.labels, confusion.counts.sum(1), needed, strict=True)
        if need and count < FEWEST
    ]
    if few:
        return f"too few judgements: {some_of(few, 3)}, {FEWEST} at least {rests}"
    if not np.isfinite(without).all():
        return f"what is known of a label rests on one word {rests}"
    largest, smallest = np.linalg.svd(matrix, compute_uv=False)[[0, -1]]
    spread = np.linalg.svd(without, compute_uv=False)[:, -1]
    error = float(np.sqrt((len(spread) - 1) * spread.var()))
    if smallest - 2 * error < largest / WORST:
        return (
            f"the confusion matrix is ill-conditioned, its smallest singular value is {smallest:.2f} ± {error:.2f} of"
            f" {largest:.2f} {rests}"
        )
    return ""


# --- figures ---------------------------------------------------------------------------------------------


def _flows(pairs: Array, same: Array, correct_a: Array, correct_b: Array, wrong: Sequence[int]) -> Array:
    """Correct before, after, the gain, then flow and share of each label in `wrong`: sums of weights, [R, 3 + 2 W]."""
    before, after = pairs.sum(2) + same, pairs.sum(1) + same  # [R, V]
    wrong_a, wrong_b = 1 - correct_a, 1 - correct_b
    gained = (pairs @ correct_b + same * correct_b) * wrong_a
    lost = (correct_a @ pairs + same * correct_a) * wrong_b
    rates = [before @ correct_a, after @ correct_b, after @ correct_b - before @ correct_a]
    return np.column_stack([*rates, (gained - lost)[:, wrong], (before * wrong_a - after * wrong_b)[:, wrong]])


def _sums(times: Array, of_clusters: Array) -> Array:
    """Each resample [R, C] of arrays by cluster [C, ...], summed: [R, ...]."""
    return np.asarray(np.tensordot(times, of_clusters, axes=1), np.float64)
