"""Rows, draws, items and links, by hand."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest

from gainsift.annotation.plan import make_plan, write_plan
from gainsift.annotation.sampling import draw, item_probabilities, luck
from gainsift.schemas.errors import UserError
from gainsift.schemas.study import Study

FIRST, LAST = "secretmodel-step100", "secretmodel-step200"


def links_of(plan) -> dict[str, dict]:
    return {link["row_id"]: link for link in plan.links.to_pylist()}


# --- items ---------------------------------------------------------------------------------------------------


def test_equal_answers_are_one_item(row, study_of) -> None:
    rows = [
        row("Hund"),
        row(" Hund ", checkpoint=LAST),
        row("Hund", setting="tgt", layer=3),
        row("Katze", setting="tgt", layer=4),
    ]
    plan = make_plan(study_of(rows))
    assert sorted(item.answer for item in plan.items) == ["Hund", "Katze"]
    links = links_of(plan)
    assert len({links[r.row_id]["item_id"] for r in rows[:3]}) == 1
    # two annotators: 8 judgements row by row, 4 item by item
    assert (plan.summary.judgements_without_merging, plan.summary.judgements) == (8, 4)
    assert plan.summary.saved_by_merging == 4


KEY_PARTS = {
    "input language": ({"answer": "Hotel", "languages": ("en", "de"), "pair": ("hotel", "dog")},
                       {"answer": "Hotel", "languages": ("de", "en"), "pair": ("hotel", "dog")}),
    "output language": ({"answer": "x"}, {"answer": "x", "languages": ("en", "fr")}),
    "intended concept": ({"answer": "x"}, {"answer": "x", "pair": ("gift", "house")}),
    "other concept": ({"answer": "x"}, {"answer": "x", "pair": ("dog", "gift")}),
    "answer": ({"answer": "x"}, {"answer": "y", "checkpoint": LAST}),
    "case of the answer": ({"answer": "hund"}, {"answer": "Hund", "checkpoint": LAST}),
    "closed": ({"answer": "x"}, {"answer": "x", "closed": False, "checkpoint": LAST}),
    # dog is the shown word of an unpatched prompt; the prompts of `seen` never gave it
    "copied from": ({"answer": "dog"}, {"answer": "dog", "setting": "seen", "layer": 1}),
}  # fmt: skip


@pytest.mark.parametrize("part", KEY_PARTS)
def test_rows_that_differ_in_one_key_part_are_two_items(part, row, study_of) -> None:
    plan = make_plan(study_of([row(**options) for options in KEY_PARTS[part]]))
    assert len(plan.items) == 2
    if part == "copied from":
        assert {item.copied_from for item in plan.items} == {"shown", "none"}


def test_another_shown_word_is_another_item(row, study_of) -> None:
    other = row("x", checkpoint=LAST).model_copy(update={"shown_word": "hound"})
    assert len(make_plan(study_of([row("x"), other])).items) == 2


def test_another_taxonomy_version_is_another_item(row, study_of) -> None:
    study = study_of([row("x")])
    newer = Study(study.folder, study.config)
    newer.__dict__["taxonomy"] = study.taxonomy.model_copy(update={"version": "2"})
    (old,), (new,) = make_plan(study).items, make_plan(newer).items
    assert old.item_id != new.item_id
    assert old.content_key == new.content_key


def test_what_is_not_in_the_key_makes_no_difference(row, study_of) -> None:
    rows = [
        row("Hund"),
        row("Hund", checkpoint=LAST),
        row("Hund", setting="tgt", layer=1),
        row("Hund", setting="tgt", layer=2),
        row("Hund", setting="seen", layer=2, checkpoint=LAST),
    ]
    assert len(make_plan(study_of(rows)).items) == 1


# --- rows ----------------------------------------------------------------------------------------------------


def some_rows(row):
    return [
        row("a"),
        row("b", checkpoint=LAST),
        row("c", prompt="target"),
        row("d", setting="tgt", layer=0),
        row("e", setting="tgt", layer=1),
        row("f", setting="tgt_tgt", layer=1),
        row("g", languages=("en", "fr")),
    ]


@pytest.mark.parametrize(
    ("spec", "answers"),
    [
        ({"settings": []}, "abdeg"),  # all but the controls
        ({"settings": ["unpatched"]}, "abg"),
        ({"settings": ["unpatched"], "prompts": ["source", "target"]}, "abcg"),
        ({"settings": ["unpatched"], "prompts": []}, "abg"),
        ({"settings": ["tgt_tgt"]}, "f"),
        ({"settings": ["tgt"], "layers": [1]}, "e"),
        ({"settings": ["unpatched", "tgt"], "layers": [0]}, "abdg"),
        ({"settings": ["unpatched"], "checkpoints": ["last"]}, "b"),
        ({"settings": ["unpatched"], "checkpoints": [FIRST]}, "ag"),
        ({"settings": ["unpatched"], "language_pairs": [["en", "fr"]]}, "g"),
    ],
)
def test_study_yaml_chooses_the_rows(spec, answers, row, study_of) -> None:
    plan = make_plan(study_of(some_rows(row), rows_spec=spec))
    assert "".join(sorted(item.answer for item in plan.items)) == answers


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"layers": [99]}, "annotation.rows.layers names 99, of which there is no output (there is: 0 to 1)"),
        ({"language_pairs": [["de", "fr"]]}, "annotation.rows.language_pairs names de-fr"),
        ({"settings": ["self"]}, "selects no output"),
    ],
)
def test_a_choice_without_rows_is_the_users_error(spec, message, row, study_of) -> None:
    with pytest.raises(UserError, match=r"study\.yaml") as error:
        make_plan(study_of(some_rows(row), rows_spec=spec))
    assert message in str(error.value)


def test_a_checkpoint_that_was_not_run_is_named(row, study_of) -> None:
    with pytest.raises(UserError, match=r"checkpoints names secretmodel-step200.*gainsift generate"):
        make_plan(study_of([row("a")], rows_spec={"checkpoints": ["last"]}))


def test_outputs_that_left_study_yaml_are_left_out_and_counted(row, study_of) -> None:
    """Two rows of a checkpoint that is gone, one of a pair that is gone, one of both: 4 rows that are none of ours."""
    gone = {"checkpoint": "secretmodel-step50"}
    rows = [
        row("a"),
        row("b", checkpoint=LAST),
        row("c").model_copy(update={**gone, "row_id": "c"}),
        row("d", pair=("gift", "house")).model_copy(update={**gone, "row_id": "d"}),
        row("e", languages=("fr", "de")),
        row("f", languages=("fr", "de")).model_copy(update={**gone, "row_id": "f"}),
    ]
    plan = make_plan(study_of(rows))
    assert [item.answer for item in sorted(plan.items, key=lambda item: item.answer)] == ["a", "b"]
    assert set(links_of(plan)) == {rows[0].row_id, rows[1].row_id}
    assert (plan.summary.population_rows, plan.summary.trajectories, plan.summary.judgements) == (2, 1, 4)
    assert plan.summary.notes == [
        "left out 4 rows under translations/: their checkpoint or language pair is not in study.yaml",
        "annotators 'ann' and 'ben' share 2 items: fewer than 30 are too few for a kappa of the two",
    ]


def test_a_choice_cannot_reach_outputs_that_left_study_yaml(row, study_of) -> None:
    rows = [row("a"), row("e", languages=("fr", "de"))]
    with pytest.raises(UserError, match=r"language_pairs names fr-de, of which there is no output"):
        make_plan(study_of(rows, rows_spec={"language_pairs": [["fr", "de"]]}))


def test_outputs_of_another_study_alone_are_the_users_error(row, study_of) -> None:
    with pytest.raises(UserError, match=r"translations: none of its 1 rows is of a checkpoint and language pair"):
        make_plan(study_of([row("e", languages=("fr", "de"))]))


def test_a_row_that_stands_twice_is_refused(row, study_of) -> None:
    with pytest.raises(UserError, match="stands twice"):
        make_plan(study_of([row("a"), row("a")]))


def test_a_concept_that_is_missing_is_named(row, study_of) -> None:
    study = study_of([row("a")])
    lines = study.concepts_file.read_text("utf-8").splitlines(keepends=True)
    study.concepts_file.write_text("".join(line for line in lines if '"id": "house"' not in line), "utf-8")
    with pytest.raises(UserError, match=r"concepts.jsonl: concept 'house' .* missing"):
        make_plan(study)


def test_a_contrast_whose_rows_are_not_judged_is_noted(row, study_of) -> None:
    contrasts = [
        {"name": "early-late", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}},
        {
            "name": "patching",
            "from": {"checkpoint": "last"},
            "to": {"checkpoint": "last", "setting": "tgt", "layer": 5},
        },
    ]
    study = study_of(some_rows(row), rows_spec={"settings": ["unpatched"]}, contrasts=contrasts, annotators=["ann"])
    plan = make_plan(study)
    assert plan.summary.notes == ["contrast 'patching', to: none of its rows is among annotation.rows"]


# --- the draw ------------------------------------------------------------------------------------------------


def one_stratum(trajectories) -> pd.Series:
    return pd.Series("all", index=list(trajectories))


def test_probabilities_of_a_draw_worked_out_by_hand(row, study_of) -> None:
    """Four trajectories, one wanted: π = 1/4 each.

    `x` (dog, house, en-de) occurs in one trajectory: 1 - 3/4 = 1/4. The three other trajectories are two prompt pairs
    of the same two concepts and one of another pair, so that `y` of dog|house occurs in two: 1 - (3/4)² = 7/16.
    """
    one = row("x")
    two = row("y", checkpoint=LAST)
    three = row("y").model_copy(update={"pair_id": "dog+house+other shots", "row_id": "r3"})
    four = row("z", pair=("gift", "house"))
    five = row("z", pair=("gift", "house"), languages=("en", "fr"))
    rows = [one, two, three, four, five]
    seed = next(s for s in range(99) if luck(s, "dog+house|en|de") < 0.25 and luck(s, "gift+house|en|de") >= 0.25)
    plan = make_plan(study_of(rows, rows_spec={"trajectories": 1, "seed": seed}))
    links = links_of(plan)
    expected = {
        one.row_id: Fraction(1, 4),
        two.row_id: Fraction(7, 16),
        three.row_id: Fraction(7, 16),
        four.row_id: Fraction(1, 4),
        five.row_id: Fraction(1, 4),
    }
    assert len(links) == 5  # undrawn rows have links too
    for row_id, probability in expected.items():
        assert links[row_id]["trajectory_probability"] == pytest.approx(0.25, abs=1e-15)
        assert links[row_id]["item_probability"] == pytest.approx(float(probability), abs=1e-15)
    assert links[one.row_id]["drawn"]
    assert links[two.row_id]["drawn"]
    assert not links[four.row_id]["drawn"]
    judged = {item.item_id for item in plan.items}
    # judged through the drawn trajectory, whether or not its own was drawn
    assert links[three.row_id]["item_id"] in judged
    assert links[four.row_id]["item_id"] not in judged
    assert links[one.row_id]["trajectory"] == "dog+house|en|de"


def test_item_probability_counts_a_trajectory_once() -> None:
    """Trajectories t (π = 1/2) twice and u (π = 1/3): 1 - 1/2 · 2/3 = 2/3; v alone has 1/5; a certain one gives 1."""
    items = pd.Series(["i", "i", "i", "k", "m", "m"])
    trajectories = pd.Series(["t", "t", "u", "v", "t", "w"])
    probabilities = pd.Series([1 / 2, 1 / 2, 1 / 3, 1 / 5, 1 / 2, 1.0])
    found = item_probabilities(items, trajectories, probabilities)
    assert found.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1 / 5, 1, 1], abs=1e-15)


def test_without_a_draw_everything_is_certain(row, study_of) -> None:
    plan = make_plan(study_of(some_rows(row)))
    assert all(link["drawn"] and link["item_probability"] == 1 for link in plan.links.to_pylist())


def test_draws_are_seeded_independent_and_of_the_stated_rate() -> None:
    names = one_stratum(f"pair{i}|en|de" for i in range(4000))
    once, again, other = draw(names, 1000, 1), draw(names, 1000, 1), draw(names, 1000, 2)
    assert once.equals(again)
    assert not once["drawn"].equals(other["drawn"])
    assert once["probability"].unique().tolist() == [0.25]
    # mean 1000, standard deviation √(4000 · 1/4 · 3/4) ≈ 27.4; both within four of them
    assert abs(once["drawn"].sum() - 1000) < 110
    # independence over seeds: both drawn with 1/16, mean 250, standard deviation √(4000 · 15/256) ≈ 15.3
    assert abs((once["drawn"] & other["drawn"]).sum() - 250) < 62


def test_a_growing_study_keeps_its_draws() -> None:
    few = draw(one_stratum(f"p{i}" for i in range(100)), 25, 7)
    many = draw(one_stratum(f"p{i}" for i in range(200)), 50, 7)  # π stays 1/4
    assert set(few.index[few["drawn"]]) == set(many.index[many["drawn"]]) & set(few.index)


def test_an_empty_draw_is_the_users_error(row, study_of) -> None:
    rows = [row("x"), row("x", pair=("gift", "house"))]
    seed = next(s for s in range(99) if luck(s, "dog+house|en|de") >= 0.5 and luck(s, "gift+house|en|de") >= 0.5)
    with pytest.raises(UserError, match="the draw came out empty"):
        make_plan(study_of(rows, rows_spec={"trajectories": 1, "seed": seed}))


# --- the figures ---------------------------------------------------------------------------------------------


def test_hours_and_languages(row, study_of) -> None:
    rows = [row("a"), row("b", checkpoint=LAST), row("c", languages=("en", "fr")), row("d", languages=("de", "en"))]
    people = [{"name": "ann"}, {"name": "ben", "languages": ["en", "de"]}, {"name": "eva", "languages": ["es"]}]
    plan = make_plan(study_of(rows, annotators=people, annotation={"pace_per_hour": 2}))
    # ann reads 4 items, ben the 3 of en and de, eva none: 7 judgements at 2 an hour
    assert [load.items for load in plan.summary.loads] == [4, 3, 0]
    assert plan.summary.judgements == 7
    assert plan.summary.hours == 3.5


def test_items_that_nobody_reads_are_noted(row, study_of) -> None:
    plan = make_plan(study_of([row("a")], annotators=[{"name": "eva", "languages": ["es"]}]))
    assert plan.summary.unread_items == 1
    assert "1 items are in languages that no annotator reads" in plan.summary.notes


def test_writing_a_plan_leaves_items_links_and_their_records(row, study_of) -> None:
    study = study_of(some_rows(row))
    plan = make_plan(study)
    assert not study.items_file.exists()
    write_plan(study, plan, "gainsift annotate plan small", "2026-01-01T00:00:00+00:00")
    assert study.items() == plan.items
    assert study.links().num_rows == plan.summary.population_rows == 5
    for name in ("items.run.json", "links.run.json"):
        assert "part.parquet" in (study.folder / name).read_text("utf-8")
