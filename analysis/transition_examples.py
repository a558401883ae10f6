"""Outputs behind each transition of a contrast: a few units with what the model said before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.judged import Judged
from gainsift.analysis.spread import spread
from gainsift.analysis.units import is_decided
from gainsift.analysis.wording import answered
from gainsift.schemas.study import Study

PER_TRANSITION = 3
SAID = ["answer", "closed", "shown_word", "concept", "input_language", "output_language"]
UNIT = ["row_id_a", "row_id_b", "success_a", "success_b"]


@dataclass(frozen=True)
class Said:
    """One unit of a contrast; its texts may be hostile. `listed`: the answer equals a form of the word list."""

    word: str
    gloss: str
    languages: str
    before: str
    after: str
    reference: str
    listed_before: bool
    listed_after: bool


@dataclass(frozen=True)
class Transition:
    """Units that had category `before` and then `after` (ids). `units` as they are, `share` [0, 1] of all decided."""

    before: str
    after: str
    units: float
    share: float
    examples: Sequence[Said]

    @property
    def unchanged(self) -> bool:
        return self.before == self.after


def transition_examples(
    study: Study, judged: Judged, contrasts: Sequence[ContrastResult]
) -> dict[str, list[Transition]]:
    """By contrast (steps of a chain apart), every transition that occurs: changes first, the most frequent first.

    At most PER_TRANSITION units each, spread evenly over those with different items, in order of unit.
    """
    chosen = {
        result.contrast.name: {
            pair: spread(group.drop_duplicates(["item_id_a", "item_id_b"]), PER_TRANSITION)
            for pair, group in _decided(result).groupby(["label_a", "label_b"], sort=False)
        }
        for result in contrasts
        if not result.step
    }
    ids = {row for own in chosen.values() for group in own.values() for row in (*group["row_id_a"], *group["row_id_b"])}
    frame = judged.frame
    rows = frame[frame["row_id"].isin(ids)].drop_duplicates("row_id").set_index("row_id")[SAID]
    said: dict[str, dict[str, Any]] = rows.to_dict("index")  # type: ignore[assignment]
    found = {}
    for result in contrasts:
        if not result.step:
            own = chosen[result.contrast.name]
            cells = np.argwhere(result.transitions.counts)
            moved = [_transition(study, result, row, column, own, said) for row, column in cells]
            found[result.contrast.name] = sorted(moved, key=lambda one: (one.unchanged, -one.units))
    return found


def _decided(result: ContrastResult) -> pd.DataFrame:
    units = result.units.frame
    return units[is_decided(units)].sort_values("unit")


def _transition(
    study: Study, result: ContrastResult, row: int, column: int, chosen: Mapping[Any, pd.DataFrame],
    said: Mapping[str, Mapping[str, Any]],
) -> Transition:  # fmt: skip
    moved = result.transitions
    before, after = moved.categories[row], moved.categories[column]
    examples = [
        _said(study, said[str(row_a)], said[str(row_b)], bool(listed_a), bool(listed_b))
        for row_a, row_b, listed_a, listed_b in chosen[before, after][UNIT].itertuples(index=False)
    ]
    return Transition(before, after, float(moved.counts[row, column]), float(moved.shares[row, column]), examples)


def _said(study: Study, a: Mapping[str, Any], b: Mapping[str, Any], listed_a: bool, listed_b: bool) -> Said:
    """Where the two sides are about different concepts (source and target prompts), both words are told."""
    about = [(side["shown_word"], study.concepts[side["concept"]]) for side in (a, b)]
    words, glosses = ([word for word, _ in about], [concept.gloss for _, concept in about])
    references = [", ".join(concept.reference.get(b["output_language"], [])) for _, concept in about]
    word, gloss, reference = (" → ".join(dict.fromkeys(both)) for both in (words, glosses, references))
    before, after = (answered(side["answer"], side["closed"]) for side in (a, b))
    languages = f"{b['input_language']} → {b['output_language']}"
    return Said(word, gloss, languages, before, after, reference, listed_a, listed_b)
