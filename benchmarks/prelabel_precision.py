"""How often automatic pre-labels are right: precision by category on outputs labelled by hand.

    python benchmarks/prelabel_precision.py [--json] [--write docs/prelabels.md]

Intervals are Wilson's, 95 % (statsmodels). The outputs and who labelled them: tests/annotation/labelled/.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from statsmodels.stats.proportion import proportion_confint

from gainsift.annotation.lexicon import Lexicon
from gainsift.annotation.prelabel import prelabel
from gainsift.generation.lexicon import embedded_concepts
from gainsift.schemas.concepts import Concept
from gainsift.schemas.files import read_jsonl, write_text
from gainsift.schemas.rows import Item
from gainsift.schemas.study import CONCEPTS_FORMAT
from gainsift.schemas.taxonomy import load_taxonomy

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "annotation" / "labelled"
KEY = ("input_language", "output_language", "intended_concept", "other_concept", "shown_word", "answer", "closed",
       "copied_from")  # fmt: skip
MARK = "<!-- made by benchmarks/prelabel_precision.py -->"


def labelled() -> list[dict[str, Any]]:
    """The outputs with their label by hand, as `label`, and the pre-label of today's code, as `prelabel`."""
    listed = read_jsonl(FOLDER / "concepts.jsonl", Concept, CONCEPTS_FORMAT, "")
    lexicons = {
        False: Lexicon(embedded_concepts(["en", "de", "fr", "es", "it"])),
        True: Lexicon(listed),
    }
    rows = [json.loads(line) for line in (FOLDER / "outputs.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        item = Item.of(load_taxonomy().version, **{key: row[key] for key in KEY})
        found = prelabel(item, lexicons[row["intended_concept"].startswith("simlex:")])
        row["prelabel"] = found.label if found else None
    return rows


def precision(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One record for each pre-label: how many, how many right, with interval, and what the others were."""
    table = []
    for label in [*load_taxonomy().ids, None]:
        own = [row for row in rows if row["prelabel"] == label]
        if not own:
            continue
        others = Counter(row["label"] for row in own if row["label"] != label)
        right = len(own) - others.total()
        low, high = proportion_confint(right, len(own), method="wilson")
        table.append({"prelabel": label, "outputs": len(own), "right": right, "low": low, "high": high,
                      "others": dict(others.most_common())})  # fmt: skip
    return table


def page(rows: list[dict[str, Any]]) -> str:
    """docs/prelabels.md."""
    lines = [
        "# How good are automatic pre-labels?", "", MARK, "",
        f"Measured on {len(rows)} real outputs that the project authors labelled by hand, blind to the pre-label",
        "(`tests/annotation/labelled/README.md`). Precision is the share of a pre-label that the reading confirms,",
        "with Wilson's 95 % interval. Pre-labels never count as judgements; they may label simulated annotators.", "",
        "| pre-label | outputs | right | precision | what the others were |", "|---|--:|--:|--:|---|",
    ]  # fmt: skip
    given = [row for row in precision(rows) if row["prelabel"]]
    for row in given:
        others = ", ".join(f"{label} {count}" for label, count in row["others"].items()) or "–"
        share = f"{row['right'] / row['outputs']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        lines.append(f"| `{row['prelabel']}` | {row['outputs']} | {row['right']} | {share} | {others} |")
    right, total = sum(row["right"] for row in given), sum(row["outputs"] for row in given)
    lines.append(f"| all | {total} | {right} | {right / total:.2f} | |")
    none = next(row for row in precision(rows) if row["prelabel"] is None)
    what = ", ".join(f"{label} {count}" for label, count in none["others"].items())
    lines += ["", f"{none['outputs']} outputs got no pre-label; read by hand they are: {what}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page")
    arguments = parser.parse_args()
    rows = labelled()
    if arguments.write:
        write_text(arguments.write, page(rows))
    print(json.dumps(precision(rows), indent=2) if arguments.json else page(rows))


if __name__ == "__main__":
    main()
