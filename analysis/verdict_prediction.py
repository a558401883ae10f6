"""How well the probability of the intended word, and the string match, predict what people say of the same outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.analysis.estimate import Array, Estimate, cluster_sums, divide, interval, resample_counts, undefined
from gainsift.analysis.simultaneous import ClusterBands

ONE_SIDED = "all outputs have the same verdict"
FEW = "no interval: fewer than two clusters on one side"
NO_WIDTH = "no interval: every resample gives the same"
Codes = np.typing.NDArray[np.intp]


@dataclass(frozen=True)
class Prediction:
    """Of outputs with a verdict; each weighs one over the probability that its item was judged.

    `auc`: the chance that an output called correct has a higher probability than one that is not, ties half (Hanley &
    McNeil 1982). `correlation`: point-biserial, between probability and verdict. `accuracy`: the string match says
    what people say; `hits`: string matches among those called correct; `false`: among those that are not.
    """

    outputs: int
    clusters: int
    correct: Estimate
    auc: Estimate
    correlation: Estimate
    accuracy: Estimate
    hits: Estimate
    false: Estimate


@dataclass(frozen=True)
class OfCategory:
    """Outputs that people put into one category: mean probability, string matches, and their AUC.

    `auc`: the chance that an output called correct has a higher probability than one of this category; None for
    categories that are correct.
    """

    category: str
    outputs: int
    clusters: int
    probability: Estimate
    matches: Estimate
    auc: Estimate | None


def predict(rows: pd.DataFrame, resamples: int, confidence: float, rng: np.random.Generator) -> Prediction:
    """`rows`: columns row_id, p, success (0 or 1), correct (0 or 1), weight, family; clusters are the families."""
    codes, names = pd.factorize(rows["family"], sort=True)
    p, success, correct, weight = (rows[name].to_numpy(float) for name in ("p", "success", "correct", "weight"))
    values = np.column_stack([correct, success == correct, success * correct, success * (1 - correct)])
    totals = np.column_stack([np.ones(len(rows)), np.ones(len(rows)), correct, 1 - correct])
    parts = [cluster_sums(part * weight[:, None], codes, len(names)) for part in (values, totals)]
    rates = _rates(ClusterBands.of(len(names), resamples, confidence, rng), *parts)
    draws = resample_counts(len(names), resamples, rng) if len(names) else np.zeros((0, 0))
    called = correct == 1
    return Prediction(
        outputs=rows["row_id"].nunique(),
        clusters=len(names),
        correct=rates[0],
        auc=auc(p, weight, codes, called, ~called, draws, confidence),
        correlation=correlation(p, correct, weight, codes, draws, confidence),
        accuracy=rates[1],
        hits=rates[2],
        false=rates[3],
    )


def by_category(
    rows: pd.DataFrame, categories: list[str], resamples: int, confidence: float, rng: np.random.Generator
) -> list[OfCategory]:
    """Each of `categories` that occurs in column `label`; other columns as for `predict`."""
    codes, names = pd.factorize(rows["family"], sort=True)
    p, success, weight = (rows[name].to_numpy(float) for name in ("p", "success", "weight"))
    bands = ClusterBands.of(len(names), resamples, confidence, rng)
    draws = resample_counts(len(names), resamples, rng) if len(names) else np.zeros((0, 0))
    called = rows["correct"].to_numpy(float) == 1
    found = []
    for category in categories:
        here = (rows["label"] == category).to_numpy()
        if not here.any():
            continue
        sums = cluster_sums(np.column_stack([p, success]) * (weight * here)[:, None], codes, len(names))
        total = cluster_sums((weight * here)[:, None], codes, len(names))
        probability, matches = _rates(bands, sums, np.repeat(total, 2, axis=1))
        against = None if called[here].all() else auc(p, weight, codes, called, here & ~called, draws, confidence)
        outputs, clusters = rows["row_id"][here].nunique(), len(np.unique(codes[here]))
        found.append(OfCategory(category, outputs, clusters, probability, matches, against))
    return found


def _rates(bands: ClusterBands, sums: Array, totals: Array) -> list[Estimate]:
    """Each mean of values from 0 to 1, by cluster sums [C, K], with its interval.

    A cluster holds an output of every checkpoint here. The intervals are those of emergence, whose added clusters stand
    at the ends of what was seen: at those of what could be, as in `studentised`, they would outweigh all rare outcomes.
    """
    if not len(sums):
        return [undefined("no output to count")] * sums.shape[1]
    found = bands.bands(sums[:, :, None], totals[:, :, None], np.zeros(sums.shape[1]))
    return [band.pointwise[0] for band in found]


def auc(
    p: Array,
    weight: Array,
    codes: Codes,
    above: np.typing.NDArray[np.bool_],
    below: np.typing.NDArray[np.bool_],
    draws: Array,
    confidence: float,
) -> Estimate:
    """The weighted chance that p is higher in `above` than in `below`; percentile limits over resampled clusters.

    Won comparisons are counted once for each pair of clusters: a resample then is two products of matrices.
    """
    if not above.any() or not below.any():
        return undefined(ONE_SIDED)
    few = min(len(np.unique(codes[above])), len(np.unique(codes[below]))) < 2
    clusters = draws.shape[1]
    won = np.zeros((clusters, clusters))
    for cluster in np.unique(codes[below]):
        members = below & (codes == cluster)
        order = np.argsort(p[members], kind="stable")
        lower, heavy = p[members][order], np.concatenate([[0.0], np.cumsum(weight[members][order])])
        left, right = (heavy[np.searchsorted(lower, p[above], side=side)] for side in ("left", "right"))
        won[:, cluster] = np.bincount(codes[above], weight[above] * (left + right) / 2, clusters)
    of_above = np.bincount(codes[above], weight[above], clusters)
    of_below = np.bincount(codes[below], weight[below], clusters)
    point = float(won.sum() / (of_above.sum() * of_below.sum()))
    drawn = divide(((draws @ won) * draws).sum(1), (draws @ of_above) * (draws @ of_below))
    return Estimate(point, reason=FEW) if few else _with_limits(point, drawn, confidence)


def correlation(p: Array, correct: Array, weight: Array, codes: Codes, draws: Array, confidence: float) -> Estimate:
    """Pearson's r of the probability with the verdict (1 or 0), weighted; percentile limits over resampled clusters."""
    if not len(p) or (correct == correct[0]).all() or (p == p[0]).all():
        return undefined("all outputs have the same verdict or the same probability")
    terms = np.column_stack([np.ones(len(p)), p, correct, p * p, p * correct]) * weight[:, None]
    sums = cluster_sums(terms, codes, draws.shape[1])
    point = float(_pearson(sums.sum(0)))
    few = min(len(np.unique(codes[correct == side])) for side in (0, 1)) < 2
    return Estimate(point, reason=FEW) if few else _with_limits(point, _pearson(draws @ sums), confidence)


def _pearson(sums: Array) -> Array:
    """From Σw, Σwx, Σwy, Σwx², Σwxy along the last axis; y is 0 or 1."""
    w, x, y, xx, xy = np.moveaxis(sums, -1, 0)
    spread = np.maximum(w * xx - x * x, 0.0) * np.maximum(w * y - y * y, 0.0)
    return divide(w * xy - x * y, np.sqrt(spread))


def _with_limits(point: float, drawn: Array, confidence: float) -> Estimate:
    low, high = interval(drawn, confidence)
    if low is None or high is None or high - low < 1e-12:
        return Estimate(point, reason=NO_WIDTH)
    return Estimate(point, low, high)
