"""Logistic GEE with the bias-reduced covariance, for a 0/1 outcome of repeated items; weights allowed.

statsmodels' GEE (0.15) fails at its bias-reduced covariance where rows have weights; with working independence the
whole estimator is short, so it stands here, and the tests compare it with statsmodels where there are no weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gainsift.analysis.estimate import Array, cluster_sums
from gainsift.analysis.significance import Significance

METHOD = "logistic GEE, independence working correlation, bias-reduced covariance, t"


@dataclass(frozen=True)
class LogisticGee:
    """Coefficients [P] on the logit scale, their bias-reduced covariance [P, P], and the number of clusters."""

    coefficients: Array
    covariance: Array
    clusters: int


def logistic_gee(outcome: Array, design: Array, clusters: npt.NDArray[np.intp], weight: Array) -> LogisticGee:
    """Fit outcome [N] in 0..1 on design [N, P]; `clusters` [N] are numbers from 0 on, each of which occurs.

    Estimating equations of Liang & Zeger (1986, Biometrika 73:13) with working independence. The covariance is that
    of Mancl & DeRouen (2001, Biometrics 57:126), whose residuals (I - H_i)^-1 r_i become scores
    (I - A_i A^-1)^-1 U_i, with the information A = sum A_i and the score U_i of a cluster. Raises ValueError where
    there is no finite solution, or where one cluster alone carries a coefficient.
    """
    from scipy.special import expit

    count, size = int(clusters.max()) + 1, design.shape[1]
    if count <= size:
        raise ValueError(f"{count} clusters are too few for {size} coefficients")
    coefficients: Array = np.zeros(size)
    for _ in range(60):
        mean = expit(design @ coefficients)
        variance = weight * mean * (1 - mean)
        information = (design * variance[:, None]).T @ design
        score = design.T @ (weight * (outcome - mean))
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            raise ValueError("no finite slope: the outcome or the position does not vary, or one fixes the other")
        step = np.linalg.solve(information, score)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-10 * (1 + np.abs(coefficients).max()):
            break
    else:
        raise ValueError("no finite slope: the outcome or the position does not vary, or one fixes the other")
    products = (design[:, :, None] * design[:, None, :]).reshape(-1, size * size)
    informations = cluster_sums(products * variance[:, None], clusters, count).reshape(-1, size, size)
    scores = cluster_sums(design * (weight * (outcome - mean))[:, None], clusters, count)
    rest = information - informations  # A - A_i [C, P, P]
    if (np.linalg.cond(rest) > 1e12).any():
        raise ValueError("one cluster alone carries the slope")
    influence = np.linalg.solve(rest, scores[:, :, None])[:, :, 0]
    return LogisticGee(coefficients, influence.T @ influence, count)


def gee_trend(
    outcome: Array, position: Array, clusters: npt.NDArray[np.intp], weight: Array | None = None
) -> Significance:
    """Whether a 0/1 outcome [N] rises or falls with position [N]; `effect` is the slope on the logit scale.

    t of the slope with (clusters - 2) degrees of freedom.
    """
    from scipy.stats import t

    weight = np.ones(len(outcome)) if weight is None else weight
    numbers = np.unique(clusters, return_inverse=True)[1]
    if not len(outcome):
        return Significance(METHOD, reason="no outcome")
    if len(np.unique(outcome)) < 2 or len(np.unique(position)) < 2:
        return Significance(METHOD, reason="the outcome is the same everywhere, or there is one condition only")
    design = np.column_stack([np.ones(len(position)), position])
    try:
        found = logistic_gee(outcome, design, numbers, weight)
    except ValueError as error:
        return Significance(METHOD, reason=str(error))
    df = found.clusters - 2
    slope, error_of_slope = float(found.coefficients[1]), float(np.sqrt(found.covariance[1, 1]))
    if error_of_slope == 0:
        return Significance(METHOD, effect=slope, reason="the slope has no standard error")
    statistic = slope / error_of_slope
    return Significance(METHOD, float(2 * t.sf(abs(statistic), df)), statistic, (float(df),), slope)
