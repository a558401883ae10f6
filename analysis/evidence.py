"""What an analysis rests on, whatever it was read from: rows with verdicts, and what was said of every item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from gainsift.analysis.agreement_parts import Repeats
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.verdict_rules import Ballots

MISSING = "judgements `{}`"
UNJUDGED = "items to be judged without a usable judgement"
TIED = "items with a tie between labels"
NOT_GIVEN = "rows whose `other_sense` became `unrelated` (no given form carries the sense)"


@dataclass
class Answers:
    """What became of one annotator's tasks, repeats and controls left out: counts of tasks.

    `missing`: answered with a label that says there is no judgement (`unsure`, `bad_item`), by label.
    """

    asked: int = 0
    skipped: int = 0
    missing: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Controls:
    """How many controls with a known answer an annotator judged, and the share that was right (Clopper & Pearson)."""

    judged: int
    right: Estimate


@dataclass(frozen=True)
class Evidence:
    """`by_rule`: the rows, as `judged` describes them, under each rule for verdicts. `ballots` by item id.

    `language_pairs`: of each item, empty where there are none. `answers` by annotator. `repeats` and `controls` (by
    annotator) are None where no such tasks can be told; `known` are judgements of controls: cluster, right label, label
    given. `automatic`: item -> its pre-label, None where the lexicon could not tell. `accepting`: the rows with success
    also on accepted forms. `skipped`: tasks; `left_out`: what does not enter.
    """

    by_rule: Mapping[str, pd.DataFrame]
    inclusion: Draw
    ballots: Ballots
    simulated: bool
    answers: Mapping[str, Answers]
    skipped: int
    left_out: Counter[str]
    language_pairs: Mapping[str, str] = field(default_factory=dict)
    repeats: Repeats | None = None
    controls: Mapping[str, Controls] | None = None
    known: Sequence[tuple[str, str, str]] = ()
    automatic: Mapping[str, str | None] = field(default_factory=dict)
    accepting: pd.DataFrame | None = None

    def frame(self, design: Design) -> pd.DataFrame:
        """Every row, under the rule of the design."""
        return self.by_rule[design.spec.verdict]

    def rows(self, design: Design) -> pd.DataFrame:
        """The rows that are analysed: without concepts flagged `sense_split`, where the design leaves them out."""
        frame = self.frame(design)
        return frame[~frame["sense_split"].to_numpy(bool)] if design.spec.exclude_sense_split else frame
