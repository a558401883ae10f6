"""Load: how long a large study takes from plan to report, in how much memory, and how both grow.

    python benchmarks/load.py [--sizes 100000 1000000 10000000] [--folder FOLDER] [--out docs/reliability]

Makes simulated studies of 10^5 to 10^7 output rows, and takes each through the commands, every one a process of its
own on two cores that is killed over 8 GB. Simulated people label the task files, as Label Studio would hand them back.
What the commands say they did must be what was asked for. Writes load.json, .md and .run.json. The largest study takes
20 GB of disk in FOLDER, by default that for temporary files. Linux alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from load_labels import label
from load_page import page
from load_study import OVERLAP, Simulation, Size, write_study
from machine import machine
from measured import Measured, measured

from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import now, write_run
from gainsift.schemas.study import Study

FORMAT = "load/1"
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
SIZES = {100_000: Size(16, 8, 8), 1_000_000: Size(64, 20, 20), 10_000_000: Size(256, 50, 49)}
"""About so many output rows; every tenfold study has ten times the items and judgements, too."""
CORES, LIMIT = 2, 8 * 2**30
GAINSIFT = [sys.executable, "-c", "from gainsift.cli.main import main; main()"]
CELL = "split/training/human/flow"


@dataclass(frozen=True)
class Step:
    """What one command took."""

    name: str
    seconds: float
    cpu_s: float
    peak_gb: float


class Run:
    """A study of one size, command after command."""

    def __init__(self, folder: Path, size: Size, seed: int) -> None:
        self.folder, self.size, self.seed = folder / "study", size, seed
        self.exports = folder / "exports"
        self.steps: list[Step] = []
        self.items = write_study(self.folder, size, seed)

    def step(self, name: str, *arguments: str) -> Measured:
        """Run a command. Raises RuntimeError with what it said if it fails."""
        found = measured([*GAINSIFT, *arguments], CORES, LIMIT, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        if found.status:
            told = f"{name}: exit status {found.status}, {found.peak / 2**30:.2f} GB"
            raise RuntimeError(f"{told}\n{found.errors[-2000:]}")
        print(f"{self.size.rows:>12,} rows  {name:10} {found.seconds:8.1f} s {found.peak / 2**30:6.2f} GB", flush=True)
        self.steps.append(Step(name, round(found.seconds, 2), round(found.cpu, 2), round(found.peak / 2**30, 2)))
        return found

    def all(self) -> dict[str, Any]:
        """Every step, and what the commands say of the study beside what was made."""
        study = str(self.folder)
        plan = json.loads(self.step("plan", "annotate", "plan", study, "--json").output)
        self.step("export", "annotate", "export", study)
        exported = json.loads((self.folder / "tasks.run.json").read_bytes())["counts"]
        files = label(Study.open(self.folder), Simulation(self.size, self.seed), self.exports)
        home = self.step("import", "annotate", "import", study, *map(str, files), "--json")
        imported = json.loads(home.output)
        self.step("plan again", "annotate", "plan", study, "--json")
        status = json.loads(self.step("status", "annotate", "status", study, "--json").output)
        summary = json.loads(self.step("analyze", "analyze", study, "--json").output)
        self.step("trace", "trace", study, CELL)
        return {
            "asked": {"rows": self.size.rows, "population": self.size.population, "items": self.items,
                      "judgements": OVERLAP * self.items, "annotators": self.size.annotators},
            "told": {
                "plan": {"population": plan["population_rows"], "items": plan["items"],
                         "judgements": plan["by_role"]["main"], "tasks": plan["judgements"],
                         "annotators": len(plan["loads"])},
                "export": {"tasks": sum(exported.values())},
                "import": {"tasks": imported["tasks"], "added": imported["appended"]["added"],
                           "judged": imported["lines"]["judged"], "skipped": imported["lines"].get("skipped", 0),
                           "findings": len(imported["findings"])},
                "status": {"tasks": status["total"]["tasks"], "done": status["total"]["done"]},
                "analyze": {"items": summary["agreement"]["items"], "judgements": summary["agreement"]["judgements"]},
            },
            "bytes": sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file()),
            "steps": [asdict(one) for one in self.steps],
        }  # fmt: skip


def disagreements(asked: dict[str, int], told: dict[str, dict[str, int]]) -> list[str]:
    """What a command says otherwise than what was made, in words; empty if all is as it should be."""
    tasks = told["plan"]["tasks"]
    expected = {
        "plan": {name: asked[name] for name in ("population", "items", "judgements", "annotators")},
        "export": {"tasks": tasks},
        "import": {"tasks": tasks, "added": tasks, "findings": 0},
        "status": {"tasks": tasks, "done": told["import"]["judged"]},
        "analyze": {"items": asked["items"]},
    }
    found = [
        f"{step} says {told[step][name]:,} {name}, expected {number:,}"
        for step, numbers in expected.items()
        for name, number in numbers.items()
        if told[step][name] != number
    ]
    home = told["import"]
    if home["judged"] + home["skipped"] != tasks:
        found.append(f"import says {home['judged']:,} judged and {home['skipped']:,} skipped of {tasks:,}")
    return found


def study(size: Size, seed: int, folder: Path) -> dict[str, Any]:
    """All steps of one size in a folder that is removed again. Raises RuntimeError if anything is not as asked."""
    with tempfile.TemporaryDirectory(prefix="gainsift-load-", dir=folder) as name:
        found = Run(Path(name), size, seed).all()
    if wrong := disagreements(found["asked"], found["told"]):
        raise RuntimeError("; ".join(wrong))
    return found


def write(folder: Path, measured_now: list[dict[str, Any]]) -> None:
    """load.json and load.md; sizes that were not measured now stay as they were."""
    file = folder / "load.json"
    known = json.loads(file.read_bytes())["studies"] if file.exists() else []
    studies = {one["asked"]["rows"]: one for one in [*known, *measured_now]}
    found = {
        "format": FORMAT,
        "cores": CORES,
        "limit_gb": LIMIT / 2**30,
        "studies": [studies[rows] for rows in sorted(studies)],
    }
    write_json(file, found)
    write_text(folder / "load.md", page(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=[*SIZES], help="output rows, about")
    parser.add_argument("--seed", type=int, default=20270201)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where studies are made")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    asked = parser.parse_args()
    started, ran_on = now(), machine("numpy", "pandas", "pyarrow", "pydantic", "scipy")
    asked.folder.mkdir(parents=True, exist_ok=True)
    done: list[int] = []
    counts: dict[str, int] = {}
    for rows in sorted(asked.sizes):
        found = {"seed": asked.seed, "machine": ran_on, **study(SIZES[rows], asked.seed, asked.folder)}
        write(asked.out, [found])
        done.append(rows)
        counts[f"judgements of {found['asked']['rows']} outputs"] = found["told"]["import"]["added"]
        write_run(
            asked.out / "load.run.json",
            product="load",
            command=f"python benchmarks/load.py --sizes {' '.join(map(str, done))} --seed {asked.seed}",
            started=started,
            inputs={},
            seeds={"study": asked.seed},
            counts=counts,
        )


if __name__ == "__main__":
    main()
