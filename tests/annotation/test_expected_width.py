"""The width of interval to expect: against statsmodels, with every probability worked out in full."""

from __future__ import annotations

from random import Random

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from gainsift.annotation.expected_width import standard_error
from gainsift.annotation.plan import make_plan

FIRST, LAST = "secretmodel-step100", "secretmodel-step200"
TRAINING = {"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}}
RIGHT = {"dog": "Hund", "gift": "Geschenk", "house": "Haus", "hotel": "Hotel", "butterfly": "Schmetterling"}


@pytest.mark.parametrize("seed", range(5))
def test_the_standard_error_is_that_of_a_cluster_robust_regression_on_a_constant(seed) -> None:
    """statsmodels: weighted least squares of the values on 1, cov_type cluster; its (n - 1) / (n - k) is 1 at k = 1."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-1, 2, 80).astype(float)
    weights = 1 / rng.uniform(0.1, 1, 80)
    clusters = pd.Series(rng.integers(0, 12, 80)).astype(str)
    fit = sm.WLS(values, np.ones(80), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters.astype("category").cat.codes.to_numpy()}
    )
    assert standard_error(values, weights, clusters) == pytest.approx(float(fit.bse[0]), rel=1e-12)


def campaign(row, count=60):
    """Prompt pairs of five concepts, right or wrong at two checkpoints; wrong answers differ, so that few merge."""
    generator, rows = Random(2), []
    concepts = sorted(RIGHT)
    for number in range(count):
        source = concepts[number % 5]
        other = concepts[(number + 1 + number // 5 % 4) % 5]
        for checkpoint, chance in ((FIRST, 0.3), (LAST, 0.6)):
            success = generator.random() < chance
            text = RIGHT[source] if success else f"x{generator.randrange(30)}"
            own = {"pair_id": f"{source}{other}{number}", "row_id": f"{number}{checkpoint}"}
            rows.append(row(text, pair=(source, other), checkpoint=checkpoint).model_copy(update=own))
    return rows


def by_hand(plan, rows, confidence=0.95):
    """Units, clusters and half width from the links alone, with statsmodels and the two-item probability in full."""
    links = plan.links.to_pandas().set_index("row_id")
    members: dict[str, dict[str, float]] = {}
    for link in links.itertuples():
        members.setdefault(link.item_id, {})[link.trajectory] = link.trajectory_probability
    judged = {item.item_id for item in plan.items}
    audit = dict(zip(links["item_id"], links["audit_probability"], strict=True))
    change, weights, clusters = [], [], []
    for before, after in zip(rows[::2], rows[1::2], strict=True):
        items = [links.loc[one.row_id, "item_id"] for one in (before, after)]
        if not set(items) <= judged:
            continue
        # the probability that both are judged, by drawing every trajectory of the two or not
        names = sorted({name for item in items for name in members[item]})
        chances = {name: p for item in items for name, p in members[item].items()}
        both = 0.0
        for case in range(1 << len(names)):
            drawn = {name for bit, name in enumerate(names) if case >> bit & 1}
            if all(drawn & members[item].keys() for item in items):
                both += np.prod([chances[name] if name in drawn else 1 - chances[name] for name in names])
        weights.append(1 / (both * np.prod([audit[item] for item in set(items)])))
        now, then = (one.answer == RIGHT[one.intended_concept] for one in (after, before))
        change.append(now - then)
        clusters.append(before.intended_concept)
    fit = sm.WLS(np.array(change, float), np.ones(len(change)), weights=np.array(weights)).fit(
        cov_type="cluster", cov_kwds={"groups": pd.Series(clusters).astype("category").cat.codes.to_numpy()}
    )
    number = len(set(clusters))
    return len(change), number, stats.t.ppf((1 + confidence) / 2, number - 1) * fit.bse[0]


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ({}, {}),
        ({"trajectories": 25}, {}),
        ({"trajectories": 25, "strata": ["outcome"]}, {"prelabels": "accept_reference", "audit": 0.6}),
    ],
)
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_the_plan_says_the_width_that_statsmodels_finds(spec, more, confidence, row, study_of) -> None:
    rows = campaign(row)
    study = study_of(rows, rows_spec=spec, annotation=more, contrasts=[TRAINING], analysis={"confidence": confidence})
    plan = make_plan(study)
    units, clusters, half = by_hand(plan, rows, confidence)
    (found,) = plan.summary.widths
    assert (found.contrast, found.confidence, found.reason) == ("training", confidence, "")
    assert (found.units, found.clusters) == (units, clusters)
    assert found.half_width == pytest.approx(half, rel=1e-9)


def test_fewer_units_make_it_wider(row, study_of) -> None:
    rows = campaign(row, 200)
    widths = [
        make_plan(study_of(rows, rows_spec=spec, contrasts=[TRAINING])).summary.widths[0].half_width
        for spec in ({}, {"trajectories": 100}, {"trajectories": 25})
    ]
    assert widths == sorted(widths)
    assert widths[2] > 1.2 * widths[0]


def test_where_it_cannot_be_known_it_says_why(row, study_of) -> None:
    tgt = {"checkpoint": "last", "setting": "tgt", "layer": 1}
    contrasts = [
        TRAINING,
        {"name": "patching", "from": {"checkpoint": "last"}, "to": tgt},
        {"name": "same", "from": {"checkpoint": "first"}, "to": {"checkpoint": "first"}},
    ]
    rows = [row("Hund"), row("x", checkpoint=LAST), row("Haus", pair=("house", "dog"))]
    found = {one.contrast: one for one in make_plan(study_of(rows, contrasts=contrasts)).summary.widths}
    assert (found["training"].units, found["training"].half_width) == (1, None)
    assert found["training"].reason == "fewer than two clusters"
    assert found["patching"].reason == "no unit will be judged on both sides"
    assert (found["same"].clusters, found["same"].reason) == (2, "automatic success moves in the same way everywhere")
    assert all(one.half_width is None for one in found.values())


def test_words_of_one_family_are_one_cluster(row, study_of) -> None:
    """`bank` of the river and of money share a form: two concepts, one cluster."""
    rows = [row("x", pair=("bank.river", "house")), row("Ufer", pair=("bank.river", "house"), checkpoint=LAST)]
    rows += [row("x", pair=("gift", "house")), row("x", pair=("gift", "house"), checkpoint=LAST)]
    study = study_of(rows, contrasts=[TRAINING])
    assert make_plan(study).summary.widths[0].clusters == 2
    river = study.concepts["bank.river"]
    twin = study.concepts["gift"].model_copy(update={"reference": {**study.concepts["gift"].reference, "en": ["bank"]}})
    study.__dict__["concepts"] = {**study.concepts, "bank.river": river, "gift": twin}
    assert make_plan(study).summary.widths[0].reason == "fewer than two clusters"
