"""Each contrast of a study: its units, the split with and without `identical` units, transitions and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.judged import Judged
from gainsift.analysis.signature import signature
from gainsift.analysis.split import Split, SplitSums, split, split_sums
from gainsift.analysis.split_tests import SplitTest, classic_tests, corrected, robust_tests
from gainsift.analysis.transitions import Transitions, transitions
from gainsift.analysis.units import Units, units_of
from gainsift.schemas.config import Contrast
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study

IMPOSSIBLE = "No interval for a bucket that no category has in either condition."


@dataclass(frozen=True)
class ContrastResult:
    """One contrast of study.yaml: its units, the split, and the split without `identical` units.

    Each of the two splits has its own signature. `tests` are corrected within their families. `step`: one of several
    steps along a series, which the page shows as a chain.
    """

    contrast: Contrast
    units: Units
    split: Split
    without_identical: Split
    sums: SplitSums
    transitions: Transitions
    tests: Sequence[SplitTest]
    signature: str
    signature_without: str
    step: bool


def contrast_results(
    study: Study, judged: Judged, common: dict[str, object], progress: Callable[[str], None]
) -> list[ContrastResult]:
    """Every contrast that study.yaml names or goes along."""
    config = study.config
    steps = {
        link.name for series in config.contrasts_along if len(links := config.links_of(series)) > 1 for link in links
    }
    found = []
    for contrast in config.every_contrast():
        progress(f"split of {contrast.name}")
        found.append(_contrast(study, judged, contrast, common, contrast.name in steps))
    tests = corrected(
        [test for result in found for test in result.tests],
        {result.contrast.name: result.sums for result in found},
        study.config.analysis,
        generator(study.config.analysis.seed, "max_t"),
    )
    return [
        replace(result, tests=[test for test in tests if test.contrast == result.contrast.name]) for result in found
    ]


def _contrast(
    study: Study, judged: Judged, contrast: Contrast, common: dict[str, object], step: bool
) -> ContrastResult:
    spec = study.config.analysis
    units = units_of(judged.frame, study.config, contrast, judged.inclusion)
    buckets = list(study.taxonomy.buckets)
    whole, without = (
        split(
            frame, buckets, spec.bootstrap, spec.confidence, generator(spec.seed, "split", contrast.name), spec.interval
        )
        for frame in (units.frame, units.frame[~units.frame["identical"].astype(bool)].reset_index(drop=True))
    )
    whole, without = (_without_impossible(found, _possible(study, contrast)) for found in (whole, without))
    recipes = [
        signature(
            split="flow+share", identical=kept, units=found.units, decided=found.decided, clusters=found.clusters,
            ci=f"{spec.interval} {spec.confidence:g}", **common,
        )
        for found, kept in ((whole, None), (without, "out"))
    ]  # fmt: skip
    sums = split_sums(units.frame, buckets)
    moved = transitions(units.frame, study.taxonomy.ids)
    right = [category.id for category in study.taxonomy.categories if category.kind == "correct"]
    tests = robust_tests(contrast.name, sums, moved, generator(spec.seed, "tests", contrast.name))
    tests += classic_tests(contrast.name, moved, right)
    return ContrastResult(contrast, units, whole, without, sums, moved, tests, recipes[0], recipes[1], step)


def _possible(study: Study, contrast: Contrast) -> set[str | None]:
    """The buckets that a category can have in either condition: some belong to patched rows alone."""
    return {
        category.bucket_on(side.setting != UNPATCHED)
        for side in (contrast.a, contrast.b)
        for category in study.taxonomy.categories
    }


def _without_impossible(found: Split, possible: set[str | None]) -> Split:
    """A zero that could not be anything else needs no interval, nor a bound."""

    def told(buckets: dict[str, Estimate]) -> dict[str, Estimate]:
        return {
            name: Estimate(0.0, reason=IMPOSSIBLE) if value.point == 0 and name not in possible else value
            for name, value in buckets.items()
        }

    return replace(found, flow_buckets=told(found.flow_buckets), share_buckets=told(found.share_buckets))
