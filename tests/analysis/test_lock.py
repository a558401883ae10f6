"""The lock: what is frozen, when it may be, and that every later change is told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gainsift.analysis.report import write_report
from gainsift.analysis.results import analyse
from gainsift.schemas.concepts import Concept
from gainsift.schemas.errors import UserError
from gainsift.schemas.lock import deviations, lock, lock_file, read_lock
from gainsift.schemas.study import Study
from gainsift.schemas.taxonomy import load_taxonomy


@pytest.fixture
def maker(make_study: Callable[..., Any], plain_concept: Callable[..., Concept]) -> Any:
    made = make_study()
    made.pair("P1", plain_concept("s"), plain_concept("t"))
    return made


def judged(maker: Any, source: str = "human", **changes: Any) -> Study:
    item = maker.row("P1", ("en", "de"), "c1", "de_s")
    maker.vote(item, "a1", "correct", source=source, **changes)
    study: Study = maker.write()
    return study


def changed(study: Study, change: Callable[[dict[str, Any]], None]) -> Study:
    data = yaml.safe_load(study.config_file.read_text("utf-8"))
    change(data)
    study.config_file.write_text(yaml.safe_dump(data), "utf-8")
    return Study.open(study.folder)


def test_without_a_change_nothing_deviates(maker: Any) -> None:
    study = maker.write()
    assert deviations(study) == []
    made = lock(study)
    assert (made.late, made.judgements) == (False, 0)
    assert deviations(Study.open(study.folder)) == []
    assert read_lock(study) == made


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "the seed": (lambda data: data["analysis"].update(seed=8), "analysis → seed: locked as 7; now 8."),
    "the resamples": (
        lambda data: data["analysis"].update(bootstrap=300), "analysis → bootstrap: locked as 200; now 300.",
    ),
    "a key that stood at its default": (
        lambda data: data["analysis"].update(exclude_sense_split=True),
        "analysis → exclude_sense_split: locked as False; now True.",
    ),
    "the layer": (
        lambda data: data["contrasts"][0]["to"].update(layer=2),
        "contrasts → c1 to patched c2 → to → layer: locked as 1; now 2.",
    ),
    "a further contrast": (
        lambda data: data["contrasts"].append({"name": "new", "from": {"checkpoint": "c1"},
                                               "to": {"checkpoint": "c3"}}),
        "contrasts → new: added since; it is from checkpoint c1, setting unpatched",
    ),
    "no contrast": (lambda data: data.update(contrasts=[]), "contrasts → c1 to patched c2: locked as from checkpoint"),
    "the success rule": (
        lambda data: data.update(success={"case": "exact"}), "success → case: locked as fold; now exact."
    ),
    "a checkpoint less": (
        lambda data: data["model"]["checkpoints"].pop(),
        "checkpoints: locked as c1 (step 100), c2 (step 200), c3 (step 300); now c1 (step 100), c2 (step 200).",
    ),
    "the place of a checkpoint, over which trends are taken": (
        lambda data: data["model"]["checkpoints"][1].update(tokens=9),
        "checkpoints: locked as c1 (step 100), c2 (step 200), c3 (step 300); now c1 (step 100), c2 (step 200, 9",
    ),
    "a language pair less": (
        lambda data: data["language_pairs"].pop(), "language_pairs: locked as en–de, en–fr; now en–de.",
    ),
    "the trained languages": (
        lambda data: data.update(trained_languages=["en"]), "trained_languages: locked as en, de, fr; now en.",
    ),
    "layers of the judged rows": (
        lambda data: data.update(annotation={"rows": {"layers": [3]}}), "layers: locked as 1; now 1, 3.",
    ),
    "the sample": (
        lambda data: data.update(annotation={"rows": {"trajectories": 3}}),
        "annotation → rows → trajectories: locked as none; now 3.",
    ),
    "a further round": (lambda data: data.update(annotation={"round": 1}), "annotation → round: locked as 0; now 1."),
    "answers that nobody is asked about": (
        lambda data: data.update(annotation={"prelabels": "accept_reference"}),
        "annotation → prelabels: locked as off; now accept_reference.",
    ),
    "other prompts": (lambda data: data.update(prompts={"seed": 1}), "prompts → seed: locked as 42; now 1."),
    "longer answers": (
        lambda data: data.update(generation={"max_new_tokens": 20}),
        "generation → max_new_tokens: locked as 10; now 20.",
    ),
    "a series of contrasts": (
        lambda data: data.update(contrasts_along=[{"setting": "unpatched"}]),
        "contrasts_along: locked as empty; now setting unpatched.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_in_words(maker: Any, name: str) -> None:
    study = maker.write()
    lock(study)
    change, told = CHANGES[name]
    found = deviations(changed(study, change))
    assert any(sentence.startswith(told) for sentence in found), found
    layer_too = ("the layer", "no contrast", "layers of the judged rows")  # these take a judged layer with them
    assert len(found) == (2 if name in layer_too else 1)


def test_changes_that_ask_nothing_of_the_answers_are_none(maker: Any) -> None:
    study = maker.write()
    lock(study)

    def change(data: dict[str, Any]) -> None:
        data["description"] = "more words"
        data["annotation"] = {"annotators": [{"name": "a1"}, {"name": "a2"}, {"name": "a3"}]}

    assert deviations(changed(study, change)) == []


def test_kind_bucket_and_definition_of_every_category_are_frozen(maker: Any) -> None:
    study = maker.write()
    lock(study)
    data = load_taxonomy().model_dump(mode="json")
    (copy,) = (one for one in data["categories"] if one["id"] == "plain_copy")
    copy |= {"kind": "behaviour", "definition": "Another one."}
    (study.folder / "taxonomy.yaml").write_text(yaml.safe_dump(data), "utf-8")
    found = deviations(changed(study, lambda config: config.update(taxonomy="taxonomy.yaml")))
    assert found == [
        "taxonomy → categories → plain_copy → definition: changed since it was locked.",
        "taxonomy → categories → plain_copy → kind: locked as error; now behaviour.",
    ]


def test_word_families_are_frozen_once_there_are_concepts(maker: Any, plain_concept: Callable[..., Concept]) -> None:
    study = maker.write()
    lock(study)
    maker.pair("P2", plain_concept("u", reference={"en": ["en_s"], "de": ["x"], "fr": ["y"]}), plain_concept("v"))
    assert deviations(maker.write()) == [
        "word_families: changed since it was locked.", "words, added since: u, v."
    ]  # fmt: skip
    lock_file(study).unlink()
    study.concepts_file.unlink()
    lock(Study.open(study.folder))
    assert deviations(maker.write()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"reference": {"en": ["en_s"], "de": ["de_s", "x"], "fr": ["fr_s"]}},
        {"accepted": {"de": ["x"]}},
        {"flags": ["sense_split"]},
    ],
    ids=str,
)
def test_what_counts_as_right_is_frozen(
    maker: Any, plain_concept: Callable[..., Concept], change: dict[str, Any]
) -> None:
    study = maker.write()
    lock(study)
    maker.concepts["s"] = plain_concept("s", **change)
    assert deviations(maker.write()) == ["words, changed since they were locked: s."]


def test_many_changed_words_are_one_sentence(maker: Any, plain_concept: Callable[..., Concept]) -> None:
    for number in range(12):
        maker.pair(f"Q{number}", plain_concept(f"w{number:02}"), plain_concept("t"))
    study = maker.write()
    lock(study)
    for name in list(maker.concepts):
        maker.concepts[name] = plain_concept(name, accepted={"de": ["x"]})
    (told,) = deviations(maker.write())
    assert told.startswith("words, changed since they were locked: ")
    assert told.endswith(" and 4 more.")  # of 14: w00 to w11, s and t


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("2001-02-03T04:05:06.789Z", ["Made before the plan was locked: 1 judgement by people; known then: 0."]),
        ("2001-02-03T04:05:06+01:00", ["Made before the plan was locked: 1 judgement by people; known then: 0."]),
        ("2999-01-01T00:00:00Z", []),
        ("2001-02-03T04:05:06", []),  # without a zone: nobody knows
        ("yesterday", []),
        (None, []),
    ],
)
def test_judgements_that_were_made_before_and_came_home_after(maker: Any, made: str | None, told: list[str]) -> None:
    """Hidden while the plan was locked, or still at the server: their time gives them away."""
    lock(maker.write())
    assert deviations(judged(maker, created_at=made)) == told


def test_after_the_first_judgement_only_late(maker: Any) -> None:
    study = judged(maker)
    with pytest.raises(UserError, match="1 judgement by people are there"):
        lock(study)
    assert not lock_file(study).exists()
    assert lock(study, late=True).late
    assert deviations(study) == ["The plan was locked late: the number of known judgements by people was 1."]


def test_a_withdrawn_judgement_was_seen(maker: Any) -> None:
    study = judged(maker, status="withdrawn")
    with pytest.raises(UserError, match="judgement"):
        lock(study)


@pytest.mark.parametrize("source", ["auto", "simulated"])
def test_what_no_person_said_is_no_judgement(maker: Any, source: str) -> None:
    assert not lock(judged(maker, source)).late


def test_late_before_the_first_judgement_is_not_late(maker: Any) -> None:
    assert not lock(maker.write(), late=True).late


def test_a_lock_stays(maker: Any) -> None:
    study = maker.write()
    lock(study)
    before = lock_file(study).read_bytes()
    with pytest.raises(UserError, match="was locked on"):
        lock(study)
    assert lock_file(study).read_bytes() == before


def test_an_edited_lock_is_found_out(maker: Any) -> None:
    study = changed(maker.write(), lambda data: data["analysis"].update(seed=1))
    lock(study)
    data = json.loads(lock_file(study).read_text("utf-8"))
    data["frozen"]["analysis"]["seed"] = 2
    lock_file(study).write_text(json.dumps(data), "utf-8")
    study = changed(study, lambda config: config["analysis"].update(seed=2))
    assert deviations(study) == ["lock.json was edited: what it holds is not what was locked."]


def test_a_key_that_the_lock_did_not_know_counts_once_it_is_used(maker: Any) -> None:
    """A later gainsift has more keys; at their defaults they change nothing."""
    study = maker.write()
    made = lock(study)
    frozen = json.loads(made.model_dump_json())["frozen"]
    del frozen["analysis"]["exclude_sense_split"], frozen["success"]
    from gainsift.schemas.record import fingerprint

    older = made.model_copy(update={"frozen": frozen, "hash": fingerprint(frozen, 64)})
    lock_file(study).write_text(older.model_dump_json(), "utf-8")
    assert deviations(study) == []
    used = changed(study, lambda data: data["analysis"].update(exclude_sense_split=True))
    assert deviations(used) == ["analysis → exclude_sense_split: added since; it is True."]


def test_a_lock_of_another_version_is_refused_by_name(maker: Any) -> None:
    study = maker.write()
    lock_file(study).write_text('{"format": "lock/2"}', "utf-8")
    with pytest.raises(UserError, match="expected format lock/1, found lock/2"):
        deviations(study)


def test_the_command(maker: Any, gainsift: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    study: Path = maker.write().folder
    assert gainsift("lock", str(study), "--check").returncode == 2
    done = gainsift("lock", str(study))
    assert done.returncode == 0, done.stderr
    assert "locked" in done.stdout
    again = gainsift("lock", str(study))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    same = gainsift("lock", str(study), "--check")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "nothing deviates")
    changed(Study.open(study), lambda data: data["analysis"].update(seed=8))
    found = gainsift("lock", str(study), "--check", "--json")
    assert json.loads(found.stdout)["deviations"] == ["analysis → seed: locked as 7; now 8."]
    assert found.returncode == 1  # a script can tell
    found = gainsift("lock", str(study), "--check")
    assert (found.returncode, found.stdout.splitlines()[-1]) == (1, "analysis → seed: locked as 7; now 8.")
    assert "exit status 1" in " ".join(gainsift("lock", "--help").stdout.replace("│", " ").split())


def test_the_report_says_whether_there_is_a_lock_and_since_when(maker: Any) -> None:
    study = changed(judged(maker, source="simulated"), lambda data: data.update(contrasts=[]))
    results = analyse(study)
    assert "The plan of this analysis is not locked" in write_report(study, results).read_text("utf-8")
    made = lock(study)
    page = write_report(study, results).read_text("utf-8")
    assert f"locked on {made.locked}, before the first judgement of a person came home, with hash {made.hash}" in page
    assert "nothing deviates from it" in page
    later = changed(study, lambda data: data["analysis"].update(seed=8))
    assert "deviations: 1, listed at the top" in write_report(later, results).read_text("utf-8")
    assert "lock.json" in json.loads((study.report_folder / "run.json").read_text("utf-8"))["inputs"]


def test_the_report_shows_every_deviation(maker: Any) -> None:
    study = changed(judged(maker), lambda data: data.update(contrasts=[]))
    lock(study, late=True)
    results = analyse(study)
    late = "The plan was locked late: the number of known judgements by people was 1."
    assert write_report(study, results).read_text("utf-8").count(late) == 1
    later = changed(study, lambda data: data["analysis"].update(seed=8))
    page = write_report(later, results).read_text("utf-8")
    assert page.count("analysis → seed: locked as 7; now 8.") == 1
