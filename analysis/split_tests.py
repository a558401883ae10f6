"""The tests beside a split: by clusters, corrected within their families, and the classic ones with their warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gainsift.analysis.cochran_q import cochran_q
from gainsift.analysis.corrections import adjusted
from gainsift.analysis.estimate import Array
from gainsift.analysis.marginal_homogeneity import marginal_wald, paired_difference, sign_flip_homogeneity
from gainsift.analysis.max_t import max_t
from gainsift.analysis.sign_flip import sign_flip
from gainsift.analysis.significance import Significance
from gainsift.analysis.split import SplitSums
from gainsift.analysis.transition_tests import CLASSIC, mcnemar, mcnemar_mid_p
from gainsift.analysis.transitions import Transitions
from gainsift.schemas.config import AnalysisSpec

NOT_WHOLE = "verdicts are distributions: no unit is in one cell"


@dataclass(frozen=True)
class SplitTest:
    """One test of one contrast. `part`: apparent, human, categories, or a bucket's id, as `what` says.

    `adjusted` is the p-value corrected within the family, None for tests that belong to none.
    """

    contrast: str
    what: str
    part: str
    test: Significance
    adjusted: float | None = None


def robust_tests(contrast: str, sums: SplitSums, moved: Transitions, rng: np.random.Generator) -> list[SplitTest]:
    """Those that hold with correlated units: gains, all categories, and the net flow of each bucket."""
    found = []
    for part in ("apparent", "human"):
        values, totals = sums.of(part)
        found.append(SplitTest(contrast, "gain", part, paired_difference(values, totals)))
        effect = float(values.sum() / totals.sum()) if totals.sum() else None
        found.append(SplitTest(contrast, "gain", part, sign_flip(values, rng, effect=effect)))
    found.append(SplitTest(contrast, "categories", "categories", marginal_wald(moved.flows, moved.totals)))
    found.append(SplitTest(contrast, "categories", "categories", sign_flip_homogeneity(moved.flows, rng)))
    for key in sums.keys:
        if key[0] == "flow bucket":
            values, totals = sums.of(key)
            effect = float(values.sum() / totals.sum()) if totals.sum() else None
            found.append(SplitTest(contrast, "bucket", key[1], sign_flip(values, rng, effect=effect)))
    return found


def classic_tests(contrast: str, moved: Transitions, correct: Sequence[str]) -> list[SplitTest]:
    """Those that assume independent units, for comparison; `correct` are the categories of that kind."""
    made: list[tuple[str, Callable[[], Significance]]] = [
        ("human", lambda: mcnemar(*moved.correct(correct))),
        ("human", lambda: mcnemar_mid_p(*moved.correct(correct))),
        ("human", lambda: cochran_q(moved.called(correct))),
        *(("categories", lambda test=test: test(moved.counts)) for test in CLASSIC.values()),
    ]  # fmt: skip
    found = []
    for part, test in made:
        one = test()
        if not moved.whole:
            one = Significance(one.method, reason=NOT_WHOLE, warning=one.warning)
        found.append(SplitTest(contrast, "categories" if part == "categories" else "gain", part, one))
    return found


def corrected(
    tests: Sequence[SplitTest], sums: Mapping[str, SplitSums], spec: AnalysisSpec, rng: np.random.Generator
) -> list[SplitTest]:
    """The tests with `adjusted`, within families: one subject (gain, categories, bucket) and part of a method each.

    The buckets of a contrast are one family, the human gain of it another; `family: all` joins the contrasts. Max-T
    is for buckets; the others are corrected by Holm then. Classic tests are in no family. `sums`: of each contrast.
    """
    families: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(tests):
        if not one.test.warning:
            part = "" if one.what == "bucket" else one.part
            method = "by sign flips" if "sign-flip" in one.test.method else one.test.method
            key = (one.what, part, method, "" if spec.family == "all" else one.contrast)
            families.setdefault(key, []).append(place)
    found = list(tests)
    for family, members in families.items():
        own = [tests[place] for place in members]
        if spec.correction == "max_t" and family[0] == "bucket":
            values = [one.p for one in max_t(_scores(own, sums), rng)]
        else:
            method = "holm" if spec.correction == "max_t" else spec.correction
            values = adjusted([one.test.p for one in own], method)
        for place, one, value in zip(members, own, values, strict=True):
            found[place] = replace(one, adjusted=value if one.test.defined else None)
    return found


def _scores(tests: Sequence[SplitTest], sums: Mapping[str, SplitSums]) -> Array:
    """Net flows of the buckets, a row for each word family of any contrast: [C, K]."""
    names = sorted({name for one in tests for name in sums[one.contrast].clusters})
    place = {name: number for number, name in enumerate(names)}
    found = np.zeros((len(names), len(tests)))
    for column, one in enumerate(tests):
        own = sums[one.contrast]
        found[[place[name] for name in own.clusters], column] = own.of(("flow bucket", one.part))[0]
    return found
