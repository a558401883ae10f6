"""Outputs to look at: a few for each category, and those where the word list and the readers disagree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gainsift.analysis.judged import Judged
from gainsift.analysis.shares import series_name
from gainsift.analysis.spread import spread
from gainsift.analysis.wording import answered
from gainsift.schemas.study import Study

PER_CATEGORY = 3
UNDESERVED = "Counted as a success, not called correct"
MISSED = "Called correct, not counted as a success"


@dataclass(frozen=True)
class Example:
    """One output with its verdict; every text may be hostile and is escaped where it is printed."""

    group: str
    shown_word: str
    gloss: str
    languages: str
    answer: str
    reference: str
    verdict: str
    votes: str
    condition: str


def examples(judged: Judged, study: Study) -> list[Example]:
    """At most PER_CATEGORY of each group, spread evenly over the rows in order of id, each item once."""
    rows = judged.frame[judged.frame["selected"] & judged.frame["label"].notna()]
    rows = rows.sort_values("row_id").drop_duplicates("item_id")
    known = {category.id: category.label for category in study.taxonomy.categories}
    groups = [(known[name], rows[rows["label"] == name]) for name in study.taxonomy.ids]
    wrong = rows["correct"] == 0
    groups = [
        (UNDESERVED, rows[wrong & rows["success"]]),
        (MISSED, rows[~wrong & ~rows["success"].astype(bool)]),
        *groups,
    ]
    return [
        _example(name, row, judged, study, known)
        for name, group in groups
        for _, row in spread(group, PER_CATEGORY).iterrows()
    ]


def _example(group: str, row: pd.Series[Any], judged: Judged, study: Study, known: dict[str, str]) -> Example:
    concept = study.concepts[str(row["concept"])]
    found = judged.verdicts[str(row["item_id"])]
    layer = None if pd.isna(row["layer"]) else int(row["layer"])
    return Example(
        group=group,
        shown_word=str(row["shown_word"]),
        gloss=concept.gloss,
        languages=f"{row['input_language']} → {row['output_language']}",
        answer=answered(str(row["answer"]), bool(row["closed"])),
        reference=", ".join(concept.reference.get(str(row["output_language"]), [])),
        verdict=known[str(row["label"])] + (" (adjudicated)" if found.adjudicated else ""),
        votes=", ".join(f"{n} {known.get(label, label)}" for label, n in Counter(found.votes.values()).most_common()),
        condition=f"{row['checkpoint']}, {series_name(str(row['setting']), str(row['prompt']), layer)}",
    )
