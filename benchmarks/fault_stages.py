"""The stages that faults are injected into: from which state each starts, its command, and what it comes to alone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fault_checks import Holdings, holdings, unlike
from fault_commands import Aim, Ended, Order, run
from fault_study import PEOPLE, SHARD_ROWS, copy, in_folders, models, new_study, write_exports

Arguments = Callable[[Path], tuple[str, ...]]
"""The command line, by the folder in which the study lies as `study` and exports as `ann.json` and `ben.json`."""


@dataclass(frozen=True)
class Stage:
    """A command that writes. `state` is the state of the study that it starts from; `workers` of generate."""

    name: str
    state: str
    arguments: Arguments
    workers: int = 1

    def order(self, place: Path, aim: Aim | None = None) -> Order:
        return Order(self.arguments(place), aim, workers=self.workers)


def _generate(place: Path) -> tuple[str, ...]:
    return "generate", str(place / "study"), "--shard-size", str(SHARD_ROWS)


def _annotate(name: str) -> Arguments:
    return lambda place: ("annotate", name, str(place / "study"))


def _import(place: Path) -> tuple[str, ...]:
    return "annotate", "import", str(place / "study"), *(str(place.parent / f"{name}.json") for name in PEOPLE)


def _plain(name: str) -> Arguments:
    return lambda place: (name, str(place / "study"))


def _release(place: Path) -> tuple[str, ...]:
    return "release", str(place / "study"), "--out", str(place / "study" / "bundle")


STAGES = {
    stage.name: stage
    for stage in (
        Stage("generate", "new", _generate),
        Stage("generate, two workers", "new", _generate, workers=2),
        Stage("annotate plan", "generated", _annotate("plan")),
        Stage("lock", "planned", _plain("lock")),
        Stage("annotate prelabel", "planned", _annotate("prelabel")),
        Stage("annotate export", "planned", _annotate("export")),
        Stage("annotate import", "half judged", _import),
        Stage("annotate adjudicate", "judged", _annotate("adjudicate")),
        Stage("analyze", "judged", _plain("analyze")),
        Stage("export", "judged", _plain("export")),
        Stage("release", "judged", _release),
    )
}
"""Those that need neither a hub nor a server, in the order of a study."""


@dataclass(frozen=True)
class Aimed:
    """What a stage comes to without a fault, from `before`: what it holds then, which files tell times (two runs make
    them differently), seconds, changes of files, and bytes that it writes."""

    before: Holdings
    after: Holdings
    volatile: set[str]
    seconds: float
    changes: int
    size: int


class Workshop:
    """States of the study, each made once by real commands, and what each stage makes of its own alone."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self._seed = root, seed
        self._aimed: dict[str, Aimed] = {}
        self.models = models(root / "models")

    def state(self, name: str) -> Path:
        """The folder of a state; not to be changed."""
        return self.root / "states" / name

    def prepare(self) -> None:
        """Make every state."""
        new_study(self.state("new"), in_folders(self.models))
        self._make("generated", "new", STAGES["generate"].arguments)
        self._make("planned", "generated", STAGES["annotate plan"].arguments)
        write_exports(self.state("planned"), self.root, self._seed)
        first = str(self.root / f"{PEOPLE[0]}.json")
        self._make("half judged", "planned", lambda place: ("annotate", "import", str(place / "study"), first))
        self._make("judged", "half judged", _import)

    def place(self, name: str) -> Path:
        """A new folder for a run."""
        made = self.root / name
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        return made

    def _make(self, name: str, before: str, arguments: Arguments) -> None:
        place = self.place("making")
        copy(self.state(before), place / "study")
        expect_done(run(Order(arguments(place)), self.root / "making.log"))
        shutil.move(place / "study", self.state(name))

    def aimed(self, stage: Stage) -> Aimed:
        """Run the stage twice without a fault, once for all."""
        if stage.name not in self._aimed:
            found, ended = [], []
            for number in (1, 2):
                place = self.place(f"aimed {stage.name} {number}")
                time.sleep(1.1 * (number - 1))  # files tell seconds; the two runs are to tell different ones
                copy(self.state(stage.state), place / "study")
                order = stage.order(place, Aim("count", str(place), 10**9))
                ended.append(expect_done(run(order, self.root / f"{place.name}.log")))
                found.append(holdings(place / "study"))
            before, (one, other) = holdings(self.state(stage.state)), found
            self._aimed[stage.name] = Aimed(
                before, other, unlike(one, other), min(one.seconds for one in ended), ended[1].changes,
                written(place / "study", before, other),
            )  # fmt: skip
        return self._aimed[stage.name]


def written(folder: Path, before: Holdings, after: Holdings) -> int:
    """Bytes on disk of what is new in a study, in blocks of 4 KB."""
    new = [name for name, told in after.files.items() if before.files.get(name) != told]
    return sum(-(-(folder / name).stat().st_size // 4096) * 4096 for name in new)


def expect_done(ended: Ended) -> Ended:
    """Undisturbed commands succeed. Raises AssertionError with what was said."""
    if ended.status:
        raise AssertionError(f"status {ended.status}: {ended.err[-2000:]}")
    return ended
