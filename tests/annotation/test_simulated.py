"""Simulated annotators: reproducible, different from each other, and called simulated."""

from __future__ import annotations

from collections import Counter

import pytest
from sklearn.metrics import cohen_kappa_score

from gainsift.annotation.assignment import write_assignments
from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import PreLabel
from gainsift.annotation.simulated import CONFUSION, ERROR_RATE, SKIP_RATE, UNKNOWN, UNSURE_RATE, judge, simulate
from gainsift.schemas.errors import UserError
from gainsift.schemas.files import append_jsonl
from gainsift.schemas.rows import Assignment
from gainsift.schemas.study import ANNOTATION_FORMAT, Study
from gainsift.schemas.taxonomy import load_taxonomy

WORDS = ["Hund", "dog", "Haus", "Katze", "Schmetterling", "chien", "", "Hnud", "xqz", "Köter"]


def many(row, count=300):
    """`count` rows whose answers are all different items: every second one right, by trailing punctuation."""
    return [
        row(f"{WORDS[n % len(WORDS)]}{'.' * (n // len(WORDS) + 1)}").model_copy(update={"row_id": f"r{n}"})
        for n in range(count)
    ]


def look(item, annotator="ann", **more) -> Assignment:
    return Assignment(uid="u", item=item, annotator=annotator, **more)


def test_simulated_judgements_are_reproducible_and_called_so(row, planned) -> None:
    one, two = planned(many(row, 60), folder="one"), planned(many(row, 60), folder="two")
    found = simulate(one)
    simulate(two)
    assert one.annotations_file.read_bytes() == two.annotations_file.read_bytes()
    assert {line.source for line in one.annotations()} == {"simulated"}
    assert "SIMULATED" in found.warning
    assert found.annotators == {"ann": 60, "ben": 60}
    assert simulate(one).appended.unchanged == 120
    assert one.annotations_file.read_bytes() == two.annotations_file.read_bytes()


def test_another_seed_gives_other_judgements(row, planned) -> None:
    one = planned(many(row, 60), folder="one")
    two = planned(many(row, 60), folder="two", annotation={"seed": 7})
    simulate(one)
    simulate(two)
    assert one.annotations_file.read_bytes() != two.annotations_file.read_bytes()


def test_annotators_mostly_agree_and_sometimes_differ(row, planned) -> None:
    study = planned(many(row))
    found = simulate(study)
    labels = {name: {} for name in ("ann", "ben")}
    for line in study.annotations():
        labels[line.annotator][line.item_id] = line.label
    shared = [i for i in labels["ann"] if labels["ann"][i] and labels["ben"].get(i)]
    kappa = cohen_kappa_score([labels["ann"][i] for i in shared], [labels["ben"][i] for i in shared])
    assert 0.6 < kappa < 0.99
    assert found.error_rates["ann"] != found.error_rates["ben"]
    assert all(ERROR_RATE[0] <= rate <= ERROR_RATE[1] for rate in found.error_rates.values())


def test_rates_are_as_documented(item, row, planned, concepts) -> None:
    """4,000 items of one hidden label: skip, unsure and error rates within four standard deviations."""
    study, lexicon, n = planned([row("x")]), Lexicon(concepts.values()), 4000
    hidden = PreLabel("correct")
    made = [judge(look(item(f"w{i}")), hidden, study, lexicon) for i in range(n)]
    labels = Counter(found.label if found else "skipped" for found in made)

    def near(observed: int, total: float, rate: float) -> bool:
        return abs(observed - total * rate) < 4 * (total * rate * (1 - rate)) ** 0.5

    from gainsift.annotation.simulated import error_rate

    assert near(labels["skipped"], n, SKIP_RATE)
    assert near(labels["unsure"], n, UNSURE_RATE)
    decided = n - labels["skipped"] - labels["unsure"]
    wrong = decided - labels["correct"]
    assert near(wrong, decided, error_rate(42, "ann"))
    assert set(labels) - {"skipped", "unsure", "correct"} <= set(CONFUSION["correct"])
    assert near(labels["related"], wrong, CONFUSION["correct"]["related"])


def test_annotators_err_independently(item, row, planned, concepts) -> None:
    """Both miss `correct` on p·q of the items, p and q each one's own rate: within four standard deviations."""
    study, lexicon, n = planned([row("x")]), Lexicon(concepts.values()), 4000
    right = PreLabel("correct")
    wrong = {
        name: [judge(look(item(f"w{i}"), name), right, study, lexicon) != right for i in range(n)]
        for name in ("ann", "ben")
    }
    both = sum(a and b for a, b in zip(wrong["ann"], wrong["ben"], strict=True))
    rate = sum(wrong["ann"]) / n * sum(wrong["ben"]) / n
    assert abs(both - n * rate) < 4 * (n * rate * (1 - rate)) ** 0.5


