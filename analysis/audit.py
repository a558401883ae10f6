"""The audit of reference answers: how often people do not call an answer right that equals the word list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint

from gainsift.analysis.estimate import Estimate, undefined
from gainsift.analysis.judged import Judged
from gainsift.schemas.taxonomy import Taxonomy


@dataclass(frozen=True)
class Audit:
    """Counts of items. `asked`: people were asked about them; `unasked`: drawn, but left out by the audit.

    `decided`: asked, with a usable verdict; `wrong`: those whose verdict is not of kind correct; `share` of decided.
    """

    asked: int
    unasked: int
    decided: int
    wrong: int
    share: Estimate


def audit(judged: Judged, used: Collection[str], taxonomy: Taxonomy, confidence: float) -> Audit | None:
    """The audited items among `used` (item ids); None if there are none.

    The audit asks about each such item with the same probability, by draws that are independent: a simple random
    sample of them, so nothing is weighed. The interval is exact (Clopper & Pearson 1934).
    """
    audited = judged.inclusion.audits.keys() & set(used)
    asked, unasked = audited & judged.inclusion.selected, audited & judged.inclusion.unasked
    if not asked and not unasked:
        return None
    labels = [label for item in asked if (label := judged.verdicts[item].label) is not None]
    wrong = sum(taxonomy.category(label).kind != "correct" for label in labels)
    if labels:
        low, high = proportion_confint(wrong, len(labels), 1 - confidence, "beta")
        share = Estimate(wrong / len(labels), float(low), float(high))
    else:
        share = undefined("no audited answer has a usable verdict")
    return Audit(len(asked), len(unasked), len(labels), wrong, share)
