"""Is the demo the same twice? Every table, figure, output and judgement of two runs, compared by content.

    python benchmarks/twice.py [--make] [--out docs/reliability]
    python benchmarks/twice.py --compare demo other/demo

Makes two fresh clones of this checkout, runs the demo in each, in a process and a folder of its own, and compares
what they wrote. With --make each clone runs `make demo` and so makes its own environment; without it both use this
one. --compare takes two finished demos. Exit status 1 if anything differs. Writes twice.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from machine import machine
from markdown import grid

from gainsift.schemas.files import write_text

ROOT = Path(__file__).resolve().parent.parent
VARIES = {
    "run.json": "run records: when, how long, and by which commit",
    ".locked": "empty files that hold a study while a command writes to it",
}
"""Files, by the end of their names, that no two runs share."""
TIMES = re.compile(rb"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?)?")
LOCKED = re.compile(rb'(lock\.json</td><td class="recipe">)[0-9a-f]{64}')
"""Of the report's inputs by hash, the one that holds a time: when the analysis was locked."""
TIMED = (".html", ".jsonl", "lock.json")
"""Files that are compared without the times in them."""
KINDS = {
    ".parquet": "Parquet files (rows and schema)", ".csv": "tables, csv", ".tex": "tables, LaTeX", ".json": "JSON",
    ".jsonl": "judgements and tasks, times left out", ".png": "figures, png", ".pdf": "figures, pdf",
    ".html": "pages, times left out", ".safetensors": "weights of checkpoints",
}  # fmt: skip


def content(file: Path) -> str:
    """SHA-256 of what a file says: of Parquet its schema and rows, of pages and judgements all but times."""
    if file.suffix == ".parquet":
        table = pq.read_table(file).combine_chunks()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        data = sink.getvalue().to_pybytes()
    else:
        data = file.read_bytes()
        if file.name.endswith(TIMED):
            data = LOCKED.sub(rb"\1HASH", TIMES.sub(b"TIME", data))
    return hashlib.sha256(data).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    """Name -> content of every file that two runs should share."""
    return {
        file.relative_to(folder).as_posix(): content(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(tuple(VARIES))
    }


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Names of files that differ or that one run alone has."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def demos(make: bool, folder: Path) -> Iterator[Path]:
    """Two clones, and the demo of each."""
    clones = [folder / name for name in ("one", "two")]
    for clone in clones:  # both before the first demo: a commit meanwhile would be in one of them alone
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    for clone in clones:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        command = ["make", "demo"]
        if not make:
            command = [sys.executable, "-c", "from gainsift.cli.main import main; main()", "demo", "demo"]
            environment["PYTHONPATH"] = str(clone / ".typing")
        subprocess.run(command, cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield clone / "demo"


def page(one: dict[str, str], differ: list[str], how: str) -> str:
    kinds = Counter(Path(name).suffix for name in one)
    off = Counter(Path(name).suffix for name in differ)
    about = machine("torch", "numpy", "pandas", "pyarrow", "matplotlib")
    lines = [
        "# The demo run twice", "",
        f"`python benchmarks/twice.py`: {how}. Threads are fixed at one, and training asks for deterministic"
        f" algorithms. {len(one)} files compared by content, {len(differ)} differ.", "",
        *grid(["what", "files", "differ"], [
            [KINDS.get(kind, kind or "others"), str(count), str(off[kind])] for kind, count in sorted(kinds.items())
        ]),
        "Not compared: " + "; ".join(f"`*{name}` ({why})" for name, why in VARIES.items()) + ".", "",
        f"{about['cores']} cores, {about['architecture']}, Python {about['python']}, "
        + ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".", "",
    ]  # fmt: skip
    return "\n".join([*lines, *(f"- differs: `{name}`" for name in differ)]).rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--compare", nargs=2, type=Path, metavar="DEMO")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "reliability")
    asked = parser.parse_args()
    if asked.compare:
        one, other = map(contents, asked.compare)
        how = "two finished demos, each in a clone and a process of its own"
    else:
        with tempfile.TemporaryDirectory() as folder:
            one, other = map(contents, demos(asked.make, Path(folder)))
        how = f"two fresh clones, {'each with an environment of its own' if asked.make else 'one environment'}"
    differ = differing(one, other)
    write_text(asked.out / "twice.md", page(one, differ, how))
    print(f"{len(one)} files compared, {len(differ)} differ")
    print("\n".join(differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
