"""docs/performance.md from what the benchmarks found.

    python benchmarks/performance.py FOLDER

FOLDER holds what benchmarks wrote, as NAME.json: agreement, analysis, layer_sweep (all of it or some of its measures),
device_sweep, pairing, annotation. `make performance` makes all that need no GPU. What is there takes the place of the
figures in docs/performance.json, others stay. Without a folder the page is written of the figures that are there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markdown import grid
from performance_analysis import agreement, analysis
from performance_annotation import annotation
from performance_generation import device_sweep, layer_sweep, pairing
from performance_part import Part

from gainsift.schemas.files import write_json, write_text

DOCS = Path(__file__).resolve().parent.parent / "docs"
PARTS: dict[str, Callable[[Any], Part]] = {
    "layer_sweep": layer_sweep, "device_sweep": device_sweep, "pairing": pairing, "annotation": annotation,
    "agreement": agreement, "analysis": analysis,
}  # fmt: skip


def page(found: dict[str, Any]) -> str:
    """docs/performance.md: the answers first."""
    parts = [make(found[name]) for name, make in PARTS.items() if name in found]
    signs = {True: "✓", False: "✗", None: ""}
    answers = [[*cells, signs[kept]] for part in parts for *cells, kept in part.answers]
    lines = [
        "# How fast is it?", "", "<!-- made by benchmarks/performance.py -->", "",
        *grid(["what", "asked", "measured", ""], answers),
        *(line for part in parts for line in part.lines),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def merged(before: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Figures of a folder over those of before. A benchmark of several measures may have run some of them only."""
    found = dict(before)
    for name in PARTS:
        path = folder / f"{name}.json"
        if path.exists():
            told = json.loads(path.read_text("utf-8"))
            found[name] = {**found.get(name, {}), **told} if name == "layer_sweep" else told
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder
    found = json.loads((DOCS / "performance.json").read_text("utf-8"))
    if folder:
        found = merged(found, folder)
        write_json(DOCS / "performance.json", found)
    write_text(DOCS / "performance.md", page(found))


if __name__ == "__main__":
    main()
