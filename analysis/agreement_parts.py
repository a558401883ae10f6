"""Agreement in parts: without each annotator, at each condition, of one label against the rest, of people with
themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gainsift.analysis.agreement import Agreement, Labels, alpha_only, coefficients_only, overall
from gainsift.analysis.distances import of_taxonomy
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.levels import Level, Scale
from gainsift.analysis.light import light_kappa, light_kappa_without_each
from gainsift.analysis.ratings import Ratings
from gainsift.schemas.taxonomy import Taxonomy

Repeats = Mapping[str, Mapping[str, Sequence[str]]]
"""item -> annotator -> labels given when the item came again, in the order of time."""
REST = "rest"


@dataclass(frozen=True)
class SelfAgreement:
    """Of each annotator on the items that came to them twice or more, and of all together.

    The "annotators" of these tables are the occasions. In `together` a unit is an item with an annotator: two people
    on one item count as two units, which makes its interval somewhat narrow where many items came to several people.
    """

    each: dict[str, Agreement]
    together: Agreement


def without_each(
    table: Labels | Ratings, level: Level | Scale, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Alpha of the others when an annotator is left out: annotator -> alpha. One who lifts it disagrees the most."""
    scale = Scale.of(level)
    ratings = Ratings.of(table, order=scale.order)
    return {
        name: alpha_only(
            ratings.by([other for other in ratings.annotators if other != name]), scale, resamples, confidence, rng
        )
        for name in ratings.annotators
    }


def at_conditions(
    table: Labels,
    rows: Mapping[str, Mapping[str, float]],
    level: Level | Scale,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> dict[str, Agreement]:
    """Agreement on the distinct items that occur at each condition, and weighted by how many outputs they stand for.

    `rows`: condition -> item -> its (weighted) number of outputs there; items that nobody judged may be among them.
    The same items at two conditions give the same figures: what drifts is which answers occur. Each condition has a
    generator of its own, spawned in their order.
    """
    return {
        condition: overall(
            {item: table[item] for item in of_items if item in table}, level, resamples, confidence, own, of_items
        )
        for (condition, of_items), own in zip(rows.items(), rng.spawn(len(rows)), strict=True)
    }


def by_kind(table: Labels, taxonomy: Taxonomy) -> dict[str, dict[str, str]]:
    """The table of categories with their kinds, as they stand for patched outputs."""
    return {
        item: {name: str(taxonomy.category(label).kind) for name, label in votes.items()}
        for item, votes in table.items()
    }


def by_path(
    table: Labels, taxonomy: Taxonomy, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    """The coefficients that weigh how far two categories lie apart in the taxonomy (kind, bucket, category), by id."""
    scale = Scale.given("path", of_taxonomy(taxonomy))
    found = coefficients_only(table, scale, resamples, confidence, rng)
    return {name: found[name] for name in ("alpha", "fleiss_weighted", "ac2")}


def against_rest(table: Labels, label: str) -> dict[str, dict[str, str]]:
    """The table in which every other label is REST (or the label "not rest", if that is its name)."""
    other = REST if label != REST else f"not {REST}"
    return {
        item: {name: label if given == label else other for name, given in votes.items()}
        for item, votes in table.items()
    }


def each_against_rest(
    table: Labels, labels: Sequence[str], resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, dict[str, Estimate]]:
    """Label -> nominal coefficients by id of the table in which all other labels are one."""
    return {
        label: every_coefficient(Ratings.of(against_rest(table, label)), resamples, confidence, own)
        for label, own in zip(labels, rng.spawn(len(labels)), strict=True)
    }


def every_coefficient_without_each(
    table: Labels, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, dict[str, Estimate]]:
    """Annotator -> nominal coefficients by id of the others; each annotator has draws of its own, but for Cohen's."""
    ratings = Ratings.of(table)
    names, own = ratings.annotators, rng.spawn(len(ratings.annotators))
    cohen = light_kappa_without_each(ratings, resamples, confidence, rng)
    found = {}
    for name, draws in zip(names, own, strict=True):
        others = ratings.by([other for other in names if other != name])
        found[name] = {**coefficients_only(others, "nominal", resamples, confidence, draws), "cohen": cohen[name]}
    return found


def every_coefficient(
    ratings: Ratings, resamples: int, confidence: float, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Nominal coefficients by id, `cohen` as the mean of pairs among them."""
    found = coefficients_only(ratings, "nominal", resamples, confidence, rng)
    return {**found, "cohen": light_kappa(ratings, resamples, confidence, rng)}


def self_agreement(
    table: Labels,
    repeats: Repeats,
    level: Level | Scale,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> SelfAgreement:
    """How far people agree with themselves: first judgements of `table` beside those of `repeats`.

    A repeat without a first judgement counts only beside further repeats of the same item.
    """
    occasions: dict[str, dict[str, dict[str, str]]] = {}
    for item, by_annotator in repeats.items():
        for name, labels in by_annotator.items():
            first = table.get(item, {}).get(name)
            given = ([first] if first is not None else []) + list(labels)
            occasions.setdefault(name, {})[item] = {f"occasion {n}": label for n, label in enumerate(given, start=1)}
    everyone = {
        f"{len(name)} {name} {item}": votes for name, items in occasions.items() for item, votes in items.items()
    }
    return SelfAgreement(
        each={
            name: overall(occasions[name], level, resamples, confidence, rng) for name in sorted(occasions)
        },
        together=overall(everyone, level, resamples, confidence, rng),
    )  # fmt: skip
