"""Everything about agreement in a study: whole and in parts, with oneself, on controls, and what was left unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from gainsift.analysis.agreement import Agreement, Labels, agreement
from gainsift.analysis.agreement_drift import Drift, drift
from gainsift.analysis.agreement_parts import (
    SelfAgreement,
    at_conditions,
    by_kind,
    by_path,
    self_agreement,
    without_each,
)
from gainsift.analysis.estimate import Estimate, generator, undefined
from gainsift.analysis.judgements import Judgements
from gainsift.analysis.shares import series_name
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import Taxonomy
from gainsift.schemas.validity import validity


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
class StudyAgreement:
    """By category and by kind; `language_pairs`, `conditions` and `drifts` hold both, by the name of the part.

    `by_path`: the coefficients that weigh how far two categories lie apart in the taxonomy. `drifts`: by series of
    conditions (a setting and layer over checkpoints), from its first to its last.
    """

    by_category: Agreement
    by_kind: Agreement
    by_path: Mapping[str, Estimate]
    language_pairs: Mapping[str, tuple[Agreement, Agreement]]
    conditions: Mapping[str, tuple[Agreement, Agreement]]
    drifts: Mapping[str, tuple[Drift, Drift]]
    without: Mapping[str, Estimate]
    themselves: SelfAgreement
    controls: Mapping[str, Controls]
    answers: Mapping[str, Answers]


def study_agreement(
    study: Study, items: Sequence[Item], lines: Sequence[Annotation], judgements: Judgements, rows: pd.DataFrame
) -> StudyAgreement:
    """From `rows`, the outputs that are analysed, and `lines`, all lines in force. Missing answers are gaps.

    Kinds are those of patched rows. Over distinct items, each counted once; `weighted` counts each as often as the
    outputs that it stands for, by inclusion probability.
    """
    spec, taxonomy = study.config.analysis, study.taxonomy
    keys = {item.item_id: item.content_key for item in items}
    used = {keys[item] for item in rows["item_id"].dropna() if item in keys}
    by_category = _usable(judgements, used, taxonomy)
    kinds = by_kind(by_category, taxonomy)
    whole, at, series = _weights(rows, keys)
    pair_of = {item.content_key: f"{item.input_language} → {item.output_language}" for item in items}
    pairs = sorted({pair_of[key] for key in by_category})
    boot, confidence = spec.bootstrap, spec.confidence

    def of(labels: Labels, *names: str) -> Agreement:
        weights = {item: whole.get(item, 0.0) for item in labels}
        return agreement(labels, "nominal", boot, confidence, generator(spec.seed, "agreement", *names), weights)

    def part(labels: Labels, pair: str) -> Labels:
        return {item: votes for item, votes in labels.items() if pair_of[item] == pair}

    found = [
        at_conditions(labels, at, "nominal", boot, confidence, generator(spec.seed, "agreement conditions", name))
        for name, labels in (("category", by_category), ("kind", kinds))
    ]

    def drifting(name: str) -> tuple[Drift, Drift]:
        ends = {condition: at[condition] for condition in (series[name][0], series[name][-1])}
        by_level = (
            drift(labels, ends, "nominal", boot, confidence, generator(spec.seed, "agreement drift", name, level))
            for level, labels in (("category", by_category), ("kind", kinds))
        )
        return next(by_level), next(by_level)

    rng = generator(spec.seed, "agreement", "repeats")
    own = [line for line in lines if line.study == study.id and line.source in _sources(judgements)]
    repeats = _repeats(own, used, study)
    return StudyAgreement(
        of(by_category, "category"),
        of(kinds, "kind"),
        by_path(by_category, taxonomy, boot, confidence, generator(spec.seed, "agreement", "path")),
        {pair: (of(part(by_category, pair), pair), of(part(kinds, pair), pair, "kind")) for pair in pairs},
        {name: (found[0][name], found[1][name]) for name in at},
        {name: drifting(name) for name, conditions in series.items() if len(conditions) > 1},
        without_each(by_category, "nominal", boot, confidence, generator(spec.seed, "agreement", "without")),
        self_agreement(by_category, repeats, "nominal", boot, confidence, rng),
        _controls(study, own),
        _answers(own, used, taxonomy),
    )


def _sources(judgements: Judgements) -> tuple[str, ...]:
    return ("simulated",) if judgements.simulated else ("human",)


def _usable(judgements: Judgements, used: AbstractSet[str], taxonomy: Taxonomy) -> dict[str, dict[str, str]]:
    return {
        item: {name: str(line.label) for name, line in votes.items() if not is_missing(str(line.label), taxonomy)}
        for item, votes in judgements.votes.items()
        if item in used
    }


def _weights(
    rows: pd.DataFrame, keys: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, dict[str, float]], dict[str, list[str]]]:
    """Item (content key) -> the weighted number of its outputs, in all and at each condition; conditions by series."""
    sample = rows[rows["selected"]].drop_duplicates("row_id")
    sample = sample.assign(
        key=sample["item_id"].map(keys),
        weight=1 / sample["probability"],
        series=[
            series_name(setting, prompt, None if pd.isna(layer) else int(layer))
            for setting, prompt, layer in zip(*(sample[name] for name in ("setting", "prompt", "layer")), strict=True)
        ],
        patched=sample["setting"] != UNPATCHED,
    )
    sample["condition"] = sample["checkpoint"] + ", " + sample["series"]
    sample = sample.sort_values(["patched", "setting", "prompt", "layer", "step"], kind="stable")
    at: dict[str, dict[str, float]] = {str(name): {} for name in sample["condition"].unique()}
    whole: dict[str, float] = {}
    for condition, key, weight in zip(sample["condition"], sample["key"], sample["weight"], strict=True):
        at[condition][key] = at[condition].get(key, 0.0) + weight
        whole[key] = whole.get(key, 0.0) + weight
    series = {str(name): list(part["condition"].unique()) for name, part in sample.groupby("series", sort=False)}
    return whole, at, series


def _repeats(own: Sequence[Annotation], used: AbstractSet[str], study: Study) -> dict[str, dict[str, list[str]]]:
    """Item -> annotator -> the usable labels given when the item came again."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in own:
        if not (line.role == "repeat" or line.repeat) or line.content_key not in used or line.status != "judged":
            continue
        usable = line.label is not None and validity(line, study.taxonomy, study.concepts) == "valid"
        if usable and not is_missing(str(line.label), study.taxonomy):
            found.setdefault(line.content_key, {}).setdefault(line.annotator, []).append(str(line.label))
    return found


