"""Faults: does a study lose, double or half-write anything when the worst happens in the middle of a command?

    python benchmarks/faults.py [--faults N] [--only KIND] [--stage NAME] [--again] [--seed S] [--out FOLDER]

Writes faults.json, .md and .run.json; a part that is run again takes its place in an earlier run. It works in a mount
namespace of its own, for small disks and read-only folders.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from threading import Lock

import fault_downloads
import fault_kinds
import fault_pairs
import fault_servers
from fault_kinds import MOUNTED
from fault_outcomes import MISSED, Outcome
from fault_stages import STAGES, Stage, Workshop
from faults_page import not_run, page, told

from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import now, write_run

FORMAT = "faults/1"
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
SEED = 20270301
CORES = 2
INSIDE = "FAULTS_INSIDE"
"""Set once this program is in its own mount namespace: 1, or 0 where there is none to be had."""
PER_STAGE = {"kill -9": 8, "full disk": 4, "read-only folder": 3, "clock jump": 2}
OTHERWISE = {
    "generate": {"kill -9": 12, "full disk": 4, "read-only folder": 3, "clock jump": 2},
    "generate, two workers": {"kill -9": 4},
    "annotate import": {"kill -9": 12, "full disk": 8, "read-only folder": 4, "clock jump": 4},
    "analyze": {"kill -9": 3, "full disk": 1, "read-only folder": 1, "clock jump": 1},
}  # fmt: skip
"""How many faults of each kind a stage meets; those not named here meet PER_STAGE."""
DOWNLOADS = {
    "kill -9": 4, "server away": 6, "server slow": 2, "server answers garbage": 6, "network cut during download": 9,
}  # fmt: skip
SLOW = "analyze"
BESIDE = "annotate import"
"""What the slow one is started beside."""


@dataclass(frozen=True)
class Job:
    """One fault to be injected into `stage`. `stages`: those of which it needs to know what they come to alone; jobs of
    a `lane` take turns."""

    stage: str
    kind: str
    number: int
    call: Callable[[], Outcome]
    stages: tuple[Stage, ...] = ()
    lane: str = ""


def jobs(shop: Workshop, there: Servers, seed: int) -> Iterator[Job]:
    """Every fault, stage by stage."""
    for one in STAGES.values():
        for kind, number in OTHERWISE.get(one.name, PER_STAGE).items():
            for n in range(number):
                yield Job(one.name, kind, n, partial(fault_kinds.inject, shop, one, kind, n, seed), (one,))
    for kind, number in DOWNLOADS.items():
        for n in range(number):
            yield Job(fault_downloads.STAGE, kind, n, partial(_download, there, kind, n, seed))
    for n, (first, second) in enumerate(fault_pairs.pairs()):
        both = {first.name, second.name}
        if SLOW not in both or both == {SLOW, BESIDE}:
            collide = partial(fault_pairs.collide, shop, first, second, n, seed)
            yield Job(f"{first.name} + {second.name}", fault_pairs.KIND, n, collide, (first, second))
    for stage in (fault_servers.PUSH, fault_servers.PULL):
        for kind, number in fault_servers.KINDS.items():
            for n in range(number):
                yield Job(stage, kind, n, partial(_serve, there, stage, kind, n, seed), lane="server")


class Servers:
    """The hub and Label Studio, started when they are first needed."""

    def __init__(self, shop: Workshop, seed: int, ends: ExitStack) -> None:
        self._shop, self._seed, self._ends, self._lock = shop, seed, ends, Lock()
        self._downloads: fault_downloads.Downloads | None = None
        self._label_studio: fault_servers.LabelStudio | None = None

    def downloads(self) -> fault_downloads.Downloads:
        with self._lock:
            if self._downloads is None:
                self._downloads = fault_downloads.Downloads(self._shop)
            return self._downloads

    def label_studio(self) -> fault_servers.LabelStudio:
        """For one lane alone."""
        if self._label_studio is None:
            self._label_studio = self._ends.enter_context(fault_servers.label_studio(self._shop, self._seed))
        return self._label_studio


def _download(there: Servers, kind: str, number: int, seed: int) -> Outcome:
    return fault_downloads.inject(there.downloads(), kind, number, seed)


def _serve(there: Servers, stage: str, kind: str, number: int, seed: int) -> Outcome:
    return fault_servers.inject(there.label_studio(), stage, kind, number, seed)


def run(root: Path, seed: int, wanted: Callable[[Job], bool], most: int | None = None) -> Iterator[Outcome]:
    """All faults that are wanted, or `most` of them spread evenly; two at a time, and those of the server beside.

    They come as they are done.
    """
    shop = Workshop(root, seed)
    shop.prepare()
    with ExitStack() as ends:
        there = Servers(shop, seed, ends)
        found = [job for job in jobs(shop, there, seed) if wanted(job) and job.kind not in impossible()]
        if most is not None and most < len(found):
            found = [found[n * len(found) // most] for n in range(most)]
        with ThreadPoolExecutor(CORES) as pool, ThreadPoolExecutor(1) as lane:
            aside = [lane.submit(attempt, job) for job in found if job.lane]
            list(pool.map(shop.aimed, {one for job in found for one in job.stages}))
            waiting = [*(pool.submit(attempt, job) for job in found if not job.lane), *aside]
            for number, one in enumerate(as_completed(waiting), start=1):
                tell(f"{number}/{len(waiting)} {told(one.result())} {one.result().ended} {one.result().message[-160:]}")
                yield one.result()


def attempt(job: Job) -> Outcome:
    """The fault; where it cannot be injected, that is a finding, too, and the others are injected all the same."""
    try:
        return job.call()
    except Exception as error:
        traceback.print_exc()
        return Outcome(
            job.stage, job.kind, job.number, "", MISSED, "", 0, 0, f"not injected: {type(error).__name__}: {error}"
        )


def tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def impossible() -> dict[str, str]:
    """Kinds that cannot be injected on this machine, and why."""
    found: dict[str, str] = {}
    if os.environ.get(INSIDE) != "1":
        found |= dict.fromkeys(MOUNTED, "needs a mount namespace (unshare --mount)")
    if not fault_kinds.faketime(Path("clock")):
        found["clock jump"] = "needs libfaketime: run `make system`"
    return found


def enter_namespace() -> None:
    """Start this program again where its mounts are its own, and end with it."""
    line = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    there = shutil.which("unshare") and subprocess.run([*line, "true"], capture_output=True).returncode == 0
    os.environ |= {INSIDE: "1" if there else "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if there:
        os.execvp(line[0], [*line, sys.executable, *sys.argv])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, help="so many of all; all if absent")
    parser.add_argument("--only", default="", help="only kinds whose name holds this")
    parser.add_argument("--stage", default="", help="only stages whose name holds this")
    parser.add_argument(
        "--again", action="store_true", help="only what an earlier run lacks, found, or was too late for"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    if not os.environ.get(INSIDE):
        enter_namespace()
    started = now()
    file = arguments.out / "faults.json"
    settled = well(earlier(file)) if arguments.again else set()

    def wanted(job: Job) -> bool:
        named = arguments.only in job.kind and arguments.stage in job.stage
        return named and (job.stage, job.kind, job.number) not in settled

    part = arguments.only or arguments.stage or arguments.again or arguments.faults is not None
    kept = earlier(file) if part and file.exists() else {}
    with tempfile.TemporaryDirectory(prefix="faults-") as root:
        for one in run(Path(root), arguments.seed, wanted, arguments.faults):
            kept[one.stage, one.kind, one.number] = one
            write(arguments.out, list(kept.values()), arguments.seed, started, shlex.join(["faults.py", *sys.argv[1:]]))
    for one in kept.values():
        if one.finding:
            print(told(one))


Key = tuple[str, str, int]
"""Stage, kind and number of a fault."""


def earlier(file: Path) -> dict[Key, Outcome]:
    """What an earlier run found; a part that is run again takes the place of its own."""
    before = json.loads(file.read_text("utf-8"))["faults"]
    return {(one["stage"], one["kind"], one["number"]): Outcome(**one) for one in before}


def well(kept: dict[Key, Outcome]) -> set[Key]:
    """The faults that came in time and found nothing."""
    return {name for name, one in kept.items() if not one.finding and one.ended != MISSED}


def write(folder: Path, outcomes: list[Outcome], seed: int, started: str, asked: str) -> None:
    """faults.json, .md and .run.json, which tells what was `asked` for: all faults, or a part of them again."""
    missing = [f"{kind}: {why}" for kind, why in impossible().items()]
    missing += [f"{told(one)}the command had always ended before" for one in outcomes
                if one.ended == MISSED and not one.finding]  # fmt: skip
    data = {"format": FORMAT, "seed": seed, "missing": missing, "not_run": not_run(outcomes)}
    write_json(folder / "faults.json", {**data, "faults": [asdict(one) for one in outcomes]})
    write_text(folder / "faults.md", page(outcomes, missing, seed))
    counts = {"faults": len(outcomes), "findings": sum(bool(one.finding) for one in outcomes)}
    write_run(
        folder / "faults.run.json", "faults", f"python benchmarks/{asked}", started, {},
        seeds={"faults": seed}, counts=counts,
    )  # fmt: skip


if __name__ == "__main__":
    main()
