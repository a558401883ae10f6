"""Strata and the audit: probabilities by hand, and a thousand plans whose estimates are right on average."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gainsift.annotation.merging import merge, successes
from gainsift.annotation.plan import make_plan
from gainsift.annotation.sampling import both_drawn, draw, luck, sample, shares, strata
from gainsift.annotation.selection import select
from gainsift.schemas.errors import UserError
from gainsift.schemas.rows import item_answer
from gainsift.schemas.study import Study
from gainsift.schemas.success import succeeds

FIRST, LAST = "secretmodel-step100", "secretmodel-step200"
SHOTS = 80
"""Prompt pairs of the same two concepts in the thousand draws: their equal outputs are one item."""


# --- strata --------------------------------------------------------------------------------------------------


def test_shares_by_hand() -> None:
    """30 over three strata is 10 each; `small` has 2, so 28 remain for two; `middle` has 10 < 14, so 18 are left."""
    assert shares({"large": 100, "small": 2, "middle": 10}, 30) == {"small": 2, "middle": 10, "large": 18}
    assert shares({"a": 9, "b": 9}, 5) == {"a": 2.5, "b": 2.5}
    assert shares({"a": 3, "b": 4}, 100) == {"a": 3, "b": 4}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 500), min_size=1, max_size=6), st.integers(1, 3000))
@settings(deadline=None, max_examples=200)
def test_shares_are_even_whole_and_never_nothing(sizes, wanted) -> None:
    found = shares(sizes, wanted)
    assert sum(found.values()) == pytest.approx(min(wanted, sum(sizes.values())))
    assert all(0 < found[name] <= size for name, size in sizes.items())
    part = [found[name] for name, size in sizes.items() if found[name] < size - 1e-9]
    if part:  # those that are not taken whole share alike, and nothing taken whole is larger
        assert max(part) == pytest.approx(min(part))
        assert all(size <= max(part) + 1e-9 for name, size in sizes.items() if found[name] >= size - 1e-9)


def test_strata_by_hand() -> None:
    rows = pd.DataFrame(
        [
            ("t1", "en-de", True),
            ("t1", "en-de", True),
            ("t2", "en-de", False),
            ("t2", "en-de", True),
            ("t3", "en-fr", False),
            ("t3", "en-fr", False),
        ],
        columns=["trajectory", "pair", "success"],
    )
    assert strata(rows, []).to_dict() == {"t1": "all", "t2": "all", "t3": "all"}
    assert strata(rows, ["outcome"]).to_dict() == {"t1": "always right", "t2": "changes", "t3": "never right"}
    assert strata(rows, ["language_pair"]).to_dict() == {"t1": "en-de", "t2": "en-de", "t3": "en-fr"}
    crossed = strata(rows, ["language_pair", "outcome"]).to_dict()
    assert crossed == {"t1": "en-de, always right", "t2": "en-de, changes", "t3": "en-fr, never right"}


def test_a_stratified_plan_by_hand(row, study_of) -> None:
    """Trajectories: 1 always right, 2 changing, 3 never right; 3 wanted, 1 of each: π = 1, 1/2, 1/3."""
    pairs = [("dog", "house"), ("gift", "house"), ("gift", "dog"), ("house", "dog"), ("hotel", "dog"), ("dog", "gift")]
    right = {"dog": "Hund", "gift": "Geschenk", "house": "Haus", "hotel": "Hotel"}
    outcome = [(True, True), (False, True), (True, False), (False, False), (False, False), (False, False)]
    rows = [
        row(right[pair[0]] if success else "x", pair=pair, checkpoint=checkpoint)
        for pair, successes_ in zip(pairs, outcome, strict=True)
        for checkpoint, success in zip((FIRST, LAST), successes_, strict=True)
    ]
    chances = {"always right": Fraction(1), "changes": Fraction(1, 2), "never right": Fraction(1, 3)}
    of = dict(zip(pairs, ["always right", "changes", "changes", *["never right"] * 3], strict=True))
    spec = {"trajectories": 3, "strata": ["outcome"]}
    plan = make_plan(study_of(rows, rows_spec=spec))
    for link in plan.links.to_pylist():
        first, second = link["trajectory"].split("|")[0].split("+")
        assert link["trajectory_probability"] == pytest.approx(float(chances[of[first, second]]))
    found = {one.name: (one.trajectories, one.expected, one.probability) for one in plan.summary.strata}
    sizes = {"always right": 1, "changes": 2, "never right": 3}
    assert found == {name: (size, pytest.approx(1), pytest.approx(1 / size)) for name, size in sizes.items()}
    drawn = {link["trajectory"] for link in plan.links.to_pylist() if link["drawn"]}
    assert plan.summary.drawn_trajectories == len(drawn) == sum(one.drawn for one in plan.summary.strata)
    assert {name for name in drawn if name.startswith("dog+house|")}  # the one that is certain


def test_each_stratum_is_drawn_at_its_own_rate() -> None:
    names = pd.Series({f"t{number}": "rare" if number < 400 else "common" for number in range(10_000)})
    found = draw(names, 800, 3)
    for stratum, size in (("rare", 400), ("common", 9600)):
        group = found[found["stratum"] == stratum]
        rate = 400 / size
        assert group["probability"].unique().tolist() == [rate]
        assert abs(group["drawn"].sum() - 400) <= 4 * (400 * (1 - rate)) ** 0.5


def test_both_drawn_by_hand() -> None:
    """Items in trajectories {t: 1/2, u: 1/3} and {u: 1/3, v: 1/4}; drawn are t, u, v or not: 8 cases, 4 with both."""
    one, two = {"t": 1 / 2, "u": 1 / 3}, {"u": 1 / 3, "v": 1 / 4}
    # u alone brings both: 1/3; else t and v are needed: 2/3 · 1/2 · 1/4 = 1/12
    assert both_drawn(one, two) == pytest.approx(float(Fraction(1, 3) + Fraction(1, 12)))
    assert both_drawn(one, one) == pytest.approx(2 / 3)


# --- the audit -----------------------------------------------------------------------------------------------


ANSWERS = st.text("Hundhu \u0301üu\u0308\u00a0.", max_size=6)


@given(answer=ANSWERS, case=st.sampled_from(["fold", "exact"]), closed=st.booleans())
@example(answer="Hu\u0308", case="fold", closed=False)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_automatic_success_is_the_same_for_all_rows_of_an_item(answer, case, closed, study_at) -> None:
    """Decided for the item, it is what the rule says of each output as it was decoded."""
    study, row = study_at
    success = study.config.success.model_copy(update={"case": case, "unclosed": "accept"})
    concepts = study.concepts
    study = Study(study.folder, study.config.model_copy(update={"success": success}))
    study.__dict__["concepts"] = concepts
    rows = [row(text, closed=closed) for text in (answer, f" {answer}\u00a0", f"\n{answer}")]
    frame = pd.DataFrame([one.model_dump() for one in rows])
    merged, ids = merge(study, frame)
    found = successes(study, merged)
    for one, item_id in zip(rows, ids, strict=True):
        assert found[item_id] == succeeds(one.answer, one.closed, ["Hund", "hü"], "de", success)
    assert len(merged) == len({item_answer(one.answer) for one in rows})


@pytest.fixture
def study_at(row, study_of):
    study = study_of([row("Hund")])
    dog = study.concepts["dog"].model_copy(update={"reference": {"en": ["dog"], "de": ["Hund", "hü"]}})
    study.__dict__["concepts"] = {**study.concepts, "dog": dog}
    return study, row


def test_only_right_answers_are_passed_over_and_their_probability_is_the_audit(row, study_of) -> None:
    pairs = [("dog", "house"), ("gift", "house"), ("house", "dog"), ("hotel", "dog"), ("butterfly", "dog")]
    right = ["Hund", "Geschenk", "Haus", "Hotel", "Schmetterling"]
    rows = [row(answer, pair=pair) for answer, pair in zip(right, pairs, strict=True)]
    rows += [row("Köter", checkpoint=LAST), row("x", pair=("gift", "house"), checkpoint=LAST)]
    options = {"annotation": {"prelabels": "accept_reference", "audit": 0.4}}
    plan = make_plan(study_of(rows, **options))
    keys = {item.answer: item.content_key for item in make_plan(study_of(rows)).items}
    asked = {answer for answer in right if luck(42, f"audit|{keys[answer]}") < 0.4}
    assert 0 < len(asked) < 5
    # Köter is right, but no reference form: accepted ones are asked about
    assert {item.answer for item in plan.items} == asked | {"Köter", "x"}
    for one, link in zip(rows, plan.links.to_pylist(), strict=True):
        assert link["row_id"] == one.row_id
        success = one.answer in right
        assert link["audit_probability"] == link["item_probability"] == (0.4 if success else 1.0)
        assert link["asked"] == (not success or one.answer in asked)
        assert link["drawn"]
    assert plan.summary.items_not_asked == 5 - len(asked)
    # nothing of this without the key
    off = make_plan(study_of(rows))
    assert (len(off.items), off.summary.items_not_asked) == (7, 0)


def test_an_audit_that_asks_about_nothing_is_the_users_error(row, study_of) -> None:
    study = study_of([row("Hund")], annotation={"prelabels": "accept_reference", "audit": 1e-9})
    with pytest.raises(UserError, match=r"study\.yaml: annotation\.audit 1e-09: every drawn answer"):
        make_plan(study)


# --- a thousand plans ----------------------------------------------------------------------------------------


@pytest.fixture
def campaign(row, study_of):
    """Two conditions of 320 rows each. Right answers are few and frequent, wrong ones many and rare.

    Prompt pairs of the same two concepts share items, so that items lie in one to more than fifty trajectories.
    """
    generator, rows = Random(5), []
    right = {"dog": "Hund", "gift": "Geschenk", "house": "Haus", "hotel": "Hotel"}
    for source, answer in right.items():
        for shots in range(SHOTS):
            hard = generator.random() < 0.5
            for checkpoint, chance in ((FIRST, 0.5), (LAST, 0.8)):
                success = generator.random() < chance * (0.7 if hard else 1.2)
                text = answer if success else f"x{generator.randrange(200)}"
                made = row(text, pair=(source, "butterfly"), checkpoint=checkpoint)
                own = {"pair_id": f"{source}{shots}", "row_id": f"{source}{shots}{checkpoint}"}
                rows.append(made.model_copy(update=own))
    spec = {"trajectories": 80, "strata": ["outcome"]}
    study = study_of(rows, rows_spec=spec, annotation={"prelabels": "accept_reference", "audit": 0.3})
    frame, _ = select(study)
    merged, frame["item_id"] = merge(study, frame)
    frame["success"] = frame["item_id"].map(successes(study, merged))
    frame["content_key"] = frame["item_id"].map({name: item.content_key for name, item in merged.items()})
    # what people would say: now and then the reference is wrong, and an unlisted answer is right
    truth = {name: luck(1, name) < (0.75 if right else 0.15) for name, right in successes(study, merged).items()}
    frame["correct"] = frame["item_id"].map(truth).astype(float)
    return study, frame


def test_weighted_row_counts_are_unbiased_over_a_thousand_plans(campaign) -> None:
    """Per condition: rows of judged items over their probability, summed, over the true number of rows.

    |mean - truth| within four standard errors of the mean; without weights it is more than ten of them off.
    """
    study, frame = campaign
    rows, audit = study.config.annotation.rows, study.config.annotation.audit
    found = {FIRST: [], LAST: []}
    plain = {FIRST: [], LAST: []}
    for seed in range(1000):
        made, _ = sample(frame, rows.model_copy(update={"seed": seed}), audit)
        judged = made[made["item_id"].isin(set(made.loc[made["drawn"] & made["asked"], "item_id"]))]
        for checkpoint, group in judged.groupby("checkpoint"):
            size = (frame["checkpoint"] == checkpoint).sum()
            found[checkpoint].append((group["correct"] / group["item_probability"]).sum() / size)
            plain[checkpoint].append(group["correct"].mean())
    for checkpoint, values in found.items():
        truth = frame.loc[frame["checkpoint"] == checkpoint, "correct"].mean()
        error = np.std(values, ddof=1) / len(values) ** 0.5
        assert abs(np.mean(values) - truth) <= 4 * error
        assert error < 0.02
        wrong = np.std(plain[checkpoint], ddof=1) / len(values) ** 0.5
        assert abs(np.mean(plain[checkpoint]) - truth) > 10 * wrong
        assert abs(np.mean(plain[checkpoint]) - truth) > 0.03


def test_the_plan_draws_as_the_thousand_did(campaign) -> None:
    """What was sampled a thousand times above is what a plan writes."""
    study, frame = campaign
    made, _ = sample(frame, study.config.annotation.rows, study.config.annotation.audit)
    plan = make_plan(study)
    links = plan.links.to_pandas().set_index("row_id")
    by_row = made.set_index("row_id")
    for column in ("item_id", "trajectory_probability", "item_probability", "drawn", "audit_probability", "asked"):
        assert (links[column] == by_row.loc[links.index, column]).all()
    assert {item.item_id for item in plan.items} == set(made.loc[made["drawn"] & made["asked"], "item_id"])
    missed = by_row.groupby("item_id").apply(
        lambda group: np.prod([1 - p for p in group.drop_duplicates("trajectory")["trajectory_probability"]])
    )
    audit = by_row.groupby("item_id")["success"].first().map({True: 0.3, False: 1.0})
    expected = (1 - missed) * audit
    assert np.allclose(by_row["item_probability"], by_row["item_id"].map(expected))
    assert by_row["item_probability"].nunique() > 5
