"""CHANGELOG.md says of every release what it means for data, and names the formats that the newest one writes."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASES = dict(re.findall(r"^## (\S+).*?\n(.*?)(?=^## |\Z)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M | re.S))


def test_every_release_says_what_it_means_for_data() -> None:
    assert RELEASES
    for release, text in RELEASES.items():
        assert re.search(r"^Data: \S+ \S+", text, re.M), f"{release}: a paragraph that begins with `Data:`"


def test_the_newest_release_is_that_of_the_package_and_names_its_formats() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert next(iter(RELEASES)) == version
    told = set(re.findall(r"`([a-z_0-9]+/\d)`", RELEASES[version].split("\nData:")[1]))
    study = ROOT / "tests" / "schemas" / f"release_{version.replace('.', '_')}"
    for name in ("annotations.jsonl", "assignments.jsonl", "concepts.jsonl"):
        assert json.loads((study / name).read_text("utf-8").splitlines()[0])["format"] in told
    for name in ("checkpoints.json", "lock.json", "annotations.run.json", "report/summary.json"):
        assert json.loads((study / name).read_text("utf-8"))["format"] in told
