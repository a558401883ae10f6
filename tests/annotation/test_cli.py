"""`gainsift annotate`, as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gainsift.cli.annotate import app
from gainsift.cli.init import init
from gainsift.schemas.campaign import AnnotationSpec, Rows
from gainsift.schemas.errors import UserError
from gainsift.schemas.plain_yaml import load_yaml

RUNNER = CliRunner()


def run(*arguments: object) -> str:
    done = RUNNER.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_plan_to_import(row, study_of, ls_task, ls_annotation) -> None:
    study = study_of([row("Hund"), row("Hund", setting="tgt", layer=1), row("Bank", pair=("bank.river", "house"))])
    folder = study.folder
    dry = json.loads(run("plan", folder, "--dry-run", "--json"))
    assert (dry["items"], dry["judgements"], dry["saved_by_merging"], dry["written"]) == (2, 4, 2, False)
    assert not study.items_file.exists()
    output = run("plan", folder)
    assert "judgements needed" in output
    assert "2 (33%)" in output  # 6 row by row, 4 item by item
    assert study.items_file.exists()

    output = run("export", folder)
    assert "ann.en-de.json: 2 tasks" in output.replace("\n", "")
    for name in ("label_config.xml", "guidelines.html", "label_config.run.json", "guidelines.run.json"):
        assert (folder / name).stat().st_size > 0
    assert json.loads((folder / "tasks.run.json").read_text())["counts"] == {"ann.en-de": 2, "ben.en-de": 2}

    tasks = json.loads((folder / "tasks" / "ann.en-de.json").read_text("utf-8"))
    exported = [ls_task(task["data"], n, ls_annotation(n, "correct")) for n, task in enumerate(tasks)]
    (folder / "export.json").write_text(json.dumps(exported))
    found = json.loads(run("import", folder, folder / "export.json", "--json"))
    assert (found["tasks"], found["lines"], found["appended"]["added"]) == (2, {"judged": 2}, 2)
    assert "lines added" in run("import", folder, folder / "export.json")
    record = json.loads((folder / "annotations.run.json").read_text())
    assert record["counts"]["unchanged"] == 2
    assert set(record["inputs"]) == {"study.yaml", "assignments.jsonl", "export.json"}

    assert "human: 2 valid" in run("plan", folder, "--dry-run")


def test_the_plan_prints_tasks_strata_and_the_width_to_expect(row, study_of) -> None:
    pairs = [("dog", "house"), ("gift", "house"), ("hotel", "dog"), ("house", "dog")]
    right = {"dog": "Hund", "gift": "Geschenk", "house": "Haus", "hotel": "Hotel"}
    rows = [row("x" if n % 2 else right[pair[0]], pair=pair) for n, pair in enumerate(pairs)]
    rows += [row(right[pair[0]], pair=pair, checkpoint="secretmodel-step200") for pair in pairs]
    contrasts = [{"name": "training", "from": {"checkpoint": "first"}, "to": {"checkpoint": "last"}},
                 {"name": "patching", "from": {"checkpoint": "last"},
                  "to": {"checkpoint": "last", "setting": "tgt", "layer": 1}}]  # fmt: skip
    study = study_of(
        rows,
        rows_spec={"strata": ["outcome", "language_pair"]},
        annotation={"controls": 2, "repeats": 0.2, "calibration": 1, "pace_per_hour": 5},
        contrasts=contrasts,
    )
    made = json.loads(run("plan", study.folder, "--json", "--dry-run"))
    # six items: one for calibration, five others of which one comes again; two controls each: 9 tasks at 5 an hour
    assert made["by_role"] == {"calibration": 2, "control": 4, "main": 10, "repeat": 2}
    assert (made["judgements"], made["to_do"], made["hours"]) == (18, 18, 3.6)
    assert made["loads"][0] == {"annotator": "ann", "items": 6, "done": 0, "repeats": 1, "controls": 2, "hours": 1.8}
    assert made["least_shared"] == 6
    assert [(one["name"], one["trajectories"], one["drawn"]) for one in made["strata"]] == [
        ("always right, en-de", 2, 2), ("changes, en-de", 2, 2)]  # fmt: skip
    # gains 0, 1, 0, 1 of four families: standard error √(4/3 · 4 · (1/2)²) / 4 = 1 / √12, t of 3 at 97.5 % = 3.182446
    assert made["widths"][0]["half_width"] == pytest.approx(3.182446 / 12**0.5, rel=1e-6)
    lines = [" ".join(line.split()) for line in run("plan", study.folder, "--dry-run").splitlines()]
    for line in (
        "judgements needed 18",
        "calibration items, which everybody judges first 2",
        "second looks, for agreement with oneself 2",
        "control items with a known answer 4",
        "items that any two annotators share, at least 6",
        "ann 6 0 1 2 1.8",
        "changes, en-de 2 2.0 2 1",
        "training 4 4 95% ± 0.919",
        "patching 0 0 95% – (no unit will be judged on both sides)",
    ):
        assert line in lines


def test_an_annotator_without_a_language_pair_is_named_in_plan_and_export(row, study_of) -> None:
    study = study_of([row("Hund")], annotators=["ann", {"name": "eva", "languages": ["es"]}])
    note = (
        "note: annotator 'eva' (languages: es) reads no language pair of the study (en-de, de-en, en-fr) "
        "and gets no task: mend annotation.annotators"
    )
    for command in ("plan", "export"):
        output = run(command, study.folder).splitlines()
        assert [line for line in output if "note:" in line] == [note]


def test_a_layer_that_the_model_lacks_is_the_users_error(row, study_of) -> None:
    rows = [row("Hund", setting="tgt", layer=layer) for layer in range(4)]
    study = study_of(rows, rows_spec={"layers": [44]})
    done = RUNNER.invoke(app, ["plan", str(study.folder)])
    assert isinstance(done.exception, UserError)
    assert done.exception.exit_code == 2
    assert "rows.layers names 44, of which there is no output (there is: 0 to 3)" in str(done.exception)
    assert not study.items_file.exists()


def test_prelabel_and_simulate(row, planned) -> None:
    study = planned([row("Hund"), row("xqz", checkpoint="secretmodel-step200")])
    assert json.loads(run("prelabel", study.folder, "--json"))["counts"] == {"correct": 1, "none": 1}
    output = run("simulate", study.folder)
    assert "SIMULATED" in output
    assert "no person has read an answer" in output
    assert json.loads(run("simulate", study.folder, "--json"))["simulated"] is True


def test_errors_reach_the_front_door(row, study_of, tmp_path) -> None:
    study = study_of([row("Hund")])
    for arguments in (
        ["plan", str(tmp_path / "nowhere")],
        ["export", str(study.folder)],
        ["import", str(study.folder), "missing.json"],
    ):
        done = RUNNER.invoke(app, arguments)
        assert isinstance(done.exception, UserError), arguments
        assert done.exception.exit_code == 2


def test_hostile_names_are_printed_as_they_are(row, planned) -> None:
    """Square brackets are rich's markup; a path or label must not be swallowed by it."""
    study = planned([row("Hund")], folder="[bold]study")
    assert "[bold]study/tasks/ann.en-de.json" in run("export", study.folder).replace("\n", "")


def test_a_new_study_names_every_key_of_the_annotation_section_with_its_default(tmp_path) -> None:
    init(tmp_path / "new")
    section = load_yaml(tmp_path / "new" / "study.yaml")["annotation"]
    own = {"annotators": section.pop("annotators")}
    rows = section.pop("rows")
    assert AnnotationSpec.model_fields.keys() == {*section, *own, "rows"}
    assert Rows.model_fields.keys() - rows.keys() == {"trajectories"}  # all, if left out
    expected = AnnotationSpec().model_dump(mode="json")
    assert section == {key: expected[key] for key in section}
    assert rows == {key: expected["rows"][key] for key in rows}


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys; import gainsift.cli.annotate; "
        "sys.exit(','.join(m for m in ('torch', 'pandas', 'pyarrow', 'jinja2') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["plan", "export", "import", "prelabel", "simulate"])
def test_every_command_has_help(command) -> None:
    assert "STUDY" in run(command, "--help")
