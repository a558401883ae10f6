"""Two commands on the same study at once: one waits for nobody, the other is refused, or both may work side by side."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

from fault_checks import Holdings, difference, harm_of_things, holdings
from fault_commands import Command, Ended, run
from fault_outcomes import Outcome, last_line, outcome
from fault_stages import STAGES, Stage, Workshop, expect_done
from fault_study import copy

KIND = "two commands at once"
BUSY = (
    "is at work on this study", "was just ending its work on this study", "is writing there", "already",
    "is still at work",
)  # fmt: skip
COLLIDING = tuple(name for name in STAGES if "workers" not in name and name != "lock")
STATES = {"new": 0, "generated": 1, "planned": 2, "half judged": 3, "judged": 4}


def pairs() -> list[tuple[Stage, Stage]]:
    """Every two of the commands that write, one and the same twice among them."""
    return [(STAGES[one], STAGES[other]) for one, other in combinations_with_replacement(COLLIDING, 2)]


def collide(shop: Workshop, one: Stage, other: Stage, number: int, seed: int) -> Outcome:
    """Start the second at a random moment of the first. Afterwards both, one after the other, put everything right."""
    rng = random.Random(f"{seed}/{KIND}/{number}")
    state = shop.state(max((one.state, other.state), key=STATES.__getitem__))
    place, alone = (shop.place(f"{KIND} {number}{part}") for part in ("", " alone"))
    for folder in (place, alone):
        _lay_out(state, folder, one, other)
    before = holdings(place / "study")
    aimed, volatile = _alone(shop, alone, one, other)
    commands = [Command(one.order(place), place / "one.log")]
    time.sleep(rng.uniform(0.0, 0.9) * shop.aimed(one).seconds)
    commands.append(Command(other.order(place), place / "other.log"))
    ended = [command.ended() for command in commands]
    first = harm_of_things(before, holdings(place / "study"), aimed)
    shutil.rmtree(place / "study" / "bundle", ignore_errors=True)  # of that moment, as it should be; now one of the end
    again = [run(stage.order(place), place / "again.log") for stage in (one, other)]
    second = difference(holdings(place / "study"), aimed, volatile)
    name = f"{one.name} + {other.name}", KIND, number
    found = outcome(name, "at once", ended, again, first, second)
    silent = [each for each in ended if each.status and not says_busy(each)]
    if silent:
        found = replace(found, finding=f"does not say that another is at work: {last_line(silent[0].err)}")
    if not found.finding:
        for folder in (place, alone):
            shutil.rmtree(folder)
    return found


def says_busy(ended: Ended) -> bool:
    return any(words in last_line(ended.err) for words in BUSY)


def _lay_out(state: Path, folder: Path, one: Stage, other: Stage) -> None:
    """A state in which both have something to do: some outputs are missing, or half of the judgements."""
    copy(state, folder / "study")
    if "generate" in (one.name, other.name):
        for file in sorted((folder / "study" / "translations").glob("*/*.parquet"))[::3]:
            file.unlink()


def _alone(shop: Workshop, folder: Path, one: Stage, other: Stage) -> tuple[Holdings, set[str]]:
    """What the two come to one after the other, twice as after a collision, and which files tell times."""
    for turn in range(2):
        for stage in (one, other):
            ended = run(stage.order(folder), folder / "alone.log")
            if "already" not in ended.err:
                expect_done(ended)
        if not turn:
            shutil.rmtree(folder / "study" / "bundle", ignore_errors=True)
    found = holdings(folder / "study")
    volatile = shop.aimed(one).volatile | shop.aimed(other).volatile
    volatile |= {name for name in found.files if name.endswith("run.json")}  # of the one, which the other wrote
    bundled = {f"bundle/{name}" for name in volatile}  # a release copies them, and holds their hashes
    return found, volatile | bundled | {"bundle/SHA256SUMS"}
