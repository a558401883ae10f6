"""Series of checkpoints: chains that add up, trends against plain least squares and all sign patterns, their tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import cochrans_q

from gainsift.analysis.agreement_in_parts import agreement_in_parts
from gainsift.analysis.chain_tables import SUM, WHOLE, chain_table
from gainsift.analysis.chains import chains
from gainsift.analysis.design import Design
from gainsift.analysis.judged import Judged, judge
from gainsift.analysis.judgements import gather
from gainsift.analysis.results import analyse
from gainsift.analysis.split import ADDENDS
from gainsift.analysis.split_tests import NOT_WHOLE
from gainsift.analysis.study_design import study_design
from gainsift.analysis.study_evidence import study_evidence
from gainsift.analysis.trend_tables import trend_table
from gainsift.analysis.trends import trends
from gainsift.schemas.concepts import Concept
from gainsift.schemas.study import Study

LABELS = ["correct", "plain_copy", "other_sense", "unrelated", "related", "unsure"]
FAMILIES = 6
"""Few enough for every sign pattern to be gone through."""


@pytest.fixture
def campaign(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Callable[..., Any]:
    """Two language pairs of six prompt pairs at three checkpoints, drawn labels by two annotators; half of it sampled.

    The first unit has no output at c2; with `soft` the annotators differ now and then.
    """

    def make(soft: bool = False, **changes: Any) -> tuple[Study, Judged]:
        rng = np.random.default_rng(5)
        maker = make_study(contrasts=[], contrasts_along=[{"setting": "unpatched"}], **changes)
        for number in range(FAMILIES):
            maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
            for out, half in (("de", False), ("fr", True)):
                chance, drawn = (Fraction(1, 2), number % 3 != 0) if half else (Fraction(1), True)
                for place, checkpoint in enumerate(("c1", "c2", "c3")):
                    if (number, out, checkpoint) == (0, "de", "c2"):
                        continue
                    label = LABELS[rng.choice(6, p=[[0.1, 0.5, 0.2, 0.1, 0.05, 0.05], [0.4, 0.2, 0.2, 0.1, 0.05, 0.05],
                                                    [0.7, 0.05, 0.1, 0.05, 0.05, 0.05]][place])]  # fmt: skip
                    right = label == "correct" and rng.random() < 0.8
                    answer = f"{out}_s{number}" if right else f"{label} {number} {out} {checkpoint}"
                    item = maker.row(f"P{number}", ("en", out), checkpoint, answer, probability=chance, drawn=drawn)
                    if drawn:
                        maker.vote(item, "a1", label, "not_listed" if label == "other_sense" else None)
                        other = "unrelated" if soft and rng.random() < 0.3 else label
                        maker.vote(item, "a2", other, "not_listed" if other == "other_sense" else None)
        study = maker.write()
        items = study.items()
        keys = {item.content_key for item in items}
        known = gather(study.annotations(), keys, study.id, study.taxonomy, study.concepts, "x")
        return study, judge(study, items, known)

    return make


def test_the_whole_way_of_a_chain_is_the_contrast_where_their_units_are_the_same(
    make_study: Callable[..., Any], plain_concept: Callable[..., Concept]
) -> None:
    """Everything judged at every checkpoint; nobody can be misled by a patch here, so its bucket has no interval."""
    maker = make_study(contrasts=[], contrasts_along=[{"setting": "unpatched"}])
    rng = np.random.default_rng(4)
    rights = rng.random((20, 3)) < [0.2, 0.5, 0.8]
    for number, right in enumerate(rights):
        maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
        for checkpoint, correct in zip(("c1", "c2", "c3"), right, strict=True):
            item = maker.row(f"P{number}", ("en", "de"), checkpoint, f"de_s{number}" if correct else f"x{checkpoint}")
            maker.vote(item, "a1", "correct" if correct else "plain_copy")
    found = analyse(maker.write())
    (chain,) = found.chains
    whole = {result.contrast.name: result.split for result in found.contrasts}["unpatched: c1 to c3"]
    assert chain.whole == whole
    for _, split in [*chain.steps, ("", chain.whole)]:
        patch = [
            split.flow_buckets["patch_effect"], split.share_buckets["patch_effect"],
            split.of_gain_buckets["patch_effect"],
        ]  # fmt: skip
        assert all(one.low is None and one.point in (0, None) for one in patch)
    assert whole.of_gain_buckets["patch_effect"] == whole.flow_buckets["patch_effect"]
    for shares in found.shares:
        assert shares.buckets["patch_effect"] == whole.flow_buckets["patch_effect"]
        assert shares.buckets["ability"].high is not None
    expected = cochrans_q(rights.astype(float))
    assert chain.called_correct.statistic == pytest.approx(expected.statistic)
    assert chain.called_correct.p == pytest.approx(expected.pvalue)
    (note,) = (note for note in found.tables["chain"].notes if "Cochran's Q" in note)
    assert f"Q = {expected.statistic:.2f}, df 2, p = {expected.pvalue:.3f}" in note
    assert "assumes independent units" in note


@pytest.mark.parametrize("soft", [False, True])
def test_the_steps_of_a_chain_add_up_to_the_whole_way(campaign: Callable[..., Any], soft: bool) -> None:
    changes = {"analysis": {"bootstrap": 20, "verdict": "soft" if soft else "adjudicated"}}
    study, judged = campaign(soft, **changes)
    (chain,) = chains(study_design(study, judged.frame), judged.frame, judged.inclusion)
    assert [link.name for link, _ in chain.steps] == ["unpatched: c1 to c2", "unpatched: c2 to c3"]
    assert chain.called_correct.reason == (NOT_WHOLE if soft else "")
    splits = [found for _, found in chain.steps]
    assert {found.units for found in (*splits, chain.whole)} == {FAMILIES - 1 + 4}
    assert [found.weight for found in (*splits, chain.whole)] == pytest.approx([FAMILIES - 1 + 4 * 2] * 3)
    assert chain.partial == 1 + 2  # one has no output at c2, two are not drawn

    def total(figure: Callable[[Any], Any]) -> float:
        return sum(figure(found).point for found in splits)

    for part in ("apparent", *ADDENDS):
        assert total(lambda found, part=part: found.parts[part]) == pytest.approx(
            chain.whole.parts[part].point, abs=1e-12
        )
    for bucket, value in chain.whole.share_buckets.items():
        assert total(lambda found, bucket=bucket: found.share_buckets[bucket]) == pytest.approx(value.point, abs=1e-12)
    flows = [sum(value.point for value in found.flow_buckets.values()) for found in splits]
    assert sum(flows) == pytest.approx(sum(v.point for v in chain.whole.flow_buckets.values()), abs=1e-12)
    table = chain_table(study_design(study, judged.frame), [chain], "recipe")
    for way in ("share split", "flow split"):
        added, whole = (next(r for r in table.rows if (r["way"], r["step"]) == (way, step)) for step in (SUM, WHOLE))
        for key in [f"bucket_{bucket}" for bucket in study.taxonomy.buckets] if way == "share split" else ["human"]:
            assert added[key].point == pytest.approx(whole[key].point, abs=1e-12)
    if not soft:  # the flows of buckets need not: somebody moved between two categories that are not correct
        assert any(
            abs(total(lambda found, bucket=bucket: found.flow_buckets[bucket]) - value.point) > 1e-3
            for bucket, value in chain.whole.flow_buckets.items()
        )


def test_a_trend_is_least_squares_within_units_and_its_test_goes_through_all_signs(
    campaign: Callable[..., Any],
) -> None:
    study, judged = campaign(analysis={"bootstrap": 20})
    found = trends(study_design(study, judged.frame), judged.frame)
    rows = judged.frame[judged.frame["selected"] & judged.frame["label"].notna()]
    weight = 1 / rows["probability"].to_numpy(float)
    position = rows["checkpoint"].map({"c1": -1.0, "c2": 0.0, "c3": 1.0}).to_numpy(float)  # no tokens in study.yaml
    dummies = pd.get_dummies(rows["unit"]).to_numpy(float)
    design = np.column_stack([position, dummies]) * np.sqrt(weight)[:, None]
    assert {one.axis for one in found} == {"rank"}
    for one in found:
        value = (rows["kind" if one.level == "kind" else "label"] == one.outcome).to_numpy(float)
        slope = np.linalg.lstsq(design, value * np.sqrt(weight), rcond=None)[0][0]
        assert one.slope == pytest.approx(2 * slope, abs=1e-9)
        for checkpoint, share in zip(one.checkpoints, one.shares, strict=True):
            here = (rows["checkpoint"] == checkpoint).to_numpy()
            assert share == pytest.approx(np.average(value[here], weights=weight[here]), abs=1e-12)
        # every arrangement of signs of the families' sums, one at a time
        mean = pd.Series(position * weight).groupby(rows["unit"].to_numpy()).transform("sum")
        mean = mean / pd.Series(weight).groupby(rows["unit"].to_numpy()).transform("sum")
        scores = pd.Series(weight * (position - mean) * value).groupby(rows["family"].to_numpy()).sum().to_numpy()
        sums = [abs(np.dot(signs, scores)) for signs in itertools.product((1, -1), repeat=len(scores))]
        test = one.tests["flips"]
        if test.p is None:
            assert not scores.round(9).any()
        else:
            assert test.p == pytest.approx(np.mean(np.array(sums) >= sums[0] - 1e-9))
        table = rows.assign(value=value).pivot(index="unit", columns="checkpoint", values="value").dropna()
        if one.tests["cochran"].p is not None:
            assert one.tests["cochran"].p == pytest.approx(cochrans_q(table.to_numpy()).pvalue)
            assert one.tests["cochran"].warning
        assert "needs 5 conditions" in one.tests["mann_kendall"].reason
    kinds = [one for one in found if one.level == "kind" and one.tests["flips"].p is not None]
    smallest = min(kinds, key=lambda one: one.tests["flips"].p or 0.0)
    assert smallest.adjusted["flips"] == pytest.approx(min(1.0, len(kinds) * (smallest.tests["flips"].p or 0.0)))
    assert len(trend_table(study_design(study, judged.frame), found, "recipe").rows) == len(found) > 6


def test_max_t_and_named_series(campaign: Callable[..., Any]) -> None:
    spec = {
        "bootstrap": 20,
        "correction": "max_t",
        "trends": [{"setting": "unpatched", "checkpoints": ["c3", "first"]}],
    }
    study, judged = campaign(analysis=spec)
    found = trends(study_design(study, judged.frame), judged.frame)
    assert {tuple(one.checkpoints) for one in found} == {("c1", "c3")}
    for one in found:
        p, adjusted = one.tests["flips"].p, one.adjusted["flips"]
        assert (p is None) == (adjusted is None)
        assert p is None or adjusted >= p - 1e-12
    holm = [one.adjusted["flips"] or 0 for one in trends(*campaign_with(campaign, spec | {"correction": "holm"}))]
    assert sum(one.adjusted["flips"] or 0 for one in found) <= sum(holm) + 1e-9  # never less powerful on the whole


def campaign_with(campaign: Callable[..., Any], spec: dict[str, Any]) -> tuple[Design, pd.DataFrame]:
    study, judged = campaign(analysis=spec)
    return study_design(study, judged.frame), judged.frame


def test_verdicts_that_are_distributions_have_trends_without_cochran(campaign: Callable[..., Any]) -> None:
    study, judged = campaign(True, analysis={"bootstrap": 20, "verdict": "soft"})
    found = {(one.level, one.outcome): one for one in trends(study_design(study, judged.frame), judged.frame)}
    correct = found["kind", "correct"]
    assert correct.tests["cochran"].reason == "verdicts are distributions"
    rows = judged.frame[judged.frame["selected"] & judged.frame["label"].notna()]
    first = rows[rows["checkpoint"] == "c1"]
    weight = first["mass"] / first["probability"]
    assert correct.shares[0] == pytest.approx(float((weight * (first["kind"] == "correct")).sum() / weight.sum()))
    assert sum(one.shares[1] for key, one in found.items() if key[0] == "kind") == pytest.approx(1)


def test_agreement_drifts_from_the_first_checkpoint_to_the_last(campaign: Callable[..., Any]) -> None:
    study, judged = campaign(soft=True, analysis={"bootstrap": 200})
    found = agreement_in_parts(study_design(study, judged.frame), study_evidence(study).evidence)
    assert list(found.conditions) == ["c1, unpatched", "c2, unpatched", "c3, unpatched"]
    ((name, both),) = found.drifts.items()
    assert name == "unpatched"
    for level, change in enumerate(both):
        first, last = (found.conditions[end][level] for end in (change.first, change.last))
        assert (change.first, change.last) == ("c1, unpatched", "c3, unpatched")
        assert change.percent.point == pytest.approx((last.percent.point or 0) - (first.percent.point or 0))
        assert change.alpha.point == pytest.approx((last.alpha.point or 0) - (first.alpha.point or 0))
        assert change.alpha.low is not None
        assert change.alpha.low <= change.alpha.point <= (change.alpha.high or 0)
