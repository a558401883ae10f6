"""What people did not judge, and judged wrongly: each contrast's gain with both taken into account.

Not judged: the automatic score of every unit together with the verdicts of the sample (prediction_powered); only where
there is a sample. Judged wrongly: soft labels freed of annotators' errors (annotator_error), by every source of a
confusion matrix that the study has. Labels are taken together as correct and the buckets, since judgements are too few
for each category; buckets are those of patched rows unless both conditions are unpatched. A source that does not know
every bucket (nobody can make up a control for near meanings) may still tell right from wrong, which is all that the
human gain needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from gainsift.analysis.annotator_error import Corrected, corrected_flows, observed
from gainsift.analysis.confusion import Confusion, adjudication, controls, model
from gainsift.analysis.contrast_results import ContrastResult
from gainsift.analysis.estimate import Array, generator
from gainsift.analysis.judged import Judged
from gainsift.analysis.judgements import Judgements
from gainsift.analysis.prediction_powered import Powered, Rows, prediction_powered
from gainsift.analysis.studentised import StudentisedBootstrap
from gainsift.analysis.units import units_of
from gainsift.analysis.verdict_rules import Ballot, Ballots, ballots
from gainsift.schemas.families import word_families
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.settings import UNPATCHED
from gainsift.schemas.study import Study

CORRECT, WRONG = "correct", "not correct"
POWERED = ("human_a", "human_b", "human")


@dataclass(frozen=True)
class Beyond:
    """One contrast. `powered`: by POWERED, None where every unit is in the sample; `sample` and `population` of units.

    `errors`: by source, figures as `annotator_error.corrected_flows` names them, over the labels `correct` and buckets,
    or `correct` and `not correct`.
    """

    contrast: str
    powered: Powered | None
    sample: int
    population: int
    errors: Sequence[Corrected]


def beyond_verdicts(
    study: Study,
    items: Sequence[Item],
    lines: Sequence[Annotation],
    judgements: Judgements,
    judged: Judged,
    soft: pd.DataFrame,
    contrasts: Sequence[ContrastResult],
) -> list[Beyond]:
    """Every contrast that is no step of a series. `soft`: the frame of `judged` under soft labels."""
    families = word_families(study.concepts.values())
    number = {name: place for place, name in enumerate(sorted(set(families.values())))}
    clusters = {item.content_key: number[families[item.intended_concept]] for item in items}
    said = ballots(judgements, list(clusters), study.taxonomy)

    @cache
    def confusions(patched: bool, rough: bool) -> Mapping[str, Confusion]:
        return _confusions(study, lines, said, clusters, families, len(number), _coarse(study, patched, rough))

    found = []
    for result in contrasts:
        if result.step:
            continue
        patched = any(side.setting != UNPATCHED for side in (result.contrast.a, result.contrast.b))
        atoms = units_of(soft, study.config, result.contrast, judged.inclusion).frame
        errors = []
        for source, confusion in confusions(patched, False).items():
            one = _corrected(study, result, atoms, confusion, _coarse(study, patched), number)
            if not any(figure.defined for figure in one.figures.values()):
                rough = confusions(patched, True)[source]
                two = _corrected(study, result, atoms, rough, _coarse(study, patched, True), number)
                if any(figure.defined for figure in two.figures.values()):
                    one = replace(two, about=f"{two.about}, right against wrong ({_reason(one)})")
            errors.append(one)
        sample = int(result.units.population["selected"].sum())
        powered = _powered(study, result) if sample < len(result.units.population) else None
        found.append(Beyond(result.contrast.name, powered, sample, len(result.units.population), errors))
    return found


def _reason(one: Corrected) -> str:
    """Why the buckets are not estimable, without what it rests on."""
    told = next(iter(one.figures.values())).reason
    return "by bucket " + told.removesuffix(f" ({one.about})")


def _coarse(study: Study, patched: bool, rough: bool = False) -> dict[str, str]:
    """Label -> `correct` or its bucket (`rough`: or `not correct`); labels without either have none."""
    found = {}
    for category in study.taxonomy.categories:
        kind, bucket = category.kind_on(patched), category.bucket_on(patched)
        if kind == "correct" or (kind != "missing" and bucket is not None):
            found[category.id] = CORRECT if kind == "correct" else WRONG if rough else str(bucket)
    return found


def _labels(study: Study, coarse: Mapping[str, str]) -> list[str]:
    return [CORRECT, WRONG] if WRONG in coarse.values() else [CORRECT, *study.taxonomy.buckets]


def _confusions(
    study: Study,
    lines: Sequence[Annotation],
    said: Ballots,
    clusters: Mapping[str, int],
    families: Mapping[str, str],
    count: int,
    coarse: Mapping[str, str],
) -> dict[str, Confusion]:
    """Of every source that the study has: controls, adjudication, and the judgements themselves."""
    merged = {item: _merged(one, coarse) for item, one in said.items()}
    expected = {one.uid: one.expected for one in study.assignments() if one.role == "control"}
    answers: dict[tuple[str, str], tuple[str, str, str]] = {}
    for line in lines:
        if line.role == "control" and line.status == "judged" and line.study == study.id:
            true, given, concept = expected.get(line.task_uid), line.label, line.item.intended_concept
            if true is not None and given is not None and {true, given} <= coarse.keys():
                family = families.get(concept, concept)
                answers[line.annotator, line.task_uid] = (family, coarse[true], coarse[given])
    labels = _labels(study, coarse)
    found = [controls(answers.values(), labels)] if answers else []
    if any(one.adjudicated for one in merged.values()):
        found.append(adjudication(merged, clusters, count, labels))
    return {one.name: one for one in [*found, model(merged, clusters, count, labels)]}


def _merged(ballot: Ballot, coarse: Mapping[str, str]) -> Ballot:
    votes = {name: coarse[label] for name, label in ballot.votes.items() if label in coarse}
    settled = coarse.get(ballot.adjudicated) if ballot.adjudicated else None
    return replace(ballot, votes=votes, adjudicated=settled)


def _corrected(
    study: Study,
    result: ContrastResult,
    atoms: pd.DataFrame,
    confusion: Confusion,
    coarse: Mapping[str, str],
    number: Mapping[str, int],
) -> Corrected:
    spec, labels = study.config.analysis, _labels(study, coarse)
    merged = atoms.assign(
        cluster=atoms["cluster"].map(number),
        **{name: _mapped(atoms[name], coarse) for name in ("verdict_a", "verdict_b")},
    )
    right = np.array([float(label == CORRECT) for label in labels])
    found = observed(merged, labels, len(number), right, right)
    rng = generator(spec.seed, "annotator error", confusion.name, result.contrast.name)
    return corrected_flows(found, confusion, spec.bootstrap, spec.confidence, rng)


def _mapped(labels: pd.Series[str], coarse: Mapping[str, str]) -> pd.Series[str]:
    found: list[str | None] = [coarse.get(label) if isinstance(label, str) else None for label in labels]
    return pd.Series(found, index=labels.index, dtype=object)


def _powered(study: Study, result: ContrastResult) -> Powered:
    """Rates among decided units: the verdicts of the sample, and the automatic scores of the whole population."""
    spec, frame = study.config.analysis, result.units.frame
    population = result.units.population.set_index("unit")
    decided = frame[frame["correct_a"].notna() & frame["correct_b"].notna()]
    held = decided.groupby("unit")["weight"].sum().reindex(population.index).fillna(0.0).to_numpy(float)
    weight = frame.groupby("unit")["weight"].sum().reindex(population.index).fillna(0.0).to_numpy(float)
    sides = []
    for side in ("a", "b"):
        right = (decided["weight"] * decided[f"correct_{side}"]).groupby(decided["unit"]).sum()
        sides.append(right.reindex(population.index).fillna(0.0).to_numpy(float))
    share = np.divide(np.column_stack(sides), held[:, None], out=np.zeros((len(held), 2)), where=held[:, None] > 0)
    scores = population[["success_a", "success_b"]].to_numpy(float)
    clusters, names = pd.factorize(population["cluster"], sort=True)
    rows = Rows(
        predicted=_with_change(scores),
        judged=_with_change(share),
        counted=np.divide(held, weight, out=np.zeros(len(held)), where=weight > 0),
        selected=population["selected"].to_numpy(bool),
        weight=weight,
        clusters=clusters,
        count=len(names),
    )
    rng = generator(spec.seed, "prediction powered", result.contrast.name)
    bootstrap = StudentisedBootstrap.of(len(names), spec.bootstrap, spec.confidence, rng)
    return prediction_powered(rows, np.array([0.0, 0.0, -1.0]), bootstrap)


def _with_change(sides: Array) -> Array:
    """Before, after, and their difference: [N, 3]."""
    return np.column_stack([sides, sides[:, 1] - sides[:, 0]])
