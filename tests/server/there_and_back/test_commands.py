"""`gainsift annotate push` and `pull`, as a person types them, on the study's own server."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading

import pytest
from typer.testing import CliRunner

from gainsift.annotation.label_studio_api import Api
from gainsift.cli.annotate import app

WAIT = 240.0
"""Seconds for a line of a command on a machine under load."""


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def own(tmp_path, new_label_studio, tools):
    """(study, server): two tasks of ann's and one of ben's, and the study's own server, which runs."""
    study = tools.write_study(tmp_path / "study")
    tools.assign(study, [
        tools.assignment(study.id, tools.item("Hund"), "ann", order=0),
        tools.assignment(study.id, tools.item("Katze"), "ann", order=1),
        tools.assignment(study.id, tools.item("Hund"), "ben", order=0),
    ])  # fmt: skip
    return study, new_label_studio(study.server_folder)


class Lines:
    """The lines of a running process, each awaited with patience; an empty one when it has ended."""

    def __init__(self, stream) -> None:
        self.queue: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream) -> None:
        for line in stream:
            self.queue.put(line)
        self.queue.put("")

    def next(self) -> str:
        return self.queue.get(timeout=WAIT)


def test_push_pull_and_watch(own, tools, gainsift_command) -> None:
    study, server = own
    folder = study.folder
    dry = json.loads(run("push", folder, "--dry-run", "--json"))
    assert (dry["dry_run"], dry["sent"], dry["missing_accounts"]) == (True, 3, [])
    shown = run("push", folder)
    assert "ann · English → German" in shown
    assert "new" in shown
    again = json.loads(run("push", folder, "--json"))
    assert (again["sent"], [one["there"] for one in again["projects"]]) == (0, [2, 1])

    with Api(server) as api:
        tasks = tools.look(api, study).tasks
    ids = [tasks[line.uid][0]["id"] for line in study.assignments()]
    ann, ben = tools.log_in(server, "ann"), tools.log_in(server, "ben")
    ann.judge(ids[0], "correct")
    found = json.loads(run("pull", folder, "--json"))
    assert (found["tasks"], found["lines"], found["appended"]["added"]) == (3, {"judged": 1}, 1)
    assert "known already" in run("pull", folder)
    record = (folder / "annotations.run.json").read_text("utf-8")
    assert json.loads(record)["counts"]["unchanged"] == 1
    for secret in ("@", server.token, server.url):
        assert secret not in record

    watch = subprocess.Popen(
        [*gainsift_command, "annotate", "pull", str(folder), "--watch", "--every", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        news, faults = Lines(watch.stdout), Lines(watch.stderr)
        ben.judge(ids[2], "unsure")
        assert "1 added, 0 superseded" in news.next()
        server.kill()
        assert "trying again" in faults.next()
        server.restart()
        ann.judge(ids[1], "correct")
        assert "1 added, 0 superseded" in news.next()
        watch.send_signal(signal.SIGINT)
        assert watch.wait(WAIT) in (0, 130)
    finally:
        watch.kill()
        watch.wait()
    assert sorted(line.annotator for line in study.annotations()) == ["ann", "ann", "ben"]


def test_errors_are_one_line(tools, tmp_path, gainsift) -> None:
    study = tools.write_study(tmp_path / "study")
    for command in ("push", "pull"):
        done = gainsift("annotate", command, str(study.folder))
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1
        assert "annotate serve" in done.stderr
