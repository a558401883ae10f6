"""Agreement between annotators of one table: alpha and the kappas, whole, by pair and by label, with intervals.

Input everywhere is the long table: item -> annotator -> label. Whatever is undefined (one annotator, one label,
no item judged twice) comes back as an Estimate without a point and with the reason, never as an error or a zero.
Figures are over distinct items, each counted once; with weights the same figures stand beside them in `weighted`.
Every interval resamples items (patterns.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from gainsift.analysis.alpha import label_alphas
from gainsift.analysis.distances import linear, nominal, quadratic
from gainsift.analysis.estimate import Array, Estimate, undefined
from gainsift.analysis.gwet import gwet
from gainsift.analysis.kappas import bennett_s, cohen, fleiss, percent
from gainsift.analysis.levels import LEVELS, MOST_LABELS, Level, Scale
from gainsift.analysis.patterns import Disagreement, Patterns, estimates, patterns, unseen
from gainsift.analysis.ratings import Labels, Ratings
from gainsift.analysis.wording import counted

__all__ = [
    "LEVELS", "NAMES", "Agreement", "LabelAgreement", "Labels", "Level", "PairAgreement", "Scale", "agreement",
    "alpha_only", "coefficients_only",
]  # fmt: skip

NAMES = {
    "alpha": "Krippendorff's alpha",
    "percent": "agreeing pairs, %",
    "fleiss": "Fleiss' kappa",
    "fleiss_weighted": "Fleiss' kappa, weighted",
    "scott": "Scott's pi",
    "s": "Bennett's S",
    "ac1": "Gwet's AC1",
    "ac2": "Gwet's AC2",
    "cohen": "Cohen's kappa",
    "cohen_linear": "Cohen's kappa, linear weights",
    "cohen_quadratic": "Cohen's kappa, quadratic weights",
    "cohen_weighted": "Cohen's kappa, weighted",
}
"""What the coefficients are called. Weighted forms stand only where labels have an order or a distance."""


NEVER_AGREED = (
    "No two people agreed on the label: the upper limit is what alpha would be if they did on a share"
    " 1 − (tail)^(1/n) of the n items with it (Clopper-Pearson: on none of n)."
)


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators on the `n` items that both judged: coefficients by id, counts [V, V] of a's label by b's."""

    a: str
    b: str
    n: int
    coefficients: Mapping[str, Estimate]
    confusion: npt.NDArray[np.int64]

    @property
    def cohen_kappa(self) -> Estimate:
        return self.coefficients["cohen"]


@dataclass(frozen=True)
class LabelAgreement:
    """Nominal alpha of one label against the rest; `support` is how often it was given."""

    label: str
    alpha: Estimate
    support: int


@dataclass(frozen=True)
class Agreement:
    """All measures of one table. `percent` is 0 to 100: agreeing pairs of all pairs of judgements of one item.

    `pairable`: items judged twice or more. `coefficients` has the ids of NAMES, alpha and percent among them;
    `weighted` the same with weights, empty without. `confusion` counts pairs of judgements of one item by their
    labels, whoever gave them, in both orders, a label with itself once.
    """

    items: int
    pairable: int
    judgements: int
    annotators: list[str]
    labels: list[str]
    coefficients: Mapping[str, Estimate]
    weighted: Mapping[str, Estimate]
    pairwise: list[PairAgreement]
    per_label: list[LabelAgreement]
    confusion: dict[tuple[str, str], int]

    @property
    def alpha(self) -> Estimate:
        return self.coefficients["alpha"]

    @property
    def percent(self) -> Estimate:
        return self.coefficients["percent"]


@dataclass(frozen=True)
class _Resampling:
    resamples: int
    confidence: float
    rng: np.random.Generator

    def of(self, table: Patterns, measure: Callable[[Array], Disagreement], reason: str) -> list[Estimate]:
        """Estimates of every coefficient; one that is undefined says `reason`."""
        found = estimates(table, measure, self.resamples, self.confidence, self.rng)
        return [one if one.defined else undefined(reason or "no disagreement is expected by chance") for one in found]


def agreement(
    table: Labels | Ratings,
    level: Level | Scale,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    weights: Mapping[str, float] | None = None,
) -> Agreement:
    """Every measure with its interval. `weights` of items (how many outputs each stands for) add `weighted`."""
    scale = Scale.of(level)
    ratings = Ratings.of(table, weights, scale.order)
    found, plain = overall(ratings, scale, resamples, confidence, rng), ratings.unweighted()
    draw = _Resampling(resamples, confidence, rng)
    return replace(found, pairwise=[_pair(plain, a, b, scale, draw) for a, b in combinations(plain.annotators, 2)])


