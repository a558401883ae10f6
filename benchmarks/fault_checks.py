"""What a study holds, by hashes, before and after: what is lost, doubled, strange, half-written or left over."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gainsift.schemas.errors import GainsiftError
from gainsift.schemas.record import fingerprint
from gainsift.schemas.study import Study

IGNORED = ("label-studio/", ".cache/")
"""Not the commands' to keep: the data of Label Studio, the cache of huggingface_hub."""


@dataclass(frozen=True)
class Holdings:
    """A study folder: files by hash; output rows, judgements and tasks, counted by hash; and how often each id occurs.

    `unreadable`: files that no reader takes.
    """

    files: dict[str, str]
    rows: Counter[str]
    judgements: Counter[str]
    tasks: Counter[str]
    ids: Counter[str]
    unreadable: list[str]

    def things(self) -> Counter[str]:
        """Rows, judgements and tasks together."""
        return self.rows + self.judgements + self.tasks


@dataclass
class Harm:
    """What was found after a fault. Numbers of rows, judgements and tasks; names of files."""

    lost: int = 0
    doubled: int = 0
    strange: int = 0
    files: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.strange or self.files)

    def told(self) -> str:
        counts = [f"{number} {what}" for what, number in
                  (("lost", self.lost), ("doubled", self.doubled), ("strange", self.strange)) if number]  # fmt: skip
        return "; ".join([*counts, *self.files[:4]])


def holdings(folder: Path) -> Holdings:
    """Everything in a study folder, read anew."""
    names = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = {str(path.relative_to(folder)): path for path in names}
    hashes = {name: _hash(path) for name, path in files.items() if not name.startswith(IGNORED)}
    unreadable = [name for name in hashes if not _hidden(name) and not readable(files[name])]
    rows: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    for name in hashes:
        if name.startswith("translations/") and name.endswith(".parquet") and not _hidden(name):
            for row in _rows(files[name]):
                rows[fingerprint(row)] += 1
                ids[f"row {row['row_id']}"] += 1
    judgements: Counter[str] = Counter()
    for line in _lines(folder / "annotations.jsonl"):
        judgements[fingerprint(line)] += 1
        ids[f"judgement {line['judgement_id']} {line['status']} {line['result_hash']}"] += 1
    tasks = Counter(f"task {line['uid']}" for line in _lines(folder / "assignments.jsonl"))
    return Holdings(hashes, rows, judgements, tasks, ids + tasks, unreadable)


def readable(path: Path) -> bool:
    """Whether a product can be read as what its name says: a half of it cannot."""
    try:
        if path.suffix == ".parquet":
            pq.read_table(path)
        elif path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.name == "annotations.jsonl":
            Study.open(path.parent).last_lines()
        elif path.suffix == ".jsonl":
            [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        elif path.suffix == ".html":
            return path.read_text("utf-8").rstrip().endswith(("</html>", "</body>"))
    except (GainsiftError, OSError, ValueError):
        return False
    return True


def harm_of(before: Holdings, after: Holdings, aimed: Holdings, volatile: Iterable[str]) -> Harm:
    """After a fault: every row, judgement and task of before is there, once, and what is new is as undisturbed work
    makes it. Every file is as before, as undisturbed work leaves it, or one that tells times and can be read.

    Other files, such as failures.json or the hidden ones of a killed command, are asked about after the next command.
    """
    found = harm_of_things(before, after, aimed)
    grown = {"annotations.jsonl", *volatile}
    for name, told in after.files.items():
        known = [each.files[name] for each in (before, aimed) if name in each.files]
        if known and told not in known and name not in grown:
            found.files.append(f"{name} is neither as before nor as it should be")
    found.files += [f"{name} is gone" for name in before.files if name in aimed.files and name not in after.files]
    return found


def difference(after: Holdings, aimed: Holdings, volatile: Iterable[str]) -> Harm:
    """After the next, undisturbed command: everything is exactly as if there had been no fault, and nothing else."""
    found = harm_of_things(aimed, after, aimed)
    unlike, given = set(volatile), after.files
    found.files += [f"{name} is missing" for name in aimed.files.keys() - given.keys()]
    found.files += [f"{name} is left over" for name in given.keys() - aimed.files.keys()]
    # lines stand in the order of their coming, which may be another
    unlike |= {name for name in ("annotations.jsonl", "assignments.jsonl") if not found}
    found.files += [
        f"{name} is not as it should be" for name in given.keys() & aimed.files.keys() - unlike
        if given[name] != aimed.files[name]
    ]  # fmt: skip
    return found


def unlike(one: Holdings, other: Holdings) -> set[str]:
    """Files that two undisturbed runs make differently: run records, and pages that tell when they were made."""
    return {name for name in one.files.keys() & other.files.keys() if one.files[name] != other.files[name]}


def harm_of_things(before: Holdings, after: Holdings, aimed: Holdings) -> Harm:
    """The rows, judgements and tasks of both, and files that cannot be read: whatever the order of what was done."""
    had, have, should = before.things(), after.things(), aimed.things()
    return Harm(
        lost=(had - have).total(),
        doubled=sum(number - 1 for number in after.ids.values()),
        strange=sum(1 for one in have if one not in had and one not in should),
        files=[f"{name} cannot be read" for name in after.unreadable],
    )


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return list(pq.read_table(path).to_pylist())
    except (OSError, ValueError):
        return []


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a torn one at its end holds nothing."""
    found = []
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