def _controls(study: Study, own: Sequence[Annotation]) -> dict[str, Controls]:
    """The last line of each control task beside its known answer; an answer of `unsure` is not right."""
    expected = {one.uid: one.expected for one in study.assignments() if one.role == "control"}
    given: dict[str, dict[str, bool]] = {}
    for line in own:
        if line.role == "control" and line.status == "judged" and expected.get(line.task_uid):
            given.setdefault(line.annotator, {})[line.task_uid] = line.label == expected[line.task_uid]
    found = {}
    for name, answers in sorted(given.items()):
        right, count = sum(answers.values()), len(answers)
        low, high = proportion_confint(right, count, 1 - study.config.analysis.confidence, "beta")
        found[name] = Controls(count, Estimate(right / count, float(low), float(high)))
    return found


def _answers(own: Sequence[Annotation], used: AbstractSet[str], taxonomy: Taxonomy) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    for line in own:
        if line.role in ("control", "repeat") or line.repeat or line.content_key not in used:
            continue
        if line.status not in ("judged", "skipped"):
            continue
        one = found.setdefault(line.annotator, Answers())
        one.asked += 1
        one.skipped += line.status == "skipped"
        if line.status == "judged" and line.label in taxonomy.ids and is_missing(str(line.label), taxonomy):
            one.missing[str(line.label)] += 1
    return dict(sorted(found.items()))


NO_CONTROLS = undefined("no control with a known answer was judged")
