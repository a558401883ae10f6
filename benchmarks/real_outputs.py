"""The split of real outputs that were labelled by hand: docs/real_outputs.csv through `gainsift analyze --table`.

    python benchmarks/real_outputs.py [--write]

Prints the page, or writes docs/real_outputs.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from markdown import grid
from typer.testing import CliRunner

from gainsift.analysis.estimate import Estimate
from gainsift.analysis.tables import Column, display
from gainsift.cli.main import app
from gainsift.schemas.files import write_text

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA = DOCS / "real_outputs.csv"
CONTRASTS = ("step-00300 unpatched -> step-01500 unpatched", "step-01500 unpatched -> step-01500 patched")
POINTS = Column("", "", "points", interval=True)
COUNT = Column("", "", "count")


def analysed(data: Path = DATA) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of the report, by the table's name."""
    with tempfile.TemporaryDirectory(prefix="gainsift-real-") as folder:
        contrasts = [word for one in CONTRASTS for word in ("--contrast", one)]
        done = CliRunner().invoke(app, ["analyze", "--table", str(data), "--out", folder, *contrasts])
        if done.exit_code:
            raise RuntimeError(done.output) from done.exception
        files = sorted((Path(folder) / "tables").glob("*.json"))
        return {file.stem: json.loads(file.read_text("utf-8"))["rows"] for file in files}


def page(tables: dict[str, list[dict[str, Any]]]) -> str:
    """docs/real_outputs.md."""
    lines = [
        "# The split of real outputs, labelled by hand", "", "<!-- made by benchmarks/real_outputs.py --write -->", "",
        "[real_outputs.csv](real_outputs.csv) holds 192 outputs of the small Llama that `gainsift demo` trains: 64"
        " units (prompt pair and language pair, 16 drawn at random of each of four language pairs), each at step 300"
        " and at step 1500, unpatched, and at step 1500 with the concept vector of the other languages (`seen`) from"
        " layer 0 on. The project authors read the 191 distinct answers once, word by word and in random order within"
        " each word,"
        " with concept and senses beside them, but neither checkpoint nor patching. Outputs that were read twice, to"
        " measure pre-labels, are another set: [prelabels.md](prelabels.md). The model is small and trained on the very"
        " words that it is asked for: the figures show the instrument at work on outputs that nobody made up, not how"
        " language models learn.", "",
        "```console",
        "$ gainsift analyze --table docs/real_outputs.csv --out report \\",
        f"    --contrast '{CONTRASTS[0]}' --contrast '{CONTRASTS[1]}'", "```", "",
        "Points, with 95 % studentised intervals that resample word families; flow split. † marks a bound, where no"
        " unit moved.", "",
    ]  # fmt: skip
    contrasts = list(dict.fromkeys(row["contrast"] for row in tables["split"]))
    parts = list(dict.fromkeys((row["part"], row["name"]) for row in tables["split"]))
    for title, name in (("## The split", "split"), ("## Without units that a pure copier gets right",
                                                    "split_without_identical")):  # fmt: skip
        cells = {(row["contrast"], row["part"]): row for row in tables[name]}
        units = [f"{cells[contrast, 'apparent']['units']} units, {cells[contrast, 'apparent']['clusters']} families"
                 for contrast in contrasts]  # fmt: skip
        rows = [[label, *(_points(cells[contrast, part]["flow"]) for contrast in contrasts)] for part, label in parts]
        lines += [title, "", *grid(["", *map(str.__add__, contrasts, (f" ({one})" for one in units))], rows)]
    lines += ["## Transitions", ""]
    ranked = sorted(tables["transitions"], key=lambda row: (contrasts.index(row["contrast"]), -row["units"]))
    moves = [[row["contrast"], row["before_name"], row["after_name"], display(COUNT, row["units"])] for row in ranked]
    lines += grid(["contrast", "from", "to", "units"], moves)
    return "\n".join(lines).rstrip() + "\n"


def _points(found: dict[str, Any]) -> str:
    reason = found.get("reason", "")
    bounded = "bound" in reason
    return display(POINTS, Estimate(found["point"], found["low"], found["high"], reason, bounded))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/real_outputs.md")
    arguments = parser.parse_args()
    found = page(analysed())
    if arguments.write:
        write_text(DOCS / "real_outputs.md", found)
    else:
        print(found)


if __name__ == "__main__":
    main()
