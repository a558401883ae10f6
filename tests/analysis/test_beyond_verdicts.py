"""The join of what corrects for unjudged outputs and wrong judgements: the right units, weights and labels reach it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gainsift.analysis.beyond_tables import beyond_table
from gainsift.analysis.beyond_verdicts import Beyond, beyond_verdicts
from gainsift.analysis.contrast_results import ContrastResult, contrast_results
from gainsift.analysis.study_design import study_design
from gainsift.analysis.study_evidence import study_evidence
from gainsift.analysis.unjudged_units import LABELS, POWERED, SCORES
from gainsift.schemas.concepts import Concept
from gainsift.schemas.files import write_jsonl, write_parquet
from gainsift.schemas.rows import Assignment, AutomaticLabel, Item
from gainsift.schemas.study import ASSIGNMENT_FORMAT, PRELABELS_FORMAT

AT_B = {"setting": "tgt", "layer": 1}


@pytest.fixture
def found(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Callable[..., Any]:
    """Thirty units, copies at first; later 18 answers are the reference. `drawn`: every `drawn`th trajectory."""

    def make(
        drawn: int, annotators: tuple[str, ...], controls: str = "", prelabels: int = 0
    ) -> tuple[Beyond, ContrastResult, Any]:
        """`prelabels`: of the first so many units, drawn or not; non-words have none."""
        maker = make_study(analysis={"bootstrap": 50})
        known: dict[str, str | None] = {}
        for number in range(30):
            maker.pair(f"P{number}", plain_concept(f"s{number}"), plain_concept(f"t{number}"))
            chosen = {"probability": Fraction(1, drawn), "drawn": number % drawn == 0}
            first = maker.row(f"P{number}", ("en", "de"), "c1", f"en_s{number}", **chosen)
            right = number % 5 < 3
            last = maker.row(f"P{number}", ("en", "de"), "c2", f"de_s{number}" if right else "x", **chosen, **AT_B)
            if number < prelabels:
                known |= {first.item_id: "plain_copy", last.item_id: "correct" if right else None}
            if number % drawn == 0:
                for annotator in annotators:
                    maker.vote(first, annotator, "plain_copy")
                    # one answer that is not the reference is right all the same
                    maker.vote(last, annotator, "correct" if right or number == 4 * drawn else "non_word")
        tasks = []
        for number, (true, given) in enumerate(part.split(":") for part in controls.split()):
            concept = plain_concept(f"s{number}")
            item = Item.of("1", "en", "de", concept.id, "t0", "w", f"made up {number}", True, "none")
            line = maker.vote(item, "a1", given, role="control")
            tasks.append(Assignment(uid=line.task_uid, item=item, annotator="a1", role="control", expected=true))
        study = maker.write()
        if known:
            labels = [AutomaticLabel(item_id=name, label=label) for name, label in known.items()]
            write_parquet(study.prelabels_file, AutomaticLabel, labels, PRELABELS_FORMAT)
        if tasks:
            write_jsonl(study.assignments_file, tasks, ASSIGNMENT_FORMAT)
        evidence = study_evidence(study).evidence
        design = study_design(study, evidence.by_rule["adjudicated"])
        frame = evidence.frame(design)
        contrasts = contrast_results(design, frame, evidence.inclusion, {}, lambda step: None)
        (one,) = beyond_verdicts(design, evidence, contrasts)
        return one, contrasts[0], beyond_table(design, [one], contrasts, "recipe")

    return make


def test_automatic_scores_of_all_units_stand_beside_the_verdicts_of_the_sample(found: Callable[..., Any]) -> None:
    """Every third of thirty units: successes after are 6 of 10 there, 18 of 30 in all, so the bracket is zero."""
    one, result, table = found(3, ("a1", "a2"))
    assert (one.sample, one.population) == (10, 30)
    parts = result.split.parts
    for name, value in zip(POWERED, one.unjudged.figures.alone, strict=True):
        assert value == parts["human_decided" if name == "human" else name]  # limits too
    sampled = [number for number in range(30) if number % 3 == 0]
    right = sum(number % 5 < 3 or number == 12 for number in sampled)
    assert one.unjudged.figures.alone[1].point == pytest.approx(right / 10)
    gap = 18 / 30 - np.mean([number % 5 < 3 for number in sampled])
    for value, alone in zip(one.unjudged.figures.estimates[1:], one.unjudged.figures.alone[1:], strict=True):
        assert value.point == pytest.approx(alone.point + one.unjudged.figures.tuning * gap)
    assert [row["part"] for row in table.rows if row["method"] == "prediction-powered"] == list(POWERED)


def test_prelabels_of_all_items_correct_every_bucket(found: Callable[..., Any]) -> None:
    """Of every fourth unit 4 of 8 come from copying to correct, of all 18 of 30, and the pre-labels know it."""
    one, result, table = found(4, ("a1", "a2"), prelabels=30)
    assert one.unjudged.by == LABELS
    estimates = dict(zip(one.unjudged.parts, one.unjudged.figures.estimates, strict=True))
    alone = dict(zip(one.unjudged.parts, one.unjudged.figures.alone, strict=True))
    assert alone["plain_copying"] == result.split.flow_buckets["plain_copying"]  # limits too: every unit is decided
    assert alone["plain_copying"].point == pytest.approx(0.5)
    tuning = one.unjudged.figures.tuning
    assert tuning > 0.5  # they are right wherever they can be checked
    for part in ("human_b", "human", "plain_copying"):
        assert estimates[part].point == pytest.approx(0.5 + tuning * (18 / 30 - 0.5))
    assert sum(estimates[bucket].point for bucket in one.unjudged.parts[3:]) == pytest.approx(estimates["human"].point)
    rows = [row for row in table.rows if row["method"] == "prediction-powered"]
    assert [row["part"] for row in rows] == [*POWERED, "plain_copying"]
    assert {row["basis"] for row in rows} == {"Automatic labels of all 30 units beside the verdicts of 8"}


def test_prelabels_of_some_items_are_not_those_of_all(found: Callable[..., Any]) -> None:
    one, _, table = found(4, ("a1", "a2"), prelabels=29)
    assert (one.unjudged.by, one.unjudged.parts) == (SCORES, list(POWERED))
    assert "Automatic scores of all 30 units" in table.rows[0]["basis"]


def test_where_everything_is_judged_there_is_nothing_to_predict(found: Callable[..., Any]) -> None:
    one, _, _ = found(1, ("a1", "a2"))
    assert one.unjudged is None
    (model,) = one.errors  # two annotators do not tell who errs
    assert model.source == "dawid-skene"
    assert all(value.point is None and value.reason.startswith("not estimable") for value in model.figures.values())


def test_annotators_who_never_differ_leave_the_split_as_it_is(found: Callable[..., Any]) -> None:
    one, result, table = found(1, ("a1", "a2", "a3"))
    (model,) = one.errors
    assert model.figures["human"].point == pytest.approx(result.split.parts["human"].point)
    for bucket in ("plain_copying", "ability"):
        assert model.figures[f"flow:{bucket}"].point == pytest.approx(result.split.flow_buckets[bucket].point)
    corrected = {row["part"]: row["corrected"].point for row in table.rows}
    assert corrected["plain_copying"] == pytest.approx(19 / 30)


def test_controls_that_know_right_from_wrong_alone_still_free_the_human_gain(found: Callable[..., Any]) -> None:
    """Of ten right answers one is called wrong, of ten wrong ones none is called right: 19 of 30 stand for 19 / .9.

    No control is a copy, so that nothing is known of how copies are misread.
    """
    controls = "correct:correct " * 9 + "correct:unrelated " + "wrong_language:unrelated " * 10
    one, result, table = found(1, ("a1", "a2"), controls)
    by_controls, model = one.errors
    assert (by_controls.source, model.source) == ("controls", "dawid-skene")
    assert result.split.parts["human"].point == pytest.approx(19 / 30)
    assert by_controls.figures["human"].point == pytest.approx(float(Fraction(19, 30) / Fraction(9, 10)))
    assert by_controls.figures["human_a"].point == pytest.approx(0.0)
    assert by_controls.about == (
        "20 judgements of control items, right against wrong (by bucket not estimable: too few judgements: 0 of"
        " true plain copying, 10 at least)"
    )
    assert [row["part"] for row in table.rows if row["method"].endswith("controls")] == ["human"]


def test_too_few_controls_tell_nothing_at_all(found: Callable[..., Any]) -> None:
    one, _, _ = found(1, ("a1", "a2"), "correct:correct " * 9 + "wrong_language:unrelated " * 10)
    assert all(value.point is None for value in one.errors[0].figures.values())
    assert "right against wrong" not in one.errors[0].about
