"""Everything about agreement: whole and in parts, without each annotator, with oneself, on controls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gainsift.analysis.agreement import Agreement, Labels, agreement, overall
from gainsift.analysis.agreement_drift import Drift, drift
from gainsift.analysis.agreement_parts import (
    SelfAgreement,
    at_conditions,
    by_kind,
    by_path,
    each_against_rest,
    every_coefficient_without_each,
    self_agreement,
    without_each,
)
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import Estimate, generator
from gainsift.analysis.evidence import Answers, Controls, Evidence
from gainsift.analysis.light import light_kappa


@dataclass(frozen=True)
class AgreementInParts:
    """By category and by kind, pairs of annotators by category alone; `language_pairs`, `conditions` and `drifts` hold
    both, by the name of the part.

    `by_path`: the coefficients that weigh how far two categories lie apart in the taxonomy. `drifts`: by series of
    conditions (a setting and layer over checkpoints), from its first to its last.
    `cohen`: the mean of Cohen's kappa over pairs, by category and by kind, of each part: all, a language pair, a
    condition, with its name. `labels`: coefficients of each label against the rest, and `without_all`: of the others
    without an annotator, by id.
    `themselves` and `controls` are None where such tasks cannot be told.
    """

    by_category: Agreement
    by_kind: Agreement
    by_path: Mapping[str, Estimate]
    language_pairs: Mapping[str, tuple[Agreement, Agreement]]
    conditions: Mapping[str, tuple[Agreement, Agreement]]
    drifts: Mapping[str, tuple[Drift, Drift]]
    without: Mapping[str, Estimate]
    without_all: Mapping[str, Mapping[str, Estimate]]
    labels: Mapping[str, Mapping[str, Estimate]]
    cohen: Mapping[tuple[str, str], tuple[Estimate, Estimate]]
    themselves: SelfAgreement | None
    controls: Mapping[str, Controls] | None
    answers: Mapping[str, Answers]


def agreement_in_parts(design: Design, evidence: Evidence) -> AgreementInParts:
    """Of the items of all rows that are analysed. Missing answers are gaps.

    Kinds are those of patched rows. Over distinct items, each counted once; `weighted` counts each as often as the
    outputs that it stands for, by inclusion probability.
    """
    spec, by_category = design.spec, usable_labels(design, evidence)
    kinds = by_kind(by_category, design.taxonomy)
    whole, at = outputs_of_items(design, evidence)
    pair_of = evidence.language_pairs
    pairs = sorted({pair_of[item] for item in by_category if item in pair_of})
    boot, confidence = spec.bootstrap, spec.confidence

    def of(measures: Callable[..., Agreement], labels: Labels, *names: str) -> Agreement:
        weights = {item: whole.get(item, 0.0) for item in labels}
        return measures(labels, "nominal", boot, confidence, generator(spec.seed, "agreement", *names), weights)

    def part(labels: Labels, pair: str) -> Labels:
        return {item: votes for item, votes in labels.items() if pair_of.get(item) == pair}

    found = [
        at_conditions(labels, at, "nominal", boot, confidence, generator(spec.seed, "agreement conditions", name))
        for name, labels in (("category", by_category), ("kind", kinds))
    ]
    series: dict[str, list[str]] = {}
    for one in design.conditions:
        if one.name in at:
            series.setdefault(one.series, []).append(one.name)

    def drifting(name: str) -> tuple[Drift, Drift]:
        ends = {condition: at[condition] for condition in (series[name][0], series[name][-1])}
        by_level = (
            drift(labels, ends, "nominal", boot, confidence, generator(spec.seed, "agreement drift", name, level))
            for level, labels in (("category", by_category), ("kind", kinds))
        )
        return next(by_level), next(by_level)

    given = {label for votes in by_category.values() for label in votes.values()}
    parts: dict[tuple[str, str], Collection[str]] = {("all", "All"): by_category}
    parts |= {("language pair", pair): part(by_category, pair) for pair in pairs}
    parts |= {("condition", name): items for name, items in at.items()}

    def cohens(which: tuple[str, str], level: str, labels: Labels) -> Estimate:
        chosen = {item: labels[item] for item in parts[which] if item in labels}
        return light_kappa(chosen, boot, confidence, generator(spec.seed, "agreement cohen", *which, level))

    rng = generator(spec.seed, "agreement", "repeats")
    repeats = evidence.repeats
    return AgreementInParts(
        of(agreement, by_category, "category"),
        of(overall, kinds, "kind"),
        by_path(by_category, design.taxonomy, boot, confidence, generator(spec.seed, "agreement", "path")),
        {
            pair: (of(overall, part(by_category, pair), pair), of(overall, part(kinds, pair), pair, "kind"))
            for pair in pairs
        },
        {name: (found[0][name], found[1][name]) for name in at},
        {name: drifting(name) for name, conditions in series.items() if len(conditions) > 1},
        without_each(by_category, "nominal", boot, confidence, generator(spec.seed, "agreement", "without")),
        every_coefficient_without_each(
            by_category, boot, confidence, generator(spec.seed, "agreement", "every coefficient without")
        ),
        each_against_rest(
            by_category,
            [name for name in design.taxonomy.ids if name in given],
            boot,
            confidence,
            generator(spec.seed, "agreement", "against the rest"),
        ),
        {one: (cohens(one, "category", by_category), cohens(one, "kind", kinds)) for one in parts},
        None if repeats is None else self_agreement(by_category, repeats, "nominal", boot, confidence, rng),
        evidence.controls,
        evidence.answers,
    )


def usable_labels(design: Design, evidence: Evidence) -> dict[str, Mapping[str, str]]:
    """Item -> annotator -> usable label, of the items of all rows that are analysed."""
    used = set(evidence.rows(design)["item_id"].dropna())
    return {item: ballot.votes for item, ballot in evidence.ballots.items() if item in used and ballot.votes}


def outputs_of_items(design: Design, evidence: Evidence) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Item -> the weighted number of its outputs, in all and at each condition, in order."""
    rows = evidence.rows(design)
    sample = rows[rows["selected"]].drop_duplicates("row_id")
    present = set(sample["condition"])
    at: dict[str, dict[str, float]] = {one.name: {} for one in design.conditions if one.name in present}
    whole: dict[str, float] = {}
    for condition, item, chance in zip(sample["condition"], sample["item_id"], sample["probability"], strict=True):
        at[condition][item] = at[condition].get(item, 0.0) + 1 / chance
        whole[item] = whole.get(item, 0.0) + 1 / chance
    return whole, at