def test_where_the_lexicon_cannot_tell_annotators_share_the_hidden_label(row, planned) -> None:
    rows = [row(f"zzq{'a' * n}x").model_copy(update={"row_id": f"r{n}"}) for n in range(60)]
    study = planned(rows)
    simulate(study)
    labels = {}
    for line in study.annotations():
        if line.label not in (None, "unsure"):
            labels.setdefault(line.item_id, []).append(line.label)
    pairs = [found for found in labels.values() if len(found) == 2]
    assert sum(a == b for a, b in pairs) > 0.7 * len(pairs)
    common = Counter(label for found in labels.values() for label in found).most_common(1)[0][0]
    assert common == max(UNKNOWN, key=UNKNOWN.get) == "non_word"


def test_a_sense_comes_with_other_sense_alone(row, planned) -> None:
    rows = [
        row(f"Bank{'.' * n}", pair=("bank.river", "house")).model_copy(update={"row_id": f"r{n}"}) for n in range(80)
    ]
    study = planned(rows)
    simulate(study)
    senses = Counter((line.label == "other_sense", line.sense) for line in study.annotations())
    assert senses[True, "bank.money"] > 100
    assert {sense for chosen, sense in senses if chosen} <= {"bank.money", "bank.seat", "not_listed"}
    assert {sense for chosen, sense in senses if not chosen} == {None}


def test_more_items_leave_the_others_as_they_were(row, planned) -> None:
    few, more = planned(many(row, 30), folder="few"), planned(many(row, 60), folder="more")
    simulate(few)
    simulate(more)
    before = {line.judgement_id: line for line in few.annotations()}
    after = {line.judgement_id: line for line in more.annotations()}
    assert all(after[name] == line for name, line in before.items())


def test_every_kind_of_task_is_judged_and_says_what_it_is(row, planned) -> None:
    extra = {"repeats": 0.3, "controls": 12, "calibration": 5, "prelabels": "shown"}
    study = planned(many(row, 90), annotation=extra)
    tasks = {task.uid: task for task in study.assignments()}
    assert Counter(task.role for task in tasks.values()) == {
        "main": 170,
        "calibration": 10,
        "repeat": 52,
        "control": 24,
    }
    found = simulate(study)
    lines = study.annotations()
    assert {line.task_uid for line in lines} == tasks.keys()
    assert found.annotators == {"ann": 128, "ben": 128}
    for line in lines:
        task = tasks[line.task_uid]
        assert (line.item, line.annotator, line.round) == (task.item, task.annotator, 0)
        assert (line.role, line.repeat, line.prelabel) == (task.role, task.repeat, task.prelabel)
        assert line.prelabel_shown == task.prelabel_shown
    controls = [line for line in lines if line.role == "control" and line.label not in (None, "unsure")]
    right = sum((line.label, line.sense) == (tasks[line.task_uid].expected, tasks[line.task_uid].expected_sense)
                for line in controls)  # fmt: skip
    assert right > 0.7 * len(controls)


def test_a_second_look_errs_in_other_places(item, row, planned, concepts) -> None:
    """4,000 items looked at twice, error rate p: wrong both times on p² of them, within four standard deviations."""
    study, lexicon, n, right = planned([row("x")]), Lexicon(concepts.values()), 4000, PreLabel("correct")
    wrong = [
        [judge(look(item(f"w{i}"), **again), right, study, lexicon) != right for i in range(n)]
        for again in ({}, {"repeat": 1}, {"round": 1})
    ]
    rate = sum(map(sum, wrong)) / (3 * n)
    for one, two in ((0, 1), (0, 2), (1, 2)):
        both = sum(a and b for a, b in zip(wrong[one], wrong[two], strict=True))
        assert abs(both - n * rate**2) < 4 * (n * rate**2 * (1 - rate**2)) ** 0.5


def test_without_a_plan_there_is_nothing_to_simulate(row, planned) -> None:
    study = planned([row("x")])
    study.assignments_file.unlink()
    with pytest.raises(UserError, match=r"assignments\.jsonl: no task; run `gainsift annotate plan"):
        simulate(study)


def test_adjudications_are_not_simulated(row, planned) -> None:
    study = planned([row("x")])
    (line, *_) = study.assignments()
    verdict = Assignment(uid="0" * 32, item=line.item, annotator="lead", role="adjudication")
    write_assignments(study, [*study.assignments(), verdict])
    assert simulate(study).annotators == {"ann": 1, "ben": 1}


def test_people_and_simulations_do_not_mix(row, planned) -> None:
    study = planned(many(row, 5))
    simulate(study)
    line = study.annotations()[0].model_copy(update={"source": "human", "judgement_id": "h1"})
    append_jsonl(study.annotations_file, [line], ANNOTATION_FORMAT)
    before = study.annotations_file.read_bytes()
    with pytest.raises(UserError, match="holds 1 judgements of people"):
        simulate(Study.open(study.folder))
    assert study.annotations_file.read_bytes() == before


def test_the_tables_name_labels_of_the_taxonomy_and_add_up() -> None:
    known = set(load_taxonomy().ids)
    assert set(CONFUSION) | set(UNKNOWN) <= known
    assert sum(UNKNOWN.values()) == pytest.approx(1)
    for label, weights in CONFUSION.items():
        assert set(weights) <= known - {label}
        assert sum(weights.values()) == pytest.approx(1)