def overall(
    table: Labels | Ratings,
    level: Level | Scale,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
    weights: Mapping[str, float] | None = None,
) -> Agreement:
    """`agreement` without `pairwise`: fifty annotators are 1,225 pairs, which a part of a table has no use for.

    Items that one annotator judged do not enter alpha and percent (Krippendorff 2011), but the label shares of
    Fleiss, S and Gwet (Gwet 2014), `items` and `support`. Raises ValueError if `level` needs numbers and a label
    is none, if a weight is missing, and if there are more than MOST_LABELS labels.
    """
    scale = Scale.of(level)
    ratings = Ratings.of(table, weights, scale.order)
    if len(ratings.labels) > MOST_LABELS:
        raise ValueError(f"{len(ratings.labels)} different labels are more than {MOST_LABELS}")
    plain, draw = ratings.unweighted(), _Resampling(resamples, confidence, rng)
    aside = replace(draw, rng=rng.spawn(1)[0])  # so that weights change no other interval
    twice = plain.chosen(plain.sizes >= 2)
    support = np.bincount(plain.codes[plain.codes >= 0], minlength=len(plain.labels))
    coefficients, labels = _whole(plain, scale, draw)
    return Agreement(
        items=len(plain.codes),
        pairable=len(twice.codes),
        judgements=int(support.sum()),
        annotators=list(plain.annotators),
        labels=list(plain.labels),
        coefficients=coefficients,
        weighted={} if ratings.weights is None else _whole(ratings, scale, aside)[0],
        pairwise=[],
        per_label=[
            LabelAgreement(name, alpha, int(count))
            for name, alpha, count in zip(plain.labels, labels, support, strict=True)
        ],
        confusion=_confusion(patterns(twice), plain.labels),
    )


