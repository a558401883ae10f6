"""Commands that read what is known and write what is new keep out of each other's way."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gainsift.annotation.one_at_a_time import Busy, one_at_a_time
from gainsift.cli.annotate import app

RUNNER = CliRunner()


@pytest.fixture
def study(row, planned, ls_task, ls_annotation):
    """A planned study whose tasks are in export.json, judged."""
    made = planned([row("Hund"), row("Bank", pair=("bank.river", "house"))])
    assert RUNNER.invoke(app, ["export", str(made.folder)]).exit_code == 0
    tasks = json.loads((made.tasks_folder / "ann.en-de.json").read_text("utf-8"))
    exported = [ls_task(task["data"], n, ls_annotation(n, "correct")) for n, task in enumerate(tasks)]
    (made.folder / "export.json").write_text(json.dumps(exported), "utf-8")
    return made


@pytest.mark.parametrize(
    ("command", "more"), [("plan", []), ("import", ["export.json"]), ("prelabel", []), ("simulate", [])]
)
def test_a_command_waits_for_none_and_writes_nothing_beside_another(command, more, study) -> None:
    given = [command, str(study.folder), *(str(study.folder / name) for name in more)]
    before = {file.name: file.read_bytes() for file in study.folder.glob("a*.jsonl")}
    with one_at_a_time(study, "pull"):
        done = RUNNER.invoke(app, given)
    assert isinstance(done.exception, Busy)
    assert done.exception.exit_code == 2
    assert "pull (process " in str(done.exception)
    assert {file.name: file.read_bytes() for file in study.folder.glob("a*.jsonl")} == before
    assert RUNNER.invoke(app, given).exit_code == 0
    assert command == "plan" or study.annotations()


def test_nothing_of_it_is_left_behind(study) -> None:
    with one_at_a_time(study, "pull"), pytest.raises(Busy, match="pull"), one_at_a_time(study, "push"):
        pass
    with pytest.raises(ZeroDivisionError), one_at_a_time(study, "pull"):
        1 / 0  # noqa: B018
    assert list(study.folder.glob(".server-work*")) == []
    with one_at_a_time(study, "push"):
        pass


def test_a_dry_plan_and_a_look_at_the_status_are_in_nobodys_way(study) -> None:
    with one_at_a_time(study, "pull"):
        for given in (["plan", str(study.folder), "--dry-run"], ["status", str(study.folder)]):
            assert RUNNER.invoke(app, given).exit_code == 0
