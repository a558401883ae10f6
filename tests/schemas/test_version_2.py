"""A campaign of annotation/2, links/2 and assignment/1, as the release wrote it, still opens. Never made anew."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from gainsift.annotation.tasks import task_uid
from gainsift.schemas.campaign import ADJUDICATOR
from gainsift.schemas.lock import deviations, read_lock
from gainsift.schemas.study import Study
from gainsift.schemas.validity import validity

FOLDER = Path(__file__).parent / "version_2"
HIDDEN_SIGN = "Son\u202ene"


def test_the_campaign_of_study_yaml() -> None:
    spec = Study.open(FOLDER).config.annotation
    assert [person.name for person in spec.annotators] == ["ann", "ben", "cat-3"]
    assert [list(person.languages) for person in spec.annotators] == [["en", "de"], [], []]
    assert (spec.overlap, spec.round, spec.calibration, spec.repeats, spec.controls) == (2, 0, 1, 0.25, 1)
    assert (spec.prelabels, spec.audit, spec.pace_per_hour) == ("accept_reference", 0.5, 240)
    assert (spec.rows.trajectories, spec.rows.strata) == (6, ["outcome", "language_pair"])


def test_links_know_what_was_drawn_and_asked() -> None:
    study = Study.open(FOLDER)
    links = study.links().to_pandas()
    assert Counter(zip(links["drawn"], links["asked"], links["audit_probability"], strict=True)) == {
        (True, True, 1.0): 5,
        (True, True, 0.5): 4,
        (True, False, 0.5): 3,
        (False, True, 1.0): 2,
        (False, False, 0.5): 2,
    }
    assert set(links["trajectory_probability"]) == {0.6, 1.0}
    judged = set(links.loc[links["drawn"] & links["asked"], "item_id"])
    assert {item.item_id for item in study.items()} == judged
    assert HIDDEN_SIGN in {item.answer for item in study.items()}


def test_every_kind_of_task_is_read() -> None:
    tasks = Study.open(FOLDER).assignments()
    assert Counter((task.role, task.retired) for task in tasks) == {
        ("main", False): 14, ("main", True): 1, ("calibration", False): 3, ("repeat", False): 3,
        ("control", False): 3, ("adjudication", False): 2,
    }  # fmt: skip
    assert [task.expected for task in tasks if task.role == "control"] == ["empty", "correct", "correct"]
    shown = [(task.prelabel, task.prelabel_sense) for task in tasks if task.prelabel_shown]
    assert shown == [("correct", None), ("correct", None), ("other_sense", "bank.money")]
    assert [task.competing for task in tasks if task.annotator == ADJUDICATOR] == [
        [("plain_copy", None), ("homograph_copy", None)],
        [("correct", None), ("other_sense", "not_listed")],
    ]
    assert {task.repeat for task in tasks if task.role == "repeat"} == {1}
    assert {task.batch for task in tasks} == {"en-de"}


def test_every_kind_of_judgement_is_read() -> None:
    study = Study.open(FOLDER)
    lines = study.annotations()
    assert Counter(line.status for line in lines) == {
        "judged": 23, "skipped": 2, "draft": 1, "empty": 1, "invalid": 1,
    }  # fmt: skip
    assert Counter(line.status for line in study.last_lines().values())["withdrawn"] == 1
    assert Counter(line.source for line in lines) == {"human": 24, "adjudicated": 2, "auto": 1, "simulated": 1}
    assert [line.disagreement for line in lines if line.source == "adjudicated"] == ["variation", "error"]
    (invalid,) = [line for line in lines if line.status == "invalid"]
    assert invalid.problems == ["unknown label 'sonne'", "no concept"]
    (own,) = [line for line in lines if line.sense_text]
    assert (own.label, own.sense, own.sense_text) == ("other_sense", "not_listed", "inn, Gasthof")
    (odd,) = [line for line in lines if line.comment.startswith("a sign")]
    assert odd.comment == "a sign in it ⟨\u202e⟩ \ud800"
    (changed,) = [line for line in lines if line.item.answer == "Haus" and line.annotator == "ann"]
    assert changed.label == "correct"  # it said `related` first


def test_ids_and_fingerprints_are_worked_out_as_then() -> None:
    """They tie tasks and judgements to items across releases."""
    study = Study.open(FOLDER)
    assert study.id == "294b1a973637"
    for task in study.assignments():
        assert task.uid == task_uid(study.id, task.item.item_id, task.annotator, task.round, task.repeat)
        rebuilt = type(task.item).of(**task.item.model_dump(exclude={"item_id", "content_key"}))
        assert rebuilt == task.item
    assert {validity(line, study.taxonomy, study.concepts) for line in study.last_lines().values()} == {"valid"}


def test_its_lock_still_holds() -> None:
    """A later gainsift has more keys and says the same of them: only that it was locked late."""
    study = Study.open(FOLDER)
    (told,) = deviations(study)
    assert told.startswith("The plan was locked late: ")
    assert read_lock(study).format == "lock/1"
