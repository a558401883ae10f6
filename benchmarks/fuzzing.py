"""Bad input: does every reader read it or refuse it in one line, without harm?

    python benchmarks/fuzzing.py [--inputs 102000] [--seed 20270101] [--reader NAME] [--only NUMBER] [--out FOLDER]

Writes bad_input.json, .md and .run.json. What is read is in fuzzed_readers.py, how it is made bad in mutations.py.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from fuzzed_readers import READERS, Reader
from fuzzing_page import BYTES, LETTERS, SECONDS, Outcome, figures, findings, page
from machine import forget_peak, peak_bytes
from mutations import mutate
from parquet_mutations import mutate_parquet
from processes import minutes, side_by_side

from gainsift.schemas.errors import GainsiftError
from gainsift.schemas.files import write_json, write_text
from gainsift.schemas.provenance import now, write_run

FORMAT = "bad_input/1"
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reliability"
CHUNK = 500
"""Inputs of one job; each input is drawn by its own number, so that how they are shared out changes nothing."""


class Hang(BaseException):
    """No Exception, so that no reader takes it for an error of its input."""


def input_of(reader: Reader, seed: int, number: int, valid: bytes) -> tuple[bytes, list[str]]:
    """The bad input of a number; number 0 is the valid file itself."""
    if number == 0:
        return valid, []
    rng = random.Random(f"{seed}/{reader.name}/{number}")
    return mutate_parquet(rng, valid) if reader.form == "parquet" else mutate(rng, valid, reader.form)


def _stop(signal_number: int, frame: Any) -> None:
    raise Hang


@contextmanager
def _alarm() -> Iterator[None]:
    """By the processor's time, which a busy machine does not stretch; readers wait for nothing."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of everything in a folder."""
    found = {}
    for path in folder.rglob("*"):
        told = path.stat()
        if path.is_file():
            found[str(path.relative_to(folder))] = told.st_size, told.st_mtime_ns
    return found


def _run(reader: Reader, folder: Path, opened: Any) -> tuple[bool, str, str]:
    """Whether it was accepted, the message if not, and what must not be."""
    try:
        with _alarm():
            reader.read(folder, opened)
        return True, "", ""
    except GainsiftError as error:
        message = str(error)
        if len(message.splitlines()) != 1:
            return False, message, "a message of several lines"
        return False, message, "a message without end" if len(message) > LETTERS else ""
    except Hang:
        return False, "", f"longer than {SECONDS} s: {_place(sys.exc_info()[2])}"
    except Exception as error:
        return False, "", f"{type(error).__name__} at {_place(error.__traceback__)}: {str(error)[:120]}"


def _place(trace: Any) -> str:
    """The last line of ours in a traceback, and the last of all."""
    frames = traceback.extract_tb(trace)
    ours = [one for one in frames if "gainsift" in one.filename or "/schemas/" in one.filename] or frames
    return " / ".join(
        dict.fromkeys(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in (ours[-1], frames[-1]))
    )


def fuzz(name: str, seed: int, numbers: range) -> list[Outcome]:
    """Some inputs of one reader, one after the other, in a folder of their own."""
    reader = next(one for one in READERS if one.name == name)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        base, folder = Path(place) / "base", Path(place) / "study"
        base.mkdir()
        reader.build(base)
        valid = (base / reader.file).read_bytes()
        shutil.copytree(base, folder)
        opened = reader.open(folder)
        outcomes = []
        for number in numbers:
            data, changes = input_of(reader, seed, number, valid)
            outcome, clean = one(reader, folder, opened, data, number, changes)
            outcomes.append(outcome)
            if not clean:
                shutil.rmtree(folder)
                shutil.copytree(base, folder)
    return outcomes


def one(
    reader: Reader, folder: Path, opened: Any, data: bytes, number: int, changes: list[str]
) -> tuple[Outcome, bool]:
    """One input; and whether the folder is as it was."""
    file = folder / reader.file
    file.write_bytes(data)
    before = _state(folder)
    forget_peak()
    resting, started = peak_bytes(), time.process_time()
    accepted, message, finding = _run(reader, folder, opened)
    seconds, megabytes = time.process_time() - started, (peak_bytes() - resting) / 2**20
    after = _state(folder)
    clean = after == before
    if not finding and megabytes * 2**20 > BYTES:
        finding = f"{megabytes:,.0f} MB of memory"
    if not finding and not clean:
        changed = sorted({*before.items()} ^ {*after.items()})
        names = sorted({name for name, _ in changed})
        left = [one for one in names if one.endswith((".tmp", ".lock"))]
        if left or file.read_bytes() != data or not (accepted and reader.writes):
            finding = f"changed or left over: {', '.join(names[:3])}"
    return Outcome(reader.name, number, changes, accepted, seconds, megabytes, message, finding), clean


# --- all of it -------------------------------------------------------------------------------------------


def shares(inputs: int, readers: list[Reader]) -> dict[str, int]:
    """How many inputs each reader gets; two at least."""
    whole = sum(reader.share for reader in readers)
    return {reader.name: max(2, round(inputs * reader.share / whole)) for reader in readers}


def run(readers: list[Reader], inputs: int, seed: int) -> list[Outcome]:
    """All inputs of all readers, side by side, in a fixed order."""
    numbers = shares(inputs, readers)
    jobs = [
        partial(fuzz, reader.name, seed, range(first, min(first + CHUNK, numbers[reader.name])))
        for reader in readers
        for first in range(0, numbers[reader.name], CHUNK)
    ]
    return side_by_side(jobs)


def write(folder: Path, outcomes: list[Outcome], seed: int, minutes: float) -> None:
    found = {
        "format": FORMAT,
        "seed": seed,
        "minutes": minutes,
        "readers": [asdict(row) for row in figures(outcomes)],
        "findings": findings(outcomes),
    }
    write_json(folder / "bad_input.json", found)
    write_text(folder / "bad_input.md", page(outcomes, seed, minutes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=102_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=20270101)
    parser.add_argument("--reader", default="", help="only readers whose name holds this; writes nothing")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="only this input of each; writes nothing")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    started = now()
    readers = [one for one in READERS if arguments.reader in one.name]
    if arguments.only is not None:
        for reader in readers:
            print(fuzz(reader.name, arguments.seed, range(arguments.only, arguments.only + 1))[0])
        return
    outcomes = run(readers, arguments.inputs, arguments.seed)
    if not arguments.reader:
        write(arguments.out, outcomes, arguments.seed, minutes())
        write_run(
            arguments.out / "bad_input.run.json",
            product="bad_input",
            command=f"python benchmarks/fuzzing.py --inputs {arguments.inputs} --seed {arguments.seed}",
            started=started,
            inputs={},
            seeds={"inputs": arguments.seed},
            counts={"inputs": len(outcomes), "findings": sum(bool(one.finding) for one in outcomes)},
        )
    for row in figures(outcomes):
        print("  ".join(row.row()))
    for line in findings(outcomes):
        print(line)


if __name__ == "__main__":
    main()
