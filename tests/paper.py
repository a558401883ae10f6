"""Tables set by a real LaTeX: what it says, and what a reader of the PDF finds. `make system` installs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

PACKAGES = "\\usepackage[T1]{fontenc}\n\\usepackage{booktabs,siunitx}\n"
LUA = "two columns, LuaLaTeX"
LAYOUTS = {
    "one column": "\\documentclass[a4paper]{article}\n\\usepackage{lmodern}\n" + PACKAGES,
    "two columns": "\\documentclass[twocolumn]{article}\n\\usepackage{lmodern}\n" + PACKAGES,
    "two columns, 11 pt Times": (
        "\\documentclass[11pt,a4paper,twocolumn]{article}\n\\usepackage{times}\n" + PACKAGES
        + "\\setlength{\\textwidth}{16cm}\\setlength{\\columnsep}{.6cm}\\setlength{\\textheight}{24.7cm}\n"
          "\\setlength{\\oddsidemargin}{-.4cm}\\setlength{\\topmargin}{-1.5cm}\n"
    ),
    LUA: (
        "\\documentclass[twocolumn]{article}\n\\usepackage{fontspec}\n\\setmainfont{DejaVu Sans}[Renderer=HarfBuzz]\n"
        "\\usepackage[bidi=basic]{babel}\n\\usepackage{booktabs,siunitx}\n"
    ),
}  # fmt: skip
"""As LaTeX's own class has it, and as the proceedings of computational linguistics do."""
MOST_OVERFULL = 5.0


@dataclass(frozen=True)
class Paper:
    """`complaints`: lines of the log that a reader would see the cause of; `text`: that of the PDF."""

    complaints: list[str]
    text: str


def set_in_latex(tables: Sequence[str], layout: str, folder: Path) -> Paper:
    """Set tables, each \\input after a line of text, and read the PDF back."""
    body = []
    for number, text in enumerate(tables):
        (folder / f"table{number}.tex").write_text(text, "utf-8")
        body.append(f"\\typeout{{TABLE {number}}}Text {number}.\n\\input{{table{number}}}\n\\clearpage")
    source = LAYOUTS[layout] + "\\begin{document}\n" + "\n".join(body) + "\n\\end{document}\n"
    return compiled(source, "lualatex" if layout == LUA else "pdflatex", folder)


def compiled(source: str, engine: str, folder: Path) -> Paper:
    """A paper from its source by `pdflatex` or `lualatex`, run in `folder`."""
    for program in (engine, "pdftotext"):
        assert shutil.which(program), f"no {program}; run `make system`"
    (folder / "paper.tex").write_text(source, "utf-8")
    done = subprocess.run(
        [engine, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    command = ["pdftotext", "-raw", str(folder / "paper.pdf"), "-"]
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return Paper(complaints((folder / "paper.log").read_text("utf-8", "replace")), read.stdout)


def of_each_table(made: Paper, number: int) -> list[str]:
    """The text of each table: a line `Text 3.` stands on its first page, and no page holds two tables."""
    found, at = [""] * number, 0
    for page in made.text.split("\f"):
        if mark := re.search(r"^Text (\d+)\.$", page, re.MULTILINE):
            at = int(mark[1])
        found[at] += re.sub(r"^Text \d+\.$", "", page, flags=re.MULTILINE)
    return found


def complaints(log: str) -> list[str]:
    """Boxes that stick out, floats that no page holds, signs without a glyph, each with the number of its table."""
    found, number = [], ""
    for line in log.splitlines():
        if line.startswith("TABLE "):
            number = line.removeprefix("TABLE ")
        wide = re.match(r"Overfull \\hbox \(([\d.]+)pt too wide", line)
        if (wide and float(wide[1]) > MOST_OVERFULL) or "Float too large" in line or "Missing character" in line:
            found.append(f"{number}: {line}")
    return found


# --- numbers ---------------------------------------------------------------------------------------------

LIMITS = ("low", "high")
PLACES = {"points": (100, 1), "rate": (100, 1), "percent": (1, 1), "coefficient": (1, 3), "weight": (1, 1)}
_NUMBER = r"<?[+−]?\d[\d,]*(?:\.\d+)?"
_WITH_LIMITS = re.compile(rf"({_NUMBER}) ?\[ ?({_NUMBER}), ?({_NUMBER})\]")


def printed(kind: str, value: float, point: bool = True) -> str:
    """A number of the csv as it has to stand in the paper; worked out with decimals, not with the code under test."""
    if kind == "count":
        return f"{int(Decimal(value).to_integral_value(ROUND_HALF_EVEN)):,}"
    if kind == "p":
        return "<0.001" if value < 0.0005 else f"{value:.3f}"
    factor, places = PLACES[kind]
    scaled = Decimal(value * factor).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if scaled == 0:
        return f"{0:.{places}f}"
    sign = "−" if scaled < 0 else "+" if kind == "points" and point else ""
    return sign + f"{abs(scaled):,.{places}f}"  # siunitx sets thousands apart


def differences(table: Mapping[str, Any], rows: Sequence[Mapping[str, str]], text: str) -> list[str]:
    """Where the numbers of a PDF's text are not those of the csv; `table` is the JSON, which knows the kinds."""
    shown = Counter(re.findall(_NUMBER, text))
    with_limits = [found.groups() for found in _WITH_LIMITS.finditer(text)]
    found, all_limits, lone = [], [], Counter[str]()
    for column in table["columns"]:
        kind, key = column["kind"], column["key"]
        if not column["printed"]:
            continue
        cells = [] if kind == "text" else [row for row in rows if row[key] not in ("", "undefined")]
        triples = [
            (printed(kind, float(row[key])), *(printed(kind, float(row[f"{key}_{side}"]), False) for side in LIMITS))
            for row in cells
            if row.get(f"{key}_low")
        ]
        all_limits += triples
        rest = iter(with_limits)
        if not all(triple in rest for triple in triples):
            found.append(f"{table['name']}: {key}: not in the order of the csv")
        if kind != "count":  # a count that heads a group stands once for all its rows
            lone += Counter(printed(kind, float(row[key])) for row in cells)
    noted = Counter(match.groups() for note in table["notes"] for match in _WITH_LIMITS.finditer(note))
    if Counter(with_limits) - noted != Counter(all_limits):
        found.append(f"{table['name']}: other intervals than the csv has")
    if missing := lone - shown:
        found.append(f"{table['name']}: not printed: {dict(missing)}")
    return found
