"""What people did not judge, and judged wrongly: each contrast's gain with both taken into account.

Not judged: the automatic label or score of every unit together with the verdicts of the sample (unjudged_units); only
where there is a sample. Judged wrongly: soft labels freed of annotators' errors (annotator_error), by every source of a
confusion matrix that there is. Labels are taken together as correct and the buckets, since judgements are too few
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
from gainsift.analysis.design import Design
from gainsift.analysis.estimate import generator
from gainsift.analysis.evidence import Evidence
from gainsift.analysis.units import units_of
from gainsift.analysis.unjudged_units import Unjudged, with_unjudged
from gainsift.analysis.verdict_rules import Ballot
from gainsift.schemas.taxonomy import Taxonomy

CORRECT, WRONG = "correct", "not correct"


@dataclass(frozen=True)
class Beyond:
    """One contrast. `unjudged`: None where every unit is in the sample; `sample` and `population` of units.

    `errors`: by source, figures as `annotator_error.corrected_flows` names them, over the labels `correct` and buckets,
    or `correct` and `not correct`.
    """

    contrast: str
    unjudged: Unjudged | None
    sample: int
    population: int
    errors: Sequence[Corrected]


def beyond_verdicts(design: Design, evidence: Evidence, contrasts: Sequence[ContrastResult]) -> list[Beyond]:
    """Every contrast that is no step of a series."""
    rows = evidence.rows(design)
    number = {name: place for place, name in enumerate(sorted(set(rows["family"])))}
    items = rows[rows["item_id"].notna()].drop_duplicates("item_id")
    clusters = {item: number[family] for item, family in zip(items["item_id"], items["family"], strict=True)}

    @cache
    def confusions(patched: bool, rough: bool) -> Mapping[str, Confusion]:
        return _confusions(design, evidence, clusters, len(number), _coarse(design.taxonomy, patched, rough))

    found = []
    for result in contrasts:
        if result.step:
            continue
        patched = result.contrast.patched
        atoms = units_of(evidence.by_rule["soft"], design, result.contrast, evidence.inclusion).frame
        errors = []
        for source, confusion in confusions(patched, False).items():
            one = _corrected(design, result, atoms, confusion, _coarse(design.taxonomy, patched), number)
            if not any(figure.defined for figure in one.figures.values()):
                rough = confusions(patched, True)[source]
                two = _corrected(design, result, atoms, rough, _coarse(design.taxonomy, patched, True), number)
                if any(figure.defined for figure in two.figures.values()):
                    one = replace(two, about=f"{two.about}, right against wrong ({_reason(one)})")
            errors.append(one)
        population = result.units.population
        sample = int(population["selected"].sum())
        told = design.scored and sample < len(population)
        unjudged = with_unjudged(design, result, evidence.automatic) if told else None
        found.append(Beyond(result.contrast.name, unjudged, sample, len(population), errors))
    return found


def _reason(one: Corrected) -> str:
    """Why the buckets are not estimable, without what it rests on."""
    told = next(iter(one.figures.values())).reason
    return "by bucket " + told.removesuffix(f" ({one.about})")


def _coarse(taxonomy: Taxonomy, patched: bool, rough: bool = False) -> dict[str, str]:
    """Label -> `correct` or its bucket (`rough`: or `not correct`); labels without either have none."""
    found = {}
    for category in taxonomy.categories:
        kind, bucket = category.kind_on(patched), category.bucket_on(patched)
        if kind == "correct" or (kind != "missing" and bucket is not None):
            found[category.id] = CORRECT if kind == "correct" else WRONG if rough else str(bucket)
    return found


def _labels(design: Design, coarse: Mapping[str, str]) -> list[str]:
    return [CORRECT, WRONG] if WRONG in coarse.values() else [CORRECT, *design.taxonomy.buckets]


def _confusions(
    design: Design, evidence: Evidence, clusters: Mapping[str, int], count: int, coarse: Mapping[str, str]
) -> dict[str, Confusion]:
    """Of every source that there is: controls, adjudication, and the judgements themselves."""
    merged = {item: _merged(one, coarse) for item, one in evidence.ballots.items() if item in clusters}
    answers = [
        (cluster, coarse[true], coarse[given])
        for cluster, true, given in evidence.known
        if {true, given} <= coarse.keys()
    ]
    labels = _labels(design, coarse)
    found = [controls(answers, labels)] if answers else []
    if any(one.adjudicated for one in merged.values()):
        found.append(adjudication(merged, clusters, count, labels))
    names = {bucket: name.lower() for bucket, name in design.taxonomy.buckets.items()}
    return {one.name: replace(one, names=names) for one in [*found, model(merged, clusters, count, labels)]}


def _merged(ballot: Ballot, coarse: Mapping[str, str]) -> Ballot:
    votes = {name: coarse[label] for name, label in ballot.votes.items() if label in coarse}
    settled = coarse.get(ballot.adjudicated) if ballot.adjudicated else None
    return replace(ballot, votes=votes, adjudicated=settled)


def _corrected(
    design: Design,
    result: ContrastResult,
    atoms: pd.DataFrame,
    confusion: Confusion,
    coarse: Mapping[str, str],
    number: Mapping[str, int],
) -> Corrected:
    spec, labels = design.spec, _labels(design, coarse)
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
