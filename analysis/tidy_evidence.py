"""What the analysis of a tidy table rests on: its rows with verdicts under every rule, and what was said of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.analysis.evidence import MISSING, NOT_GIVEN, TIED, UNJUDGED, Answers, Evidence
from gainsift.analysis.inclusion import Draw
from gainsift.analysis.judged import not_given_label, set_labels
from gainsift.analysis.soft_labels import row_atoms
from gainsift.analysis.tidy_table import UNTOLD, TidyTable
from gainsift.analysis.verdict_rules import DEFAULT, METHODS, Ballot, Distribution
from gainsift.schemas.taxonomy import SENSE_LABEL, Taxonomy

OUTSIDE = "units at a condition without a weight (outside the sample)"


@dataclass(frozen=True)
class Weights:
    """The chances of items where a table has weights, but does not tell the draw.

    Of several items the least chance counts, as the larger weight of a unit: right where the condition that is drawn
    more rarely is drawn among the units of the other, and for a unit drawn as a whole, whose weights are equal.
    """

    chances: Mapping[str, float]

    def probability(self, items: Iterable[str]) -> float:
        return min(self.chances[item] for item in items)


def tidy_evidence(table: TidyTable, taxonomy: Taxonomy) -> Evidence:
    """Raises UserError for a taxonomy that cannot say what a sense that was not given counts as."""
    rows = _rows(table)
    missing = {category.id for category in taxonomy.missing}
    ballots = _ballots(table, missing)
    by_rule: dict[str, pd.DataFrame] = {}
    for name, rule in METHODS.items():
        if name == DEFAULT and "verdict" in table.has and "settled" not in table.has:
            atoms = rows.assign(verdict=table.rows["verdict"], mass=1.0)  # the table settles it row by row
        else:
            found: dict[str, Distribution] = rule(ballots)
            atoms = row_atoms(rows, found)
        by_rule[name] = _labelled(atoms, taxonomy, missing)
    inclusion: Draw = table.inclusion or Weights(_chances(rows))
    languages = table.rows[(table.rows["item"] != "") & table.rows["languages"].notna()].drop_duplicates("item")
    return Evidence(
        by_rule=by_rule,
        inclusion=inclusion,
        ballots=ballots,
        simulated=table.simulated,
        answers=_answers(table, missing),
        skipped=sum(map(len, table.gaps.values())),
        left_out=_left_out(table, by_rule[DEFAULT], ballots, missing),
        language_pairs=dict(zip(languages["item"], languages["languages"], strict=True)),
        automatic=_automatic(table.rows),
    )


def _automatic(rows: pd.DataFrame) -> dict[str, str | None]:
    """Item -> its pre-label, None where the lexicon could not tell."""
    told = rows[(rows["item"] != "") & rows["prelabel"].notna()]
    return {
        item: None if label == UNTOLD else str(label)
        for item, label in zip(told["item"], told["prelabel"], strict=True)
    }


def _rows(table: TidyTable) -> pd.DataFrame:
    """A row for each unit at a condition, as `judged` describes them, without its verdict."""
    rows = table.rows
    item = rows["item"].where(rows["item"] != "", None).astype(object)
    return pd.DataFrame({
        "row_id": rows["unit"] + "\x1f" + rows["condition"],
        "condition": pd.Categorical(rows["condition"], [one.name for one in table.conditions]),
        "unit": rows["unit"], "family": rows["cluster"], "other_family": rows["other_cluster"], "item_id": item,
        "patched": rows["patched"], "success": rows["success"], "identical": rows["identical"],
        "selected": rows["weight"].notna() & item.notna(), "probability": 1 / rows["weight"],
        "sense_split": False, "undecided": "", "not_given": rows["sense_not_given"],
    })  # fmt: skip


def _ballots(table: TidyTable, missing: set[str]) -> dict[str, Ballot]:
    settled = table.rows[table.rows["settled"].notna()].drop_duplicates("item").set_index("item")["settled"].to_dict()
    found = {}
    for item, votes in table.votes.items():
        lead = settled.get(item)
        usable = {name: label for name, label in votes.items() if label not in missing}
        found[item] = Ballot(usable, None if lead in missing else lead, lead in missing)
    return found


def _labelled(atoms: pd.DataFrame, taxonomy: Taxonomy, missing: set[str]) -> pd.DataFrame:
    """Label, kind and bucket of every row, from its item's verdict and what its prompts gave."""
    verdicts = [None if pd.isna(label) or label in missing else str(label) for label in atoms["verdict"]]
    moved = [
        label == SENSE_LABEL and flag for label, flag in zip(verdicts, atoms["not_given"], strict=True)
    ]  # fmt: skip
    atoms["verdict"] = pd.Series(verdicts, atoms.index, dtype=object)
    labels = [not_given_label(taxonomy) if gone else label for label, gone in zip(verdicts, moved, strict=True)]
    set_labels(atoms, labels, taxonomy)
    atoms["sense_not_given"] = moved
    return atoms


def _chances(rows: pd.DataFrame) -> dict[str, float]:
    sample = rows[rows["selected"]]
    return dict(zip(sample["item_id"], sample["probability"], strict=True))


def uneven(evidence: Evidence, units: pd.DataFrame) -> int:
    """Units whose two items have different chances of being judged, where the draw is not told."""
    if not isinstance(evidence.inclusion, Weights):
        return 0
    sides = [units[f"item_id_{side}"].map(evidence.inclusion.chances).to_numpy(float) for side in "ab"]
    return int(units.loc[np.abs(sides[0] - sides[1]) > 1e-12, "unit"].nunique())


def _answers(table: TidyTable, missing: set[str]) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    for votes in table.votes.values():
        for name, label in votes.items():
            one = found.setdefault(name, Answers())
            one.asked += 1
            one.missing[label] += label in missing
    for name, items in table.gaps.items():
        one = found.setdefault(name, Answers())
        one.asked += len(items)
        one.skipped += len(items)
    return dict(sorted(found.items()))


def _left_out(
    table: TidyTable, frame: pd.DataFrame, ballots: Mapping[str, Ballot], missing: set[str]
) -> Counter[str]:  # fmt: skip
    counts = Counter(table.left_out)
    counts[OUTSIDE] = int((~frame["selected"]).sum())
    for votes in table.votes.values():
        counts.update(MISSING.format(label) for label in votes.values() if label in missing)
    for item in set(frame.loc[frame["selected"] & frame["label"].isna(), "item_id"]):
        counts[TIED if ballots[item].votes and not ballots[item].void else UNJUDGED] += 1
    counts[NOT_GIVEN] = frame.loc[frame["sense_not_given"], "row_id"].nunique()
    return +counts
