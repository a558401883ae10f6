"""What people did not judge: automatic labels on all rows, corrected by the verdicts on the sampled ones.

With f the automatic value of a row and h the verdict's, the estimate is

    mean of h over the judged sample + tuning * (mean of f over all rows - mean of f over the sample),

sample means weighted by one over the probability of being judged. The bracket is zero on average however bad f is, so
the estimate has no more bias than that of the verdicts alone; the better f tells h, the more chance it takes out. This
is the difference estimator of surveys (Cassel, Särndal & Wretman 1976, Biometrika 63:615), known as prediction-powered
inference (Angelopoulos, Bates, Fannjiang, Jordan & Zrnic 2023, Science 382:669), with the tuning of PPI++
(Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453): the factor that makes the variance least, 0 for useless labels.
Rows are drawn and resampled by clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, Estimate, cluster_sums, divide
from gainsift.analysis.studentised import StudentisedBootstrap

METHOD = "prediction-powered, tuned, by clusters"


@dataclass(frozen=True)
class Rows:
    """N rows of the population, or units of a contrast, whose K figures are wanted.

    `predicted` [N, K]: automatic values f of every row. `judged` [N, K]: those of the verdict, h, with 0 where there is
    none. `counted` [N]: 1 where a row counts in the mean of h, which for a rate among decided rows is where it is
    decided. `selected` [N]: whether the draw picked it, judged or not; `weight` [N]: one over the probability of that
    (read only where selected). `clusters` [N]: number of its cluster, below `count`.
    """

    predicted: Array
    judged: Array
    counted: Array
    selected: npt.NDArray[np.bool_]
    weight: Array
    clusters: npt.NDArray[np.intp]
    count: int


@dataclass(frozen=True)
class Powered:
    """`estimates` [K], and `alone` [K] from the verdicts only, each with its interval.

    `variance_left` is the summed variance of the former over that of the latter (None if there is no variance): .5
    means that twice as many judgements would have done as much.
    """

    estimates: list[Estimate]
    alone: list[Estimate]
    tuning: float
    variance_left: float | None


def prediction_powered(rows: Rows, least: Array, bootstrap: StudentisedBootstrap, most: float = 1.0) -> Powered:
    """The K figures of `rows`; `least` [K] and `most` bound the value of a row (see StudentisedBootstrap.ratios).

    One factor serves all figures, so that parts which add up go on doing so, as far as their predictions do. It is
    estimated from the same rows and kept between 0 and 1; its own chance is of lower order and not in the intervals,
    which are those of the linearised mean. An estimate is not cut to its range: it may be a little below 0 for a share.
    """
    drawn = np.where(rows.selected, rows.weight, 0.0)[:, None]
    verdicts, votes, guessed, present = (
        cluster_sums(values, rows.clusters, rows.count)
        for values in (
            rows.judged * drawn * rows.counted[:, None],
            drawn * rows.counted[:, None],
            rows.predicted * drawn,
            drawn,
        )
    )
    predicted = cluster_sums(rows.predicted, rows.clusters, rows.count)
    everywhere = np.bincount(rows.clusters, minlength=rows.count).astype(np.float64)[:, None]
    # each cluster's part in the three means, in units of the verdicts' weight
    gap = divide(predicted.sum(0), everywhere.sum()) - divide(guessed.sum(0), present.sum())
    total = votes.sum()
    of_gap = total * (_influence(predicted, everywhere) - _influence(guessed, present))
    tuning, left = _tuning(total * _influence(verdicts, votes), of_gap)
    least = np.broadcast_to(least, gap.shape)
    totals = np.broadcast_to(votes, verdicts.shape)
    powered = verdicts + tuning * (np.nan_to_num(of_gap) + gap * votes) if tuning else verdicts
    return Powered(
        bootstrap.ratios(powered, totals, least, most), bootstrap.ratios(verdicts, totals, least, most), tuning, left
    )


def _influence(sums: Array, sizes: Array) -> Array:
    """How much each cluster moves the ratio of the sums, [C, K]; they add up to zero."""
    return divide(sums - divide(sums.sum(0), sizes.sum()) * sizes, sizes.sum())


def _tuning(of_verdicts: Array, of_gap: Array) -> tuple[float, float | None]:
    """The factor of least summed variance, between 0 and 1, and the share of the variance that it leaves."""
    variance = float((of_gap**2).sum())
    alone = float((of_verdicts**2).sum())
    if not (np.isfinite(variance) and variance > 0):
        return 0.0, 1.0 if alone > 0 else None
    tuning = float(np.clip(-(of_verdicts * of_gap).sum() / variance, 0.0, 1.0))
    return tuning, float(((of_verdicts + tuning * of_gap) ** 2).sum()) / alone if alone > 0 else None
