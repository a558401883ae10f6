"""Faults of push and pull, with a real Label Studio behind a door that lets its answers through, late, half, or not."""

from __future__ import annotations

import random
import shutil
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx
import yaml
from fault_checks import Harm, difference, harm_of, holdings, unlike
from fault_commands import Command, Ended, Order, run
from fault_kinds import JUMPS, MOUNTED, faketime, on_a_small_disk, remounted
from fault_outcomes import Outcome, outcome
from fault_proxy import Door, Trouble, door_to
from fault_stages import STAGES, Workshop, expect_done
from fault_study import PEOPLE, answer, copy, result

from gainsift.annotation import server
from gainsift.annotation.accounts import DOMAIN, LEAD, Account
from gainsift.annotation.connection import TOKEN_VARIABLE
from gainsift.annotation.label_studio_api import Api
from gainsift.annotation.projects import find_projects, keys_of
from gainsift.annotation.server_tasks import list_tasks
from gainsift.schemas.study import Study

PUSH, PULL = "annotate push", "annotate pull"
ACCOUNTS = [Account(name, f"{name}@{DOMAIN}", name == LEAD) for name in (LEAD, *PEOPLE)]
JUDGED = 12
"""Tasks that each annotator judges before the pulls."""
AWAY = ("cut before it arrives", "cut before the answer", "status 500", "status 503")
GARBAGE = ("page of HTML", "other JSON", "half an answer")
KINDS = {
    "kill -9": 8, "full disk": 3, "read-only folder": 2, "clock jump": 2, "two commands at once": 2,
    "server away": 8, "server slow": 2, "server answers garbage": 8,
}  # fmt: skip


