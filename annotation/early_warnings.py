"""Signs that somebody answers without reading, early enough to talk to them: each a sentence with its figures.

A warning needs a chance of at most CHANCE that a careful annotator would look so bad, so ten items do not raise one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from gainsift.annotation.current import Votes
from gainsift.annotation.reliability import controls, with_oneself
from gainsift.schemas.rows import Annotation, Assignment

CHANCE = 0.01
FAST = 3.0
"""Seconds on a page: below this nobody reads two glosses and an answer, at the median."""
TOO_FAST = 1.0
"""Below this at the median not even the answer was looked at, however fast the others are, or if there are none."""
ENOUGH = 20
"""Judgements from which on times, and labels beside those of others, are looked at."""
SAME = 0.8
"""Share of one label from which on it is asked whether the others give it as often."""
CONTROLS_WRONG = 0.1
"""A careful annotator gets no more of the control items wrong than this."""
SELF_AGREEMENT = 0.8
"""A careful annotator says the same on at least this share of second looks."""

Kind = Literal["too_fast", "same_label", "controls", "self_agreement"]


@dataclass(frozen=True)
class Alarm:
    """One early warning, for the lead's eyes."""

    kind: Kind
    annotator: str
    text: str


def alarms(
    lines: Mapping[str, Sequence[Annotation]], votes: Votes, assignments: Mapping[str, Assignment]
) -> list[Alarm]:
    """The warnings by annotator; `lines` are each one's judgements that hold."""
    found = []
    for name, mine in lines.items():
        others = [line for other, theirs in lines.items() if other != name for line in theirs]
        found += [
            *too_fast(name, mine, others),
            *same_label(name, votes),
            *wrong_controls(name, mine, assignments),
            *low_self_agreement(name, mine),
        ]
    return found


def too_fast(name: str, mine: Sequence[Annotation], others: Sequence[Annotation]) -> list[Alarm]:
    """The median time on a page is below TOO_FAST.

    Or it is below FAST, and the times are below the others' (Mann and Whitney's test).
    """
    from scipy.stats import mannwhitneyu

    own, theirs = _times(mine), _times(others)
    if len(own) < ENOUGH or median(own) >= FAST:
        return []
    if median(own) < TOO_FAST:
        text = f"{name} answers in {median(own):.1f} s at the median of {len(own):,} judgements: nobody reads so fast."
        return [Alarm("too_fast", name, text)]
    if len(theirs) < ENOUGH or mannwhitneyu(own, theirs, alternative="less").pvalue > CHANCE:
        return []
    text = (
        f"{name} answers in {median(own):.1f} s at the median of {len(own):,} judgements; "
        f"the others take {median(theirs):.1f} s."
    )
    return [Alarm("too_fast", name, text)]


def same_label(name: str, votes: Votes) -> list[Alarm]:
    """One label for nearly everything, and more often than the others give it to the same items (Fisher's test)."""
    from scipy.stats import fisher_exact

    shared = [of_item for of_item in votes.values() if name in of_item and len(of_item) > 1]
    if len(shared) < ENOUGH:
        return []
    label, number = Counter(str(of_item[name].label) for of_item in shared).most_common(1)[0]
    theirs = [str(line.label) for of_item in shared for other, line in of_item.items() if other != name]
    share = theirs.count(label) / len(theirs)
    counts = [[number, len(shared) - number], [theirs.count(label), len(theirs) - theirs.count(label)]]
    if number < SAME * len(shared) or fisher_exact(counts, "greater").pvalue > CHANCE:
        return []
    text = (
        f"{name} gives {label} to {number:,} of {len(shared):,} items ({number / len(shared):.0%}); "
        f"the others give it to {share:.0%} of the same items."
    )
    return [Alarm("same_label", name, text)]


def wrong_controls(name: str, mine: Sequence[Annotation], assignments: Mapping[str, Assignment]) -> list[Alarm]:
    """More control items wrong than a careful annotator would get (binomial test against CONTROLS_WRONG)."""
    from scipy.stats import binomtest

    found = controls(mine, assignments)
    wrong = found.of - found.right
    if not found.of or binomtest(wrong, found.of, CONTROLS_WRONG, "greater").pvalue > CHANCE:
        return []
    return [Alarm("controls", name, f"{name} has {wrong:,} of {found.of:,} control items wrong.")]


def low_self_agreement(name: str, mine: Sequence[Annotation]) -> list[Alarm]:
    """Second looks say otherwise too often (binomial test against SELF_AGREEMENT)."""
    from scipy.stats import binomtest

    found = with_oneself(mine)
    if not found.of or binomtest(found.right, found.of, SELF_AGREEMENT, "less").pvalue > CHANCE:
        return []
    text = f"{name} says the same on {found.right:,} of {found.of:,} items seen twice ({found.percent:.0f} %)."
    return [Alarm("self_agreement", name, text)]


def _times(lines: Sequence[Annotation]) -> list[float]:
    return [line.lead_time for line in lines if line.lead_time is not None]
