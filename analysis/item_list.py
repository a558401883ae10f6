"""Every item of the plan, its verdict, its votes and where it occurs: tables/items.csv, and the list on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.judged import Judged
from gainsift.analysis.outputs import excluded_concepts
from gainsift.analysis.shares import KINDS, series_name
from gainsift.analysis.tables import Column, Table
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.rows import Item
from gainsift.schemas.settings import SETTINGS
from gainsift.schemas.study import Study

BEFORE, AFTER = "before", "after"
DISAGREED, AGREED, ONE_VOTE, NO_VOTE = "disagreed", "agreed", "one judgement", "no judgement"
USED = ["row_id", "item_id", "checkpoint", "setting", "prompt", "layer", "verdict", "mass", "kind"]
VOTING = (DISAGREED, AGREED, ONE_VOTE, NO_VOTE)
"""What the usable judgements of an item may be to each other; `unsure` and the like are none."""
LEFT_OUT = {
    "sense_split": "concept flagged sense_split, left out of every figure",
    "outside": "outside the sample",
    "no_output": "no output that is analysed has this item",
}
"""Why an item may stand in no figure."""


@dataclass(frozen=True)
class ListedItem:
    """One item; its texts may be hostile.

    `verdicts`: category ids with their shares (one of share 1 unless verdicts are distributions), as before fan-out;
    empty: undecided, and `undecided` says why. `kinds`: of its outputs, as they stand for patched and unpatched ones.
    `votes`: annotator (a pseudonym) and category id. `outputs`: how many outputs this item judges, at `conditions`.
    `sides`: the contrasts in which it stands, with the side. `left_out`: a key of LEFT_OUT, or empty.
    """

    item_id: str
    languages: str
    word: str
    gloss: str
    answer: str
    closed: bool
    reference: Sequence[str]
    verdicts: Sequence[tuple[str, float]]
    undecided: str
    adjudicated: bool
    kinds: Sequence[str]
    votes: Sequence[tuple[str, str]]
    voting: str
    outputs: int
    conditions: Sequence[str]
    sides: Sequence[tuple[str, str]]
    left_out: str


def item_list(
    study: Study, items: Sequence[Item], judged: Judged, contrasts: Sequence[ContrastResult]
) -> list[ListedItem]:
    """Every item of the plan, by language pair (as study.yaml lists them), then word, then answer."""
    rows = judged.frame.loc[judged.frame["item_id"].notna(), USED]
    verdicts, kinds, outputs, places = _verdicts(rows), _kinds(rows), _outputs(rows), _conditions(rows, study)
    sides = _sides(contrasts)
    excluded = excluded_concepts(study)
    order = {f"{given} → {out}": place for place, (given, out) in enumerate(study.config.language_pairs)}
    found = []
    for item in items:
        concept, plain = study.concepts[item.intended_concept], judged.verdicts[item.item_id]
        own = verdicts.get(item.item_id, ())
        left_out = "sense_split" if item.intended_concept in excluded else ""
        left_out = left_out or ("" if item.item_id in outputs else "no_output")
        left_out = left_out or ("" if item.item_id in judged.inclusion.selected else "outside")
        found.append(
            ListedItem(
                item_id=item.item_id,
                languages=f"{item.input_language} → {item.output_language}",
                word=item.shown_word,
                gloss=concept.gloss,
                answer=item.answer,
                closed=item.closed,
                reference=tuple(concept.reference.get(item.output_language, ())),
                verdicts=own,
                undecided="" if own else plain.reason or "tie",
                adjudicated=plain.adjudicated,
                kinds=kinds.get(item.item_id, ()),
                votes=tuple(sorted(plain.votes.items())),
                voting=_voting(plain.votes, study),
                outputs=outputs.get(item.item_id, 0),
                conditions=places.get(item.item_id, ()),
                sides=sides.get(item.item_id, ()),
                left_out=left_out,
            )
        )
    return sorted(found, key=lambda one: (order.get(one.languages, len(order)), one.word, one.answer, one.item_id))


def _voting(votes: Mapping[str, str], study: Study) -> str:
    usable = [label for label in votes.values() if not is_missing(label, study.taxonomy)]
    if len(usable) < 2:
        return ONE_VOTE if usable else NO_VOTE
    return DISAGREED if len(set(usable)) > 1 else AGREED


def _grouped(pairs: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """First column -> the distinct values of the second, in order of appearance."""
    found: dict[str, dict[str, None]] = {}
    for key, value in pairs.drop_duplicates().itertuples(index=False):
        found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items()}


def _verdicts(rows: pd.DataFrame) -> dict[str, tuple[tuple[str, float], ...]]:
    """The labels of each item with their shares, the greatest first."""
    known = rows.loc[rows["verdict"].notna(), ["item_id", "verdict", "mass"]].drop_duplicates()
    found: dict[str, list[tuple[str, float]]] = {}
    for item, label, mass in known.itertuples(index=False):
        found.setdefault(item, []).append((label, float(mass)))
    return {item: tuple(sorted(own, key=lambda one: (-one[1], one[0]))) for item, own in found.items()}


def _kinds(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    found = _grouped(rows.loc[rows["kind"].notna(), ["item_id", "kind"]])
    return {item: tuple(kind for kind in KINDS if kind in own) for item, own in found.items()}


def _outputs(rows: pd.DataFrame) -> dict[str, int]:
    """Outputs of each item; an output may have a row for each of several labels."""
    once = rows.loc[~rows["row_id"].duplicated(), "item_id"] if (rows["mass"] != 1).any() else rows["item_id"]
    return {str(item): int(count) for item, count in once.value_counts().items()}


def _conditions(rows: pd.DataFrame, study: Study) -> dict[str, tuple[str, ...]]:
    """The conditions of each item: unpatched ones first, then by setting and layer, checkpoints in training order."""
    where = ["setting", "prompt", "layer", "checkpoint"]
    number = rows.groupby(where, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    firsts = rows[where].iloc[np.unique(number, return_index=True)[1]]
    training = {one.name: place for place, one in enumerate(study.config.model.checkpoints)}
    settings = list(SETTINGS)
    names, places = [], []
    for setting, prompt, layer, checkpoint in firsts.itertuples(index=False):
        depth = None if pd.isna(layer) else int(layer)
        names.append(f"{checkpoint}, {series_name(setting, prompt, depth)}")
        places.append((settings.index(setting), prompt, -1 if depth is None else depth, training.get(checkpoint, 0)))
    rank = np.empty(len(places), np.intp)
    rank[sorted(range(len(places)), key=places.__getitem__)] = np.arange(len(places))
    pairs = pd.DataFrame({"item_id": rows["item_id"].to_numpy(), "number": number}).drop_duplicates()
    pairs = pairs.iloc[np.argsort(rank[pairs["number"].to_numpy()], kind="stable")]
    return _grouped(pairs.assign(name=[names[one] for one in pairs["number"]])[["item_id", "name"]])


def _sides(contrasts: Sequence[ContrastResult]) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, dict[tuple[str, str], None]] = {}
    for result in contrasts:
        for side, name in (("a", BEFORE), ("b", AFTER)):
            for item in result.units.frame[f"item_id_{side}"].dropna().unique():
                found.setdefault(str(item), {})[result.contrast.name, name] = None
    return {item: tuple(own) for item, own in found.items()}


# --- tables/items.csv ------------------------------------------------------------------------------------


def items_table(listed: Sequence[ListedItem], recipe: str) -> Table:
    """One row for each item, lists parted by ` | `; categories by id."""
    return Table(
        "items",
        "All items",
        [Column("item", "Item"), Column("languages", "Languages"), Column("word", "Word"), Column("gloss", "Meaning"),
         Column("answer", "Answer"), Column("closed", "Closing quote reached"), Column("reference", "Word list"),
         Column("verdict", "Verdict, category id"), Column("undecided", "Why undecided"),
         Column("adjudicated", "Adjudicated"), Column("kinds", "Kinds"), Column("votes", "Votes"),
         Column("voting", "Annotators"), Column("outputs", "Outputs", "count"), Column("conditions", "Conditions"),
         Column("contrasts", "Contrasts"), Column("left_out", "Left out")],
        [
            {"item": one.item_id, "languages": one.languages, "word": one.word, "gloss": one.gloss,
             "answer": one.answer, "closed": _truth(one.closed), "reference": _joined(one.reference),
             "verdict": _joined(_share(*verdict) for verdict in one.verdicts), "undecided": one.undecided,
             "adjudicated": _truth(one.adjudicated), "kinds": _joined(one.kinds),
             "votes": _joined(f"{who}: {label}" for who, label in one.votes), "voting": one.voting,
             "outputs": one.outputs, "conditions": _joined(one.conditions),
             "contrasts": _joined(f"{name}: {side}" for name, side in one.sides), "left_out": one.left_out}
            for one in listed
        ],
        ["One row for each distinct answer that people were asked about, under the pseudonyms of study.yaml."],
        recipe,
    )  # fmt: skip


def _joined(parts: Iterable[str]) -> str:
    return " | ".join(parts)


def _truth(value: bool) -> str:
    return "yes" if value else "no"


def _share(label: str, share: float) -> str:
    return label if share == 1 else f"{label} {share:.3f}"