class LabelStudio:
    """A real server, a study that is pushed to it and partly judged, and what a pull of it comes to alone."""

    def __init__(self, shop: Workshop, seed: int) -> None:
        self.shop, self.seed = shop, seed
        self.lock = threading.Lock()
        """Held for the time of a fault: two pulls of one study would take each other's export."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.server = server.start(shop.root / "label-studio", ACCOUNTS, self.port)
        self.token, passwords = self.server.token, self.server.passwords
        self.pushed = self.planned("pushed")
        with door_to(self.port, random.Random(seed)) as door:
            began = time.monotonic()
            expect_done(run(self.order(PUSH, self.pushed, door), shop.root / "push"))
            self.seconds = {PUSH: time.monotonic() - began}
            self.requests = {PUSH: door.count}
            for name in PEOPLE:
                self._judge(name, passwords[name])
            found = []
            for number in (1, 2):
                place, door.count, began = self.copy_of_pushed(f"aimed pull {number}"), 0, time.monotonic()
                expect_done(run(self.order(PULL, place, door), shop.root / "pull"))
                self.seconds[PULL], self.requests[PULL] = time.monotonic() - began, door.count
                found.append(holdings(place / "study"))
        self.before, self.after, self.volatile = holdings(self.pushed / "study"), found[1], unlike(*found)

    def stop(self) -> None:
        self.server.stop()

    def kill_and_restart(self) -> None:
        """As `kill -9` and a lead who starts it again do it."""
        self.server.process.kill()
        self.server.stop()
        self.server = server.start(self.shop.root / "label-studio", ACCOUNTS, self.port)

    def planned(self, name: str) -> Path:
        """A place with a study of its own name, planned, so that the server has no projects of it."""
        place = self.shop.place(name)
        self.plan_anew(place)
        return place

    def plan_anew(self, place: Path) -> None:
        copy(self.shop.state("generated"), place / "study")
        file = place / "study" / "study.yaml"
        config = {**yaml.safe_load(file.read_text("utf-8")), "id": uuid.uuid4().hex[:16]}
        file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        plan = Order(STAGES["annotate plan"].arguments(place))
        expect_done(run(plan, self.shop.root / f"{place.name}.plan"))

    def copy_of_pushed(self, name: str) -> Path:
        place = self.shop.place(name)
        copy(self.pushed / "study", place / "study")
        return place

    def order(self, stage: str, place: Path, door: Door) -> Order:
        arguments = (*stage.split(), str(place / "study"), "--url", door.url)
        return Order(arguments, environment={TOKEN_VARIABLE: self.token})

    def harm_of_push(self, place: Path) -> Harm:
        """Each planned task stands on the server once, in the order of the plan."""
        study = Study.open(place / "study")
        planned = study.assignments()
        with Api(_Address(f"http://127.0.0.1:{self.port}", self.token)) as api:
            found = find_projects(api, study, keys_of(planned))
            there = [task.uid for ids in found.values() for one in ids for task in list_tasks(api, one)]
        counts = Counter(there)
        return Harm(
            lost=sum(line.uid not in counts for line in planned), doubled=len(there) - len(counts),
            strange=len(counts.keys() - {line.uid for line in planned}),
        )  # fmt: skip

    def _judge(self, name: str, password: str) -> None:
        """An annotator at work, as the labelling page sends it."""
        study = Study.open(self.pushed / "study")
        lines = {line.uid: line for line in study.assignments() if line.annotator == name}
        with Api(_Address(f"http://127.0.0.1:{self.port}", self.token)) as api:
            found = find_projects(api, study, keys_of(lines.values()))
            tasks = [task for ids in found.values() for one in ids for task in list_tasks(api, one)]
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300, trust_env=False,
                          follow_redirects=True) as http:  # fmt: skip
            mark = http.get("/user/login/").cookies["csrftoken"]
            form = {"email": f"{name}@{DOMAIN}", "password": password, "csrfmiddlewaretoken": mark}
            http.post("/user/login/", data=form, headers={"Referer": str(http.base_url)}).raise_for_status()
            http.headers.update({"X-CSRFToken": http.cookies["csrftoken"], "Referer": str(http.base_url)})
            for task in tasks[:JUDGED]:
                body = {"result": result(*answer(self.seed, lines[task.uid])), "lead_time": 4.5}
                http.post(f"/api/tasks/{task.id}/annotations/", json=body).raise_for_status()


class _Address:
    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token


@contextmanager
def label_studio(shop: Workshop, seed: int) -> Iterator[LabelStudio]:
    """One for the time of the block."""
    made = LabelStudio(shop, seed)
    try:
        yield made
    finally:
        made.stop()


# --- faults ----------------------------------------------------------------------------------------------


def inject(there: LabelStudio, stage: str, kind: str, number: int, seed: int) -> Outcome:
    """One fault of push or pull, and the same command again, undisturbed."""
    rng = random.Random(f"{seed}/{stage}/{kind}/{number}")
    name = f"{stage} {kind} {number}"
    with there.lock:
        place = there.shop.place(name)
        with on_a_small_disk(place) if kind in MOUNTED else nullcontext(), door_to(there.port, rng) as door:
            if stage == PUSH:
                there.plan_anew(place)
            else:
                copy(there.pushed / "study", place / "study")
            before = holdings(place / "study")
            after, volatile = (before, set[str]()) if stage == PUSH else (there.after, there.volatile)
            how, ended = FAULTS[kind](there, stage, place, door, rng)
            first = harm_of(before, holdings(place / "study"), after, volatile)
            door.trouble = lambda number: ""
            again = run(there.order(stage, place, door), there.shop.root / f"{name}.again")
            second = difference(holdings(place / "study"), after, volatile)
            if stage == PUSH:
                there_now = there.harm_of_push(place)
                second.lost, second.doubled = second.lost + there_now.lost, second.doubled + there_now.doubled
                second.strange += there_now.strange
        found = outcome((stage, kind, number), how, ended, [again], first, second)
        if not found.finding:
            shutil.rmtree(place)
    return found


Injected = tuple[str, list[Ended]]
"""What was done, and how the command ended, or several that were at work at once."""
Fault = Callable[[LabelStudio, str, Path, Door, random.Random], Injected]


def _start(there: LabelStudio, stage: str, place: Path, door: Door, log: str = "") -> Command:
    return Command(there.order(stage, place, door), there.shop.root / f"{place.name}.log{log}")


def _kill(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    """As one of its requests is on its way, or when its answer is."""
    at, late = rng.randrange(there.requests[stage]), rng.random() < 0.5
    command: list[Command] = []

    def heard(number: int, answered: bool) -> None:
        if number == at and answered == late:
            while not command:
                time.sleep(0.01)
            command[0].kill()

    door.heard = heard
    command.append(_start(there, stage, place, door))
    ended = command[0].ended()
    door.heard = lambda number, answered: None
    return f"kill -9 {'after the answer to' if late else 'during'} a request", [ended]


def _full_disk(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    room = rng.choice((0, 4096, 8192)) if stage == PULL else 0
    with filled(place, room):
        return f"disk with room for {room} bytes", [_start(there, stage, place, door).ended()]


@contextmanager
def filled(place: Path, room: int) -> Iterator[None]:
    """A disk that is full but for so many bytes."""
    filler = place / "filler"
    with filler.open("wb") as file:
        file.write(bytes(max(0, shutil.disk_usage(place).free - room)))
    yield
    filler.unlink()


def _read_only(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    with remounted(place):
        return "read-only from the start", [_start(there, stage, place, door).ended()]


def _clock(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    name, jump = rng.choice(list(JUMPS.items()))
    clock = there.shop.root / f"{place.name}.clock"
    clock.write_text("+0\n", "ascii")
    order = there.order(stage, place, door)
    order.environment.update(faketime(clock))
    command = Command(order, there.shop.root / f"{place.name}.log", fresh=True)
    command.wait(rng.uniform(0.0, 1.5))
    clock.write_text(f"{jump}\n", "ascii")
    return f"clock jumps {name}", [command.ended()]


def _two(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    commands = [_start(there, stage, place, door)]
    time.sleep(rng.uniform(0.0, 0.8) * there.seconds[stage])
    commands.append(_start(there, stage, place, door, " other"))
    return "the same command twice", [one.ended() for one in commands]


def _away(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    what = rng.choice((*AWAY, "killed"))
    if what == "killed":
        command = _start(there, stage, place, door)
        command.wait(rng.uniform(0.3, 0.9) * there.seconds[stage])
        there.kill_and_restart()
        return "server killed and started again", [command.ended()]
    at, times = rng.randrange(there.requests[stage]), rng.choice((1, 1, 3))
    door.trouble = _trouble(what, at, times)
    return f"{what}, {times} time{'s' * (times > 1)}", [_start(there, stage, place, door).ended()]


def _slow(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    door.trouble = _trouble("late", rng.randrange(there.requests[stage]), 6)
    return "answers come seconds late", [_start(there, stage, place, door).ended()]


def _garbage(there: LabelStudio, stage: str, place: Path, door: Door, rng: random.Random) -> Injected:
    what = rng.choice(GARBAGE)
    door.trouble = _trouble(what, rng.randrange(there.requests[stage]), 1)
    return what, [_start(there, stage, place, door).ended()]


def _trouble(what: str, at: int, times: int) -> Trouble:
    return lambda number: what if at <= number < at + times else ""


FAULTS: dict[str, Fault] = {
    "kill -9": _kill, "full disk": _full_disk, "read-only folder": _read_only, "clock jump": _clock,
    "two commands at once": _two, "server away": _away, "server slow": _slow, "server answers garbage": _garbage,
}  # fmt: skip
