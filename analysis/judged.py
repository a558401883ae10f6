"""The join: outputs × links × items × judgements, as one tidy frame with a row for each output.

Where the rule for verdicts gives distributions, an output has one row for each label that its item may have; `mass`
is that label's share, and 1 otherwise.

Columns of the frame: row_id, checkpoint, step, tokens, setting, prompt, layer, condition (a category: checkpoint and
how it was asked), patched, input_language, output_language, pair_id, unit (pair|input|output), concept, other_concept,
family and other_family (of either concept), shown_word, answer, closed, success (bool), item_id (None if not linked),
selected (its item is in the sample), probability (of its item, NaN if that is not in the sample), verdict (the item's
label, before fan-out), mass, label, kind, bucket (None while undecided), correct (1, 0 or NaN), undecided (why),
identical, sense_split, sense_not_given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from gainsift.analysis.distinct_rows import repeated
from gainsift.analysis.inclusion import AGAIN, Inclusion
from gainsift.analysis.judgements import Judgements
from gainsift.analysis.linked_outputs import OWN, LinkedOutputs, distinct_links, linked_outputs, read_links
from gainsift.analysis.outputs import scorer
from gainsift.analysis.shares import series_name
from gainsift.analysis.soft_labels import row_atoms
from gainsift.analysis.verdict_rules import METHODS, Ballot, ballots
from gainsift.analysis.verdicts import Verdict, verdict
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.given import GivenForm, given_forms
from gainsift.schemas.rows import Item, item_answer
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study
from gainsift.schemas.success import comparable
from gainsift.schemas.taxonomy import NOT_LISTED, SENSE_LABEL, Taxonomy

NOT_GIVEN_LABEL = "unrelated"


@dataclass(frozen=True)
class Judged:
    """The frame, the plain verdict of every item (whatever the rule), and the probabilities of the draw.

    `left_out` counts the outputs that are not in the frame because study.yaml no longer asks for them.
    """

    frame: pd.DataFrame
    verdicts: Mapping[str, Verdict]
    inclusion: Inclusion
    left_out: Counter[str]


@dataclass(frozen=True)
class Joined:
    """Outputs, links, items and judgements of a study, before a rule makes verdicts of the judgements.

    `kinds`: what of the distinct kinds of `outputs` can be said without their judgements. `said` by content key.
    """

    study: Study
    items: Sequence[Item]
    outputs: LinkedOutputs
    kinds: pd.DataFrame
    inclusion: Inclusion
    verdicts: Mapping[str, Verdict]
    said: Mapping[str, Ballot]

    def judged(self, rule: str | None = None) -> Judged:
        """`rule`: how judgements become a verdict, by its name in verdict_rules; by default the study's."""
        found = METHODS[rule or self.study.config.analysis.verdict](self.said)
        kinds = row_atoms(self.kinds, {item.item_id: found[item.content_key] for item in self.items})
        senses = {item.item_id: self.said[item.content_key].senses for item in self.items}
        kinds = in_sample(_with_verdicts(kinds, self.verdicts, senses, self.study), self.inclusion)
        return Judged(_of_rows(self.outputs, kinds), self.verdicts, self.inclusion, self.outputs.left_out)


def join(study: Study, items: Sequence[Item], judgements: Judgements) -> Joined:
    """Join everything that is linked or stands in a contrast. Raises UserError where the files disagree.

    Every row of the population is linked, drawn or not. The item of a drawn row that is asked about must be there;
    that of another row need not: where it is absent the row is outside the sample.
    """
    links = read_links(study)
    by_id = {item.item_id: item for item in items}
    inclusion = Inclusion.of(distinct_links(links), str(study.links_file))
    unknown = inclusion.selected - by_id.keys()
    if unknown:
        raise UserError(str(study.links_file), f"links drawn rows to {len(unknown)} unknown items", AGAIN)
    verdicts = {
        item.item_id: verdict(
            judgements.votes.get(item.content_key, {}).values(),
            judgements.adjudicated.get(item.content_key),
            study.taxonomy,
        )
        for item in items
    }
    said = ballots(judgements, [item.content_key for item in items], study.taxonomy)
    outputs = linked_outputs(study, links)
    kinds = outputs.kinds.assign(kind_number=np.arange(len(outputs.kinds)))
    _check_unchanged(kinds, by_id, study)
    return Joined(study, items, outputs, _about(kinds, study), inclusion, verdicts, said)


