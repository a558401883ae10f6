"""Buckets that no category can have where one looks: their zeros could not be anything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gainsift.analysis.design import Condition
from gainsift.analysis.estimate import Estimate
from gainsift.schemas.taxonomy import Taxonomy

IMPOSSIBLE = "No interval for a bucket that no category has there, as some belong to patched rows alone."


def without_impossible(
    buckets: Mapping[str, Estimate], taxonomy: Taxonomy, conditions: Iterable[Condition]
) -> dict[str, Estimate]:
    """The figures of `buckets`, where a zero that could not be anything else has neither interval nor bound.

    Possible are those that a category has in any of `conditions`.
    """
    possible = {category.bucket_on(side.patched) for side in conditions for category in taxonomy.categories}
    return {
        name: Estimate(0.0, reason=IMPOSSIBLE) if value.point == 0 and name not in possible else value
        for name, value in buckets.items()
    }
