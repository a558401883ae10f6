"""The faults that need neither hub nor server, each injected for real into a stage: what happened, and what it harmed.

They need mounts of their own: a small file system that fills up, a folder that is mounted read-only.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from fault_checks import difference, harm_of, holdings
from fault_commands import Aim, Command, Ended, Order, run
from fault_outcomes import MISSED, Outcome, outcome
from fault_stages import Aimed, Stage, Workshop
from fault_study import copy

TRIES = 4
ROOM = 64 * 2**20
"""Bytes of the small file system."""


class Missed(Exception):
    """The command had ended before the fault came."""


@dataclass(frozen=True)
class Scene:
    """Where one fault happens: a copy of the stage's state in `place`/study, and a generator of its own."""

    shop: Workshop
    stage: Stage
    place: Path
    aimed: Aimed
    rng: random.Random
    attempt: int

    @property
    def log(self) -> Path:
        return self.place.parent / f"{self.place.name}.log"

    def begin(self) -> None:
        """Lay out the state that the stage starts from."""
        shutil.rmtree(self.place / "study", ignore_errors=True)
        copy(self.shop.state(self.stage.state), self.place / "study")

    def start(self, aim: Aim | None = None) -> Command:
        return Command(self.stage.order(self.place, aim), self.log)

    def moment(self) -> float:
        """Seconds after its start, somewhere in the work; earlier than that once the command was quicker."""
        return float(self.rng.uniform(0.0, 0.95) * self.aimed.seconds / 2**self.attempt)

    def change(self) -> int:
        """Which of its changes of files."""
        return self.rng.randint(1, self.aimed.changes)


Fault = Callable[[Scene], tuple[str, Ended]]
"""Injects; returns what it did, in words, and how the command ended. Raises Missed."""


# --- faults ----------------------------------------------------------------------------------------------


def kill_at_a_moment(scene: Scene) -> tuple[str, Ended]:
    moment = scene.moment()
    command = scene.start()
    if command.wait(moment):
        raise Missed
    command.kill()
    return "kill -9 at a random moment", command.ended()


def kill_at_a_change(scene: Scene) -> tuple[str, Ended]:
    ended = scene.start(Aim("die", str(scene.place), scene.change())).ended()
    return "kill -9 just before a change of a file", ended


def kill_a_worker(scene: Scene) -> tuple[str, Ended]:
    """One of the processes that generate; another has to take its place, and the command to go on."""
    command = scene.start()
    command.wait(scene.rng.uniform(0.3, 0.9) * scene.aimed.seconds)
    workers = [one for one in _children(command.pid) if _is_worker(one)]
    if not workers:
        command.ended()
        raise Missed
    os.kill(scene.rng.choice(workers), 9)
    return "kill -9 of a worker", command.ended()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(one) for one in task.read_text().split()]
    return found


def _is_worker(pid: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def full_disk(scene: Scene) -> tuple[str, Ended]:
    """The file system has room for a part of what the command writes."""
    room = int(scene.rng.uniform(0.0, 0.9) * scene.aimed.size)
    while True:
        filler = scene.place / "filler"
        with filler.open("wb") as file:
            file.write(bytes(max(0, _free(scene.place) - room)))
        ended = scene.start().ended()
        filler.unlink()
        if ended.status or not room:
            break
        room //= 2  # there was enough of it
        scene.begin()
    if not ended.status:
        raise Missed
    return "disk full at once" if room < 4096 else "disk full in mid work", ended


def _free(folder: Path) -> int:
    told = os.statvfs(folder)
    return told.f_bavail * told.f_bsize


def read_only_from_the_start(scene: Scene) -> tuple[str, Ended]:
    with remounted(scene.place):
        return "read-only from the start", scene.start().ended()


def read_only_in_mid_work(scene: Scene) -> tuple[str, Ended]:
    ended = scene.start(Aim("freeze", str(scene.place), scene.change())).ended()
    subprocess.run(["umount", "-l", str(scene.place)], check=True)
    if not ended.status:
        raise Missed
    return "read-only in mid work", ended


JUMPS = {"a year back": "-366d", "an hour back": "-1h", "a day forth": "+1d", "ten years forth": "+3653d"}


def clock_jump(scene: Scene) -> tuple[str, Ended]:
    """The clock jumps at a random moment, which is none of the command's business."""
    name, jump = scene.rng.choice(list(JUMPS.items()))
    clock = scene.place.parent / f"{scene.place.name}.clock"
    clock.write_text("+0\n", "ascii")
    order = replace(scene.stage.order(scene.place), environment=faketime(clock))
    command = Command(order, scene.log, fresh=True)
    command.wait(scene.rng.uniform(0.0, 1.2))
    clock.write_text(f"{jump}\n", "ascii")
    return f"clock jumps {name}", command.ended()


def faketime(clock: Path) -> dict[str, str]:
    """The environment in which a process has the time that a file says; empty where libfaketime is not installed."""
    library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
    given = {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
             "NO_FAKE_STAT": "1"}  # fmt: skip
    return {"LD_PRELOAD": str(library), **given} if library else {}


KINDS: dict[str, tuple[Fault, ...]] = {
    "kill -9": (kill_at_a_change, kill_at_a_moment),
    "full disk": (full_disk,),
    "read-only folder": (read_only_in_mid_work, read_only_from_the_start),
    "clock jump": (clock_jump,),
}
"""Those of a kind take turns."""
MOUNTED = ("full disk", "read-only folder")


# --- one fault, and what it harmed -----------------------------------------------------------------------


@contextmanager
def on_a_small_disk(place: Path) -> Iterator[None]:
    """A file system of ROOM bytes at a folder."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "faults", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def remounted(place: Path) -> Iterator[None]:
    """Nobody can write to a mounted folder."""
    subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", str(place)], check=True)


def inject(shop: Workshop, stage: Stage, kind: str, number: int, seed: int) -> Outcome:
    """One fault into a stage, and the same command again, undisturbed. Drawn by its own number alone.

    A command that had ended before its fault came is run anew with another draw, three times at most.
    """
    faults = (kill_a_worker, *KINDS[kind]) if kind == "kill -9" and stage.workers > 1 else KINDS[kind]
    fault = faults[number % len(faults)]
    for attempt in range(TRIES):
        rng = random.Random(f"{seed}/{stage.name}/{kind}/{number}/{attempt}")
        place = shop.place(f"{stage.name} {kind} {number}")
        with on_a_small_disk(place) if kind in MOUNTED else nullcontext():
            scene = Scene(shop, stage, place, shop.aimed(stage), rng, attempt)
            scene.begin()
            try:
                how, ended = fault(scene)
            except Missed:
                continue
            study, aimed = place / "study", scene.aimed
            after = harm_of(aimed.before, holdings(study), aimed.after, aimed.volatile)
            again = run(Order(stage.arguments(place)), shop.root / f"{place.name}.again")
            at_last = difference(holdings(study), aimed.after, aimed.volatile)
        found = outcome((stage.name, kind, number), how, [ended], [again], after, at_last)
        if not found.finding:
            shutil.rmtree(place)
        return found
    return Outcome(stage.name, kind, number, "", MISSED, "", 0, 0, "")