def coefficients_only(
    table: Labels | Ratings, level: Level | Scale, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    """The coefficients of the whole table by id, as `agreement` gives them, without pairs and labels."""
    scale = Scale.of(level)
    ratings = Ratings.of(table, order=scale.order)
    return _whole(ratings, scale, _Resampling(resamples, confidence, rng))[0]


def alpha_only(
    ratings: Ratings, level: Level | Scale, resamples: int, confidence: float, rng: np.random.Generator
) -> Estimate:
    """Krippendorff's alpha with its interval, weighted if the ratings are, and nothing else."""
    scale = Scale.of(level)
    twice = ratings.chosen(ratings.sizes >= 2)
    reason = undefined_because(ratings, twice)
    if reason:
        return undefined(reason)
    table = patterns(twice)
    counts, distance = table.counts(len(ratings.labels)), scale.alpha(ratings.labels)
    return _Resampling(resamples, confidence, rng).of(table, lambda times: distance(counts, times), "")[0]


def undefined_because(ratings: Ratings, twice: Ratings) -> str:
    """Why coefficients corrected for chance are undefined, if they are; `twice` is what was judged twice or more."""
    items = counted(len(ratings.codes), "item")
    if not len(ratings.codes):
        return "no judgements"
    if len(ratings.annotators) < 2:
        return f"one annotator only, {items}"
    if not len(twice.codes):
        return f"none of {items} was judged by two annotators"
    if twice.weights is not None and not twice.weights.any():
        return "no item judged twice has any weight"
    given = np.unique(twice.codes[twice.codes >= 0])
    if len(given) < 2:
        return f"one label only ({ratings.labels[given[0]]}) on {counted(len(twice.codes), 'item')} judged twice"
    return ""


# --- the whole table -------------------------------------------------------------------------------------


def _whole(ratings: Ratings, scale: Scale, draw: _Resampling) -> tuple[dict[str, Estimate], list[Estimate]]:
    """Coefficients by id, and the alpha of each label against the rest."""
    twice = ratings.chosen(ratings.sizes >= 2)
    reason = undefined_because(ratings, twice)
    size = len(ratings.labels)
    chance = ["fleiss", "s", "ac1", *(["fleiss_weighted", "ac2"] if scale.weighting else [])]
    if not len(twice.codes) or reason.startswith("no item"):
        names = ["alpha", "percent", *chance, "scott"]
        return dict.fromkeys(names, undefined(reason)), [undefined(reason)] * size
    table = patterns(twice)
    counts = table.counts(size)
    of_alpha = scale.alpha(ratings.labels)
    alpha, share, *labels = draw.of(
        table,
        lambda times: _beside(of_alpha(counts, times), percent(counts, times), label_alphas(counts, times)),
        reason,
    )
    everything = patterns(ratings)
    found = {"alpha": undefined(reason) if reason else alpha, "percent": _hundredfold(share)}
    found |= dict(zip(chance, draw.of(everything, _by_chance(everything, ratings, scale), reason), strict=True))
    if reason:
        found |= dict.fromkeys(chance, undefined(reason))
    found["scott"] = _scott(ratings, draw, reason)
    return found, [_label(one, counts[:, place], table, reason, draw) for place, one in enumerate(labels)]


def _label(one: Estimate, given: Array, table: Patterns, reason: str, draw: _Resampling) -> Estimate:
    """Alpha of a label, of which each pattern has `given`; a bound above where no two people agreed on it."""
    if not one.defined:
        return undefined(reason or _label_undefined(given))
    items = table.units[given > 0].sum()
    if one.point is None or one.low is None or not items or (given >= 2).any():
        return one
    high = one.point + unseen(items, draw.confidence) * (1 - one.point)
    return replace(one, high=float(high), reason=NEVER_AGREED, bounded=True)


def _by_chance(table: Patterns, ratings: Ratings, scale: Scale) -> Callable[[Array], Disagreement]:
    """Fleiss, S, AC1, and where labels have an order or a distance weighted Fleiss and AC2."""
    counts = table.counts(len(ratings.labels))
    plain = nominal(ratings.labels)
    weighted = scale.weights(ratings.labels)

    def measure(times: Array) -> Disagreement:
        found = [fleiss(counts, times, plain), bennett_s(counts, times, plain), gwet(counts, times, plain)]
        if weighted is not None:
            found += [fleiss(counts, times, weighted), gwet(counts, times, weighted)]
        return _beside(*found)

    return measure


def _scott(ratings: Ratings, draw: _Resampling, reason: str) -> Estimate:
    if len(ratings.annotators) != 2:
        return undefined(reason or f"Scott's pi is for two annotators, not {len(ratings.annotators)}: see Fleiss")
    both = ratings.common(ratings.annotators)
    table = patterns(both)
    counts, distance = table.counts(len(both.labels)), nominal(both.labels)
    return draw.of(table, lambda times: fleiss(counts, times, distance), reason)[0]


def _label_undefined(given: Array) -> str:
    return "no other label was given" if given.any() else "given by one annotator alone on each of its items"


def _beside(*measures: Disagreement) -> Disagreement:
    return Disagreement(
        np.concatenate([one.observed for one in measures], axis=1),
        np.concatenate([one.expected for one in measures], axis=1),
    )


def _hundredfold(one: Estimate) -> Estimate:
    point, low, high = (None if value is None else 100 * value for value in (one.point, one.low, one.high))
    return replace(one, point=point, low=low, high=high)


# --- pairs of annotators ---------------------------------------------------------------------------------


def _pair(ratings: Ratings, a: str, b: str, scale: Scale, draw: _Resampling) -> PairAgreement:
    both = ratings.common((a, b))
    size = len(both.labels)
    distances = {"cohen": nominal(both.labels)}
    if scale.weighting == "linear":
        distances |= {"cohen_linear": linear(both.labels), "cohen_quadratic": quadratic(both.labels)}
    elif (weighted := scale.weights(both.labels)) is not None:
        distances["cohen_weighted"] = weighted
    names = [*distances, "scott", "ac1", "percent"]
    table = patterns(both, who=True)
    confusion = np.zeros((size, size), dtype=np.int64)
    np.add.at(confusion, (table.codes[:, 0], table.codes[:, 1]), table.units)
    if not len(both.codes):
        return PairAgreement(a, b, 0, dict.fromkeys(names, undefined("no item judged by both")), confusion)
    counts, plain = table.counts(size), distances["cohen"]
    found = draw.of(
        table,
        lambda times: _beside(
            *(cohen(table.codes, times, distance / max(distance.max(), 1e-300)) for distance in distances.values()),
            fleiss(counts, times, plain), gwet(counts, times, plain), percent(counts, times),
        ),
        "",
    )  # fmt: skip
    coefficients = dict(zip(names, found, strict=True))
    if len(np.unique(both.codes)) < 2:
        reason = f"one label only on {counted(len(both.codes), 'common item')}"
        coefficients |= {name: undefined(reason) for name in names if name != "percent"}
    coefficients["percent"] = _hundredfold(coefficients["percent"])
    return PairAgreement(a, b, len(both.codes), coefficients, confusion)


def _confusion(table: Patterns, labels: Sequence[str]) -> dict[tuple[str, str], int]:
    counts = table.counts(len(labels))
    pairs = counts.T @ (counts * table.units[:, None])
    np.fill_diagonal(pairs, table.units @ (counts * (counts - 1)) / 2)
    return {(a, b): round(pairs[i, j]) for i, a in enumerate(labels) for j, b in enumerate(labels)}
