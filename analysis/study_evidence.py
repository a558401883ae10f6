"""What the analysis of a study rests on: its outputs joined with its judgements, and what became of its tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.evidence import MISSING, NOT_GIVEN, TIED, UNJUDGED, Answers, Controls, Evidence
from gainsift.analysis.judged import Judged, join
from gainsift.analysis.judgements import STATUS, Judgements, gather
from gainsift.analysis.outputs import excluded_concepts, scorer
from gainsift.analysis.verdict_rules import METHODS, ballots
from gainsift.analysis.verdicts import is_missing
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.rows import Annotation, Item
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import Taxonomy
from gainsift.schemas.validity import Validities

OUTSIDE = "judged items outside the sample (not drawn, or left out by the audit)"
UNASKED = "items that the audit did not ask about (unjudged, outside the sample)"
UNUSED = "items of outputs that the analysis leaves out"
SENSE_SPLIT = "outputs of concepts flagged `sense_split` (analysis.exclude_sense_split)"


@dataclass(frozen=True)
class StudyEvidence:
    """`judged` under the study's rule; `rows`: those that are analysed, `used`: the content keys of their items."""

    items: Sequence[Item]
    judgements: Judgements
    judged: Judged
    rows: pd.DataFrame
    used: AbstractSet[str]
    evidence: Evidence


def study_evidence(study: Study, progress: Callable[[str], None] = lambda step: None) -> StudyEvidence:
    """Read and join everything. Raises UserError."""
    progress("reading")
    items, lines = study.items(), study.annotations()
    keys = {item.item_id: item.content_key for item in items}
    judgements = gather(
        lines, set(keys.values()), study.id, study.taxonomy, study.concepts, str(study.annotations_file)
    )  # fmt: skip
    if not items:
        raise UserError(
            str(study.items_file), "there is nothing to judge in it", "widen annotation.rows and plan again"
        )
    progress("joining outputs and judgements")
    own = study.config.analysis.verdict
    joined = join(study, items, judgements)
    judged = joined.judged()
    rows = judged.frame[~judged.frame["concept"].isin(list(excluded_concepts(study)))]
    used = {keys[item] for item in rows["item_id"].dropna() if item in keys}
    said = ballots(judgements, keys.values(), study.taxonomy)
    ids = {key: item for item, key in keys.items()}
    source = "simulated" if judgements.simulated else "human"
    of_people = [line for line in lines if line.study == study.id and line.source == source]
    left_out = judgements.left_out + judged.left_out
    asked = (judged.frame[name].tolist() for name in ("concept", "output_language", "answer", "closed"))
    expected = {one.uid: one.expected for one in study.assignments() if one.role == "control"}
    evidence = Evidence(
        by_rule={rule: judged.frame if rule == own else joined.judged(rule).frame for rule in METHODS},
        inclusion=judged.inclusion,
        ballots={item: said[key] for item, key in keys.items()},
        simulated=judgements.simulated,
        answers=_answers(of_people, used, study.taxonomy),
        skipped=left_out[STATUS["skipped"]],
        left_out=left_out + _left_out(judged, judgements, study, rows),
        language_pairs={item.item_id: f"{item.input_language} → {item.output_language}" for item in items},
        repeats={ids[key]: found for key, found in _repeats(of_people, used, study).items()},
        controls=_controls(study, of_people, expected),
        known=_known(study, lines, expected),
        automatic=study.prelabels(),
        accepting=judged.frame.assign(success=list(map(scorer(study, accepted=True), *asked))),
    )
    return StudyEvidence(items, judgements, judged, rows, used, evidence)


def _left_out(judged: Judged, judgements: Judgements, study: Study, rows: pd.DataFrame) -> Counter[str]:
    """`rows` are those of `judged.frame` that are analysed."""
    counts: Counter[str] = Counter()
    used = set(rows["item_id"].dropna())
    counts[SENSE_SPLIT] = judged.frame["row_id"].nunique() - rows["row_id"].nunique()
    for votes in judgements.votes.values():
        for line in votes.values():
            if is_missing(str(line.label), study.taxonomy):
                counts[MISSING.format(line.label)] += 1
    for item_id, found in judged.verdicts.items():
        if item_id not in used:
            counts[UNUSED] += 1
        elif item_id in judged.inclusion.selected:
            counts[UNJUDGED] += found.reason in ("unjudged", "missing")
            counts[TIED] += found.reason == "tie"
        else:
            counts[OUTSIDE] += found.reason != "unjudged"
    counts[UNASKED] = len(judged.inclusion.unasked & used)
    counts[NOT_GIVEN] = rows.loc[rows["sense_not_given"], "row_id"].nunique()
    return +counts


def _repeats(own: Sequence[Annotation], used: AbstractSet[str], study: Study) -> dict[str, dict[str, list[str]]]:
    """Item (content key) -> annotator -> the usable labels given when the item came again."""
    found: dict[str, dict[str, list[str]]] = {}
    validity = Validities(study.taxonomy, study.concepts)
    for line in own:
        if not (line.role == "repeat" or line.repeat) or line.content_key not in used or line.status != "judged":
            continue
        usable = line.label is not None and validity(line) == "valid"
        if usable and not is_missing(str(line.label), study.taxonomy):
            found.setdefault(line.content_key, {}).setdefault(line.annotator, []).append(str(line.label))
    return found


def _controls(study: Study, own: Sequence[Annotation], expected: Mapping[str, str | None]) -> dict[str, Controls]:
    """The last line of each control task beside its known answer, by task; an answer of `unsure` is not right."""
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


def _known(study: Study, lines: Sequence[Annotation], expected: Mapping[str, str | None]) -> list[tuple[str, str, str]]:
    """Judgements of controls: the word family of the made-up item, its right label, the usable label given."""
    families = word_families(study.concepts.values())
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for line in lines:
        if line.role == "control" and line.status == "judged" and line.study == study.id:
            true, given, concept = expected.get(line.task_uid), line.label, line.item.intended_concept
            if true is not None and given in study.taxonomy.ids:
                found[line.annotator, line.task_uid] = families.get(concept, concept), true, given
    return list(found.values())


def _answers(own: Sequence[Annotation], used: AbstractSet[str], taxonomy: Taxonomy) -> Mapping[str, Answers]:
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
