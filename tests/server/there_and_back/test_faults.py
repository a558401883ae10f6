"""Commands killed at random, a server killed in mid work: at the end each task and each judgement is there once."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.patience import Patience
from gainsift.schemas.study import Study

PEOPLE = ("ann", "ben", "cat")
GROWTH = 70
"""Tasks that each annotator's plan gains before each push."""
JUDGED = 3
"""Judgements that each annotator makes before each pull."""


@dataclass
class Campaign:
    """A study on its own server, whose plan grows and whose people go on working while commands die."""

    study: Study
    server: Any
    people: dict[str, Any]
    tools: Any
    command: list[str]
    planned: list[Any] = field(default_factory=list)
    answers: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """uid -> annotator, label, comment."""

    def grow(self, number: int) -> None:
        start = len(self.planned) // len(PEOPLE)
        items = [self.tools.item(f"Hund{start + step}") for step in range(number)]
        for name in PEOPLE:
            self.planned += [
                self.tools.assignment(self.study.id, item, name, order=start + step)
                for step, item in enumerate(items)
            ]  # fmt: skip
        self.tools.assign(self.study, self.planned)

    def judge(self, number: int) -> None:
        with self.api() as api:
            tasks = self.tools.look(api, self.study).tasks
        for name in PEOPLE:
            own = [line.uid for line in self.planned if line.annotator == name and line.uid in tasks]
            for uid in [uid for uid in own if uid not in self.answers][:number]:
                comment = f"{len(self.answers)} \u202eß🙂"
                label = ("correct", "unsure", "plain_copy")[len(self.answers) % 3]
                self.people[name].judge(tasks[uid][0]["id"], label, comment=comment)
                self.answers[uid] = (name, label, comment)

    def api(self) -> Api:
        return Api(self.server, Patience(total=120))

    def start(self, command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, "annotate", command, str(self.study.folder)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, command: str) -> float:
        """Run to the end; returns the seconds that it took."""
        began = time.monotonic()
        process = self.start(command)
        output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output
        return time.monotonic() - began

    def check(self) -> None:
        """Each task once and in order, each judgement once and by who made it."""
        with self.api() as api:
            seen = self.tools.look(api, self.study)
        assert Counter({uid: len(tasks) for uid, tasks in seen.tasks.items()}) == Counter(
            line.uid for line in self.planned
        )
        for name in PEOPLE:
            assert seen.order(name) == [line.uid for line in self.planned if line.annotator == name]
        lines = [line for line in self.study.annotations_file.read_text("utf-8").splitlines() if line]
        home = self.study.annotations()
        assert len(lines) == len(home) == len(self.answers)
        assert {line.task_uid: (line.annotator, line.label, line.comment) for line in home} == self.answers
        assert list(self.study.folder.glob(".push-in-flight*")) == []


@pytest.fixture
def campaign(tmp_path, new_label_studio, tools, gainsift_command) -> Campaign:
    study = tools.write_study(tmp_path / "study")
    server = new_label_studio(study.server_folder)
    return Campaign(study, server, {name: tools.log_in(server, name) for name in PEOPLE}, tools, gainsift_command)


def test_twenty_kills_of_push_and_pull(campaign) -> None:
    chance = random.Random(20)
    campaign.grow(GROWTH)
    usual = {"push": campaign.run("push")}
    campaign.judge(JUDGED)
    usual["pull"] = campaign.run("pull")
    killed: Counter[str] = Counter()
    while killed.total() < 20:
        command = "push" if killed["push"] < 12 else "pull"
        if command == "push":
            campaign.grow(GROWTH)
        else:
            campaign.judge(1)
        process = campaign.start(command)
        time.sleep(chance.uniform(0.3, 1.0) * usual[command])
        process.kill()
        output, _ = process.communicate()
        if process.returncode == 0:  # it was quicker than the kill: that is none
            usual[command] *= 0.9
            continue
        assert process.returncode == -9, output
        killed[command] += 1
    campaign.run("push")
    campaign.judge(JUDGED)
    campaign.run("pull")
    campaign.run("push")
    campaign.run("pull")
    campaign.check()


def test_a_server_killed_five_times(campaign) -> None:
    chance = random.Random(5)
    campaign.grow(GROWTH)
    usual = {"push": campaign.run("push")}
    campaign.judge(JUDGED)
    usual["pull"] = campaign.run("pull")
    for command in ("push", "pull", "push", "pull", "push"):
        if command == "push":
            campaign.grow(3 * GROWTH)
        else:
            campaign.judge(JUDGED)
        process = campaign.start(command)
        time.sleep(chance.uniform(0.4, 0.9) * usual[command])
        campaign.server.kill()
        campaign.server.restart()
        output, _ = process.communicate(timeout=900)
        # a command that had not reached the server yet may say so and end: then it is run again
        assert process.returncode == 0 or "error:" in output
        assert "Traceback" not in output
        campaign.run(command)
    campaign.run("pull")
    campaign.check()