def judge(study: Study, items: Sequence[Item], judgements: Judgements, rule: str | None = None) -> Judged:
    """`join`, and the verdicts of one rule."""
    return join(study, items, judgements).judged(rule)


def _of_rows(outputs: LinkedOutputs, kinds: pd.DataFrame) -> pd.DataFrame:
    """What was found for the kinds of outputs, said of each output: a row for each of its labels."""
    counts = np.bincount(kinds["kind_number"], minlength=len(outputs.kinds))
    row, entry = repeated(counts, outputs.kind)
    own = outputs.own
    frame = own.copy(deep=False) if len(row) == len(own) else own.iloc[row].reset_index(drop=True)
    for name in kinds.columns.difference([*OWN, "kind_number"], sort=False):
        values = kinds[name]
        if pd.api.types.is_string_dtype(values.dtype):  # each text once, and a pointer for each row
            frame[name] = pd.Series(values.to_numpy(object)[entry], frame.index, dtype=object)
        else:
            frame[name] = values.array.take(entry)
    frame["condition"] = _conditions(frame)
    return frame


def _conditions(frame: pd.DataFrame) -> pd.Categorical[str]:
    """The name of each row's condition."""
    number = frame.groupby(["checkpoint", "setting", "prompt", "layer"], sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    keys = frame.iloc[first][["checkpoint", "setting", "prompt", "layer"]].itertuples(index=False)
    names = [
        f"{checkpoint}, {series_name(setting, prompt, None if pd.isna(layer) else int(layer))}"
        for checkpoint, setting, prompt, layer in keys
    ]
    found: pd.Categorical[str] = pd.Categorical.from_codes(number, categories=pd.Index(names))
    return found


def in_sample(frame: pd.DataFrame, inclusion: Inclusion) -> pd.DataFrame:
    """The frame with `selected` and `probability`, by the `item_id` of each row."""
    chances = {item: inclusion.probability([item]) for item in inclusion.selected}
    return frame.assign(selected=frame["item_id"].isin(chances), probability=frame["item_id"].map(chances))


def _check_unchanged(frame: pd.DataFrame, items: Mapping[str, Item], study: Study) -> None:
    """An output that was generated anew must not inherit the judgement of another answer.

    Rows whose item nobody is asked to judge have none to inherit.
    """
    linked = frame[frame["item_id"].isin(list(items))]
    columns = ("row_id", "item_id", "answer", "closed", "concept", "other_concept", "shown_word")
    for row_id, item_id, answer, closed, *about in zip(*(linked[name] for name in columns), strict=True):
        item = items[item_id]
        same = item_answer(answer) == item_answer(item.answer) and closed == item.closed
        if not same or about != [item.intended_concept, item.other_concept, item.shown_word]:
            raise UserError(
                str(study.links_file), f"output {row_id} has changed since it was planned for judging", AGAIN
            )


def _about(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """What can be said of a row without its judgement."""
    families = word_families(study.concepts.values())
    missing = (set(frame["concept"]) | set(frame["other_concept"])) - study.concepts.keys()
    if missing:
        raise UserError(str(study.concepts_file), f"concept {sorted(missing)[0]!r} is missing", "generate again")
    frame["patched"] = frame["setting"] != UNPATCHED
    frame["unit"] = frame["pair_id"] + "|" + frame["input_language"] + "|" + frame["output_language"]
    frame["family"] = frame["concept"].map(families)
    frame["other_family"] = frame["other_concept"].map(families)
    frame["sense_split"] = frame["concept"].map(lambda name: "sense_split" in study.concepts[name].flags)
    rule, concepts, trained = study.config.success, study.concepts, study.config.trained_languages

    @cache
    def identical(concept: str, other: str, setting: str, prompt: str, given: str, out: str) -> bool:
        words = given_forms(setting, prompt, (given, out), trained, concepts[concept], concepts[other])
        keys = {comparable(word.form, out, rule) for word in words}
        return any(comparable(form, out, rule) in keys for form in concepts[concept].reference.get(out, []))

    def column(name: str) -> list[object]:
        return frame[name].tolist()

    frame["success"] = list(map(scorer(study), *map(column, ("concept", "output_language", "answer", "closed"))))
    names = ("concept", "other_concept", "setting", "prompt", "input_language", "output_language")
    frame["identical"] = list(map(identical, *map(column, names)))
    return frame


def _carried(senses: tuple[str, ...], forms: list[GivenForm], intended: Concept, other: Concept) -> bool:
    """Whether a given form carries one of the chosen senses; without a named sense there is nothing to refute."""
    if not senses or NOT_LISTED in senses:
        return True
    known = [sense for concept in (intended, other) for sense in (*concept.senses, concept.as_sense())]
    return any(sense.id in senses and sense.has(given.language, given.form) for sense in known for given in forms)


def _with_verdicts(
    frame: pd.DataFrame, verdicts: Mapping[str, Verdict], senses: Mapping[str, tuple[str, ...]], study: Study
) -> pd.DataFrame:
    taxonomy, concepts = study.taxonomy, study.concepts
    columns = ("item_id", "verdict", "concept", "other_concept", "setting", "prompt", "input_language",
               "output_language")  # fmt: skip
    labels: list[str | None] = []
    moved: list[bool] = []
    undecided: list[str] = []
    for item_id, of_item, concept, other, setting, prompt, *pair in zip(
        *(frame[name].tolist() for name in columns), strict=True
    ):
        label, not_given = of_item, False
        if label == SENSE_LABEL:
            about = concepts[concept], concepts[other]
            forms = given_forms(setting, prompt, (pair[0], pair[1]), study.config.trained_languages, *about)
            not_given = not _carried(senses[item_id], forms, *about)
            label = not_given_label(taxonomy) if not_given else label
        labels.append(label)
        moved.append(not_given)
        undecided.append("" if label else verdicts.get(item_id, Verdict(None, "unjudged")).reason or "tie")
    missing = set_labels(frame, labels, taxonomy)
    frame["sense_not_given"] = moved
    frame["undecided"] = [
        "missing" if gone else reason for gone, reason in zip(missing, undecided, strict=True)
    ]  # fmt: skip
    return frame


def set_labels(frame: pd.DataFrame, labels: list[str | None], taxonomy: Taxonomy) -> list[bool]:
    """Set label, kind, bucket and correct of each row, by `patched`; returns which labels are missing ones there.

    A label can be a missing one on patched or unpatched rows alone: such a row is undecided, too.
    """
    kinds, buckets = _kinds(labels, frame["patched"], taxonomy)
    missing = [kind == "missing" for kind in kinds]
    kept = [None if gone else label for label, gone in zip(labels, missing, strict=True)]
    for name, values in (("label", kept), ("kind", kinds), ("bucket", buckets)):
        frame[name] = pd.Series(values, frame.index, dtype=object)
    frame["correct"] = [
        np.nan if kind is None or kind == "missing" else float(kind == "correct") for kind in kinds
    ]  # fmt: skip
    return missing


def _kinds(
    labels: list[str | None], patched: pd.Series[bool], taxonomy: Taxonomy
) -> tuple[list[str | None], list[str | None]]:
    """Kind and bucket of each label, as they stand for a patched or an unpatched row."""
    categories = {category.id: category for category in taxonomy.categories}
    kinds: list[str | None] = []
    buckets: list[str | None] = []
    for label, is_patched in zip(labels, patched, strict=True):
        category = categories[label] if label else None
        kinds.append(category.kind_on(is_patched) if category else None)
        buckets.append(category.bucket_on(is_patched) if category else None)
    return kinds, buckets


def not_given_label(taxonomy: Taxonomy) -> str:
    """What `other_sense` counts as where no given form carries the sense. Raises UserError if the taxonomy lacks it."""
    if NOT_GIVEN_LABEL not in taxonomy.ids:
        raise UserError(
            "taxonomy",
            f"it has `{SENSE_LABEL}` but no `{NOT_GIVEN_LABEL}`, which rows get that do not carry the chosen sense",
            f"add a category {NOT_GIVEN_LABEL}",
        )
    return NOT_GIVEN_LABEL
