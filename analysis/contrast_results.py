"""Each contrast: its units, the split with and without `identical` units, transitions and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from gainsift.analysis.design import Contrast, Design
from gainsift.analysis.estimate import generator
from gainsift.analysis.impossible import without_impossible
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.intervals import resampling
from gainsift.analysis.signature import signature
from gainsift.analysis.split import Split, SplitSums, split, split_sums
from gainsift.analysis.split_tests import SplitTest, classic_tests, corrected, robust_tests
from gainsift.analysis.transitions import Transitions, transitions
from gainsift.analysis.units import Units, units_of
from gainsift.schemas.taxonomy import Taxonomy


@dataclass(frozen=True)
class ContrastResult:
    """One contrast: its units, the split, and the split without `identical` units, where such are marked.

    Each of the two splits has its own signature. `tests` are corrected within their families.
    """

    contrast: Contrast
    units: Units
    split: Split
    without_identical: Split | None
    sums: SplitSums
    transitions: Transitions
    tests: Sequence[SplitTest]
    signature: str
    signature_without: str

    @property
    def step(self) -> bool:
        """One of several steps along a series, which the page shows as a chain."""
        return self.contrast.step


def contrast_results(
    design: Design, frame: pd.DataFrame, inclusion: Draw, common: dict[str, object], progress: Callable[[str], None]
) -> list[ContrastResult]:  # fmt: skip
    """Every contrast of the design, from the rows `frame` as `judged` makes them."""
    found = []
    for contrast in design.contrasts:
        progress(f"split of {contrast.name}")
        found.append(_contrast(design, units_of(frame, design, contrast, inclusion), contrast, common))
    tests = corrected(
        [test for result in found for test in result.tests],
        {result.contrast.name: result.sums for result in found},
        design.spec,
        generator(design.spec.seed, "max_t"),
    )
    return [
        replace(result, tests=[test for test in tests if test.contrast == result.contrast.name]) for result in found
    ]


def _contrast(design: Design, units: Units, contrast: Contrast, common: dict[str, object]) -> ContrastResult:
    spec, taxonomy = design.spec, design.taxonomy
    buckets = list(taxonomy.buckets)
    whole, without = (
        split(frame, buckets, spec.bootstrap, spec.confidence, resampling(spec), spec.interval)
        for frame in (units.frame, units.frame[~units.frame["identical"].astype(bool)].reset_index(drop=True))
    )
    whole, without = (possible_alone(found, taxonomy, contrast) for found in (whole, without))
    recipes = [
        signature(
            split="flow+share", identical=kept, units=found.units, decided=found.decided, clusters=found.clusters,
            ci=f"{spec.interval} {spec.confidence:g}", **common,
        )
        for found, kept in ((whole, None), (without, "out"))
    ]  # fmt: skip
    sums = split_sums(units.frame, buckets)
    moved = transitions(units.frame, taxonomy.ids)
    right = [category.id for category in taxonomy.categories if category.kind == "correct"]
    tests = robust_tests(contrast.name, sums, moved, generator(spec.seed, "tests", contrast.name))
    tests += classic_tests(contrast.name, moved, right)
    if not design.scored:
        tests = [test for test in tests if test.part != "apparent"]
    kept = without if design.identical else None
    return ContrastResult(contrast, units, whole, kept, sums, moved, tests, recipes[0], recipes[1])


def possible_alone(found: Split, taxonomy: Taxonomy, contrast: Contrast) -> Split:
    """The split without intervals for buckets that no category has in either condition."""
    sides = (contrast.a, contrast.b)
    return replace(
        found,
        flow_buckets=without_impossible(found.flow_buckets, taxonomy, sides),
        share_buckets=without_impossible(found.share_buckets, taxonomy, sides),
        of_gain_buckets=without_impossible(found.of_gain_buckets, taxonomy, sides),
    )
